//! What a picture costs from raw to JPEG, and to change a JPEG, beside libjpeg-turbo on one core:
//! `cargo bench --bench encode --features bench-turbo` (cmake and nasm build
//! its sources; without the feature the daemon's encoder runs alone).
//!
//! The machine may be busy with other things. So the encoders of a line take
//! turns, what counts is the CPU time of their thread, and the ratio is that of
//! the medians. The second ratio is without AVX2, which libjpeg-turbo keeps
//! (`JSIMD_FORCESSE2=1` takes it away there, too); the third is for cameras of
//! limited range, which libjpeg-turbo is not asked to widen. `ENCODE=YUYV`
//! measures one format alone, `ENCODE=transcode` the changes of JPEGs alone,
//! `ENCODE_ROUNDS=9` in fewer rounds.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints its results")]

#[allow(dead_code, unreachable_pub, unused_imports, reason = "jpeg needs one string of it")]
#[path = "../../frame/wire.rs"]
mod frame;
#[allow(dead_code, unreachable_pub, unused_imports, reason = "the room, not all of the daemon")]
#[path = "../../jpeg/mod.rs"]
mod jpeg;
mod picture;
#[path = "../shared/results.rs"]
#[allow(dead_code, reason = "only the guide's writer reads them")]
mod results;
mod transcode;
#[cfg(feature = "bench-turbo")]
mod turbo;

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use jpeg::{Encoder, PixelFormat, Range, Raw, Simd};
use results::Results;

/// A picture, and how it is encoded.
struct Case {
    format: PixelFormat,
    size: (usize, usize),
    quality: u8,
    noise: i32,
}

/// What it is called, and what it gives in bytes.
type Job<'a> = (&'static str, Box<dyn FnMut() -> usize + 'a>);

const VGA: (usize, usize) = (640, 480);
const HD: (usize, usize) = (1280, 720);
const FULL_HD: (usize, usize) = (1920, 1080);

/// All formats, and what else there is of sizes, qualities and noise.
const CASES: [(PixelFormat, (usize, usize), u8, i32); 18] = [
    (PixelFormat::Yuyv, HD, 80, 10),
    (PixelFormat::Yuyv, HD, 80, 0),
    (PixelFormat::Yuyv, HD, 50, 10),
    (PixelFormat::Yuyv, HD, 95, 10),
    (PixelFormat::Yuyv, VGA, 80, 10),
    (PixelFormat::Yuyv, FULL_HD, 80, 10),
    (PixelFormat::Uyvy, HD, 80, 3),
    (PixelFormat::Yvyu, HD, 80, 3),
    (PixelFormat::Nv12, VGA, 50, 10),
    (PixelFormat::Nv12, FULL_HD, 80, 10),
    (PixelFormat::Nv21, HD, 80, 3),
    (PixelFormat::Yu12, HD, 80, 0),
    (PixelFormat::Yv12, HD, 95, 3),
    (PixelFormat::Rgb3, HD, 80, 3),
    (PixelFormat::Rgb3, HD, 95, 10),
    (PixelFormat::Bgr3, VGA, 80, 10),
    (PixelFormat::Rgbp, VGA, 80, 3),
    (PixelFormat::Grey, HD, 80, 3),
];

fn main() {
    let set = |name| std::env::var(name).ok();
    // `cargo test --benches`: once is enough to see that it runs.
    let is_run = std::env::args().any(|arg| arg == "--bench");
    let n_rounds = set("ENCODE_ROUNDS").map_or(101, |n| n.parse().unwrap());
    let n_rounds = if is_run { n_rounds } else { 1 };
    let only = set("ENCODE");
    if only.as_deref() == Some(transcode::NAME) {
        return transcode::compare(n_rounds);
    }
    println!("CPU of one thread a picture, median of {n_rounds} rounds in turn");
    let mut results = Results::default();
    for (format, size, quality, noise) in CASES {
        if only.as_ref().is_none_or(|name| name == format.name()) {
            compare(&Case { format, size, quality, noise }, n_rounds, &mut results);
        }
    }
    delay(n_rounds, &mut results);
    transcode::compare(n_rounds);
    if only.is_none() && is_run {
        results.keep("encode").unwrap();
    }
}

/// Prints what a case costs here and there, and how alike the pictures are.
fn compare(case: &Case, n_rounds: usize, results: &mut Results) {
    let data = picture::drawn(case.format, case.size, case.noise);
    let mut best = Ours::new(case, &data, Range::Full, (1, Simd::best()));
    let mut baseline = Ours::new(case, &data, Range::Full, (1, Simd::baseline()));
    let mut limited = Ours::new(case, &data, Range::Limited, (1, Simd::best()));
    #[cfg(feature = "bench-turbo")]
    let mut turbo = turbo::Turbo::new(case, case.quality);
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..n_rounds {
        times[0].push(cpu(|| best.encode().len()));
        times[1].push(cpu(|| baseline.encode().len()));
        times[2].push(cpu(|| limited.encode().len()));
        #[cfg(feature = "bench-turbo")]
        times[3].push(cpu(|| turbo.encode().len()));
    }
    let [ours, without_avx2, limited, theirs] = times.map(median);
    let ((width, height), kb) = (case.size, best.encode().len() / 1000);
    print!("{} {width}x{height}, quality {}, noise {}, ", case.format, case.quality, case.noise);
    print!("{kb} kB: {ours:.2} ms, without AVX2 {without_avx2:.2}, limited range {limited:.2}");
    if theirs > 0.0 {
        let [ours, without, limited] = [ours, without_avx2, limited].map(|ms| ms / theirs);
        print!("; libjpeg-turbo {theirs:.2}: {ours:.2} x, {without:.2} x, {limited:.2} x");
        let name = format!(
            "{} {width}x{height}, quality {}, noise {}",
            case.format, case.quality, case.noise
        );
        results.add(format!("{name}: x libjpeg-turbo"), format!("{ours:.2}"));
        results.add(format!("{name}: without AVX2"), format!("{without:.2}"));
    }
    // libjpeg-turbo is given RGB in place of RGBP: another picture.
    #[cfg(feature = "bench-turbo")]
    if case.format != PixelFormat::Rgbp {
        let mut whole = turbo::Turbo::new(case, 100);
        let (ours, theirs) = (best.encode(), turbo.encode());
        let [ours_db, theirs_db] = [ours, theirs].map(|jpeg| psnr(jpeg, whole.encode()));
        let (n_ours, n_theirs) = (ours.len(), theirs.len());
        print!("; {ours_db:.2} dB in {n_ours} bytes, {theirs_db:.2} dB in {n_theirs}");
    }
    println!();
}

/// Prints how long it takes until a picture is there, on more threads.
fn delay(n_rounds: usize, results: &mut Results) {
    let case = Case { format: PixelFormat::Yuyv, size: HD, quality: 80, noise: 10 };
    let data = picture::drawn(case.format, case.size, case.noise);
    let ours = |n| Ours::new(&case, &data, Range::Full, (n, Simd::best()));
    let [mut one, mut two, mut four] = [1, 2, 4].map(ours);
    #[cfg(feature = "bench-turbo")]
    let mut turbo = turbo::Turbo::new(&case, case.quality);
    let mut jobs: Vec<Job<'_>> = vec![
        ("1 thread", Box::new(|| one.encode().len())),
        ("2 threads", Box::new(|| two.encode().len())),
        ("4 threads", Box::new(|| four.encode().len())),
    ];
    #[cfg(feature = "bench-turbo")]
    jobs.push(("libjpeg-turbo", Box::new(|| turbo.encode().len())));
    let mut times = vec![Vec::new(); jobs.len()];
    for _ in 0..n_rounds {
        for ((_, job), times) in jobs.iter_mut().zip(&mut times) {
            let start = Instant::now();
            assert!(job() > 0);
            times.push(start.elapsed());
        }
    }
    println!("YUYV 1280x720, quality 80, noise 10: delay of a picture");
    let times: Vec<f64> = times.into_iter().map(median).collect();
    for ((name, _), time) in jobs.iter().zip(&times) {
        println!("{name:13} {time:.2} ms");
    }
    if let [_, two, _, turbo] = times[..] {
        results.add("delay on 2 threads: x libjpeg-turbo", format!("{:.2}", two / turbo));
    }
}

/// The daemon's encoder, on one picture.
struct Ours<'a> {
    encoder: Encoder,
    raw: Raw<'a>,
    out: Vec<u8>,
}

impl<'a> Ours<'a> {
    fn new(case: &Case, data: &'a [u8], range: Range, (n_threads, simd): (usize, Simd)) -> Self {
        let stride = case.format.line_len(case.size.0);
        let raw = Raw::new(case.format, case.size, stride, range, data).unwrap();
        Self { encoder: Encoder::new(case.quality, n_threads, simd), raw, out: Vec::new() }
    }

    fn encode(&mut self) -> &[u8] {
        self.out.clear();
        self.encoder.encode(&self.raw, &mut self.out).unwrap();
        &self.out
    }
}

/// The CPU time of this thread for a job.
fn cpu(job: impl FnOnce() -> usize) -> Duration {
    let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
    let start = now();
    assert!(job() > 0);
    now() - start
}

/// In milliseconds; 0 of none.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

/// How near a JPEG comes to another, as a third party's decoder sees them, in
/// dB: to that of libjpeg-turbo at quality 100, which is near to the picture.
#[cfg(feature = "bench-turbo")]
fn psnr(one: &[u8], other: &[u8]) -> f64 {
    let [one, other] = [one, other].map(|jpeg| jpeg_decoder::Decoder::new(jpeg).decode().unwrap());
    let squares = one.iter().zip(&other).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
    #[allow(clippy::cast_precision_loss, reason = "some million samples")]
    let mean = squares.sum::<f64>() / one.len() as f64;
    10.0 * (255.0 * 255.0 / mean).log10()
}
