//! The two indexes of the frames of one RIFF: `ix00` and `idx1`.

use super::head::{FRAME, N_CHUNK_HEAD, chunk};

/// Flag of every entry, because every JPEG is a key frame.
const KEY_FRAME: u32 = 0x10;
/// An index of chunks with two words a frame.
const N_STANDARD_WORDS: u16 = 2;
const INDEX_OF_CHUNKS: u8 = 1;

/// Where the bytes of a frame are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Entry {
    /// Offset of its chunk from the word `movi`.
    pub(super) offset: u32,
    pub(super) n_jpeg: u32,
}

/// Bytes of the fields of `ix00` before its entries, and of one entry: offset and
/// length.
const N_STANDARD_FIELDS: u32 = 24;
pub(super) const N_STANDARD_ENTRY: u32 = 8;
/// Bytes of an entry of `idx1`: name, flags, offset and length.
pub(super) const N_OLD_ENTRY: u32 = 16;

/// Length of a chunk `ix00`.
pub(super) fn n_standard(n_frames: u32) -> u32 {
    N_CHUNK_HEAD + N_STANDARD_FIELDS + N_STANDARD_ENTRY * n_frames
}

/// Length of a chunk `idx1`.
pub(super) fn n_old(n_frames: u32) -> u32 {
    N_CHUNK_HEAD + N_OLD_ENTRY * n_frames
}

/// AVISTDINDEX; `movi_at` is the place of the word `movi` in the file.
pub(super) fn standard(entries: &[Entry], movi_at: u64) -> Vec<u8> {
    let n = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    let mut content = N_STANDARD_WORDS.to_le_bytes().to_vec();
    content.extend([0, INDEX_OF_CHUNKS]);
    content.extend([n.to_le_bytes(), *FRAME].concat());
    content.extend(movi_at.to_le_bytes());
    content.extend([0; 4]);
    for entry in entries {
        // `ix00` points behind the head of a chunk, `idx1` to its head.
        content.extend((entry.offset + N_CHUNK_HEAD).to_le_bytes());
        content.extend(entry.n_jpeg.to_le_bytes());
    }
    chunk(b"ix00", &content)
}

/// AVIOLDINDEX.
pub(super) fn old(entries: &[Entry]) -> Vec<u8> {
    let mut content = Vec::with_capacity(entries.len() * N_OLD_ENTRY as usize);
    for entry in entries {
        content.extend_from_slice(FRAME);
        for number in [KEY_FRAME, entry.offset, entry.n_jpeg] {
            content.extend(number.to_le_bytes());
        }
    }
    chunk(b"idx1", &content)
}
