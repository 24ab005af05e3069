//! JPEGs as bytes: checks them, finds their size and their end, and encodes raw
//! pictures.
//!
//! Marker names and layout are those of ITU-T T.81, annex B. Nothing here decodes a
//! picture.

mod app;
mod check;
#[cfg(feature = "daemon")]
mod encode;
mod exif;
#[cfg(feature = "daemon")]
pub(crate) mod full_range;
#[cfg(feature = "daemon")]
mod header;
mod huffman;
mod mark;
mod mpf;
#[cfg(feature = "daemon")]
mod pixels;
#[cfg(feature = "daemon")]
mod raw;
#[cfg(feature = "daemon")]
mod rows;
mod second_pictures;
mod split;
#[cfg(feature = "daemon")]
mod strips;
mod tiff;
mod walk;

use std::fmt;

pub(crate) use check::{Info, check, check_whole, n_before};
#[cfg(feature = "daemon")]
pub(crate) use encode::Encoder;
#[cfg(feature = "daemon")]
pub(crate) use exif::Orientation as ExifOrientation;
#[cfg(feature = "daemon")]
pub(crate) use exif::make_upright;
pub(crate) use huffman::SEGMENT as HUFFMAN_TABLES;
pub(crate) use mark::status_cause;
#[cfg(feature = "daemon")]
pub(crate) use mark::{MARK_AT, status_mark};
#[cfg(feature = "daemon")]
pub(crate) use mjpegd_jpeg_codec::{
    Edit, Orientation, Scale, Simd, Stamp, TranscodeError, Transcoder,
};
#[cfg(feature = "daemon")]
pub(crate) use pixels::PixelFormat;
#[cfg(feature = "daemon")]
pub(crate) use raw::{MAX_PLANES, Plane, Range, Raw, RawError};
pub(crate) use split::{Found, Splitter};
pub(crate) use walk::{Walk, Walked};

/// The first bytes of a JPEG.
pub(crate) const START: [u8; 2] = [0xFF, SOI];
/// The last bytes of a JPEG.
pub(crate) const END: [u8; 2] = [0xFF, EOI];

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DHT: u8 = 0xC4;
const DQT: u8 = 0xDB;
const APP1: u8 = 0xE1;
const APP2: u8 = 0xE2;

/// Why some bytes are not published as a picture. Each reason has a counter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Error {
    Empty,
    NotJpeg,
    Truncated,
    TooLarge,
    TooSmall,
    /// The device marked it as damaged.
    Marked,
    /// A raw picture that is not as long as its size says.
    Raw,
    /// The coefficients of a picture that is changed cannot be read.
    Damaged,
    /// A JPEG of a kind that browsers cannot decode (T.81 table B.1).
    Arithmetic,
    Lossless,
    Hierarchical,
    /// More than 8 bits a sample.
    Deep,
}

impl Error {
    /// All of them, in the order of their counters.
    pub(crate) const ALL: [Self; 12] = [
        Self::Empty,
        Self::NotJpeg,
        Self::Truncated,
        Self::TooLarge,
        Self::TooSmall,
        Self::Marked,
        Self::Raw,
        Self::Damaged,
        Self::Arithmetic,
        Self::Lossless,
        Self::Hierarchical,
        Self::Deep,
    ];

    /// The name of this error's counter.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotJpeg => "not_jpeg",
            Self::Truncated => "truncated",
            Self::TooLarge => "too_large",
            Self::TooSmall => "too_small",
            Self::Marked => "marked",
            Self::Raw => "raw",
            Self::Damaged => "damaged",
            Self::Arithmetic => "arithmetic",
            Self::Lossless => "lossless",
            Self::Hierarchical => "hierarchical",
            Self::Deep => "deep",
        }
    }

    /// Whether the source is set to a kind of JPEG that browsers cannot show. Its next
    /// pictures will have the same error.
    pub(crate) fn is_permanent(self) -> bool {
        matches!(self, Self::Arithmetic | Self::Lossless | Self::Hierarchical | Self::Deep)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "no bytes",
            Self::NotJpeg => "not a JPEG",
            Self::Truncated => "a JPEG without its end",
            Self::TooLarge => "a JPEG of more than --max-frame-size",
            Self::TooSmall => "a JPEG of less than --min-frame-size",
            Self::Marked => "marked as damaged by the device",
            Self::Raw => "a raw picture that is not as long as its size says",
            Self::Damaged => "a JPEG whose coded data is damaged",
            Self::Arithmetic => "a JPEG with arithmetic coding, which no browser shows",
            Self::Lossless => "a lossless JPEG, which no browser shows",
            Self::Hierarchical => "a hierarchical JPEG, which no browser shows",
            Self::Deep => "a JPEG with more than 8 bits a sample, which no browser shows",
        })
    }
}

/// Why browsers do not decode a kind of JPEG, given its SOFn and its bits a sample;
/// `None` if they do. They decode baseline, extended and progressive JPEGs of 8 bits:
/// all use libjpeg-turbo or a decoder that does no more.
fn unsupported_coding(sof: u8, bits: u8) -> Option<Error> {
    match sof {
        // Lossless JPEG comes from medical and raw cameras; no browser ever showed it.
        0xC3 => Some(Error::Lossless),
        0xC5..=0xC7 => Some(Error::Hierarchical),
        0xC9..=0xCF => Some(Error::Arithmetic),
        _ => (bits > 8).then_some(Error::Deep),
    }
}

/// SOFn: baseline, extended and progressive, but not DHT, JPG and DAC, which
/// lie in the same range (T.81 table B.1).
fn is_frame_header(marker: u8) -> bool {
    // DHT, JPG and DAC are C4, C8 and CC.
    matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC)
}

/// RSTn and TEM stand alone, without a length.
fn stands_alone(marker: u8) -> bool {
    matches!(marker, 0xD0..=0xD7 | 0x01)
}
