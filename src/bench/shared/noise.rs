//! Pseudo-random numbers: the same ones in each run, so that runs can be compared.

/// Marsaglia's xorshift64.
pub(crate) struct Noise(u64);

impl Noise {
    /// The seed must not be 0, of which the generator makes only zeros.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
