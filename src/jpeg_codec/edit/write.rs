//! Writes coefficients as a scan.

use super::orientation::{Orientation, Turn};
use super::placement::Placement;
use super::requantize::Requantize;
use crate::bits::{BitWriter, MAX_BLOCKS};
use crate::huffman::{Codes, put_coefficients};
use crate::picture::{Block, MAX_COMPONENTS, Picture};

/// How the blocks of a component are written.
pub(super) struct Way<'a> {
    pub(super) codes: (&'a Codes, &'a Codes),
    pub(super) requantize: Option<&'a Requantize>,
}

/// A block of an MCU.
#[derive(Clone, Copy, Default)]
struct Place {
    component: usize,
    x: usize,
    y: usize,
}

/// Appends the scan of a picture.
pub(super) fn scan(
    picture: &Picture,
    placement: &Placement,
    turn: &Turn,
    ways: &[Way<'_>],
    out: &mut Vec<u8>,
) {
    let mut places = [Place::default(); MAX_BLOCKS];
    let mut n_places = 0;
    for (component, placed) in placement.components[..placement.n_components].iter().enumerate() {
        for (y, x) in (0..placed.factors.1).flat_map(|y| (0..placed.factors.0).map(move |x| (y, x)))
        {
            if let Some(place) = places.get_mut(n_places) {
                *place = Place { component, x, y };
                n_places += 1;
            }
        }
    }
    let as_it_is = Turn::new(Orientation::IDENTITY);
    let mut writer = BitWriter::new(out);
    let mut cursor = writer.cursor;
    let mut previous = [0_i16; MAX_COMPONENTS];
    let mut coefficients = [0; 64];
    for mcu_y in 0..placement.n_mcus.1 {
        for mcu_x in 0..placement.n_mcus.0 {
            for place in &places[..n_places] {
                let placed = &placement.components[place.component];
                let way = &ways[place.component];
                let previous = &mut previous[place.component];
                let x = mcu_x * placed.factors.0 + place.x;
                let y = mcu_y * placed.factors.1 + place.y;
                let blocks = &picture.components[place.component].blocks;
                let is_inside = x < placed.n_blocks.0 && y < placed.n_blocks.1;
                let (mut dc, mut non_zero) = (*previous, 0);
                // A block that only fills up its MCU is as bright as the one before, which
                // takes the fewest bits.
                if let Some(block) = blocks.get(placed.at(x, y)).filter(|_| is_inside) {
                    let turn = if block.is_oriented { &as_it_is } else { turn };
                    dc = block.dc;
                    non_zero = turn.ac(block, picture.values(block), &mut coefficients);
                    if let Some(requantize) = way.requantize {
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
                    way.codes,
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
    placement: &Placement,
    component: usize,
    (x, y): (usize, usize),
) -> Option<&'a Block> {
    picture.components[component].blocks.get(placement.components[component].at(x, y))
}
