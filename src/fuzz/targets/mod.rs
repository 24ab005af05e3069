//! The targets, by what they read, each with what must hold for all bytes.
//!
//! | file | reads |
//! | --- | --- |
//! | `answers` | answers of other servers: heads, chunks, logins, and their addresses |
//! | `brokers` | packets of MQTT brokers |
//! | `coefficients` | pictures that are turned, scaled and stamped |
//! | `configuration` | what the user of the daemon writes |
//! | `jpegs` | pictures: markers, segments, streams of them, raw pixels |
//! | `multipart` | streams of parts |
//! | `requests` | what clients ask for |

mod answers;
#[cfg(feature = "mqtt")]
mod brokers;
mod coefficients;
mod configuration;
mod jpegs;
mod multipart;
mod requests;

use std::hash::{DefaultHasher, Hash, Hasher};

use super::Target;
use super::mutate::Rng;

/// The largest picture in all targets: small, so that many inputs exceed it.
const MAX: usize = 1000;

fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// The start of a text without its digits, so that another number alone does not count
/// as a new result.
fn shape(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).take(40).collect()
}

/// Bytes cut into pieces, most of them small.
fn cut<'a>(mut bytes: &'a [u8], rng: &mut Rng) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let most = [2, 20, 2000][rng.below(3)];
        let piece = bytes.split_off(..bytes.len().min(1 + rng.below(most))).unwrap_or_default();
        pieces.push(piece);
    }
    pieces
}
