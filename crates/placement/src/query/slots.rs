//! Sets of slots: small numbers that stand for instances.

/// A set of slots, a bit each.
#[derive(Clone, Debug, Default)]
pub struct Slots {
    words: Vec<u64>,
}

impl Slots {
    /// Whether a slot is in it.
    #[inline]
    pub fn contains(&self, slot: u32) -> bool {
        let (word, bit) = place(slot);
        self.words.get(word).is_some_and(|it| it & bit != 0)
    }

    /// Puts a slot in.
    pub fn insert(&mut self, slot: u32) {
        let (word, bit) = place(slot);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        if let Some(it) = self.words.get_mut(word) {
            *it |= bit;
        }
    }

    /// Takes a slot out.
    pub fn remove(&mut self, slot: u32) {
        let (word, bit) = place(slot);
        if let Some(it) = self.words.get_mut(word) {
            *it &= !bit;
        }
    }

    /// Puts a slot in or takes it out.
    pub(crate) fn set(&mut self, slot: u32, is_in: bool) {
        if is_in { self.insert(slot) } else { self.remove(slot) }
    }

    /// Leaves only those of which something holds.
    pub(crate) fn retain(&mut self, holds: impl Fn(u32) -> bool) {
        for (at, word) in (0..).zip(&mut self.words) {
            let mut rest = *word;
            while rest != 0 {
                let lowest = rest & rest.wrapping_neg();
                if !holds(at * 64 + lowest.trailing_zeros()) {
                    *word ^= lowest;
                }
                rest ^= lowest;
            }
        }
    }

    /// How many are in it.
    pub fn len(&self) -> usize {
        self.words.iter().map(|it| it.count_ones() as usize).sum()
    }

    /// Whether none is in it.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|it| *it == 0)
    }

    /// All of them, rising.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..).zip(&self.words).flat_map(|(at, word): (u32, &u64)| {
            let lowest_out = |it: &u64| Some(it & (it - 1)).filter(|it| *it != 0);
            let rest = std::iter::successors(Some(*word).filter(|it| *it != 0), lowest_out);
            rest.map(move |it| at * 64 + it.trailing_zeros())
        })
    }

    /// Of words, whose lowest bits are the lowest slots.
    pub(super) fn of_words(words: impl Iterator<Item = u64>) -> Self {
        Self { words: words.collect() }
    }

    /// Puts in all of another set.
    pub(super) fn add(&mut self, other: &Self) {
        if other.words.len() > self.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        self.words.iter_mut().zip(&other.words).for_each(|(one, other)| *one |= other);
    }

    /// Leaves only what is in another set too.
    pub(crate) fn keep(&mut self, other: &Self) {
        self.words.truncate(other.words.len());
        self.words.iter_mut().zip(&other.words).for_each(|(one, other)| *one &= other);
    }

    /// Takes out all of another set.
    pub(super) fn subtract(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(one, other)| *one &= !other);
    }
}

/// Two are equal when the same slots are in them, however far their words go.
impl PartialEq for Slots {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Slots {}

impl Extend<u32> for Slots {
    fn extend<I: IntoIterator<Item = u32>>(&mut self, slots: I) {
        slots.into_iter().for_each(|it| self.insert(it));
    }
}

impl FromIterator<u32> for Slots {
    fn from_iter<I: IntoIterator<Item = u32>>(slots: I) -> Self {
        let mut all = Self::default();
        all.extend(slots);
        all
    }
}

/// The word of a slot, and its bit there.
fn place(slot: u32) -> (usize, u64) {
    (slot as usize / 64, 1 << (slot % 64))
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_set;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn sets_of_slots_are_sets(
            one in btree_set(0u32..300, 0..40), other in btree_set(0u32..300, 0..40),
        ) {
            let set = |it: &std::collections::BTreeSet<u32>| it.iter().copied().collect::<Slots>();
            let (first, second) = (set(&one), set(&other));
            let with = |change: fn(&mut Slots, &Slots)| {
                let mut changed = first.clone();
                change(&mut changed, &second);
                changed
            };
            prop_assert_eq!(first.iter().collect::<Vec<_>>(), one.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(first.len(), one.len());
            prop_assert_eq!(first.is_empty(), one.is_empty());
            prop_assert_eq!(with(Slots::add), set(&(&one | &other)));
            prop_assert_eq!(with(Slots::keep), set(&(&one & &other)));
            prop_assert_eq!(with(Slots::subtract), set(&(&one - &other)));
            let mut emptied = first.clone();
            for slot in &one {
                prop_assert!(emptied.contains(*slot));
                emptied.remove(*slot);
                prop_assert!(!emptied.contains(*slot));
            }
            prop_assert_eq!(emptied, Slots::default());
        }
    }
}
