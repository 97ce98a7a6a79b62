//! Choices that a seed decides, so that a placement can be repeated.

/// A small generator (SplitMix64): placement needs no more than an even spread.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `count`, each as likely as the others; `None` where there is none.
    pub(crate) fn below(&mut self, count: u32) -> Option<u32> {
        let number = (u128::from(self.next()) * u128::from(count)) >> 64;
        u32::try_from(number).ok().filter(|it| *it < count)
    }

    /// One of these, each as likely as the others.
    pub(crate) fn choose(&mut self, among: &[usize]) -> Option<usize> {
        let at = self.below(u32::try_from(among.len()).ok()?)?;
        among.get(usize::try_from(at).ok()?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_and_each_is_as_likely_as_the_others() {
        let choices = |seed| {
            let mut random = Random::new(seed);
            (0..3000).filter_map(|_| random.choose(&[7, 8, 9])).collect::<Vec<_>>()
        };
        assert_eq!(choices(1), choices(1));
        assert_ne!(choices(1), choices(2));
        for chosen in [7, 8, 9] {
            let times = choices(1).into_iter().filter(|it| *it == chosen).count();
            assert!((900..1100).contains(&times), "{chosen} was chosen {times} times");
        }
    }

    #[test]
    fn of_none_there_is_no_choice() {
        assert_eq!(Random::new(1).choose(&[]), None);
    }
}
