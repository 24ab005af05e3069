//! Everything that reads bytes from outside, fed with bytes that nobody would
//! send on purpose.
//!
//! Each target begins with the files of its folder under `testdata/fuzz`,
//! changes and mixes them, and keeps what led to something new. The run of
//! `cargo test` is short and always the same; `make fuzz` begins elsewhere each
//! time and goes on for `FUZZ_SECONDS` a target. An input that breaks a target
//! is saved, and tried again by `make fuzz REPLAY=FILE`.

mod mutate;
mod targets;

use std::collections::HashSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use mutate::{Rng, mutate};

/// Inputs of a short run.
const N_SHORT: u64 = 3000;
/// The begin of every short run.
const SEED: u64 = 1;
/// What is kept of inputs that led to something new.
const MAX_POOL: usize = 512;

/// A reader of bytes from outside, with what must hold for all bytes.
struct Target {
    /// Of its folder.
    name: &'static str,
    /// What is often put in.
    words: &'static [&'static str],
    /// Panics if something does not hold; else a hash of what came of it. All
    /// chance comes from the generator, which depends on the input alone.
    run: fn(&[u8], &mut Rng) -> u64,
}

impl Target {
    /// Runs it as the environment says.
    #[expect(clippy::print_stderr, reason = "a long run says how to have it again")]
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
        eprintln!("{}: {n} inputs, {n_new} led to something new", self.name);
    }

    /// Tries inputs while `goes_on`; gives how many, and how many were new.
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
