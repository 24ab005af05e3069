//! The head of an AVI: all lists and headers before the list of frames.

use super::Summary;

/// Flags: the frames have an index, and the kinds of chunks in it are right.
const HAS_INDEX: u32 = 0x10;
const TRUST_CHUNK_KIND: u32 = 0x800;
/// Words of four bytes in an entry of the index of indexes.
const N_SUPER_WORDS: u16 = 4;
const INDEX_OF_INDEXES: u8 = 0;
pub(super) const CODEC: &[u8; 4] = b"MJPG";
pub(super) const FRAME: &[u8; 4] = b"00dc";

/// Bytes of the head of a chunk (name and length) and of a list (and its kind).
pub(super) const N_CHUNK_HEAD: u32 = 8;
pub(super) const N_LIST_HEAD: u64 = 12;

/// Bytes of the structures of the head, without the heads of their chunks.
const N_MAIN_HEADER: u64 = 56;
const N_STREAM_HEADER: u64 = 56;
const N_STREAM_FORMAT: u64 = 40;
const N_SUPER_FIELDS: u64 = 24;
const N_SUPER_ENTRY: u64 = 16;
/// The number of frames in all RIFFs.
const N_DML_HEADER: u64 = 4;

/// Length of the list `hdrl` that [`headers`] makes. `n_riffs` is given for OpenDML.
/// It must be known before the list is made, as the index of indexes in the list
/// holds places that depend on it.
pub(super) fn n_headers(n_riffs: Option<usize>) -> u64 {
    let n_chunk = |n_content: u64| u64::from(N_CHUNK_HEAD) + n_content;
    let n_stream = N_LIST_HEAD + n_chunk(N_STREAM_HEADER) + n_chunk(N_STREAM_FORMAT);
    let n_dml = n_riffs.map_or(0, |n| {
        let n_super_index = n_chunk(N_SUPER_FIELDS + N_SUPER_ENTRY * n as u64);
        n_super_index + N_LIST_HEAD + n_chunk(N_DML_HEADER)
    });
    N_LIST_HEAD + n_chunk(N_MAIN_HEADER) + n_stream + n_dml
}

/// Where an index `ix00` is, for the index of indexes in the head.
#[derive(Clone, Copy, Debug)]
pub(super) struct IndexPlace {
    pub(super) at: u64,
    pub(super) n_bytes: u32,
    pub(super) n_frames: u32,
}

/// A chunk: name, length, content. All contents here have an even length, so no
/// padding is needed.
pub(super) fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let n = u32::try_from(content.len()).unwrap_or(u32::MAX);
    [name, &n.to_le_bytes(), content].concat()
}

/// A list: a chunk whose content is the kind of the list and further chunks.
fn list(kind: &[u8; 4], chunks: &[Vec<u8>]) -> Vec<u8> {
    chunk(b"LIST", &[kind, chunks.concat().as_slice()].concat())
}

/// Name, length and kind of a list, before its content of `n_content` bytes.
pub(super) fn open_list(name: &[u8; 4], kind: &[u8; 4], n_content: u32) -> Vec<u8> {
    [*name, (n_content + 4).to_le_bytes(), *kind].concat()
}

fn words<const N: usize>(numbers: [u32; N]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// The list `hdrl`. With indexes of more than one RIFF it is that of OpenDML.
pub(super) fn headers(summary: &Summary, indexes: &[IndexPlace]) -> Vec<u8> {
    let is_open_dml = indexes.len() > 1;
    let mut stream = vec![stream_header(summary), stream_format(summary)];
    if is_open_dml {
        stream.push(super_index(indexes));
    }
    let mut all = vec![main_header(summary), list(b"strl", &stream)];
    if is_open_dml {
        all.push(list(b"odml", &[chunk(b"dmlh", &summary.n_frames.to_le_bytes())]));
    }
    list(b"hdrl", &all)
}

/// AVIMAINHEADER.
fn main_header(summary: &Summary) -> Vec<u8> {
    let rate = summary.rate;
    let us_a_frame = u64::from(rate.seconds) * 1_000_000 / u64::from(rate.frames);
    let us_a_frame = u32::try_from(us_a_frame).unwrap_or(u32::MAX);
    let flags = HAS_INDEX | TRUST_CHUNK_KIND;
    let (width, height) = (summary.size.0.into(), summary.size.1.into());
    // The zeros mean: no limit of the data rate, no padding, no initial frames. The
    // 1 is the number of streams.
    let fields = [us_a_frame, 0, 0, flags, summary.n_first, 0, 1, summary.largest, width, height];
    chunk(b"avih", &[words(fields), words([0; 4])].concat())
}

/// AVISTREAMHEADER.
fn stream_header(summary: &Summary) -> Vec<u8> {
    let rate = summary.rate;
    // The zeros mean: no flags, no priority and language, no initial frames; and the
    // stream starts at 0.
    let numbers = words([0, 0, 0, rate.seconds, rate.frames, 0, summary.n_frames, summary.largest]);
    let no_quality_and_sample_size = words([u32::MAX, 0]);
    let corners = [[0; 4].as_slice(), &summary.size.0.to_le_bytes(), &summary.size.1.to_le_bytes()];
    chunk(
        b"strh",
        &[b"vids".as_slice(), CODEC, &numbers, &no_quality_and_sample_size, &corners.concat()]
            .concat(),
    )
}

/// BITMAPINFOHEADER.
fn stream_format(summary: &Summary) -> Vec<u8> {
    let (width, height) = (u32::from(summary.size.0), u32::from(summary.size.1));
    let planes_and_bits = 24 << 16 | 1;
    let n_bytes = width.saturating_mul(height).saturating_mul(3);
    let before = words([40, width, height, planes_and_bits]);
    let after = words([n_bytes, 0, 0, 0, 0]);
    chunk(b"strf", &[before.as_slice(), CODEC, &after].concat())
}

/// AVISUPERINDEX.
fn super_index(indexes: &[IndexPlace]) -> Vec<u8> {
    let n = u32::try_from(indexes.len()).unwrap_or(u32::MAX);
    let mut content = N_SUPER_WORDS.to_le_bytes().to_vec();
    content.extend([0, INDEX_OF_INDEXES]);
    content.extend([n.to_le_bytes(), *FRAME].concat());
    content.extend(words([0; 3]));
    for index in indexes {
        content.extend(index.at.to_le_bytes());
        content.extend(words([index.n_bytes, index.n_frames]));
    }
    chunk(b"indx", &content)
}
