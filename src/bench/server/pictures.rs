//! A folder of JPEG files, and what a part on the wire looks like.
//!
//! All pictures are of one size and carry their number, so that a receiver
//! can count parts by bytes and see which ones it missed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};

/// A small valid picture, whose scan is made longer.
const SMALL: &[u8] = include_bytes!("../../camera/demo/1.jpg");
/// What the daemon writes after each JPEG in its layout with lengths.
pub(crate) const DELIMITER: &[u8] = b"\r\n--frame\r\n";
/// Enough that a receiver which misses a second of them still knows how many.
pub(crate) const N_PICTURES: usize = 60;
/// Marker and length of a comment segment.
const SEGMENT_HEAD: usize = 4;
const N_DIGITS: usize = 4;
const EOI: [u8; 2] = [0xFF, 0xD9];

/// The folder; removed when dropped.
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
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("mjpegd-bench-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let dir = std::env::temp_dir().join(name);
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let pictures = Self { dir, fps, part: Part::of(n_bytes) };
        for number in 0..N_PICTURES {
            let path = pictures.dir.join(format!("{number:04}.jpg"));
            fs::write(&path, picture(number, n_bytes))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(pictures)
    }
}

impl Drop for Pictures {
    fn drop(&mut self) {
        // What is left behind lies in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The files of a folder that [`Pictures::make`] wrote.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    (0..N_PICTURES).map(|number| dir.join(format!("{number:04}.jpg"))).collect()
}

/// The header of a part, as the daemon writes it.
pub(crate) fn part_head(n_bytes: usize, captured: SystemTime) -> String {
    let t = captured.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (seconds, micros) = (t.as_secs(), t.subsec_micros());
    format!(
        "Content-Type: image/jpeg\r\nContent-Length: {n_bytes}\r\n\
         X-Timestamp: {seconds}.{micros:06}\r\n\r\n"
    )
}

impl Part {
    fn of(n_bytes: usize) -> Self {
        let head_bytes = part_head(n_bytes, SystemTime::now()).len();
        Self { head_bytes, n_bytes: head_bytes + n_bytes + DELIMITER.len() }
    }

    /// How much of a part [`Part::read`] needs.
    pub(crate) fn start_bytes(&self) -> usize {
        self.head_bytes + 2 + SEGMENT_HEAD + N_DIGITS
    }

    /// When the picture was taken, and its number, from the start of a part.
    ///
    /// # Errors
    /// What is not as it should be.
    pub(crate) fn read(&self, start: &[u8]) -> Result<(SystemTime, usize)> {
        let (head, jpeg) = start.split_at(self.head_bytes);
        let head = std::str::from_utf8(head)?;
        let time = head.split_once("X-Timestamp: ").context("a part without a time")?.1;
        let (seconds, micros) = time.trim_end().split_once('.').context("an odd time")?;
        ensure!(jpeg.starts_with(&[0xFF, 0xD8, 0xFF, 0xFE]), "not a picture of this run");
        let number = std::str::from_utf8(&jpeg[2 + SEGMENT_HEAD..])?.parse()?;
        let since = Duration::from_secs(seconds.parse()?) + Duration::from_micros(micros.parse()?);
        Ok((SystemTime::UNIX_EPOCH + since, number))
    }
}

/// The small picture with its number in a comment in front, and so much more
/// behind its scan: bytes as an encoder makes them, since whoever looks for
/// markers looks at each.
fn picture(number: usize, n_bytes: usize) -> Vec<u8> {
    let mut jpeg = SMALL[..2].to_vec();
    comment(&mut jpeg, format!("{number:04}").as_bytes());
    jpeg.extend_from_slice(&SMALL[2..SMALL.len() - EOI.len()]);
    let mut noise = 0x2545_F491_u32.wrapping_add(u32::try_from(number).unwrap_or(0));
    while jpeg.len() < n_bytes - EOI.len() {
        // George Marsaglia's xorshift.
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        let byte = noise.to_le_bytes()[1];
        jpeg.push(if jpeg.ends_with(&[0xFF]) { 0 } else { byte });
    }
    // Half of a stuffed byte would be a marker.
    if jpeg.ends_with(&[0xFF]) {
        jpeg.pop();
        jpeg.push(0);
    }
    jpeg.extend(EOI);
    jpeg
}

fn comment(jpeg: &mut Vec<u8>, text: &[u8]) {
    let length = u16::try_from(text.len() + 2).unwrap_or(u16::MAX);
    jpeg.extend([0xFF, 0xFE]);
    jpeg.extend(length.to_be_bytes());
    jpeg.extend_from_slice(text);
}
