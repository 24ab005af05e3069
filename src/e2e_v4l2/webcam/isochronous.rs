//! The isochronous endpoint: its alternate settings, and the division of frames into packets.
//!
//! Called by `descriptors`, `negotiation`, `main` and `streaming`. Such a stream claims its bandwidth before it starts:
//! uvcvideo selects the smallest alternate setting that is large enough, and the host may refuse it.

use super::damage::END_OF_FRAME;
use super::formats::{Format, Size};

/// Bytes of a packet, one each 125 us, by alternate setting from 1 on. In setting 0 the endpoint is absent.
pub(crate) const PACKET_BYTES: [u16; 2] = [1024, 3 * 1024];

/// wMaxPacketSize of a high-speed endpoint: up to 1024 bytes, and how many more of these fit into 125 us.
pub(crate) fn max_packet_size(packet_bytes: u16) -> u16 {
    let n_transactions = packet_bytes.div_ceil(1024);
    ((n_transactions - 1) << 11) | (packet_bytes / n_transactions)
}

/// The bandwidth that the camera asks for: little for small JPEGs, all for the rest.
pub(crate) fn packet_bytes(format: &Format, size: &Size) -> u16 {
    let is_small = format.compressed && size.width <= 640;
    if is_small { PACKET_BYTES[0] } else { PACKET_BYTES[1] }
}

/// Packs as much of `frame` as fits into packets of these sizes, each with a header. Only the last packet has the
/// end-of-frame flag.
pub(crate) fn cut(header: &[u8], frame: &[u8], rooms: &[usize]) -> Vec<Vec<u8>> {
    let [length, flags] = *header else {
        unreachable!("a header is its length and its flags");
    };
    let mut rest = frame;
    let mut packets = Vec::new();
    for room in rooms {
        let chunk;
        (chunk, rest) = rest.split_at(rest.len().min(room - header.len()));
        let flags = if rest.is_empty() { flags } else { flags & !END_OF_FRAME };
        packets.push([&[length, flags], chunk].concat());
        if rest.is_empty() {
            break;
        }
    }
    packets
}
