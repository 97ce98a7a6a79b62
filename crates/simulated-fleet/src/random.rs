//! Random choices from a seed, so that a run that found something can be tried again.

/// A sequence of numbers that its seed determines. Source: splitmix64, by Sebastiano Vigna, public
/// domain.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of this seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A sequence of its own for one of several users of a seed.
    pub fn fork(&mut self) -> Self {
        Self(self.bits())
    }

    /// Sixty-four random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `least` to `most`, both included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.bits() % (most.saturating_sub(least) + 1)
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.between(1, times) == 1
    }

    /// One of them; `None` when there is none.
    pub fn choose<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        let last = among.len().checked_sub(1)?;
        among.get(usize::try_from(self.between(0, last as u64)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_determines_the_sequence() {
        let sequence = |seed| {
            let mut random = Random::new(seed);
            (0..10).map(|_| random.between(3, 9)).collect::<Vec<_>>()
        };
        assert_eq!(sequence(7), sequence(7));
        assert_ne!(sequence(7), sequence(8));
        assert!(sequence(7).iter().all(|it| (3..=9).contains(it)));
    }

    #[test]
    fn nothing_is_chosen_from_nothing() {
        assert_eq!(Random::new(1).choose::<u8>(&[]), None);
        assert_eq!(Random::new(1).choose(&[5]), Some(&5));
    }
}
