//! Reads the blocks of a scan.

use super::Wanted;
use super::bits::{Bits, unstuff};
use super::codes::{Codes, RunCodes, Symbol};
use super::frame::ScanHeader;
use super::tables::Tables;
use crate::error::TranscodeError;
use crate::picture::{Block, MAX_COMPONENTS, Picture};

/// The most blocks of an MCU (T.81, B.2.3).
const MAX_MCU_BLOCKS: usize = 10;
/// Coefficients of a block, and those that may be written behind them.
const MAX_VALUES: usize = 64 + 2;
/// The largest DC of a picture with 8 bits: differences then fit the codes of annex K.
const DC_RANGE: (i32, i32) = (-1024, 1023);

const BAD_CODE: TranscodeError = TranscodeError::Damaged("a code that no table has");

/// A block of an MCU.
#[derive(Clone, Copy)]
struct Place<'a> {
    component: usize,
    x: usize,
    y: usize,
    /// Blocks from one MCU to the next, across and down.
    step: (usize, usize),
    codes: (&'a Codes, &'a RunCodes),
}

/// What is the same for all blocks of a scan.
pub(super) struct Scan<'a> {
    places: Vec<Place<'a>>,
    n_mcus: (usize, usize),
    interval: usize,
    wanted: Wanted,
}

impl<'a> Scan<'a> {
    pub(super) fn new(
        header: &ScanHeader,
        tables: &'a Tables,
        picture: &Picture,
        wanted: Wanted,
    ) -> Result<Self, TranscodeError> {
        let mut places = Vec::with_capacity(MAX_MCU_BLOCKS);
        let is_single = header.components().len() == 1;
        let mut n_mcus = (0, 0);
        for of in header.components() {
            let component = &picture.components[of.component];
            // The blocks of a single component do not interleave, and none of them fills
            // up an MCU.
            let step = if is_single { (1, 1) } else { component.factors };
            let n = component.n_blocks;
            n_mcus = (n.0.div_ceil(step.0).max(n_mcus.0), n.1.div_ceil(step.1).max(n_mcus.1));
            let codes = tables.codes(of.dc, of.ac)?;
            for (y, x) in (0..step.1).flat_map(|y| (0..step.0).map(move |x| (y, x))) {
                places.push(Place { component: of.component, x, y, step, codes });
            }
        }
        if places.len() > MAX_MCU_BLOCKS {
            return Err(TranscodeError::Unsupported("more than ten blocks in an MCU"));
        }
        Ok(Self { places, n_mcus, interval: tables.interval, wanted })
    }

    /// Reads the scan that begins at `at`. Returns the place of the marker behind it.
    ///
    /// Where data are missing before a marker, blocks stay grey, as decoders show them.
    pub(super) fn read(
        &self,
        jpeg: &[u8],
        mut at: usize,
        bytes: &mut Vec<u8>,
        picture: &mut Picture,
    ) -> Result<usize, TranscodeError> {
        let n_mcus = self.n_mcus.0 * self.n_mcus.1;
        let (mut n_done, mut n_restarts) = (0, 0_u8);
        loop {
            at = unstuff(jpeg, at, bytes);
            let end = if self.interval == 0 { n_mcus } else { n_mcus.min(n_done + self.interval) };
            self.mcus(n_done..end, bytes, picture)?;
            n_done = end;
            match jpeg.get(at + 1) {
                Some(marker @ 0xD0..=0xD7) if n_done < n_mcus => {
                    if *marker & 7 != n_restarts & 7 {
                        return Err(TranscodeError::Damaged("a restart marker is missing"));
                    }
                    n_restarts = n_restarts.wrapping_add(1);
                }
                // Behind the last MCU, one too many does no harm.
                Some(0xD0..=0xD7) => {}
                _ => return Ok(at),
            }
            at += 2;
        }
    }

    /// The place of the marker behind a scan that nobody needs.
    pub(super) fn pass_over(jpeg: &[u8], mut at: usize) -> usize {
        loop {
            let rest = jpeg.get(at..).unwrap_or_default();
            at += memchr::memchr(0xFF, rest).unwrap_or(rest.len());
            match jpeg.get(at + 1) {
                Some(0 | 0xD0..=0xD7) => at += 2,
                Some(0xFF) => at += 1,
                _ => return at,
            }
        }
    }

    /// Reads MCUs that follow each other without a restart marker.
    fn mcus(
        &self,
        range: std::ops::Range<usize>,
        bytes: &[u8],
        picture: &mut Picture,
    ) -> Result<(), TranscodeError> {
        let mut bits = Bits::new(bytes);
        let mut previous = [0; MAX_COMPONENTS];
        let across = self.n_mcus.0.max(1);
        let (mut x, mut y) = (range.start % across, range.start / across);
        for _ in range {
            picture.make_room(MAX_MCU_BLOCKS * MAX_VALUES);
            let read = self.mcu(x, y, &mut bits, &mut previous, picture);
            // What follows data that broke off in an MCU is zeros, which may be no code.
            if bits.is_over() {
                return Ok(());
            }
            read.ok_or(BAD_CODE)?;
            x += 1;
            if x == across {
                (x, y) = (0, y + 1);
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn mcu(
        &self,
        x: usize,
        y: usize,
        bits: &mut Bits<'_>,
        previous: &mut [i32; MAX_COMPONENTS],
        picture: &mut Picture,
    ) -> Option<()> {
        for place in &self.places {
            let previous = &mut previous[place.component];
            bits.refill();
            *previous = previous.wrapping_add(place.codes.0.difference(bits)?);
            if !self.wanted.has_ac(place.component) {
                skip_ac(bits, place.codes.1)?;
            }
            let start = picture.n_values;
            let mut non_zero = 0;
            if self.wanted.has_ac(place.component) {
                let room = picture.values.get_mut(start..)?.first_chunk_mut()?;
                non_zero = read_ac(bits, place.codes.1, room)?;
                picture.n_values += non_zero.count_ones() as usize;
            }
            let component = &mut picture.components[place.component];
            let at = (y * place.step.1 + place.y) * component.stride + x * place.step.0 + place.x;
            if let Some(block) = component.blocks.get_mut(at) {
                let dc = (*previous).clamp(DC_RANGE.0, DC_RANGE.1) as i16;
                *block = Block { non_zero, start: start as u32, dc, is_oriented: false };
            }
        }
        Some(())
    }
}

/// Reads the AC coefficients of a block. Returns a bit for each that is not 0.
#[inline(always)]
fn read_ac(bits: &mut Bits<'_>, codes: &RunCodes, values: &mut [i16; MAX_VALUES]) -> Option<u64> {
    let (mut k, mut n, mut non_zero) = (1_u32, 0_usize, 0_u64);
    while k < 64 {
        bits.refill();
        let run = codes.run(bits.peek());
        if run.n_bits() != 0 && k + run.n_places() <= 64 {
            bits.skip(run.n_bits());
            let (has, places) = (run.has(), run.places());
            non_zero |= has[0] << ((k + places[0]) & 63) | has[1] << ((k + places[1]) & 63);
            [values[n & 63], values[(n & 63) + 1]] = run.values();
            n += (has[0] + has[1]) as usize;
            k += run.n_places();
            if run.is_end() {
                break;
            }
            continue;
        }
        // One at a time: a long code, or the last coefficients of a block.
        let (symbol, n_bits) = codes.codes.run_symbol(bits.peek())?;
        bits.skip(n_bits);
        match symbol {
            Symbol::End => break,
            Symbol::Zeros => k += 16,
            Symbol::Value(n_zeros, value) => {
                k += n_zeros;
                if k > 63 {
                    return None;
                }
                non_zero |= 1 << k;
                values[n & 63] = value as i16;
                n += 1;
                k += 1;
            }
        }
    }
    (k <= 64).then_some(non_zero)
}

/// Goes over the AC coefficients of a block.
#[inline(always)]
fn skip_ac(bits: &mut Bits<'_>, codes: &RunCodes) -> Option<()> {
    let mut k = 1_u32;
    while k < 64 {
        bits.refill();
        let run = codes.run(bits.peek());
        if run.n_bits() != 0 && k + run.n_places() <= 64 {
            bits.skip(run.n_bits());
            k += run.n_places();
            if run.is_end() {
                break;
            }
            continue;
        }
        let (symbol, n_bits) = codes.codes.run_symbol(bits.peek())?;
        bits.skip(n_bits);
        match symbol {
            Symbol::End => break,
            Symbol::Zeros => k += 16,
            Symbol::Value(n_zeros, _) => k += n_zeros + 1,
        }
    }
    (k <= 64).then_some(())
}
