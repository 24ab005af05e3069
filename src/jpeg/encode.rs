//! Encodes raw pictures as JPEGs, each on several cores.
//!
//! A picture is cut into strips that are encoded separately and joined by restart
//! markers. So the delay of each picture falls with the number of cores. Encoding whole
//! pictures in parallel would cost the same CPU time, but delay each of them.
//!
//! The caller's thread encodes strips, too. The other threads live as long as one
//! picture: starting a thread takes some 50 us, which is less than copying the picture
//! for a permanent thread, and no thread has to be woken or stopped.

use std::fmt;
use std::io::{self, Write};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use jpeg_encoder::EncodingError;
use mjpegd_jpeg_codec::{McuRow, Scan, Simd, Tables};
use parking_lot::Mutex;

use super::header::Header;
use super::raw::Raw;
use super::rows::{Rows, mcu};
use super::strips;

/// The largest number of strips. It does not depend on the number of threads, so that
/// the JPEG is the same on every machine, and the other threads take over if one core
/// is busy. It is large because at the end one thread may still encode a strip while
/// the others wait, and this should be short: two threads need as long for 15 strips
/// as for 16.
const MAX_STRIPS: usize = 64;

/// The fewest pixels of a strip. They take about 100 us and the setup of a strip about
/// 3 us; for smaller strips, setup and threads cost more than they gain.
const MIN_STRIP_PIXELS: usize = 12 * 1024;

/// Why a picture was not encoded.
#[derive(Debug)]
pub(crate) enum EncodeError {
    Encoder(EncodingError),
    Panic,
    Output(io::Error),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoder(e) => write!(f, "encoding: {e}"),
            Self::Panic => f.write_str("encoding: panicked"),
            Self::Output(e) => write!(f, "writing a JPEG: {e}"),
        }
    }
}

impl std::error::Error for EncodeError {}

/// Encodes the pictures of one camera, and reuses its memory from picture to picture.
#[derive(Debug)]
pub(crate) struct Encoder {
    quality: u8,
    simd: Simd,
    header: Option<Header>,
    strips: Vec<Vec<u8>>,
    /// The working memory of the caller's thread, and of each other thread.
    own: McuRow,
    helpers: Vec<McuRow>,
}

impl Encoder {
    /// An encoder of quality 1 to 100 that works on up to `n_threads` cores,
    /// the caller's included, with these instructions.
    pub(crate) fn new(quality: u8, n_threads: usize, simd: Simd) -> Self {
        let mut helpers = Vec::new();
        helpers.resize_with(n_threads.saturating_sub(1), McuRow::default);
        Self { quality, simd, header: None, strips: Vec::new(), own: McuRow::default(), helpers }
    }

    /// Appends the JPEG of a picture to `out`. Blocks while it is encoded.
    ///
    /// # Errors
    /// Why encoding or `out` failed. `out` may then hold a part of a JPEG.
    pub(crate) fn encode(
        &mut self,
        raw: &Raw<'_>,
        out: &mut impl Write,
    ) -> Result<(), EncodeError> {
        let plan = StripPlan::new(raw);
        // The header stays the same while the camera's mode does.
        let header = match self.header.take() {
            Some(header) if header.fits(raw) => header,
            _ => Header::new(raw, self.quality, plan.interval()).map_err(EncodeError::Encoder)?,
        };
        let header = self.header.insert(header);
        self.strips.resize_with(plan.n_strips, Vec::new);
        let simd = self.simd;
        let jobs = Mutex::new(self.strips.iter_mut().enumerate());
        let work = |samples: &mut McuRow| {
            // A closure, so that the lock is released before the strip is encoded.
            let next = || jobs.lock().next();
            while let Some((i, scan)) = next() {
                encode_strip(plan.rows(raw, i), &header.tables, simd, samples, scan)?;
            }
            Ok(())
        };
        let work = &work;
        let (own, helpers) = (&mut self.own, &mut self.helpers);
        thread::scope(|scope| {
            // If a thread cannot be started, the others encode its strips.
            let helpers: Vec<_> = (1..plan.n_strips)
                .zip(helpers)
                .map_while(|(i, samples)| {
                    let named = thread::Builder::new().name(format!("encode-{i}"));
                    named.spawn_scoped(scope, move || work(samples)).ok()
                })
                .collect();
            let own = work(own);
            helpers
                .into_iter()
                .map(|helper| helper.join().unwrap_or(Err(EncodeError::Panic)))
                .fold(own, Result::and)
        })?;
        strips::join(&header.bytes, &self.strips, out).map_err(EncodeError::Output)
    }
}

/// How a picture is cut into strips: all strips but the last are of one size.
#[derive(Clone, Copy, Debug, PartialEq)]
struct StripPlan {
    n_strips: usize,
    /// Pixel rows of a strip.
    n_rows: usize,
    /// MCUs of a strip.
    n_mcus: usize,
}

impl StripPlan {
    fn new(raw: &Raw<'_>) -> Self {
        let (width, height) = (usize::from(raw.width()), usize::from(raw.height()));
        let (mcu_width, mcu_height) = mcu(raw.format());
        let (n_columns, n_rows) = (width.div_ceil(mcu_width), height.div_ceil(mcu_height));
        let wanted = (width * height / MIN_STRIP_PIXELS).clamp(1, MAX_STRIPS);
        // A restart interval has 16 bits (T.81, B.2.4.4).
        let n_in_strip = n_rows.div_ceil(wanted).min(usize::from(u16::MAX) / n_columns);
        Self {
            n_strips: n_rows.div_ceil(n_in_strip),
            n_rows: n_in_strip * mcu_height,
            n_mcus: n_in_strip * n_columns,
        }
    }

    /// MCUs between two restart markers, if there are any.
    fn interval(self) -> Option<u16> {
        (self.n_strips > 1).then(|| u16::try_from(self.n_mcus).unwrap_or(u16::MAX))
    }

    /// The rows of strip `i`.
    fn rows<'a>(self, raw: &'a Raw<'a>, i: usize) -> Rows<'a> {
        let top = i * self.n_rows;
        Rows { raw, top, n: self.n_rows.min(usize::from(raw.height()) - top) }
    }
}

/// Replaces the contents of `place` by the scan of a strip.
fn encode_strip(
    rows: Rows<'_>,
    tables: &Tables,
    simd: Simd,
    samples: &mut McuRow,
    place: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    // Move the `Vec` to this thread's stack: its length changes with every row of MCUs,
    // and `place` shares a cache line with the `Vec` of another thread's strip.
    let mut bytes = mem::take(place);
    bytes.clear();
    // A panic here is a bug, but the camera must go on with its next picture.
    let encoded = catch_unwind(AssertUnwindSafe(|| scan(rows, tables, simd, samples, &mut bytes)));
    *place = bytes;
    encoded.map_err(|_| EncodeError::Panic)
}

fn scan(rows: Rows<'_>, tables: &Tables, simd: Simd, samples: &mut McuRow, out: &mut Vec<u8>) {
    let (_, mcu_height) = mcu(rows.raw.format());
    samples.set_width(tables, usize::from(rows.raw.width()));
    let mut scan = Scan::new(tables, simd, out);
    for top in (0..rows.n).step_by(mcu_height) {
        rows.fill(top, simd, samples);
        scan.row(samples);
    }
    scan.end();
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;
