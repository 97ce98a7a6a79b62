//! Chance, all of it from the seed.

use std::sync::atomic::{AtomicU64, Ordering};

use longshore_model::Ids;

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The output function of SplitMix64: a bijection that leaves no pattern.
fn mixed(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// A stream of choices.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(mixed(seed.wrapping_add(STEP)))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mixed(self.0)
    }

    /// A number from `least` to `most`.
    pub(crate) fn between(&mut self, least: i64, most: i64) -> i64 {
        let width = most.saturating_sub(least).saturating_add(1).max(1).unsigned_abs();
        least.saturating_add((self.next() % width).cast_signed())
    }

    /// A position in a list of so many.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % (count.max(1) as u64)).unwrap_or(0)
    }

    /// Yes, so many times in a hundred.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.next() % 100 < u64::from(percent)
    }

    /// One of them.
    pub(crate) fn pick<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        all.get(self.below(all.len())).cloned()
    }
}

/// Identities, from a stream of their own: what is named how changes nothing else.
pub(crate) struct SeededIds(AtomicU64);

impl SeededIds {
    pub(crate) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(mixed(seed ^ 0x1d5)))
    }
}

impl Ids for SeededIds {
    fn next_bits(&self) -> u128 {
        let next = || u128::from(mixed(self.0.fetch_add(STEP, Ordering::Relaxed)));
        (next() << 64) | next()
    }
}
