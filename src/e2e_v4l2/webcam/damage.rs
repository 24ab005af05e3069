//! The faults of this camera, read from the mode file before each frame.
//!
//! Called by `streaming` for frames and by `main` for controls and alternate settings.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// Bits of the payload header: a frame's last payload, an error in it.
pub(crate) const END_OF_FRAME: u8 = 0x02;
const ERROR: u8 = 0x40;
/// Zeros after the picture in mode `pad`: more than a page, as cameras with fixed transfer sizes send them.
const PADDING_BYTES: usize = 5000;

/// Shorter than the kernel waits for a change, 5 s.
pub(crate) const SLOW: Duration = Duration::from_secs(4);

/// The mode in the mode file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    Normal,
    /// No frames at all.
    Stall,
    /// JPEGs without their Huffman tables.
    NoDht,
    /// JPEGs cut in the middle.
    Truncate,
    /// Zeros after the JPEG.
    Pad,
    /// Frames that are no JPEGs.
    Garbage,
    /// Empty frames.
    Empty,
    /// Frames flagged as bad in the payload header.
    Error,
    /// Normal frames, but each change of a control is refused.
    Refuse,
    /// Normal frames, but each change of a control takes as long as this mode lasts, at most `SLOW`.
    Slow,
    /// The bus has bandwidth for the smallest alternate setting only.
    Crowded,
}

impl Mode {
    /// A missing file means `Normal`. An unknown word is an error, so that a typing error is noticed.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).unwrap_or_default();
        Ok(match text.trim() {
            "" | "normal" => Self::Normal,
            "stall" => Self::Stall,
            "nodht" => Self::NoDht,
            "truncate" => Self::Truncate,
            "pad" => Self::Pad,
            "garbage" => Self::Garbage,
            "empty" => Self::Empty,
            "error" => Self::Error,
            "refuse" => Self::Refuse,
            "slow" => Self::Slow,
            "crowded" => Self::Crowded,
            other => {
                let known = "normal, stall, nodht, truncate, pad, garbage, empty, error, refuse, \
                     slow, crowded";
                return Err(format!(
                    "mode '{other}' in {}: one of {known} would be right",
                    path.display()
                ));
            }
        })
    }

    /// The flags of the payload header in this mode, without the frame-id bit.
    pub(crate) fn header_flags(self) -> u8 {
        if self == Self::Error { END_OF_FRAME | ERROR } else { END_OF_FRAME }
    }

    /// The frame as this mode sends it.
    pub(crate) fn spoil(self, frame: &[u8]) -> Vec<u8> {
        match self {
            // Raw frames have no tables to lose.
            Self::NoDht if frame.starts_with(&[0xff, 0xd8]) => without_huffman_tables(frame),
            Self::Truncate => frame[..frame.len() / 2].to_vec(),
            Self::Pad => [frame, &vec![0; PADDING_BYTES]].concat(),
            Self::Garbage => noise(frame.len()),
            Self::Stall | Self::Empty => Vec::new(),
            Self::Normal | Self::NoDht | Self::Error => frame.to_vec(),
            Self::Refuse | Self::Slow | Self::Crowded => frame.to_vec(),
        }
    }
}

/// Copies a JPEG segment by segment up to the scan, without DHT segments (marker c4).
fn without_huffman_tables(jpeg: &[u8]) -> Vec<u8> {
    let mut out = jpeg[..2].to_vec();
    let mut at = 2;
    while at + 4 <= jpeg.len() && jpeg[at + 1] != 0xda {
        let end = at + 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        if jpeg[at + 1] != 0xc4 {
            out.extend_from_slice(&jpeg[at..end]);
        }
        at = end;
    }
    out.extend_from_slice(&jpeg[at..]);
    out
}

/// Pseudo-random bytes, the same in each run (Knuth's MMIX generator). They do not start with SOI.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}
