//! The scan of a baseline JPEG: samples in, transformed, divided, and
//! Huffman-coded bytes out. What tables and sampling are used, the caller
//! reads out of the header that is to stand before the scan.

#![forbid(unsafe_code)]

mod bits;
mod transform;

use bits::{Bits, Codes, codes};
use transform::{Block, Divisors, transform};

/// How the components are coded: luma by table 0, the colours by table 1.
#[derive(Debug)]
pub struct Tables {
    divisors: [Divisors; 2],
    dc: [Codes; 2],
    ac: [Codes; 2],
    /// Blocks of luma in an MCU; a colour has one.
    luma: (usize, usize),
    n_components: usize,
}

impl Tables {
    /// Tables that are still to be set, of a picture with `n_components` whose
    /// first is sampled `horizontal` by `vertical` times.
    pub fn new(n_components: usize, (horizontal, vertical): (usize, usize)) -> Self {
        Self {
            divisors: [Divisors::default(), Divisors::default()],
            dc: [[(0, 0); 256]; 2],
            ac: [[(0, 0); 256]; 2],
            // The blocks of a single component do not interleave.
            luma: if n_components == 1 { (1, 1) } else { (horizontal, vertical) },
            n_components,
        }
    }

    /// Sets quantization table `nth`, in zigzag order as in DQT.
    pub fn set_divisors(&mut self, nth: usize, values: &[u8; 64]) {
        self.divisors[nth] = Divisors::new(values);
    }

    /// Sets the Huffman table of DHT's class and destination.
    pub fn set_codes(&mut self, class: u8, nth: usize, lengths: &[u8; 16], symbols: &[u8]) {
        let tables = if class == 0 { &mut self.dc } else { &mut self.ac };
        tables[nth] = codes(lengths, symbols);
    }
}

/// A scan, or what is between two restart markers, that is being written.
pub struct Scan<'a> {
    tables: &'a Tables,
    bits: Bits<'a>,
    previous: [i16; 4],
}

impl<'a> Scan<'a> {
    /// Goes on behind what is in `out`.
    pub fn new(tables: &'a Tables, out: &'a mut Vec<u8>) -> Self {
        Self { tables, bits: Bits::new(out), previous: [0; 4] }
    }

    /// One row of MCUs: all components in full resolution, in lines of
    /// `width`, which is a multiple of an MCU's. Of a colour that is sampled
    /// more coarsely, the samples at the left and above count.
    ///
    /// # Panics
    /// If there are fewer samples.
    pub fn row(&mut self, planes: &[Vec<u8>], width: usize) {
        let (h, v) = self.tables.luma;
        for left in (0..width).step_by(8 * h) {
            for (y, x) in (0..v).flat_map(|y| (0..h).map(move |x| (y, x))) {
                self.block(0, &block::<1>(&planes[0], width, left + 8 * x, 8 * y, 1));
            }
            for (c, plane) in planes.iter().enumerate().take(self.tables.n_components).skip(1) {
                let samples = match h {
                    1 => block::<1>(plane, width, left, 0, v),
                    _ => block::<2>(plane, width, left, 0, v),
                };
                self.block(c, &samples);
            }
        }
    }

    /// Ends it at a whole byte.
    pub fn end(self) {
        self.bits.end();
    }

    #[inline(always)]
    fn block(&mut self, component: usize, samples: &Block) {
        let nth = component.min(1);
        let values = self.tables.divisors[nth].divide(&transform(samples));
        let difference = values[0] - self.previous[component];
        self.previous[component] = values[0];
        self.bits.block(&values, difference, &self.tables.dc[nth], &self.tables.ac[nth]);
    }
}

/// Every `H`th sample of every `v`th line, by columns.
#[inline]
fn block<const H: usize>(plane: &[u8], width: usize, left: usize, top: usize, v: usize) -> Block {
    let mut block = [[0; 8]; 8];
    for y in 0..8 {
        let line = &plane[(top + y * v) * width + left..][..8 * H];
        for x in 0..8 {
            block[x][y] = i16::from(line[x * H]) - 128;
        }
    }
    block
}
