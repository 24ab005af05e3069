//! The time to encode a raw picture as JPEG, compared with libjpeg-turbo on one
//! core: `cargo bench --bench encode --features bench-turbo` (cmake and nasm
//! build its sources; without the feature the daemon's encoder runs alone).
//!
//! 1280x720 YUYV, a noisy picture, quality 80. The machine may be busy, so the
//! ratios come from rounds in which the encoders take turns. Criterion's own
//! figures follow.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints its results")]

#[allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "only the encoder of this folder is measured"
)]
#[path = "../../jpeg/mod.rs"]
mod jpeg;
mod picture;
#[path = "../shared/mod.rs"]
#[allow(dead_code, reason = "the benchmark of the server needs more of it")]
mod shared;
#[cfg(feature = "bench-turbo")]
mod turbo;

use std::time::Instant;

use criterion::Criterion;

use jpeg::{Encoder, PixelFormat, Range, Raw};
use picture::{HEIGHT, WIDTH};
use shared::numbers::{Series, millis};

const QUALITY: u8 = 80;
/// Enough for a median that varies by less than a percent.
const N_ROUNDS: usize = 101;

type Job<'a> = (&'static str, Box<dyn FnMut() -> usize + 'a>);

fn main() {
    let data = picture::noisy();
    let mut jobs = jobs(&data);
    if !std::env::args().any(|arg| arg == "--bench") {
        // `cargo test --benches` only checks that the benchmark runs.
        jobs.iter_mut().for_each(|(_, job)| assert!(job() > 0));
        return;
    }
    compare(&mut jobs);
    let mut criterion = Criterion::default().configure_from_args();
    for (name, job) in &mut jobs {
        criterion.bench_function(name, |b| b.iter(&mut *job));
    }
    criterion.final_summary();
}

fn jobs(data: &[u8]) -> Vec<Job<'_>> {
    let mut jobs: Vec<Job<'_>> = Vec::new();
    #[cfg(feature = "bench-turbo")]
    jobs.push(("libjpeg-turbo, 1 thread", Box::new(turbo::encoder(data, i32::from(QUALITY)))));
    let size = (WIDTH, HEIGHT);
    // Full range, since libjpeg-turbo does not convert the range either.
    for (name, range, n_threads) in [
        ("mjpegd, 1 thread", Range::Full, 1),
        ("mjpegd, 2 threads", Range::Full, 2),
        ("mjpegd, 4 threads", Range::Full, 4),
        ("mjpegd, 2 threads, limited range", Range::Limited, 2),
    ] {
        let raw = Raw::new(PixelFormat::Yuyv, size, WIDTH * 2, range, data).unwrap();
        let mut encoder = Encoder::new(QUALITY, n_threads);
        let mut out = Vec::new();
        jobs.push((
            name,
            Box::new(move || {
                out.clear();
                encoder.encode(&raw, &mut out).unwrap();
                out.len()
            }),
        ));
    }
    jobs
}

/// Prints the median of each job, and its ratio to the first one.
fn compare(jobs: &mut [Job<'_>]) {
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); jobs.len()];
    let mut sizes = vec![0; jobs.len()];
    for _ in 0..N_ROUNDS {
        for (i, (_, job)) in jobs.iter_mut().enumerate() {
            let start = Instant::now();
            sizes[i] = job();
            times[i].push(millis(start.elapsed()));
        }
    }
    let times: Vec<Series> = times.into_iter().map(Series::from_iter).collect();
    println!(
        "{WIDTH}x{HEIGHT} YUYV, quality {QUALITY}, median (best) of {N_ROUNDS} rounds in turn"
    );
    for (i, (name, _)) in jobs.iter().enumerate() {
        let (median, best, kb) = (times[i].median(), times[i].percentile(0), sizes[i] / 1000);
        let ratio = median / times[0].median();
        println!("{name:34} {median:6.2} ms ({best:.2}), {kb} kB, {ratio:.2} x the first");
    }
}
