//! Writes the scan of a baseline JPEG row by row of MCUs.

use crate::bits::BitWriter;
use crate::blocks::Pair;
use crate::divisors::Divisors;
use crate::huffman::put_block;
use crate::samples::McuRow;
use crate::simd::Simd;
use crate::tables::{MAX_COMPONENTS, MAX_PAIRS, Tables};

/// A scan, or the part of one between two restart markers, while it is written.
pub struct Scan<'a> {
    tables: &'a Tables,
    simd: Simd,
    bits: BitWriter<'a>,
    previous: [i16; MAX_COMPONENTS],
}

impl<'a> Scan<'a> {
    /// A scan that is appended to `out`.
    pub fn new(tables: &'a Tables, simd: Simd, out: &'a mut Vec<u8>) -> Self {
        Self { tables, simd, bits: BitWriter::new(out), previous: [0; MAX_COMPONENTS] }
    }

    /// Appends one row of MCUs.
    ///
    /// # Panics
    /// If the width of `samples` was set with tables of another sampling.
    pub fn row(&mut self, samples: &McuRow) {
        self.simd.row(self, samples);
    }

    /// Ends it at a whole byte.
    pub fn end(self) {
        self.bits.end();
    }

    /// Appends a row; `pair` is how a level of SIMD transforms two blocks side by side.
    ///
    /// Two MCUs at a time are transformed and then coded: so every component has two
    /// blocks side by side, and they are still in the first-level cache.
    #[inline(always)]
    pub(crate) fn row_by(
        &mut self,
        samples: &McuRow,
        pair: impl Fn(&[u8], usize, &Divisors, &mut Pair),
    ) {
        let tables = self.tables;
        let n_pairs = tables.n_pairs();
        let mut pairs = [const { Pair::ZERO }; MAX_PAIRS];
        let mut cursor = self.bits.cursor;
        for first in (0..samples.n_mcus()).step_by(2) {
            for (out, place) in pairs.iter_mut().zip(&tables.pairs[..n_pairs]) {
                let (plane, stride) = samples.plane(place.component);
                let at = place.y * stride + place.x + first * place.mcu_width;
                let divisors = &tables.divisors[place.component.min(1)];
                pair(&plane[at..], stride, divisors, out);
            }
            // A row with an odd number of MCUs ends with a single one.
            let n_blocks = if samples.n_mcus() - first > 1 { 2 * n_pairs } else { n_pairs };
            for block in &tables.blocks[..n_blocks] {
                let codes = block.component.min(1);
                put_block(
                    &pairs[block.pair],
                    block.nth,
                    &mut self.previous[block.component],
                    (&tables.dc[codes], &tables.ac[codes]),
                    &mut cursor,
                    &mut self.bits.pending,
                );
            }
            self.bits.make_room(&mut cursor);
        }
        self.bits.cursor = cursor;
    }
}
