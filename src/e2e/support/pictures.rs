//! Distinguishable pictures: by colour for tests that decode them, by a number
//! in a comment for tests that compare bytes.

use std::path::{Path, PathBuf};

use jpeg_encoder::{ColorType, Encoder};

use super::TempDir;

/// Far apart, so that no decoder confuses them.
pub(crate) const COLOURS: [[u8; 3]; 6] =
    [[220, 20, 20], [20, 220, 20], [20, 20, 220], [220, 220, 20], [20, 220, 220], [220, 20, 220]];

/// The index in [`COLOURS`] of the nearest colour.
pub(crate) fn colour(rgb: [i64; 3]) -> Option<usize> {
    let is_near = |(a, b): (&u8, &i64)| (i64::from(*a) - b).abs() < 50;
    COLOURS.iter().position(|c| c.iter().zip(&rgb).all(is_near))
}

/// A picture of one colour.
pub(crate) fn flat(width: u16, height: u16, rgb: [u8; 3]) -> Vec<u8> {
    let pixels = rgb.repeat(usize::from(width) * usize::from(height));
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, 80).encode(&pixels, width, height, ColorType::Rgb).unwrap();
    jpeg
}

/// The same picture with another segment after the JFIF header.
pub(crate) fn with_segment(jpeg: &[u8], marker: u8, body: &[u8]) -> Vec<u8> {
    // SOI, then the marker and the length of the first segment.
    let end = 4 + usize::from(u16::from_be_bytes([jpeg[4], jpeg[5]]));
    let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
    let (before, after) = jpeg.split_at(end);
    [before, &[0xFF, marker], &length, body, after].concat()
}

const COMMENT: u8 = 0xFE;
const MARK: &str = "number ";

/// A small picture that carries a number, of about `n_bytes`.
pub(crate) fn numbered(n: usize, n_bytes: usize) -> Vec<u8> {
    let mut jpeg = flat(64, 48, COLOURS[n % COLOURS.len()]);
    while jpeg.len() < n_bytes {
        let padding = vec![b'.'; (n_bytes - jpeg.len()).min(60_000)];
        jpeg = with_segment(&jpeg, COMMENT, &padding);
    }
    with_segment(&jpeg, COMMENT, format!("{MARK}{n:06}").as_bytes())
}

/// The number in a picture. `None` if it has none, as a status picture.
pub(crate) fn number(jpeg: &[u8]) -> Option<usize> {
    let at = memchr::memmem::find(jpeg, MARK.as_bytes())? + MARK.len();
    std::str::from_utf8(jpeg.get(at..at + 6)?).ok()?.parse().ok()
}

/// Width and height of a picture.
pub(crate) fn size(jpeg: &[u8]) -> (u16, u16) {
    let is_start = |w: &[u8]| w[0] == 0xFF && matches!(w[1], 0xC0..=0xC2) && w[2..4] == [0, 17];
    let at = jpeg.windows(4).position(is_start).expect("no frame header of three components");
    let number = |at: usize| u16::from_be_bytes([jpeg[at], jpeg[at + 1]]);
    (number(at + 7), number(at + 5))
}

/// A folder of pictures, for `images:DIR`.
pub(crate) struct Dir {
    dir: TempDir,
    pub(crate) pictures: Vec<Vec<u8>>,
}

impl Dir {
    pub(crate) fn new(pictures: Vec<Vec<u8>>) -> Self {
        let dir = Self { dir: TempDir::new(), pictures };
        dir.restore();
        dir
    }

    /// `n` numbered pictures of about `n_bytes` each.
    pub(crate) fn numbered(n: usize, n_bytes: usize) -> Self {
        Self::new((0..n).map(|i| numbered(i, n_bytes)).collect())
    }

    /// Pictures of one colour each.
    pub(crate) fn flat(width: u16, height: u16) -> Self {
        Self::new(COLOURS.iter().map(|rgb| flat(width, height, *rgb)).collect())
    }

    /// The text for `--camera`.
    pub(crate) fn camera(&self) -> String {
        format!("images:{}", self.dir.path().display())
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    fn files(&self) -> impl Iterator<Item = PathBuf> {
        (0..self.pictures.len()).map(|i| self.dir.path().join(format!("{i:06}.jpg")))
    }

    /// Removes all pictures.
    pub(crate) fn remove(&self) {
        self.files().for_each(|file| std::fs::remove_file(file).unwrap());
    }

    /// Writes these bytes into every file.
    pub(crate) fn overwrite(&self, bytes: &[u8]) {
        self.files().for_each(|file| std::fs::write(file, bytes).unwrap());
    }

    /// Writes the pictures, or restores them.
    pub(crate) fn restore(&self) {
        for (file, jpeg) in self.files().zip(&self.pictures) {
            std::fs::write(file, jpeg).unwrap();
        }
    }

    /// All pictures in one file, for `file:PATH`.
    pub(crate) fn concatenated(&self) -> PathBuf {
        self.dir.write("all.mjpeg", self.pictures.concat())
    }
}
