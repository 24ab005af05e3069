//! Pictures that carry their number as black and white fields.
//!
//! A magenta frame runs around each, so that the picture is found on a screen
//! wherever a page puts it and however large it is. The number is drawn as
//! Gray code, of which two neighbours differ in one bit, and once more inverted
//! below: a read in the middle of a change gives one of the two numbers, and
//! anything else on the screen gives none.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use jpeg_decoder::Decoder;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use memchr::memmem;

use crate::shared::noise::Noise;
use crate::shared::part::push_comment;

pub(crate) const SIZE: (usize, usize) = (640, 480);
const FRAME: usize = 16;
/// Height of a row of fields.
const FIELD_ROWS: usize = 150;
const N_BITS: usize = 8;
const MARK: &[u8] = b"bench:";
const SEGMENT_HEAD: usize = 4;
/// The mark and three digits.
const MARK_BYTES: usize = 9;

/// All pictures in one file, one after the other, each of the same length.
pub(crate) struct Pictures {
    pub(crate) folder: PathBuf,
    pub(crate) n_bytes: usize,
}

impl Pictures {
    pub(crate) fn make() -> Result<Self> {
        let name = format!("mjpegd-latency-{}", std::process::id());
        // In memory where there is such a folder, since the display's memory lies
        // there too and would else be written to a disk again and again.
        let memory = PathBuf::from("/dev/shm");
        let parent = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let folder = parent.join(name);
        fs::create_dir_all(&folder)?;
        let drawn = (0..=u8::MAX).map(drawn).collect::<Result<Vec<_>>>()?;
        let longest = drawn.iter().map(Vec::len).max().unwrap_or(0);
        let n_bytes = longest + MARK_BYTES + SEGMENT_HEAD;
        let mut all = Vec::new();
        for (number, drawn) in drawn.iter().enumerate() {
            let mut text = [MARK, format!("{number:03}").as_bytes()].concat();
            text.resize(MARK_BYTES + longest - drawn.len(), b' ');
            all.extend_from_slice(&drawn[..2]);
            push_comment(&mut all, &text);
            all.extend_from_slice(&drawn[2..]);
        }
        let pictures = Self { folder, n_bytes };
        fs::write(pictures.file(), all)?;
        Ok(pictures)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("pictures")
    }
}

impl Drop for Pictures {
    fn drop(&mut self) {
        // A leftover folder is one for temporary files, so an error does not
        // matter.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Reads one picture from the file of [`Pictures`].
pub(crate) fn read(file: &File, number: u8, picture: &mut [u8]) -> Result<()> {
    let at = usize::from(number) * picture.len();
    Ok(file.read_exact_at(picture, at as u64)?)
}

fn gray(number: u8) -> u8 {
    number ^ (number >> 1)
}

fn number_of_gray(gray: u8) -> u8 {
    let gray = gray ^ (gray >> 4);
    let gray = gray ^ (gray >> 2);
    gray ^ (gray >> 1)
}

fn drawn(number: u8) -> Result<Vec<u8>> {
    let (width, height) = SIZE;
    let mut noise = Noise::new(0x9E37_79B9 + u64::from(number));
    let mut pixels = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            let is_inside =
                (FRAME..width - FRAME).contains(&x) && (FRAME..height - FRAME).contains(&y);
            let [grain, ..] = noise.next().to_le_bytes();
            pixels.extend(match is_inside {
                false => [255, 0, 255],
                true => [level(number, x - FRAME, y - FRAME, grain); 3],
            });
        }
    }
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, 80);
    encoder.set_sampling_factor(SamplingFactor::F_2_1);
    let [width, height] = [width, height].map(|side| u16::try_from(side).unwrap_or(u16::MAX));
    encoder.encode(&pixels, width, height, ColorType::Rgb)?;
    Ok(jpeg)
}

/// The brightness inside of the frame. Between the rows of fields is noise, so
/// that the picture has the size of a real one.
fn level(number: u8, x: usize, y: usize, grain: u8) -> u8 {
    let (width, height) = (SIZE.0 - 2 * FRAME, SIZE.1 - 2 * FRAME);
    let is_set = gray(number) >> (x * N_BITS / width) & 1 == 1;
    match (y < FIELD_ROWS, y >= height - FIELD_ROWS) {
        (true, _) if is_set => 255,
        (_, true) if !is_set => 255,
        (false, false) => 90 + grain % 64,
        _ => 0,
    }
}

/// Where a picture is on the screen, in pixels: its frame's outer edges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl Place {
    /// The pixel rows through the middle of both rows of fields.
    pub(crate) fn rows(&self) -> [usize; 2] {
        let middle = FRAME + FIELD_ROWS / 2;
        [middle, SIZE.1 - middle].map(|y| self.top + y * self.height / SIZE.1)
    }

    /// The pixel column through the middle of a field.
    fn column(&self, bit: usize) -> usize {
        let field = (SIZE.0 - 2 * FRAME) / N_BITS;
        self.left + (FRAME + bit * field + field / 2) * self.width / SIZE.0
    }

    /// The number, from the brightness at a pixel of the upper (0) or lower (1)
    /// of [`Place::rows`].
    pub(crate) fn number(&self, brightness: impl Fn(usize, usize) -> Option<u8>) -> Option<u8> {
        let mut bits = 0;
        for bit in 0..N_BITS {
            let column = self.column(bit);
            match (brightness(0, column)?, brightness(1, column)?) {
                (176.., ..80) => bits |= 1 << bit,
                (..80, 176..) => {}
                _ => return None,
            }
        }
        Some(number_of_gray(bits))
    }
}

pub(crate) fn is_magenta(red: u8, green: u8, blue: u8) -> bool {
    red > 190 && blue > 190 && green < 90
}

/// The number of a JPEG, also of one that a server has encoded again.
pub(crate) fn number_of_jpeg(jpeg: &[u8]) -> Result<u8> {
    if let Some(at) = memmem::find(&jpeg[..jpeg.len().min(1000)], MARK) {
        let digits = jpeg.get(at + MARK.len()..at + MARK_BYTES).context("a cut mark")?;
        return Ok(std::str::from_utf8(digits)?.parse()?);
    }
    let mut decoder = Decoder::new(jpeg);
    let pixels = decoder.decode()?;
    let info = decoder.info().context("no picture")?;
    ensure!((info.width.into(), info.height.into()) == SIZE, "a picture of another size");
    let place = Place { left: 0, top: 0, width: SIZE.0, height: SIZE.1 };
    let n_samples = info.pixel_format.pixel_bytes();
    let rows = place.rows();
    let brightness = |row: usize, x: usize| {
        // The middle of three samples is green.
        let at = (rows.get(row)? * SIZE.0 + x) * n_samples + n_samples / 2;
        pixels.get(at).copied()
    };
    place.number(brightness).context("a picture without a number")
}
