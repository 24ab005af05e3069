//! Ways for the fuzz targets into the private parts of this room.

use super::packet::{Unknown, parse};

/// The packets of a broker that come in these pieces, as texts, and how many bytes they
/// have; or the first byte that begins none.
pub(crate) fn packets(pieces: &[&[u8]]) -> Result<(Vec<String>, usize), u8> {
    let (mut held, mut found, mut n_done) = (Vec::new(), Vec::new(), 0);
    for piece in pieces {
        held.extend_from_slice(piece);
        loop {
            match parse(&held) {
                Ok(Some((packet, n))) => {
                    held.drain(..n);
                    n_done += n;
                    found.push(format!("{packet:?}"));
                }
                Ok(None) => break,
                Err(Unknown(first)) => return Err(first),
            }
        }
    }
    Ok((found, n_done))
}
