//! A tournament: which of many positions have the least key, and how many they are.
//!
//! A binary tree over the positions: each node holds the better of its two children, and where they
//! are equally good the sum of how many tie. A change of one position costs one path to the root.

/// Who is best in a part of the tree. With no ties nobody takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Best<K> {
    key: K,
    ties: u32,
}

/// Positions, some of which take part with a key each; the least key is best.
#[derive(Clone, Debug)]
pub(super) struct Tournament<K> {
    /// The root is the first; the children of `at` are `2 at + 1` and `2 at + 2`.
    nodes: Vec<Best<K>>,
    /// How many positions there is room for: a power of two.
    room: usize,
}

impl<K: Copy + Default + Ord> Default for Tournament<K> {
    fn default() -> Self {
        Self { nodes: vec![Best { key: K::default(), ties: 0 }], room: 1 }
    }
}

impl<K: Copy + Default + Ord> Tournament<K> {
    /// Lets these take part and no others, in their order. `ties` counts how many stand behind a
    /// position; with 0 it does not take part.
    pub(super) fn fill(&mut self, positions: &[(K, u32)]) {
        self.room = positions.len().max(1).next_power_of_two();
        self.nodes.clear();
        self.nodes.resize(2 * self.room - 1, Best { key: K::default(), ties: 0 });
        for (node, &(key, ties)) in self.nodes.iter_mut().skip(self.room - 1).zip(positions) {
            *node = Best { key, ties };
        }
        for at in (0..self.room - 1).rev() {
            self.decide(at);
        }
    }

    /// Lets a position that there is room for take part with this key, or with no ties not at all.
    /// Says whether that may have changed who is best, or how many.
    pub(super) fn set(&mut self, position: usize, key: K, ties: u32) -> bool {
        let mut at = self.room - 1 + position;
        if self.nodes[at] == (Best { key, ties }) {
            return false;
        }
        self.nodes[at] = Best { key, ties };
        while at > 0 {
            at = (at - 1) / 2;
            if !self.decide(at) {
                return false;
            }
        }
        true
    }

    /// The least key and how many tie for it, if anybody takes part.
    pub(super) fn best(&self) -> Option<(K, u32)> {
        let root = self.nodes[0];
        (root.ties > 0).then_some((root.key, root.ties))
    }

    /// The position of the `nth` of those that tie for the least key, and which one of those behind
    /// that position it is.
    pub(super) fn nth_best(&self, mut nth: u32) -> (usize, u32) {
        let key = self.nodes[0].key;
        let mut at = 0;
        while at < self.room - 1 {
            let left = self.nodes[2 * at + 1];
            let ties = if left.ties > 0 && left.key == key { left.ties } else { 0 };
            if nth < ties {
                at = 2 * at + 1;
            } else {
                nth -= ties;
                at = 2 * at + 2;
            }
        }
        (at + 1 - self.room, nth)
    }

    /// Decides a node anew; says whether that changed it.
    fn decide(&mut self, at: usize) -> bool {
        let (left, right) = (self.nodes[2 * at + 1], self.nodes[2 * at + 2]);
        let best = if right.ties == 0 || (left.ties > 0 && left.key < right.key) {
            left
        } else if left.ties == 0 || right.key < left.key {
            right
        } else {
            Best { key: left.key, ties: left.ties.saturating_add(right.ties) }
        };
        let is_new = self.nodes[at] != best;
        self.nodes[at] = best;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Each position that ties for the least key, as often as it stands for others.
    fn all_best(positions: &[(u8, u32)]) -> Vec<(usize, u32)> {
        let least = positions.iter().filter(|it| it.1 > 0).map(|it| it.0).min();
        let tied = positions.iter().enumerate().filter(|(_, it)| Some(it.0) == least);
        tied.flat_map(|(at, it)| (0..it.1).map(move |nth| (at, nth))).collect()
    }

    fn check(tournament: &Tournament<u8>, positions: &[(u8, u32)]) {
        let expected = all_best(positions);
        let ties = tournament.best().map_or(0, |it| it.1);
        assert_eq!((0..ties).map(|nth| tournament.nth_best(nth)).collect::<Vec<_>>(), expected);
    }

    proptest! {
        #[test]
        fn the_best_are_those_of_a_plain_look_at_all(
            first in prop::collection::vec((0..4_u8, 0..3_u32), 0..9),
            second in prop::collection::vec((0..4_u8, 0..3_u32), 1..40),
            changes in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, 0..3_u32), 0..40),
        ) {
            let mut tournament = Tournament::default();
            check(&tournament, &[]);
            tournament.fill(&first);
            check(&tournament, &first);
            let mut positions = second;
            tournament.fill(&positions);
            check(&tournament, &positions);
            for (at, key, ties) in changes {
                let at = at.index(positions.len());
                let before = tournament.best();
                let is_new = tournament.set(at, key, ties);
                positions[at] = (key, ties);
                check(&tournament, &positions);
                assert!(is_new || tournament.best() == before);
            }
        }
    }
}
