//! Reads the blocks of a scan.

use super::Selection;
use super::ac_table::AcTable;
use super::bits::{BitReader, unstuff};
use super::block::{MAX_VALUES, read_ac, skip_ac};
use super::frame::ScanHeader;
use super::huffman_table::HuffmanTable;
use super::tables::Tables;
use crate::error::TranscodeError;
use crate::picture::{Block, MAX_COMPONENTS, MAX_MCU_BLOCKS, Picture};

/// The largest DC of a picture with 8 bits: differences then fit the codes of annex K.
const DC_RANGE: (i32, i32) = (-1024, 1023);

const BAD_CODE: TranscodeError = TranscodeError::Damaged("a code that no table has");

/// A block of an MCU.
#[derive(Clone, Copy)]
struct McuBlock<'a> {
    component: usize,
    x: usize,
    y: usize,
    /// Blocks from one MCU to the next, across and down.
    step: (usize, usize),
    tables: (&'a HuffmanTable, &'a AcTable),
}

/// What is the same for all blocks of a scan.
pub(super) struct Scan<'a> {
    blocks: Vec<McuBlock<'a>>,
    n_mcus: (usize, usize),
    interval: usize,
    wanted: Selection,
}

impl<'a> Scan<'a> {
    pub(super) fn new(
        header: &ScanHeader,
        tables: &'a Tables,
        picture: &Picture,
        wanted: Selection,
    ) -> Result<Self, TranscodeError> {
        let mut blocks = Vec::with_capacity(MAX_MCU_BLOCKS);
        let is_single = header.components().len() == 1;
        let mut n_mcus = (0, 0);
        for of in header.components() {
            let component = &picture.components[of.component];
            // The blocks of a single component do not interleave, and none of them fills
            // up an MCU.
            let step = if is_single { (1, 1) } else { component.factors };
            let n = component.n_blocks;
            n_mcus = (n.0.div_ceil(step.0).max(n_mcus.0), n.1.div_ceil(step.1).max(n_mcus.1));
            let tables = tables.for_component(of.dc, of.ac)?;
            for (y, x) in (0..step.1).flat_map(|y| (0..step.0).map(move |x| (y, x))) {
                blocks.push(McuBlock { component: of.component, x, y, step, tables });
            }
        }
        if blocks.len() > MAX_MCU_BLOCKS {
            return Err(TranscodeError::Unsupported("more than ten blocks in an MCU"));
        }
        Ok(Self { blocks, n_mcus, interval: tables.interval, wanted })
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

    /// Skips a scan of components that are not needed. Returns the place of the marker
    /// behind it.
    pub(super) fn skip(jpeg: &[u8], mut at: usize) -> usize {
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
        let mut bits = BitReader::new(bytes);
        let mut previous = [0; MAX_COMPONENTS];
        let across = self.n_mcus.0.max(1);
        let (mut x, mut y) = (range.start % across, range.start / across);
        for _ in range {
            picture.make_room(MAX_MCU_BLOCKS * MAX_VALUES);
            let read = self.mcu(x, y, &mut bits, &mut previous, picture);
            // If the data end inside of an MCU, the zeros behind them may be no code.
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
        bits: &mut BitReader<'_>,
        previous: &mut [i32; MAX_COMPONENTS],
        picture: &mut Picture,
    ) -> Option<()> {
        for of in &self.blocks {
            let previous = &mut previous[of.component];
            bits.refill();
            *previous = previous.wrapping_add(of.tables.0.difference(bits)?.into());
            if !self.wanted.has_ac(of.component) {
                skip_ac(bits, of.tables.1)?;
            }
            let start = picture.n_values;
            let mut non_zero = 0;
            if self.wanted.has_ac(of.component) {
                let room = picture.values.get_mut(start..)?.first_chunk_mut()?;
                non_zero = read_ac(bits, of.tables.1, room)?;
                picture.n_values += non_zero.count_ones() as usize;
            }
            let component = &mut picture.components[of.component];
            let at = (y * of.step.1 + of.y) * component.stride + x * of.step.0 + of.x;
            if let Some(block) = component.blocks.get_mut(at) {
                let dc = (*previous).clamp(DC_RANGE.0, DC_RANGE.1);
                let dc = i16::try_from(dc).unwrap_or_default();
                let start = u32::try_from(start).ok()?;
                *block = Block { non_zero, start, dc, is_oriented: false };
            }
        }
        Some(())
    }
}
