//! The eight ways in which a picture can lie, and what they make of a block.

use crate::blocks::ZIGZAG;
use crate::picture::{Block, IN_ZIGZAG, for_each_ac};

/// One of the eight ways in which a picture can lie: first transposed (mirrored at the
/// main diagonal), then mirrored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Orientation {
    /// Rows become columns.
    pub transpose: bool,
    /// Then left becomes right.
    pub flip_x: bool,
    /// Then top becomes bottom.
    pub flip_y: bool,
}

impl Orientation {
    /// As it is.
    pub const IDENTITY: Self = Self::new(false, false, false);
    /// Turned clockwise.
    pub const ROTATE_90: Self = Self::new(true, true, false);
    /// Upside down.
    pub const ROTATE_180: Self = Self::new(false, true, true);
    /// Turned counterclockwise.
    pub const ROTATE_270: Self = Self::new(true, false, true);
    /// Left becomes right.
    pub const FLIP_HORIZONTAL: Self = Self::new(false, true, false);
    /// Top becomes bottom.
    pub const FLIP_VERTICAL: Self = Self::new(false, false, true);

    const fn new(transpose: bool, flip_x: bool, flip_y: bool) -> Self {
        Self { transpose, flip_x, flip_y }
    }

    /// What makes a picture with this EXIF orientation, 1 to 8, upright.
    pub fn from_exif(value: u8) -> Option<Self> {
        Some(match value {
            1 => Self::IDENTITY,
            2 => Self::FLIP_HORIZONTAL,
            3 => Self::ROTATE_180,
            4 => Self::FLIP_VERTICAL,
            5 => Self::new(true, false, false),
            6 => Self::ROTATE_90,
            7 => Self::new(true, true, true),
            8 => Self::ROTATE_270,
            _ => return None,
        })
    }

    /// This one first, and `next` after it, as one.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        let (x, y) = match next.transpose {
            true => (self.flip_y, self.flip_x),
            false => (self.flip_x, self.flip_y),
        };
        Self::new(self.transpose ^ next.transpose, x ^ next.flip_x, y ^ next.flip_y)
    }
}

/// What an orientation makes of the coefficients of a block.
#[derive(Debug)]
pub(super) struct Turn {
    /// Where each coefficient goes, in zigzag order.
    places: [u8; 64],
    /// -1 for each coefficient that changes its sign, by its new place, else 0: cosines of
    /// odd frequencies are odd.
    signs: [i16; 64],
}

impl Turn {
    pub(super) fn new(orientation: Orientation) -> Self {
        let mut new = Self { places: [0; 64], signs: [0; 64] };
        for (k, place) in ZIGZAG.into_iter().enumerate() {
            let (y, x) = (place / 8, place % 8);
            let (y, x) = if orientation.transpose { (x, y) } else { (y, x) };
            let to = IN_ZIGZAG[usize::from(8 * y + x)];
            new.places[k] = to;
            let is_odd = orientation.flip_x && x % 2 == 1;
            let is_negative = is_odd ^ (orientation.flip_y && y % 2 == 1);
            new.signs[usize::from(to)] = if is_negative { -1 } else { 0 };
        }
        new
    }

    /// Writes the AC coefficients of a block that are not 0 to their new places, and
    /// returns a bit for each.
    #[inline(always)]
    pub(super) fn ac(&self, block: &Block, values: &[i16], out: &mut [i16; 64]) -> u64 {
        let mut non_zero = 0;
        for_each_ac(block.non_zero, values, |k, value| {
            let to = usize::from(self.places[k]) & 63;
            // Values have at most 10 bits, so that the negation cannot overflow.
            let sign = self.signs[to];
            out[to] = (value ^ sign) - sign;
            non_zero |= 1 << to;
        });
        non_zero
    }

    /// A quantization table, as the coefficients.
    pub(super) fn divisors(&self, of: &[u16; 64]) -> [u16; 64] {
        let mut divisors = [0; 64];
        for (to, divisor) in self.places.iter().zip(of) {
            divisors[usize::from(*to)] = *divisor;
        }
        divisors
    }
}
