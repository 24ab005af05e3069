//! Reads a picture, changes it and writes it.

use super::header::{self, ComponentHeader};
use super::layout::Layout;
use super::orientation::{BlockTransform, Orientation};
use super::requantize::Requantizer;
use super::sampling::Sampling;
use super::scaled_decode::ScaledDecoder;
use super::scan_writer::{self, ComponentCoding};
use super::stamp::{Stamp, Stamper};
use super::{Edit, Scale};
use crate::annex_k;
use crate::decode::{JpegReader, Selection};
use crate::divisors::Divisors;
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
    reader: JpegReader,
    edit: Edit,
    layout: Layout,
    turn: BlockTransform,
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
            reader: JpegReader::new(),
            edit: Edit::default(),
            layout: Layout::default(),
            turn: BlockTransform::new(Orientation::IDENTITY),
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
        self.layout = Layout::default();
        let wanted = Selection { colours: !edit.is_gray, ac: edit.scale != Scale::Eighth };
        self.reader.read(jpeg, wanted)?;
        let picture = &self.reader.picture;
        let layout = Layout::new(picture, edit)?;
        self.sampling = match edit.scale {
            Scale::Full => Sampling::default(),
            _ => Sampling::new(&layout)?,
        };
        self.turn = BlockTransform::new(layout.orientation);
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
        self.layout = layout;
        Ok(edit.scale.apply(layout.width, layout.height))
    }

    /// Puts a text over the picture that was read, unless it is scaled. What lies outside
    /// is cut off. Only blocks under pixels with alpha change.
    pub fn stamp(&mut self, stamp: &Stamp<'_>) {
        if self.edit.scale == Scale::Full {
            let (picture, turn) = (&mut self.reader.picture, &self.turn);
            let as_it_is = &BlockTransform::new(Orientation::IDENTITY);
            let (layout, ones) = (&self.layout, &Divisors::new(&[1; 64]));
            let simd = self.simd;
            Stamper { picture, layout, turn, as_it_is, ones, simd }.put(stamp);
        }
    }

    /// Appends the JPEG to `out`, with the APPn and COM segments of the source. Nothing
    /// if no picture was read.
    pub fn write(&mut self, out: &mut Vec<u8>) {
        match (self.layout.n_components, self.edit.scale) {
            (0, _) => return,
            (_, Scale::Full) => self.write_coefficients(out),
            _ => self.write_samples(out),
        }
        out.extend_from_slice(&[0xFF, 0xD9]);
    }

    /// The memory for blocks and values.
    #[cfg(test)]
    pub(crate) fn n_bytes_held(&self) -> usize {
        let picture = &self.reader.picture;
        let blocks = picture.components.iter().map(|component| component.blocks.capacity() * 16);
        blocks.sum::<usize>() + picture.values.capacity() * 2
    }

    fn write_coefficients(&self, out: &mut Vec<u8>) {
        let (picture, layout) = (&self.reader.picture, &self.layout);
        self.put_header(out, |component| layout.components[component].factors, &self.divisors);
        let requantize: [_; MAX_COMPONENTS] = std::array::from_fn(|i| {
            let source = self.turn.divisors(&picture.components[i].divisors);
            (source != self.divisors[i]).then(|| Requantizer::new(&source, &self.divisors[i]))
        });
        let codings: [_; MAX_COMPONENTS] = std::array::from_fn(|i| {
            let nth = usize::from(!picture.is_light(i));
            let codes = (&self.tables.dc[nth], &self.tables.ac[nth]);
            ComponentCoding { codes, requantize: requantize[i].as_ref() }
        });
        scan_writer::scan(picture, layout, &self.turn, &codings, out);
    }

    fn write_samples(&mut self, out: &mut Vec<u8>) {
        let (picture, layout) = (&self.reader.picture, &self.layout);
        self.tables = tables(layout.n_components, self.sampling.luma);
        // The encoder has one table for both colours.
        let divisors = [self.divisors[0], self.divisors[1], self.divisors[1]];
        for (nth, divisors) in divisors[..2].iter().enumerate() {
            let bytes = divisors.map(|divisor| u8::try_from(divisor).unwrap_or(u8::MAX));
            self.tables.set_divisors(nth, &bytes);
        }
        let luma = self.sampling.luma;
        self.put_header(out, |i| if i == 0 { luma } else { (1, 1) }, &divisors);
        let (width, height) = self.edit.scale.apply(layout.width, layout.height);
        let (width, height) = (usize::from(width), usize::from(height));
        let scaled_decode = ScaledDecoder {
            picture,
            layout,
            turn: &self.turn,
            scale: self.edit.scale,
            sampling: &self.sampling,
            divisors: std::array::from_fn(|i| self.turn.divisors(&picture.components[i].divisors)),
        };
        self.row.set_width(&self.tables, width);
        let mut scan = Scan::new(&self.tables, self.simd, out);
        for nth in 0..height.div_ceil(8 * luma.1) {
            scaled_decode.row(nth, (width, height), &self.tables, &mut self.row);
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
        let (picture, layout) = (&self.reader.picture, &self.layout);
        let described: [_; MAX_COMPONENTS] = std::array::from_fn(|i| ComponentHeader {
            id: picture.components[i].id,
            factors: factors(i),
            divisors: &divisors[i],
            codes: u8::from(!self.has_codes_of_luma(i)),
        });
        let size = self.edit.scale.apply(layout.width, layout.height);
        header::put(out, &picture.kept, size, &described[..layout.n_components]);
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
