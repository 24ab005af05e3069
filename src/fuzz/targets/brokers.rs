//! Packets of MQTT brokers.

use super::{Rng, Target, cut, hash};
use crate::mqtt::tests::packets;

#[test]
fn packets_of_a_broker_in_any_pieces() {
    let words = &["\x20\x02\0\0", "\x40\x02\x12\x34", "\x40\x02", "\x30", "\x20\x03"];
    Target { name: "mqtt", words, run }.fuzz();
}

/// Pieces change nothing, no byte is taken twice, and what is held back is no whole packet.
fn run(input: &[u8], rng: &mut Rng) -> u64 {
    let whole = packets(&[input]);
    for _ in 0..3 {
        let pieces = cut(input, rng);
        assert_eq!(packets(&pieces), whole, "{pieces:?}");
    }
    let Ok((found, n_bytes)) = whole else { return hash(whole) };
    assert!(n_bytes <= input.len() && input.len() - n_bytes < 4);
    let kinds = found.iter().map(|packet| packet.split('(').next().unwrap_or_default());
    hash((kinds.take(4).collect::<Vec<_>>(), input.len() - n_bytes))
}
