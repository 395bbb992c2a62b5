//! Where the choices of a random policy come from: a seed, or the bytes of a fuzzer.

/// A stream of choices; the same for the same seed or bytes.
pub(crate) struct Choices<'a> {
    bytes: &'a [u8],
    state: u64,
}

impl Choices<'_> {
    /// Choices without end.
    pub(crate) fn of_seed(seed: u64) -> Self {
        Self { bytes: &[], state: seed }
    }
}

impl<'a> Choices<'a> {
    /// Choices by a fuzzer; when its bytes are used up, others follow from their number.
    #[allow(dead_code, reason = "the fuzz target uses it, the tests do not")]
    pub(crate) fn of_bytes(bytes: &'a [u8]) -> Self {
        Self { bytes, state: bytes.len() as u64 }
    }

    /// SplitMix64: https://prng.di.unimi.it/splitmix64.c
    fn next(&mut self) -> u64 {
        if let Some((first, rest)) = self.bytes.split_first() {
            self.bytes = rest;
            return u64::from(*first);
        }
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `below`.
    pub(crate) fn below(&mut self, below: usize) -> usize {
        usize::try_from(self.next() % below.max(1) as u64).unwrap_or(0)
    }

    /// One of them.
    pub(crate) fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())]
    }

    /// Yes, in so many of a hundred cases.
    pub(crate) fn percent(&mut self, yes: usize) -> bool {
        self.below(100) < yes
    }
}
