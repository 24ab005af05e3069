//! Writes coefficients as a scan.

use super::layout::Layout;
use super::orientation::{BlockTransform, Orientation};
use super::requantize::Requantizer;
use crate::bits::{BitWriter, MAX_BLOCKS};
use crate::huffman::{Codes, put_coefficients};
use crate::picture::{Block, MAX_COMPONENTS, Picture};

/// How the blocks of a component are written.
pub(super) struct ComponentCoding<'a> {
    pub(super) codes: (&'a Codes, &'a Codes),
    pub(super) requantize: Option<&'a Requantizer>,
}

/// A block of an MCU.
#[derive(Clone, Copy, Default)]
struct McuBlock {
    component: usize,
    x: usize,
    y: usize,
}

/// Appends the scan of a picture.
pub(super) fn scan(
    picture: &Picture,
    layout: &Layout,
    turn: &BlockTransform,
    codings: &[ComponentCoding<'_>],
    out: &mut Vec<u8>,
) {
    let mut blocks = [McuBlock::default(); MAX_BLOCKS];
    let mut n_blocks = 0;
    for (component, target) in layout.components[..layout.n_components].iter().enumerate() {
        for (y, x) in (0..target.factors.1).flat_map(|y| (0..target.factors.0).map(move |x| (y, x)))
        {
            if let Some(place) = blocks.get_mut(n_blocks) {
                *place = McuBlock { component, x, y };
                n_blocks += 1;
            }
        }
    }
    let as_it_is = BlockTransform::new(Orientation::IDENTITY);
    let mut writer = BitWriter::new(out);
    let mut cursor = writer.cursor;
    let mut previous = [0_i16; MAX_COMPONENTS];
    let mut coefficients = [0; 64];
    for mcu_y in 0..layout.n_mcus.1 {
        for mcu_x in 0..layout.n_mcus.0 {
            for of in &blocks[..n_blocks] {
                let target = &layout.components[of.component];
                let coding = &codings[of.component];
                let previous = &mut previous[of.component];
                let x = mcu_x * target.factors.0 + of.x;
                let y = mcu_y * target.factors.1 + of.y;
                let blocks = &picture.components[of.component].blocks;
                let is_inside = x < target.n_blocks.0 && y < target.n_blocks.1;
                let (mut dc, mut non_zero) = (*previous, 0);
                // A block that only fills up its MCU repeats the DC of the one before, which
                // takes the fewest bits.
                if let Some(block) = blocks.get(target.at(x, y)).filter(|_| is_inside) {
                    let turn = if block.is_oriented { &as_it_is } else { turn };
                    dc = block.dc;
                    non_zero = turn.ac(block, picture.values(block), &mut coefficients);
                    if let Some(requantize) = coding.requantize {
                        dc = requantize.value(0, dc);
                        non_zero = requantize.ac(non_zero, &mut coefficients);
                    }
                }
                let difference = dc.wrapping_sub(*previous);
                *previous = dc;
                put_coefficients(
                    difference,
                    non_zero,
                    |k| coefficients[k as usize & 63],
                    coding.codes,
                    &mut cursor,
                    &mut writer.pending,
                );
            }
            writer.make_room(&mut cursor);
        }
    }
    writer.cursor = cursor;
    writer.end();
}

/// The block of a component at a place of the picture that is written.
pub(super) fn block<'a>(
    picture: &'a Picture,
    layout: &Layout,
    component: usize,
    (x, y): (usize, usize),
) -> Option<&'a Block> {
    picture.components[component].blocks.get(layout.components[component].at(x, y))
}
