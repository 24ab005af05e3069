//! JPEG as bytes: is it one, how large is its picture, where does it end; and
//! raw pictures made into JPEGs.
//!
//! Marker names and layout are those of ITU-T T.81, annex B. Nothing here
//! decodes a picture.

mod check;
#[cfg(feature = "daemon")]
mod encode;
#[cfg(feature = "daemon")]
mod header;
mod huffman;
#[cfg(feature = "daemon")]
mod mark;
#[cfg(feature = "daemon")]
mod pixels;
#[cfg(feature = "daemon")]
mod raw;
#[cfg(feature = "daemon")]
mod rows;
mod split;
#[cfg(feature = "daemon")]
mod strips;
mod walk;

use std::fmt;

pub(crate) use check::{Info, check};
#[cfg(feature = "daemon")]
pub(crate) use encode::Encoder;
pub(crate) use huffman::SEGMENT as HUFFMAN_TABLES;
#[cfg(feature = "daemon")]
pub(crate) use mark::{MARK_AT, status_cause, status_mark};
#[cfg(feature = "daemon")]
pub(crate) use pixels::PixelFormat;
#[cfg(feature = "daemon")]
pub(crate) use raw::{Range, Raw};
pub(crate) use split::Splitter;
pub(crate) use walk::{Walk, Walked};

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DHT: u8 = 0xC4;
const DQT: u8 = 0xDB;
const APP1: u8 = 0xE1;

/// Why some bytes are not shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    Empty,
    NotJpeg,
    Truncated,
    TooLarge,
    /// The device marked it as damaged.
    Marked,
    /// A raw picture that is not as long as its size says.
    Raw,
}

impl Fault {
    /// All of them, in the order of `key`'s counters.
    pub(crate) const ALL: [Self; 6] =
        [Self::Empty, Self::NotJpeg, Self::Truncated, Self::TooLarge, Self::Marked, Self::Raw];

    /// The name of this fault's counter.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotJpeg => "not_jpeg",
            Self::Truncated => "truncated",
            Self::TooLarge => "too_large",
            Self::Marked => "marked",
            Self::Raw => "raw",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "no bytes",
            Self::NotJpeg => "not a JPEG",
            Self::Truncated => "a JPEG without its end",
            Self::TooLarge => "a JPEG of more than --max-frame-size",
            Self::Marked => "marked as damaged by the device",
            Self::Raw => "a raw picture that is not as long as its size says",
        })
    }
}

/// SOFn: baseline, extended and progressive, but not DHT, JPG and DAC, which
/// lie in the same range (T.81 table B.1).
fn is_frame_header(marker: u8) -> bool {
    matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC)
}

/// RSTn and TEM stand alone, without a length.
fn stands_alone(marker: u8) -> bool {
    matches!(marker, 0xD0..=0xD7 | 0x01)
}
