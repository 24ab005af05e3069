//! Reads the headers of frame and scan.

use crate::error::TranscodeError;
use crate::picture::{Block, MAX_COMPONENTS, Picture};

/// The most pixels of a picture: 8192 x 8192. Bounds memory and time.
const MAX_PIXELS: usize = 1 << 26;
/// The fewest bits of a block: one for its DC and one for the end of the block.
const MIN_BLOCK_BITS: usize = 2;

/// A component in a scan.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ScanComponent {
    pub(super) component: usize,
    /// Numbers of its Huffman tables.
    pub(super) dc: usize,
    pub(super) ac: usize,
}

/// The components of a scan.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ScanHeader {
    components: [ScanComponent; MAX_COMPONENTS],
    n: usize,
}

impl ScanHeader {
    pub(super) fn components(&self) -> &[ScanComponent] {
        &self.components[..self.n]
    }

    /// Reads the content of SOS.
    pub(super) fn read(content: &[u8], picture: &Picture) -> Result<Self, TranscodeError> {
        const WRONG: TranscodeError = TranscodeError::Damaged("a wrong header of a scan");
        let (n, rest) = content.split_first().ok_or(WRONG)?;
        let n = usize::from(*n);
        let mut new = Self { components: Default::default(), n };
        if n == 0 || n > picture.n_components || rest.len() < 2 * n {
            return Err(WRONG);
        }
        let pairs = rest.as_chunks::<2>().0;
        for i in 0..n {
            let [id, tables] = pairs[i];
            let mut all = picture.components().iter();
            let component = all.position(|component| component.id == id).ok_or(WRONG)?;
            let is_twice = new.components[..i].iter().any(|other| other.component == component);
            if is_twice || picture.components[component].is_read {
                return Err(TranscodeError::Damaged("a component is there twice"));
            }
            let [dc, ac] = [tables >> 4, tables & 15].map(usize::from);
            new.components[i] = ScanComponent { component, dc, ac };
        }
        Ok(new)
    }
}

/// Reads the content of SOF0 or SOF1, of a JPEG with `n_bytes`, and makes room for the
/// coefficients of the components that are wanted.
pub(super) fn read(
    content: &[u8],
    n_bytes: usize,
    is_wanted: impl Fn(usize) -> bool,
    picture: &mut Picture,
) -> Result<(), TranscodeError> {
    const WRONG: TranscodeError = TranscodeError::Damaged("a wrong header of a frame");
    let [precision, h1, h0, w1, w0, n, components @ ..] = content else { return Err(WRONG) };
    let (width, height) = (u16::from_be_bytes([*w1, *w0]), u16::from_be_bytes([*h1, *h0]));
    let n = usize::from(*n);
    match (precision, height, n) {
        (8, 1.., 1 | 3) => {}
        (8, 0, _) => return Err(TranscodeError::Unsupported("its height stands behind a scan")),
        (8, _, 4) => return Err(TranscodeError::Unsupported("CMYK")),
        (8, ..) => return Err(TranscodeError::Unsupported("an unusual number of components")),
        _ => return Err(TranscodeError::Unsupported("more than 8 bits a sample")),
    }
    let components = components.as_chunks::<3>().0;
    if width == 0 || components.len() < n || picture.n_components > 0 {
        return Err(WRONG);
    }
    for (place, [id, factors, table]) in picture.components.iter_mut().zip(&components[..n]) {
        place.id = *id;
        place.factors = (usize::from(factors >> 4), usize::from(factors & 15));
        place.table = *table;
        place.is_read = false;
        if !(1..=4).contains(&place.factors.0) || !(1..=4).contains(&place.factors.1) {
            return Err(WRONG);
        }
    }
    (picture.width, picture.height, picture.n_components) = (width, height, n);
    lay_out(picture, n_bytes, is_wanted)
}

/// Makes room for the blocks, all of them grey.
fn lay_out(
    picture: &mut Picture,
    n_bytes: usize,
    is_wanted: impl Fn(usize) -> bool,
) -> Result<(), TranscodeError> {
    let (width, height) = (usize::from(picture.width), usize::from(picture.height));
    let most = picture.largest_factors();
    let (mcus_across, mcus_down) = (width.div_ceil(8 * most.0), height.div_ceil(8 * most.1));
    let n_components = picture.n_components;
    let components = &mut picture.components[..n_components];
    let mut n_all = 0;
    for component in &mut *components {
        let (across, down) = component.factors;
        let n_blocks = |side: usize, factor: usize, most: usize| (side * factor).div_ceil(8 * most);
        component.n_blocks = (n_blocks(width, across, most.0), n_blocks(height, down, most.1));
        component.stride = mcus_across * across;
        n_all += component.n_blocks.0 * component.n_blocks.1;
    }
    if width * height > MAX_PIXELS || n_all * MIN_BLOCK_BITS > n_bytes * 8 {
        return Err(TranscodeError::TooLarge);
    }
    for (i, component) in components.iter_mut().enumerate() {
        let n = component.stride * mcus_down * component.factors.1;
        component.blocks.clear();
        component.blocks.resize(if is_wanted(i) { n } else { 0 }, Block::default());
    }
    Ok(())
}
