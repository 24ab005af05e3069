//! Blocks after transform and quantization.

/// Two blocks that lie side by side in a plane. One AVX2 register holds a row of both,
/// which decides the layout for all levels of SIMD.
///
/// Rows of both blocks alternate: coefficient `x` of row `y` of block `nth` is at
/// `16 * y + 8 * nth + x`.
pub(crate) struct Pair {
    pub(crate) values: [[i16; 16]; 8],
    /// A bit for each coefficient that is not 0, in zigzag order from bit 0.
    pub(crate) non_zero: [u64; 2],
}

impl Pair {
    pub(crate) const ZERO: Self = Self { values: [[0; 16]; 8], non_zero: [0; 2] };

    /// Coefficient `k` of a block in zigzag order.
    #[inline(always)]
    pub(crate) fn value(&self, nth: usize, k: u32) -> i16 {
        // The masks change nothing. They let the compiler leave out the bounds checks.
        let place = usize::from(PLACES[k as usize & 63]) + 8 * nth;
        self.values.as_flattened()[place & 127]
    }

    #[inline(always)]
    pub(crate) fn non_zero(&self, nth: usize) -> u64 {
        self.non_zero[nth & 1]
    }
}

/// T.81, figure A.6.
pub(crate) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Where the coefficients of a pair's first block are, in zigzag order.
static PLACES: [u8; 64] = {
    let mut places = ZIGZAG;
    let mut k = 0;
    while k < 64 {
        places[k] = ZIGZAG[k] / 8 * 16 + ZIGZAG[k] % 8;
        k += 1;
    }
    places
};

/// Reorders 64 bits from the order of a block's rows to that of the zigzag. One lookup
/// a row replaces moving 64 single bits.
#[cfg(any(test, not(target_arch = "aarch64")))]
#[inline(always)]
pub(crate) fn in_zigzag(rows: u64) -> u64 {
    let bytes = rows.to_le_bytes();
    bytes.iter().zip(&SCATTERED).fold(0, |bits, (row, of)| bits | of[usize::from(*row)])
}

/// For each row and each value of its eight bits: the bits at their places in the
/// zigzag.
#[cfg(any(test, not(target_arch = "aarch64")))]
static SCATTERED: [[u64; 256]; 8] = {
    let mut scattered = [[0; 256]; 8];
    let mut k = 0;
    while k < 64 {
        let (y, x) = (ZIGZAG[k] as usize / 8, ZIGZAG[k] % 8);
        let mut row = 0;
        while row < 256 {
            scattered[y][row] |= (row as u64 >> x & 1) << k;
            row += 1;
        }
        k += 1;
    }
    scattered
};
