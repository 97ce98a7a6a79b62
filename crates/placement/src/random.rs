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

    /// One of these, each as likely as the others.
    pub(crate) fn choose(&mut self, among: &[usize]) -> Option<usize> {
        let count = u128::try_from(among.len()).ok()?;
        let at = (u128::from(self.next()) * count) >> 64;
        among.get(usize::try_from(at).ok()?).copied()
    }
}
