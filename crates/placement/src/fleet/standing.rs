//! A standing request: one that comes again and again, and for which the instances that can take a
//! task are kept in the order of its strategies.
//!
//! They are arranged by their values of the attributes that tasks are spread over, as a tree with a
//! level for each. The instances of one leaf count alike there, so the best of them is the best by
//! their own measures; and each node above has the best of its children, by the whole chain but for
//! what all below it share.

use super::arrangement::Node;
use super::chain::{Chain, Key};
use super::tournament::Tournament;
use super::view::View;
use crate::query::Slots;
use crate::strategy::Strategy;

/// So many instances of a leaf are one entrant of its contest. Looking at them again costs about as
/// much as the contest of the entrants, which would take much more room with one for each.
const BLOCK: usize = 16;

/// The instances of a request, in order. It is always looked at with views of one arrangement,
/// until it looks at all instances anew.
#[derive(Debug)]
pub(super) struct Standing {
    chain: Chain,
    /// Those that can take a task.
    fits: Slots,
    /// The tasks of the group that are counted, by slot.
    tasks: Vec<u32>,
    /// Their sums over the candidates with each value, for each level of the arrangement.
    counts: Vec<Vec<u64>>,
    /// Who is best below each node of the arrangement. The entrants of a leaf are blocks of its
    /// members, those of any other node its children.
    contests: Vec<Tournament<Key>>,
    /// How much of the log of changes it knows.
    seen: u64,
}

impl Standing {
    /// Looks at all instances.
    pub(super) fn build(strategies: &[Strategy], view: &View<'_>) -> Self {
        let mut standing = Self {
            chain: Chain::of(strategies),
            fits: Slots::default(),
            tasks: vec![],
            counts: vec![],
            contests: vec![],
            seen: 0,
        };
        standing.look_at_all(view);
        standing
    }

    /// Looks at what changed. Says whether it could: it may have missed too much.
    pub(super) fn catch_up(&mut self, view: &View<'_>) -> bool {
        let changes = view.instances.changes();
        let Some(changed) = changes.since(self.seen) else { return false };
        changed.for_each(|it| self.look_at(it, view));
        self.seen = changes.end();
        true
    }

    /// How many instances are equally good, and better than all others.
    pub(super) fn ties(&self) -> u32 {
        self.contests.first().and_then(Tournament::best).map_or(0, |it| it.1)
    }

    /// The slot of the `nth` of those.
    pub(super) fn nth(&self, nth: u32, view: &View<'_>) -> Option<u32> {
        let (mut at, mut nth) = (0, nth);
        loop {
            let node = view.arrangement.node(at);
            let (place, rest) = self.contests[at as usize].nth_best(nth);
            nth = rest;
            if view.arrangement.is_leaf(node) {
                let block = view.arrangement.block(node, BLOCK, place);
                let (best, _) = self.best_of(block, view);
                let mut tied = block.iter().filter(|it| self.key(**it, view) == Some(best));
                return tied.nth(nth as usize).copied();
            }
            at = node.children.start + place as u32;
        }
    }

    /// Looks at the instance that a task was just placed on: the only change since it caught up.
    pub(super) fn take(&mut self, slot: u32, view: &View<'_>) {
        self.look_at(slot, view);
        self.seen = view.instances.changes().end();
    }

    /// Looks at all instances anew.
    pub(super) fn look_at_all(&mut self, view: &View<'_>) {
        let arrangement = view.arrangement;
        self.tasks.clear();
        self.tasks.resize(view.instances.roster().end(), 0);
        self.counts = arrangement.levels.iter().map(|it| vec![0; it.nodes_with.len()]).collect();
        for (&slot, &tasks) in view.tasks.into_iter().flatten() {
            if let Some(seat) = arrangement.seat(slot) {
                self.tasks[slot as usize] = tasks;
                self.count(seat.leaf, 0, tasks, view);
            }
        }
        self.fits = view.all_that_fit(&self.tasks);
        self.contests.resize_with(arrangement.nodes().len(), Tournament::default);
        let mut entries = Vec::new();
        for (at, node) in arrangement.nodes().iter().enumerate().rev() {
            entries.clear();
            if arrangement.is_leaf(node) {
                let blocks = arrangement.members_of(node).chunks(BLOCK);
                entries.extend(blocks.map(|it| self.best_of(it, view)));
            } else {
                entries.extend(node.children.clone().map(|it| self.entry(it, view)));
            }
            self.contests[at].fill(&entries);
        }
        self.seen = view.instances.changes().end();
    }

    /// Looks at an instance again.
    fn look_at(&mut self, slot: u32, view: &View<'_>) {
        let Some(seat) = view.arrangement.seat(slot) else { return };
        let tasks = view.tasks(slot);
        let before = std::mem::replace(&mut self.tasks[slot as usize], tasks);
        let fits = view.fits(slot, tasks);
        let is_as_before = tasks == before && fits == self.fits.contains(slot);
        if is_as_before && (!fits || !self.chain.compares_remaining()) {
            return;
        }
        self.fits.set(slot, fits);
        let place = seat.place as usize / BLOCK;
        let block = view.arrangement.block(view.arrangement.node(seat.leaf), BLOCK, place);
        let (key, ties) = self.best_of(block, view);
        let has_new_best = self.contests[seat.leaf as usize].set(place, key, ties);
        if tasks != before {
            self.count(seat.leaf, before, tasks, view);
            self.enter_all_beside(seat.leaf, view);
        } else if has_new_best {
            self.enter(seat.leaf, view);
        }
    }

    /// Counts the tasks of an instance of this leaf as so many, and not as so many as before.
    fn count(&mut self, leaf: u32, before: u32, after: u32, view: &View<'_>) {
        for (_, node) in view.arrangement.path(leaf) {
            if let Some((level, value)) = node.level().zip(node.value) {
                let count = &mut self.counts[level][value as usize];
                *count = *count - u64::from(before) + u64::from(after);
            }
        }
    }

    /// Tells the nodes above who is best below this one.
    fn enter(&mut self, node: u32, view: &View<'_>) {
        let mut at = node;
        while let Some((parent, place)) = view.arrangement.node(at).parent {
            let (key, ties) = self.entry(at, view);
            if !self.contests[parent as usize].set(place as usize, key, ties) {
                return;
            }
            at = parent;
        }
    }

    /// The same of all nodes that share a count with this leaf.
    fn enter_all_beside(&mut self, leaf: u32, view: &View<'_>) {
        // From the leaf up: who is best above follows from who is best below.
        for (at, node) in view.arrangement.path(leaf) {
            match (node.level(), node.value) {
                (Some(level), Some(value)) => {
                    let beside = &view.arrangement.levels[level].nodes_with[value as usize];
                    beside.iter().for_each(|it| self.enter(*it, view));
                }
                _ => self.enter(at, view),
            }
        }
    }

    /// The best of some instances, and how many tie.
    fn best_of(&self, slots: &[u32], view: &View<'_>) -> (Key, u32) {
        let mut best = (Key::default(), 0);
        for key in slots.iter().filter_map(|it| self.key(*it, view)) {
            if best.1 == 0 || key < best.0 {
                best = (key, 1);
            } else if key == best.0 {
                best.1 += 1;
            }
        }
        best
    }

    /// What an instance that fits is compared by within its leaf.
    fn key(&self, slot: u32, view: &View<'_>) -> Option<Key> {
        let tasks = self.tasks[slot as usize];
        let fits = self.fits.contains(slot);
        fits.then(|| self.chain.own_key(slot, tasks, view.instances.room()))
    }

    /// What a node enters the contest above with: the key of the best below it, and how many
    /// instances that is.
    fn entry(&self, at: u32, view: &View<'_>) -> (Key, u32) {
        let Some((key, ties)) = self.contests[at as usize].best() else {
            return (Key::default(), 0);
        };
        let node = view.arrangement.node(at);
        let Some(level) = node.level() else { return (key, ties) };
        let attribute = view.arrangement.levels[level].attribute;
        (self.chain.with_tasks_beside(key, attribute, self.tasks_beside(level, node)), ties)
    }

    fn tasks_beside(&self, level: usize, node: &Node) -> u32 {
        match node.value {
            Some(value) => {
                let tasks = self.counts[level][value as usize];
                u32::try_from(tasks).unwrap_or(u32::MAX).min(u32::MAX - 1)
            }
            // Without the attribute, last: a strategy only prefers.
            None => u32::MAX,
        }
    }
}
