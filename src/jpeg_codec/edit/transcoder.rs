//! Reads a picture, changes it and writes it.

use super::header::{self, Described};
use super::orientation::{Orientation, Turn};
use super::placement::Placement;
use super::requantize::Requantize;
use super::shrink::{Sampling, Shrink};
use super::stamp::{Stamp, Stamping};
use super::write::{self, Way};
use super::{Edit, Scale};
use crate::annex_k;
use crate::decode::{Reader, Wanted};
use crate::error::TranscodeError;
use crate::picture::MAX_COMPONENTS;
use crate::samples::McuRow;
use crate::scan::Scan;
use crate::simd::Simd;
use crate::tables::Tables;

/// Changes JPEGs. Keeps its memory from picture to picture, which the limit of pixels
/// bounds.
///
/// What it writes has the Huffman tables of annex K and no restart markers.
pub struct Transcoder {
    simd: Simd,
    reader: Reader,
    edit: Edit,
    placement: Placement,
    turn: Turn,
    /// By component, as they are written.
    divisors: [[u16; 64]; MAX_COMPONENTS],
    /// With the Huffman tables, and the sampling of a smaller picture.
    tables: Tables,
    sampling: Sampling,
    row: McuRow,
}

impl Transcoder {
    /// Without memory yet.
    pub fn new(simd: Simd) -> Self {
        Self {
            simd,
            reader: Reader::new(),
            edit: Edit::default(),
            placement: Placement::default(),
            turn: Turn::new(Orientation::IDENTITY),
            divisors: [[1; 64]; MAX_COMPONENTS],
            tables: tables(1, (1, 1)),
            sampling: Sampling::default(),
            row: McuRow::default(),
        }
    }

    /// Reads a whole JPEG, from SOI to EOI, and returns width and height of what
    /// [`write`](Self::write) will give. Missing Huffman tables are those of annex K.
    ///
    /// Blocks whose data are missing, before the end or a restart marker, are grey, as
    /// decoders show them.
    ///
    /// # Errors
    /// Why the picture cannot be changed. Then there is nothing to write.
    pub fn read(&mut self, jpeg: &[u8], edit: &Edit) -> Result<(u16, u16), TranscodeError> {
        self.edit = *edit;
        self.placement = Placement::default();
        let wanted = Wanted { colours: !edit.is_gray, ac: edit.scale != Scale::Eighth };
        self.reader.read(jpeg, wanted)?;
        let picture = &self.reader.picture;
        let placement = Placement::new(picture, edit)?;
        self.sampling = match edit.scale {
            Scale::Full => Sampling::default(),
            _ => Sampling::new(&placement)?,
        };
        self.turn = Turn::new(placement.orientation);
        for (i, divisors) in self.divisors.iter_mut().enumerate() {
            let source = self.turn.divisors(&picture.components[i].divisors);
            *divisors = match edit.quality {
                None => source,
                Some(quality) => annex_k::divisors(quality, picture.is_light(i)),
            };
            if edit.scale == Scale::Full {
                divisors.iter_mut().zip(source).for_each(|(new, old)| *new = old.max(*new));
            } else {
                // The encoder's have 8 bits.
                divisors.iter_mut().for_each(|new| *new = (*new).min(255));
            }
        }
        self.placement = placement;
        Ok(edit.scale.apply(placement.width, placement.height))
    }

    /// Puts a text over the picture that was read, unless it is scaled. What lies outside
    /// is cut off. Only blocks under pixels with alpha change.
    pub fn stamp(&mut self, stamp: &Stamp<'_>) {
        if self.edit.scale == Scale::Full {
            let (picture, turn) = (&mut self.reader.picture, &self.turn);
            Stamping { picture, placement: &self.placement, turn, simd: self.simd }.put(stamp);
        }
    }

    /// Appends the JPEG to `out`, with the APPn and COM segments of the source. Nothing
    /// if no picture was read.
    pub fn write(&mut self, out: &mut Vec<u8>) {
        match (self.placement.n_components, self.edit.scale) {
            (0, _) => return,
            (_, Scale::Full) => self.write_coefficients(out),
            _ => self.write_samples(out),
        }
        out.extend_from_slice(&[0xFF, 0xD9]);
    }

    fn write_coefficients(&self, out: &mut Vec<u8>) {
        let (picture, placement) = (&self.reader.picture, &self.placement);
        self.put_header(out, |component| placement.components[component].factors, &self.divisors);
        let requantize: [_; MAX_COMPONENTS] = std::array::from_fn(|i| {
            let source = self.turn.divisors(&picture.components[i].divisors);
            (source != self.divisors[i]).then(|| Requantize::new(&source, &self.divisors[i]))
        });
        let ways: [_; MAX_COMPONENTS] = std::array::from_fn(|i| {
            let nth = usize::from(!picture.is_light(i));
            let codes = (&self.tables.dc[nth], &self.tables.ac[nth]);
            Way { codes, requantize: requantize[i].as_ref() }
        });
        write::scan(picture, placement, &self.turn, &ways, out);
    }

    fn write_samples(&mut self, out: &mut Vec<u8>) {
        let (picture, placement) = (&self.reader.picture, &self.placement);
        self.tables = tables(placement.n_components, self.sampling.luma);
        // The encoder has one table for both colours.
        let divisors = [self.divisors[0], self.divisors[1], self.divisors[1]];
        for nth in 0..2 {
            self.tables.set_divisors(nth, &divisors[nth].map(|divisor| divisor as u8));
        }
        let luma = self.sampling.luma;
        self.put_header(out, |i| if i == 0 { luma } else { (1, 1) }, &divisors);
        let (width, height) = self.edit.scale.apply(placement.width, placement.height);
        let (width, height) = (usize::from(width), usize::from(height));
        let shrink = Shrink {
            picture,
            placement,
            turn: &self.turn,
            scale: self.edit.scale,
            sampling: &self.sampling,
            divisors: std::array::from_fn(|i| self.turn.divisors(&picture.components[i].divisors)),
        };
        self.row.set_width(&self.tables, width);
        let mut scan = Scan::new(&self.tables, self.simd, out);
        for nth in 0..height.div_ceil(8 * luma.1) {
            shrink.row(nth, (width, height), &self.tables, &mut self.row);
            scan.row(&self.row);
        }
        scan.end();
    }

    fn put_header(
        &self,
        out: &mut Vec<u8>,
        factors: impl Fn(usize) -> (usize, usize),
        divisors: &[[u16; 64]; MAX_COMPONENTS],
    ) {
        let (picture, placement) = (&self.reader.picture, &self.placement);
        let described: [_; MAX_COMPONENTS] = std::array::from_fn(|i| Described {
            id: picture.components[i].id,
            factors: factors(i),
            divisors: &divisors[i],
            codes: u8::from(!self.has_codes_of_luma(i)),
        });
        let size = self.edit.scale.apply(placement.width, placement.height);
        header::put(out, &picture.kept, size, &described[..placement.n_components]);
    }

    /// Whether the codes of luma are used for a component. The encoder of samples has
    /// others for all but the first.
    fn has_codes_of_luma(&self, component: usize) -> bool {
        match self.edit.scale {
            Scale::Full => self.reader.picture.is_light(component),
            _ => component == 0,
        }
    }
}

/// Tables with the Huffman codes of annex K.
fn tables(n_components: usize, luma: (usize, usize)) -> Tables {
    let mut tables = Tables::new(n_components, luma);
    for nth in 0..2 {
        tables.dc[nth] = annex_k::codes(0, nth);
        tables.ac[nth] = annex_k::codes(1, nth);
    }
    tables
}
