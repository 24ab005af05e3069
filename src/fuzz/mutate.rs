//! A random generator whose runs can be repeated, and random changes of an input.

/// SplitMix64: small, and the same everywhere.
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator whose seed depends on these bytes alone (FNV-1a).
    pub(super) fn of(bytes: &[u8]) -> Self {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        Self(bytes.iter().fold(0xCBF2_9CE4_8422_2325, step))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to below `n`; 0 for none.
    pub(super) fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { usize::try_from(self.next() >> 33).unwrap_or(0) % n }
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// A piece of at most `longest` bytes.
    fn piece<'a>(&mut self, bytes: &'a [u8], longest: usize) -> &'a [u8] {
        let at = self.below(bytes.len() + 1);
        let len = self.below((bytes.len() - at).min(longest) + 1);
        &bytes[at..at + len]
    }
}

/// The longest input. Longer inputs find no more errors, but take more time.
const MAX_BYTES: usize = 16 << 10;

/// A few changes to one of these inputs.
pub(super) fn mutate(pool: &[Vec<u8>], words: &[&str], rng: &mut Rng) -> Vec<u8> {
    let mut input = rng.pick(pool).clone();
    for _ in 0..=rng.below(6) {
        change(&mut input, pool, words, rng);
    }
    input.truncate(MAX_BYTES);
    input
}

fn change(input: &mut Vec<u8>, pool: &[Vec<u8>], words: &[&str], rng: &mut Rng) {
    /// Bytes that mean something to the parsers.
    const SPECIAL: [u8; 12] = *b"\0\xFF\xD8\xD9\xDA\r\n-:\"%\x7F";
    let at = rng.below(input.len() + 1);
    let longest = if rng.below(4) == 0 { 1 << 10 } else { 16 };
    let end = at + rng.below((input.len() - at).min(longest) + 1);
    match rng.below(9) {
        0 if at < input.len() => input[at] ^= 1 << rng.below(8),
        1 if at < input.len() => input[at] = *rng.pick(&SPECIAL),
        2 if at < input.len() => input[at] = rng.byte(),
        3 => drop(input.drain(at..end)),
        4 => {
            let copy = input[at..end].to_vec();
            let to = rng.below(input.len() + 1);
            input.splice(to..to, copy);
        }
        5 => {
            let piece = rng.piece(rng_pool(pool, rng.0), longest * 4).to_vec();
            input.splice(at..at, piece);
        }
        6 => input.truncate(at),
        7 => {
            let byte = rng.byte();
            input.splice(at..at, vec![byte; end - at + 1]);
        }
        _ if !words.is_empty() => {
            input.splice(at..at, rng.pick(words).bytes());
        }
        _ => {}
    }
}

/// Another input, to mix in.
fn rng_pool(pool: &[Vec<u8>], seed: u64) -> &[u8] {
    let at = Rng::new(seed).below(pool.len());
    &pool[at]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_gives_the_same_inputs() {
        let pool = [b"one".to_vec(), b"two".to_vec()];
        let run = |seed| {
            let mut rng = Rng::new(seed);
            (0..500).map(|_| mutate(&pool, &["word"], &mut rng)).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }
}
