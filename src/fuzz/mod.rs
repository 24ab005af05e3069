//! Fuzzing: feeds arbitrary bytes to everything that reads bytes from outside.
//!
//! Each target starts with the files of its folder under `testdata/fuzz`, changes and
//! mixes them, and keeps the inputs that gave a new result. The run of `cargo test` is
//! short and always the same. `make fuzz` uses another seed each time and runs for
//! `FUZZ_SECONDS` per target. An input that breaks a target is saved, and
//! `make fuzz REPLAY=FILE` runs it again.

mod mutate;
mod targets;

use std::collections::HashSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use mutate::{Rng, mutate};

/// The number of inputs in a short run.
const N_SHORT: u64 = 3000;
/// The seed of every short run.
const SEED: u64 = 1;
/// The most inputs that are kept. Bounds the memory of a long run.
const MAX_POOL: usize = 512;

/// A reader of bytes from outside, with checks that must hold for all bytes.
struct Target {
    /// Also the name of its folder.
    name: &'static str,
    /// Texts that are often inserted, as chance alone hardly ever finds them.
    words: &'static [&'static str],
    /// Panics if a check fails; otherwise returns a hash of the result, by which new
    /// results are recognised. All randomness comes from the generator, whose seed
    /// depends on the input alone.
    run: fn(&[u8], &mut Rng) -> u64,
}

impl Target {
    /// Runs it as the environment says.
    #[expect(clippy::print_stderr, reason = "a long run prints how to repeat it")]
    fn fuzz(&self) {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(path) = set("FUZZ_REPLAY") {
            if Path::new(&path)
                .file_name()
                .is_some_and(|f| f.to_string_lossy().starts_with(self.name))
            {
                self.try_on(&fs::read(path).unwrap());
            }
            return;
        }
        let Some(seconds) = set("FUZZ_SECONDS") else {
            self.search(SEED, |n| n < N_SHORT);
            return;
        };
        let seed = set("FUZZ_SEED").map(|seed| seed.parse().unwrap());
        let seed = seed.unwrap_or_else(|| {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            now.as_secs()
        });
        eprintln!("{}: FUZZ_SEED={seed}", self.name);
        let end = Instant::now() + Duration::from_secs(seconds.parse().unwrap());
        let (n, n_new) = self.search(seed, |_| Instant::now() < end);
        eprintln!("{}: {n} inputs, {n_new} gave a new result", self.name);
    }

    /// Tries inputs while `goes_on` returns true. Returns the number of inputs, and how
    /// many gave a new result.
    fn search(&self, seed: u64, goes_on: impl Fn(u64) -> bool) -> (u64, usize) {
        let mut pool = self.corpus();
        let mut known: HashSet<u64> = pool.iter().map(|input| self.try_on(input)).collect();
        let n_known = known.len();
        let (mut rng, mut n) = (Rng::new(seed), 0);
        while goes_on(n) {
            n += 1;
            let input = mutate(&pool, self.words, &mut rng);
            if known.insert(self.try_on(&input)) {
                if pool.len() < MAX_POOL {
                    pool.push(input);
                } else {
                    let at = rng.below(pool.len());
                    pool[at] = input;
                }
            }
        }
        (n, known.len() - n_known)
    }

    fn corpus(&self) -> Vec<Vec<u8>> {
        let folder = root().join("testdata/fuzz").join(self.name);
        let files = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        files.iter().map(|file| fs::read(file).unwrap()).collect()
    }

    /// Runs it on one input, which is saved if it breaks.
    fn try_on(&self, input: &[u8]) -> u64 {
        let mut rng = Rng::of(input);
        let end = catch_unwind(AssertUnwindSafe(|| (self.run)(input, &mut rng)));
        end.unwrap_or_else(|_| {
            let folder = root().join("target/fuzz-found");
            let path = folder.join(format!("{}-{:016x}", self.name, Rng::of(input).next()));
            fs::create_dir_all(&folder).and_then(|()| fs::write(&path, input)).unwrap();
            panic!("{} breaks; again: make fuzz REPLAY={}", self.name, path.display())
        })
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
