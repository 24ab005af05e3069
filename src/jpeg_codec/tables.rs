//! How the components of a picture are coded.

use crate::divisors::Divisors;
use crate::huffman::Codes;
use crate::samples::PAIR_WIDTH;

/// Components of a picture at most: luma and two colours.
pub(crate) const MAX_COMPONENTS: usize = 3;

/// The most pairs of blocks in two MCUs: four of luma, one of each colour.
pub(crate) const MAX_PAIRS: usize = 6;

/// Where the samples of a pair are: two blocks side by side in two MCUs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PairPlace {
    pub(crate) component: usize,
    pub(crate) y: usize,
    pub(crate) x: usize,
    /// Columns from one MCU to the next.
    pub(crate) mcu_width: usize,
}

/// A block to code: which block of which pair.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BlockPlace {
    pub(crate) component: usize,
    pub(crate) pair: usize,
    pub(crate) nth: usize,
}

/// How the components are coded: luma by table 0, the colours by table 1.
#[derive(Debug)]
pub struct Tables {
    pub(crate) divisors: [Divisors; 2],
    pub(crate) dc: [Codes; 2],
    pub(crate) ac: [Codes; 2],
    /// Blocks of luma in an MCU, across and down; a colour has one.
    pub(crate) luma: (usize, usize),
    pub(crate) n_components: usize,
    /// The pairs of two MCUs, and the order in which their blocks are coded. Computed
    /// once, to keep divisions out of a scan.
    pub(crate) pairs: [PairPlace; MAX_PAIRS],
    pub(crate) blocks: [BlockPlace; 2 * MAX_PAIRS],
}

impl Tables {
    /// Empty tables for a picture with 1 or 3 components. The sampling factors of the
    /// first are `horizontal` and `vertical`, each 1 or 2.
    pub fn new(n_components: usize, (horizontal, vertical): (usize, usize)) -> Self {
        // The blocks of a single component do not interleave.
        let luma = match n_components {
            0 | 1 => (1, 1),
            _ => (horizontal.clamp(1, 2), vertical.clamp(1, 2)),
        };
        let n_components = n_components.clamp(1, MAX_COMPONENTS);
        Self {
            divisors: [Divisors::default(), Divisors::default()],
            dc: [Codes::EMPTY; 2],
            ac: [Codes::EMPTY; 2],
            luma,
            n_components,
            pairs: pairs(luma),
            blocks: blocks(luma, n_components),
        }
    }

    /// The number of pairs in two MCUs, which is also that of blocks in one MCU.
    pub(crate) fn n_pairs(&self) -> usize {
        self.luma.0 * self.luma.1 + self.n_components - 1
    }

    /// Sets quantization table `nth`, in zigzag order as in DQT.
    ///
    /// # Panics
    /// If there is no table `nth`: there are 0 and 1.
    pub fn set_divisors(&mut self, nth: usize, values: &[u8; 64]) {
        self.divisors[nth] = Divisors::new(values);
    }

    /// Sets the Huffman table of DHT's class and destination. It must have a
    /// code for all that a block can hold, as the tables of annex K have.
    ///
    /// # Panics
    /// If there is no table `nth`: there are 0 and 1.
    pub fn set_codes(&mut self, class: u8, nth: usize, lengths: &[u8; 16], symbols: &[u8]) {
        let tables = if class == 0 { &mut self.dc } else { &mut self.ac };
        tables[nth] = Codes::new(lengths, symbols);
    }
}

fn pairs((across, down): (usize, usize)) -> [PairPlace; MAX_PAIRS] {
    let n_luma = across * down;
    std::array::from_fn(|i| match i.checked_sub(n_luma) {
        None => PairPlace {
            component: 0,
            y: i / across * 8,
            x: i % across * PAIR_WIDTH,
            mcu_width: 8 * across,
        },
        Some(colour) => {
            let component = (1 + colour).min(MAX_COMPONENTS - 1);
            PairPlace { component, y: 0, x: 0, mcu_width: 8 }
        }
    })
}

fn blocks((across, down): (usize, usize), n_components: usize) -> [BlockPlace; 2 * MAX_PAIRS] {
    let n_luma = across * down;
    let n_blocks = n_luma + n_components - 1;
    std::array::from_fn(|at| {
        let (mcu, i) = (at / n_blocks % 2, at % n_blocks);
        match i.checked_sub(n_luma) {
            None => {
                let x = mcu * across + i % across;
                BlockPlace { component: 0, pair: i / across * across + x / 2, nth: x % 2 }
            }
            Some(colour) => BlockPlace { component: 1 + colour, pair: i, nth: mcu },
        }
    })
}
