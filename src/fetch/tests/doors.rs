//! Ways for the fuzz targets into the private parts of this room.

use super::super::challenge::Challenge;
use super::super::chunks::Chunks;
use super::super::digest::{Digest, Request};
use super::super::head::HeadReader;

/// For each Digest challenge that can be answered: its realm, and the realm in the
/// answer.
pub(crate) fn challenge_realms(value: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let all = |value: &[u8]| Challenge::all([value].into_iter());
    let realm = |challenge: &Challenge| challenge.param("realm").unwrap_or_default().to_vec();
    let request = Request { user: b"a\"\\", password: b"", target: "/", cnonce: "" };
    let mut found = Vec::new();
    for offered in all(value) {
        if let Some(mut digest) = Digest::new(&offered) {
            let answer = digest.answer(&request);
            found.push((realm(&offered), realm(&all(&answer)[0])));
        }
    }
    found
}

/// The data of a chunked body that comes in these pieces, and whether it ends; `None`
/// if a chunk has no valid size.
pub(crate) fn strip_chunks(pieces: &[&[u8]]) -> Option<(Vec<u8>, bool)> {
    let (mut chunks, mut data) = (Chunks::default(), Vec::new());
    for piece in pieces {
        let mut piece = piece.to_vec();
        let n = chunks.strip(&mut piece).ok()?;
        data.extend_from_slice(&piece[..n]);
    }
    Some((data, chunks.is_over()))
}

/// The clean form of a head that comes in these pieces, and how many bytes it had; or
/// why the bytes are no head.
pub(crate) fn clean_head(pieces: &[&[u8]]) -> Result<Option<(Vec<u8>, usize)>, String> {
    let (mut reader, mut held, mut n_done) = (HeadReader::default(), Vec::new(), 0);
    for (piece, is_end) in pieces.iter().map(|piece| (*piece, false)).chain([(&[][..], true)]) {
        held.extend_from_slice(piece);
        let (n, head) = reader.read(&held, is_end).map_err(|e| e.to_string())?;
        n_done += n;
        if let Some(head) = head {
            return Ok(Some((head.text, n_done)));
        }
        held.drain(..n);
        assert!(held.len() <= 16, "{} bytes held", held.len());
    }
    Ok(None)
}
