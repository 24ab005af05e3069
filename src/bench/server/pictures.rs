//! A folder of JPEG files, and their parts on the wire.
//!
//! All pictures have one size and carry their number, so that a receiver can
//! find parts by counting bytes and see which ones it missed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::shared::noise::Noise;
use crate::shared::part::{DELIMITER, SMALL_JPEG, parse_timestamp, part_head, push_comment};

/// Enough that a receiver that misses a second of them still knows how many it
/// missed.
pub(crate) const N_PICTURES: usize = 60;
/// Marker and length of a comment segment.
const SEGMENT_HEAD: usize = 4;
const N_DIGITS: usize = 4;
/// Different pictures among those that are drawn, as drawing takes a while.
const N_DRAWN: usize = 6;
/// For the comments in them.
const N_ROOM: usize = 64;
const EOI: [u8; 2] = [0xFF, 0xD9];

/// The folder. Removed on drop.
pub(crate) struct Pictures {
    pub(crate) dir: PathBuf,
    pub(crate) fps: u32,
    pub(crate) part: Part,
}

/// Lengths that all parts have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) head_bytes: usize,
    pub(crate) n_bytes: usize,
}

impl Pictures {
    /// # Errors
    /// Why the files could not be written.
    pub(crate) fn make(n_bytes: usize, fps: u32) -> Result<Self> {
        Self::write(n_bytes, fps, |number| picture(number, n_bytes))
    }

    /// Pictures that can be decoded, with some noise.
    ///
    /// # Errors
    /// Why the files could not be written.
    pub(crate) fn drawn(size: (u16, u16), fps: u32) -> Result<Self> {
        let all = (0..N_DRAWN).map(|number| drawn(size, number)).collect::<Result<Vec<_>>>()?;
        let n_bytes = all.iter().map(Vec::len).max().unwrap_or(0) + N_ROOM;
        Self::write(n_bytes, fps, |number| {
            // Numbered as the others, and padded to one size by a comment.
            let drawn = &all[number % N_DRAWN];
            let mut jpeg = drawn[..2].to_vec();
            push_comment(&mut jpeg, format!("{number:04}").as_bytes());
            let n_missing = n_bytes - jpeg.len() - (drawn.len() - 2) - SEGMENT_HEAD;
            push_comment(&mut jpeg, &vec![b' '; n_missing]);
            jpeg.extend_from_slice(&drawn[2..]);
            jpeg
        })
    }

    fn write(n_bytes: usize, fps: u32, picture: impl Fn(usize) -> Vec<u8>) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("mjpegd-bench-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let dir = std::env::temp_dir().join(name);
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let pictures = Self { dir, fps, part: Part::new(n_bytes) };
        for number in 0..N_PICTURES {
            let path = pictures.dir.join(format!("{number:04}.jpg"));
            fs::write(&path, picture(number))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(pictures)
    }

    /// The folder, for a command line.
    pub(crate) fn dir(&self) -> &str {
        // This program chose the name, and the folder for temporary files has a
        // UTF-8 name on the systems that this runs on.
        self.dir.to_str().unwrap_or_default()
    }
}

impl Drop for Pictures {
    fn drop(&mut self) {
        // A leftover folder is one for temporary files, so an error does not
        // matter.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The files in a folder that [`Pictures::make`] wrote.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    (0..N_PICTURES).map(|number| dir.join(format!("{number:04}.jpg"))).collect()
}

impl Part {
    fn new(n_bytes: usize) -> Self {
        let head_bytes = part_head(n_bytes, SystemTime::now()).len();
        Self { head_bytes, n_bytes: head_bytes + n_bytes + DELIMITER.len() }
    }

    /// How many bytes of a part [`Part::read`] needs.
    pub(crate) fn start_bytes(&self) -> usize {
        self.head_bytes + 2 + SEGMENT_HEAD + N_DIGITS
    }

    /// Reads the capture time and the number of the picture from the start of a
    /// part.
    ///
    /// # Errors The part is malformed or not from this run.
    pub(crate) fn read(&self, start: &[u8]) -> Result<(SystemTime, usize)> {
        let (head, jpeg) = start.split_at(self.head_bytes);
        let head = std::str::from_utf8(head)?;
        let time = head.split_once("X-Timestamp: ").context("a part without a time")?.1;
        ensure!(jpeg.starts_with(&[0xFF, 0xD8, 0xFF, 0xFE]), "not a picture of this run");
        let number = std::str::from_utf8(&jpeg[2 + SEGMENT_HEAD..])?.parse()?;
        Ok((parse_timestamp(time)?, number))
    }
}

/// The small picture with its number in a comment, and a scan that is padded to
/// `n_bytes`. The padding is noise like the output of an encoder, since code
/// that searches for markers looks at each byte.
fn picture(number: usize, n_bytes: usize) -> Vec<u8> {
    let mut jpeg = SMALL_JPEG[..2].to_vec();
    push_comment(&mut jpeg, format!("{number:04}").as_bytes());
    jpeg.extend_from_slice(&SMALL_JPEG[2..SMALL_JPEG.len() - EOI.len()]);
    let mut noise = Noise::new(0x2545_F491 + number as u64);
    while jpeg.len() < n_bytes - EOI.len() {
        let byte = noise.next().to_le_bytes()[1];
        jpeg.push(if jpeg.ends_with(&[0xFF]) { 0 } else { byte });
    }
    // An 0xFF at the end would form a marker with the next byte.
    if jpeg.ends_with(&[0xFF]) {
        jpeg.pop();
        jpeg.push(0);
    }
    jpeg.extend(EOI);
    jpeg
}

/// A picture of slopes and fields with noise, as a webcam gives it: 4:2:2.
fn drawn((width, height): (u16, u16), number: usize) -> Result<Vec<u8>> {
    let mut noise = Noise::new(0x9E37_79B9 + number as u64);
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let pixels: Vec<u8> = places
        .flat_map(|(x, y)| {
            let field = if (x / 80 + y / 60) % 2 == 0 { 30 } else { 0 };
            let level = 40 + field + (x / 10 + y / 6) % 128;
            let grain = |byte: u8| u16::from(byte % 16);
            let [a, b, c, ..] = noise.next().to_le_bytes();
            [level + grain(a), level + grain(b) + x % 50 / 4, level + grain(c)]
        })
        .map(|level| u8::try_from(level).unwrap_or(u8::MAX))
        .collect();
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, 80);
    encoder.set_sampling_factor(SamplingFactor::F_2_1);
    encoder.encode(&pixels, width, height, ColorType::Rgb)?;
    Ok(jpeg)
}
