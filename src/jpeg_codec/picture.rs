//! A picture as its coefficients.

use crate::blocks::ZIGZAG;

/// Components of a picture at most.
pub(crate) const MAX_COMPONENTS: usize = 3;

/// Quantized coefficients of a block.
///
/// Most are zero. So only the others are kept, all those of a picture in one list: a
/// fifth of the memory, which is most of the time that moving blocks takes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Block {
    /// A bit for each AC coefficient that is not 0, in zigzag order.
    pub(crate) non_zero: u64,
    /// Where they are in the list of values.
    pub(crate) start: u32,
    pub(crate) dc: i16,
    /// Whether the block lies as in the picture that is written.
    pub(crate) is_oriented: bool,
}

#[derive(Debug)]
pub(crate) struct Component {
    pub(crate) id: u8,
    /// Sampling factors, across and down.
    pub(crate) factors: (usize, usize),
    /// The destination of its quantization table.
    pub(crate) table: u8,
    /// In zigzag order, as it was when its scan began.
    pub(crate) divisors: [u16; 64],
    /// Blocks that hold pixels of the picture, across and down.
    pub(crate) n_blocks: (usize, usize),
    /// Blocks in a row, with those that fill up the last MCU.
    pub(crate) stride: usize,
    pub(crate) blocks: Vec<Block>,
    /// Whether a scan had it.
    pub(crate) is_read: bool,
}

/// What was read from a JPEG. The memory is used again for the next one.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) n_components: usize,
    pub(crate) components: [Component; MAX_COMPONENTS],
    /// AC coefficients of all blocks, each block's in zigzag order.
    pub(crate) values: Vec<i16>,
    /// How many of `values` belong to this picture.
    pub(crate) n_values: usize,
    /// APPn and COM segments, with their markers.
    pub(crate) kept: Vec<u8>,
    pub(crate) is_rgb: bool,
}

impl Picture {
    pub(crate) fn new() -> Self {
        let component = || Component {
            id: 0,
            factors: (1, 1),
            table: 0,
            divisors: [1; 64],
            n_blocks: (0, 0),
            stride: 0,
            blocks: Vec::new(),
            is_read: false,
        };
        Self {
            width: 0,
            height: 0,
            n_components: 0,
            components: [component(), component(), component()],
            values: Vec::new(),
            n_values: 0,
            kept: Vec::new(),
            is_rgb: false,
        }
    }

    /// The components that the picture has.
    pub(crate) fn components(&self) -> &[Component] {
        &self.components[..self.n_components]
    }

    /// The largest sampling factors.
    pub(crate) fn largest_factors(&self) -> (usize, usize) {
        let factors = || self.components().iter().map(|component| component.factors);
        (factors().map(|f| f.0).max().unwrap_or(1), factors().map(|f| f.1).max().unwrap_or(1))
    }

    /// Whether a component has levels of light rather than of colour.
    pub(crate) fn is_light(&self, component: usize) -> bool {
        component == 0 || self.is_rgb
    }

    /// Makes room for so many more values.
    #[inline(always)]
    pub(crate) fn make_room(&mut self, n: usize) {
        if self.values.len() < self.n_values + n {
            self.values.resize(2 * self.n_values + n, 0);
        }
    }

    /// The AC coefficients of a block that are not 0.
    #[inline(always)]
    pub(crate) fn values(&self, block: &Block) -> &[i16] {
        let start = block.start as usize;
        self.values.get(start..start + block.non_zero.count_ones() as usize).unwrap_or_default()
    }
}

/// Calls `each` with place in zigzag order and value of each AC coefficient.
#[inline(always)]
pub(crate) fn for_each_ac(non_zero: u64, values: &[i16], mut each: impl FnMut(usize, i16)) {
    let mut left = non_zero;
    for value in values {
        each(left.trailing_zeros() as usize & 63, *value);
        left &= left.wrapping_sub(1);
    }
}

/// The place in zigzag order of each place in rows.
pub(crate) static IN_ZIGZAG: [u8; 64] = {
    let mut places = [0; 64];
    let mut k = 0;
    while k < 64 {
        places[ZIGZAG[k as usize] as usize] = k;
        k += 1;
    }
    places
};
