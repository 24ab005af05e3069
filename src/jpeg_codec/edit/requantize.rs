//! Divides coefficients by another table than that of the source.

/// Factors of 16 bits behind the point, in zigzag order.
#[derive(Debug)]
pub(super) struct Requantize([u32; 64]);

const POINT: u32 = 16;

impl Requantize {
    /// From one table to another, none of whose values is smaller.
    pub(super) fn new(from: &[u16; 64], to: &[u16; 64]) -> Self {
        Self(std::array::from_fn(|k| {
            let (from, to) = (u32::from(from[k]), u32::from(to[k]).max(1));
            (((u64::from(from) << POINT) + u64::from(to / 2)) / u64::from(to)) as u32
        }))
    }

    /// A coefficient with its place in zigzag order. Half is rounded away from 0.
    #[inline(always)]
    pub(super) fn value(&self, k: usize, value: i16) -> i16 {
        // Both factors have at most 17 and 11 bits.
        let size = u32::from(value.unsigned_abs()) * self.0[k & 63] + (1 << (POINT - 1));
        let size = (size >> POINT) as i16;
        if value < 0 { -size } else { size }
    }

    /// The coefficients of a block, of which those that are not 0 have a bit. Returns the
    /// bits of those that are still not 0.
    #[inline(always)]
    pub(super) fn ac(&self, non_zero: u64, values: &mut [i16; 64]) -> u64 {
        let (mut left, mut still) = (non_zero, 0);
        while left != 0 {
            let k = left.trailing_zeros() as usize & 63;
            values[k] = self.value(k, values[k]);
            still |= u64::from(values[k] != 0) << k;
            left &= left - 1;
        }
        still
    }
}
