//! Reads the coefficients of baseline JPEGs.

mod bits;
mod codes;
mod frame;
mod scan;
mod tables;

use crate::error::TranscodeError;
use crate::picture::{Component, Picture};
use frame::ScanHeader;
use scan::Scan;
use tables::Tables;

/// Which coefficients are needed. The others are passed over, which is faster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) colours: bool,
    pub(crate) ac: bool,
}

impl Wanted {
    fn has(self, component: usize) -> bool {
        self.colours || component == 0
    }

    #[inline(always)]
    fn has_ac(self, component: usize) -> bool {
        self.ac && self.has(component)
    }
}

/// Reads JPEGs. Keeps its memory from picture to picture.
pub(crate) struct Reader {
    pub(crate) picture: Picture,
    tables: Tables,
    /// The entropy-coded data between two markers.
    bytes: Vec<u8>,
    /// What APPn said of the colours.
    has_jfif: bool,
    adobe: Option<u8>,
}

impl Reader {
    pub(crate) fn new() -> Self {
        let (picture, tables) = (Picture::new(), Tables::new());
        Self { picture, tables, bytes: Vec::new(), has_jfif: false, adobe: None }
    }

    /// Reads a JPEG from SOI to EOI.
    pub(crate) fn read(&mut self, jpeg: &[u8], wanted: Wanted) -> Result<(), TranscodeError> {
        self.reset();
        if !jpeg.starts_with(&[0xFF, 0xD8]) {
            return Err(TranscodeError::Damaged("no JPEG"));
        }
        let (mut at, mut n_scans) = (2, 0);
        loop {
            match *jpeg.get(at..).unwrap_or_default() {
                // Fill bytes may precede any marker (T.81, B.1.1.2).
                [0xFF, 0xFF, ..] => at += 1,
                [0xFF, 0xD9, ..] | [] | [_] if n_scans > 0 => break,
                // Markers without a segment.
                [0xFF, 0x01 | 0xD0..=0xD7, ..] => at += 2,
                [0xFF, marker @ 0xC0..=0xFE, l1, l0, ..] if marker != 0xD8 && marker != 0xD9 => {
                    let end = at + 2 + usize::from(u16::from_be_bytes([l1, l0]));
                    let Some(content) = jpeg.get(at + 4..end) else {
                        return Err(TranscodeError::Damaged("a segment breaks off"));
                    };
                    if matches!(marker, 0xE0..=0xEF | 0xFE) {
                        self.keep(marker, content, &jpeg[at..end]);
                    } else {
                        self.segment(marker, content, jpeg.len(), wanted)?;
                    }
                    at = end;
                    if marker == 0xDA {
                        at = self.scan(content, jpeg, end, wanted)?;
                        n_scans += 1;
                    }
                }
                _ => return Err(TranscodeError::Damaged("no marker where one must be")),
            }
        }
        let is_jfif = self.has_jfif || self.picture.n_components != 3;
        let ids = self.picture.components.each_ref().map(|component| component.id);
        self.picture.is_rgb = !is_jfif
            && match self.adobe {
                Some(transform) => transform == 0,
                None => ids == *b"RGB",
            };
        Ok(())
    }

    fn reset(&mut self) {
        self.tables.reset();
        (self.has_jfif, self.adobe) = (false, None);
        let picture = &mut self.picture;
        (picture.n_components, picture.n_values) = (0, 0);
        picture.kept.clear();
    }

    /// Keeps an APPn or a COM segment, and what it says of the colours.
    fn keep(&mut self, marker: u8, content: &[u8], segment: &[u8]) {
        self.picture.kept.extend_from_slice(segment);
        match (marker, content) {
            (0xE0, [b'J', b'F', b'I', b'F', 0, ..]) => self.has_jfif = true,
            (0xEE, [b'A', b'd', b'o', b'b', b'e', _, _, _, _, _, _, transform, ..]) => {
                self.adobe = Some(*transform);
            }
            _ => {}
        }
    }

    /// Reads a segment that is no APPn, COM or SOS.
    fn segment(
        &mut self,
        marker: u8,
        content: &[u8],
        n_bytes: usize,
        wanted: Wanted,
    ) -> Result<(), TranscodeError> {
        match (marker, content) {
            (0xC0 | 0xC1, _) => frame::read(content, n_bytes, |i| wanted.has(i), &mut self.picture),
            (0xC4, _) => self.tables.huffman(content),
            (0xDB, _) => self.tables.quantization(content),
            (0xDD, [high, low, ..]) => {
                self.tables.interval = usize::from(u16::from_be_bytes([*high, *low]));
                Ok(())
            }
            (0xC2, _) => Err(TranscodeError::Unsupported("progressive")),
            (0xC9..=0xCF, _) => Err(TranscodeError::Unsupported("arithmetic coding")),
            (0xC3 | 0xC7, _) => Err(TranscodeError::Unsupported("lossless")),
            (0xC5 | 0xC6 | 0xDE | 0xDF, _) => Err(TranscodeError::Unsupported("hierarchical")),
            _ => Ok(()),
        }
    }

    /// Reads a scan. Returns the place of the marker behind it.
    fn scan(
        &mut self,
        content: &[u8],
        jpeg: &[u8],
        at: usize,
        wanted: Wanted,
    ) -> Result<usize, TranscodeError> {
        let header = ScanHeader::read(content, &self.picture)?;
        for of in header.components() {
            self.tables.complete(of.dc, of.ac)?;
            let component: &mut Component = &mut self.picture.components[of.component];
            component.is_read = true;
            component.divisors = self
                .tables
                .divisors(component.table)
                .ok_or(TranscodeError::Damaged("a quantization table is missing"))?;
        }
        let scan = Scan::new(&header, &self.tables, &self.picture, wanted)?;
        if header.components().iter().any(|of| wanted.has(of.component)) {
            scan.read(jpeg, at, &mut self.bytes, &mut self.picture)
        } else {
            Ok(Scan::pass_over(jpeg, at))
        }
    }
}
