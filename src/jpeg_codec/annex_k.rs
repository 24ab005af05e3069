//! The tables of T.81, annex K: what most encoders write and cameras leave out.

// The daemon's library needs the Huffman tables without this package.
#[path = "../jpeg/huffman.rs"]
mod huffman_tables;

use crate::blocks::ZIGZAG;
use crate::huffman::Codes;
pub(crate) use huffman_tables::SEGMENT as DHT;

/// Bytes of a table of DC differences and of one of AC coefficients, with the byte before
/// each that says which.
const N_DC: usize = 1 + 28;
const N_AC: usize = 1 + 178;

/// The part of [`DHT`] with the tables of luma alone, without marker and length.
pub(crate) const DHT_LUMA: std::ops::Range<usize> = 4..4 + N_DC + N_AC;

/// Counts and symbols of a Huffman table: class 0 for DC and 1 for AC, number 0 and 1.
pub(crate) fn huffman(class: usize, nth: usize) -> Option<&'static [u8]> {
    static SEGMENT: [u8; 420] = DHT;
    let start = 4 + nth * (N_DC + N_AC) + class * N_DC;
    let n = if class == 0 { N_DC } else { N_AC };
    if nth > 1 { None } else { SEGMENT.get(start + 1..start + n) }
}

/// A Huffman table for writing.
pub(crate) fn codes(class: usize, nth: usize) -> Codes {
    let table = huffman(class, nth).and_then(<[u8]>::split_first_chunk);
    table.map_or(Codes::EMPTY, |(lengths, symbols)| Codes::new(lengths, symbols))
}

/// The quantization tables of luma and of colours, scaled as libjpeg does for a quality of
/// 1 to 100, in zigzag order.
pub(crate) fn divisors(quality: u8, is_light: bool) -> [u16; 64] {
    let quality = u32::from(quality.clamp(1, 100));
    let percent = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    ZIGZAG.map(|place| {
        let table = if is_light { &LUMA } else { &COLOUR };
        let scaled = (u32::from(table[usize::from(place)]) * percent + 50) / 100;
        u16::try_from(scaled.clamp(1, 255)).unwrap_or(255)
    })
}

/// Table K.1, in rows.
#[rustfmt::skip]
static LUMA: [u8; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61,
    12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77,
    24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
];

/// Table K.2, in rows.
#[rustfmt::skip]
static COLOUR: [u8; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99,
    18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
];
