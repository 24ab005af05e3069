//! Requests with a byte above 127 in their head, which `tiny_http` would close
//! without a word: a cookie that another program on the same host has set is
//! enough, and so is a proxy's header with a name.
//!
//! `tiny_http` must not read such a head, and it reads whatever arrives. So a
//! packet filter on the listener, which accepted sockets inherit, drops a packet
//! that begins with a GET or HEAD and has such a byte. The client sends it again,
//! 0.2 s later at the earliest. By then the guard has seen the drop, has taken
//! the filter off that one socket, and has set it so that the kernel does not
//! wake the thread of `tiny_http` that waits there. The guard reads the head
//! instead and leaves out the header lines that have such bytes.
//!
//! A head of two packets may be sent again sooner, after a round trip: then the
//! filter drops it once more, and the client waits longer the next time.
//!
//! What it cannot catch: such a byte behind the bytes that the filter looks at
//! (see [`SCANNED`]), or in a later packet of the head, and kernels before 4.18.
//! There the connection is closed as before.

use std::collections::HashMap;
use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use socket2::{SockFilter, SockRef};
use tiny_http::Request;

use super::connection::Connection;
use super::connections::Connections;
use super::counts::Cut;
use super::descriptor;
use super::own_head::{self, BAD_REQUEST, Body, Progress, TOO_LARGE};
use super::peer::Peer;

/// How many bytes of a packet are looked at, of which the first that the kernel
/// takes is used. An Ethernet packet has 1440. The kernel counts its translation
/// of the filter, some 8 times as long, against `net.core.optmem_max`: 128 kB
/// since Linux 6.8, before that 20 kB, and 10 kB where it has 32 bits.
pub(super) const SCANNED: [u32; 3] = [1440, 656, 304];
/// Bytes that are compared between two looks at the length of the packet.
const BLOCK: u32 = 16;

// Instructions of the classic packet filter (include/uapi/linux/bpf_common.h).
const LOAD_WORD: u16 = 0x40; // A = 4 bytes at X + k
const LOAD_BYTE_AT: u16 = 0x30; // A = the byte at k
const LOAD_LENGTH: u16 = 0x80; // A = length of the packet
const LOAD_CELL: u16 = 0x60; // A = M[k]
const STORE_CELL: u16 = 0x02; // M[k] = A
const AND: u16 = 0x54; // A &= k
const SHIFT_RIGHT: u16 = 0x74; // A >>= k
const SUBTRACT: u16 = 0x14; // A -= k
const SUBTRACT_X: u16 = 0x1C; // A -= X
const TO_X: u16 = 0x07; // X = A
const JUMP: u16 = 0x05; // skip k
const IF_EQUAL: u16 = 0x15; // A == k: skip jt, else skip jf
const IF_AT_LEAST: u16 = 0x35; // A >= k
const IF_ANY_BIT: u16 = 0x45; // A & k
const RETURN: u16 = 0x06; // keep k bytes of the packet

/// Drops a packet that begins with a GET or HEAD and holds a byte above 127 in its
/// first `n_scanned` bytes, which are a multiple of 16.
pub(super) fn filter(n_scanned: u32) -> Vec<SockFilter> {
    let op = |code, k| SockFilter::new(code, 0, 0, k);
    let keep = || op(RETURN, u32::MAX);
    let word = |at: u32| {
        [op(LOAD_WORD, at), SockFilter::new(IF_ANY_BIT, 0, 1, 0x8080_8080), op(RETURN, 0)]
    };
    // The packet begins with the header of TCP, whose length is in its byte 12.
    let mut code = vec![op(LOAD_BYTE_AT, 12), op(AND, 0xF0), op(SHIFT_RIGHT, 2), op(TO_X, 0)];
    code.extend([op(LOAD_LENGTH, 0), op(SUBTRACT_X, 0), op(STORE_CELL, 0)]);
    code.extend([SockFilter::new(IF_AT_LEAST, 1, 0, BLOCK), keep(), op(LOAD_WORD, 0)]);
    code.push(SockFilter::new(IF_EQUAL, 2, 0, u32::from_be_bytes(*b"GET ")));
    code.push(SockFilter::new(IF_EQUAL, 1, 0, u32::from_be_bytes(*b"HEAD")));
    code.push(keep());
    let (n_blocks, n_words) = (n_scanned / BLOCK, BLOCK / 4);
    // Of one block: the look at the length, a jump, and three a word.
    let block_len = 3 + 3 * n_words;
    for block in 0..n_blocks {
        let to_tail = block_len * (n_blocks - block) - 3 + 1;
        code.extend([op(LOAD_CELL, 0), SockFilter::new(IF_AT_LEAST, 1, 0, BLOCK * (block + 1))]);
        code.push(op(JUMP, to_tail));
        (0..n_words).for_each(|n| code.extend(word(BLOCK * block + 4 * n)));
    }
    code.push(keep());
    // The tail: the last block of the packet, which overlaps the one before it.
    code.extend([op(LOAD_LENGTH, 0), op(SUBTRACT, BLOCK), op(TO_X, 0)]);
    (0..n_words).for_each(|n| code.extend(word(4 * n)));
    code.push(keep());
    code
}

/// Connections that were taken over, until their heads are whole.
#[derive(Default)]
pub(super) struct PartialHeads(HashMap<u64, PartialHead>);

struct PartialHead {
    peer: SocketAddr,
    socket: TcpStream,
    bytes: Vec<u8>,
}

impl PartialHeads {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn holds(&self, cookie: u64) -> bool {
        self.0.contains_key(&cookie)
    }

    /// Takes a connection over of which a packet was dropped and nothing was
    /// read. `fd` is where the socket was found.
    pub(super) fn take_over(&mut self, fd: i32, cookie: u64) {
        if self.0.contains_key(&cookie) {
            return;
        }
        let Some(socket) = descriptor::duplicate(fd, cookie) else { return };
        let Ok(peer) = socket.peer_addr() else { return };
        // In this order: without the filter a packet would wake tiny_http.
        if descriptor::wake_at(&socket, libc::c_int::MAX).is_err() {
            return;
        }
        if SockRef::from(&socket).detach_filter().is_ok() {
            self.0.insert(cookie, PartialHead { peer, socket, bytes: Vec::new() });
        } else {
            // The packet was dropped for another reason: tiny_http goes on.
            let _ = descriptor::wake_at(&socket, 1);
        }
    }

    /// Reads what has come, and returns the requests that are whole.
    pub(super) fn read(&mut self, max_bytes: u64, all: &Arc<Connections>) -> Vec<Connection> {
        let mut whole = Vec::new();
        for (cookie, mut head) in std::mem::take(&mut self.0) {
            match head.read(max_bytes) {
                Progress::Partial => drop(self.0.insert(cookie, head)),
                Progress::Whole => match parse(&head.bytes) {
                    Some(request) => {
                        all.counts().non_ascii.fetch_add(1, Relaxed);
                        let peer = Peer::Tcp(head.peer);
                        let client = (peer, head.socket.into(), cookie);
                        whole.push(all.adopt(request, Body::OfLibrary, false, client));
                    }
                    None => head.refuse(BAD_REQUEST),
                },
                Progress::TooLarge => {
                    all.counts().cut(Cut::HeadSize);
                    head.refuse(TOO_LARGE);
                }
                Progress::Lost => head.refuse(BAD_REQUEST),
            }
        }
        whole
    }
}

/// The request of a head, which only a GET or HEAD without a body may have:
/// clients send these again without harm.
fn parse(bytes: &[u8]) -> Option<Request> {
    let (request, body) = own_head::parse(bytes)?;
    let is_read = matches!(request.method(), tiny_http::Method::Get | tiny_http::Method::Head);
    (is_read && body.length == Some(0)).then_some(request)
}

impl PartialHead {
    fn read(&mut self, max_bytes: u64) -> Progress {
        let n_received = descriptor::n_received(&self.socket);
        let progress = own_head::read(&self.socket, &mut self.bytes, max_bytes);
        // A thread of tiny_http that begins with this connection only now reads
        // whatever has come, and then the head here never gets whole.
        let is_lost = n_received.is_none_or(|n| n > self.bytes.len() as u64);
        if progress == Progress::Partial && is_lost { Progress::Lost } else { progress }
    }

    /// Ends the connection.
    fn refuse(&self, answer: &[u8]) {
        // It does not block: these are the first bytes to the client. An error
        // means that the client has left.
        let _ = (&self.socket).write_all(answer);
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_client_may_send_again_is_taken_over() {
        assert!(parse(b"GET / HTTP/1.1\r\nCookie: a=\xff\r\n\r\n").is_some());
        for head in [
            &b"POST / HTTP/1.1\r\n\r\n"[..],
            b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
            b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            assert!(parse(head).is_none(), "{}", head.escape_ascii());
        }
    }
}
