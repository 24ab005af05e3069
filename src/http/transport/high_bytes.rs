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
use std::io::{ErrorKind, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;

use socket2::{SockFilter, SockRef};
use tiny_http::{Header, Request, TestRequest};

use super::connection::Connection;
use super::connections::Connections;
use super::counts::Cut;
use super::descriptor::{self, Socket};

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

/// The answer to a head that is no GET or HEAD, or that tiny_http has begun to
/// read, and to one that is too large.
const BAD_REQUEST: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
const TOO_LARGE: &[u8] = b"HTTP/1.1 431 Request Header Fields Too Large\r\n\
    Connection: close\r\nContent-Length: 0\r\n\r\n";

/// Connections that were taken over, until their heads are whole.
#[derive(Default)]
pub(super) struct PartialHeads(HashMap<u64, PartialHead>);

struct PartialHead {
    peer: SocketAddr,
    socket: TcpStream,
    bytes: Vec<u8>,
}

/// How far a head is.
enum Progress {
    Partial,
    Whole,
    /// More bytes than a head may have.
    TooLarge,
    /// The client has left, or tiny_http has read some of the bytes.
    Lost,
}

impl PartialHeads {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
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
                Progress::Whole => match parse(&head.bytes, head.peer) {
                    Some(request) => {
                        let socket = Socket { stream: head.socket, cookie };
                        whole.push(all.adopt(request, head.peer, socket));
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

impl PartialHead {
    fn read(&mut self, max_bytes: u64) -> Progress {
        let n_received = descriptor::n_received(&self.socket);
        let mut piece = [0; 4096];
        loop {
            match descriptor::read_now(&self.socket, &mut piece) {
                Ok(0) => return Progress::Lost,
                Ok(n) => self.bytes.extend_from_slice(&piece[..n]),
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Progress::Lost,
            }
            if self.bytes.len() as u64 > max_bytes {
                return Progress::TooLarge;
            }
        }
        // A thread of tiny_http that begins with this connection only now reads
        // whatever has come, and then the head here never gets whole.
        if n_received.is_none_or(|n| n > self.bytes.len() as u64) {
            Progress::Lost
        } else if memchr::memmem::find(&self.bytes, b"\r\n\r\n").is_some() {
            Progress::Whole
        } else {
            Progress::Partial
        }
    }

    /// Ends the connection.
    fn refuse(&self, answer: &[u8]) {
        // It does not block: these are the first bytes to the client. An error
        // means that the client has left.
        let _ = (&self.socket).write_all(answer);
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

/// Names of headers that speak of a body or of the connection. They are left
/// out: the request is given no body, and one request a connection is answered.
const LEFT_OUT: [&str; 2] = ["Expect", "Connection"];
/// Those that announce a body, with which a request is not taken over.
const OF_A_BODY: [&str; 2] = ["Content-Length", "Transfer-Encoding"];

/// A request without the header lines that have a byte above 127. `None`: the
/// bytes are no head of a GET or HEAD without a body.
fn parse(bytes: &[u8], peer: SocketAddr) -> Option<Request> {
    let end = memchr::memmem::find(bytes, b"\r\n\r\n")?;
    let mut lines = bytes[..end].split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
    let mut words = lines.next()?.split(|b| *b == b' ');
    let method = match words.next()? {
        b"GET" => tiny_http::Method::Get,
        b"HEAD" => tiny_http::Method::Head,
        _ => return None,
    };
    let target = escape(words.next()?);
    if !words.next()?.starts_with(b"HTTP/1.") {
        return None;
    }
    let mut request =
        TestRequest::new().with_method(method).with_path(&target).with_remote_addr(peer);
    for line in lines.filter(|line| line.is_ascii()) {
        let header = std::str::from_utf8(line).ok()?.parse::<Header>().ok()?;
        let is_one = |names: [&'static str; 2]| names.iter().any(|name| header.field.equiv(name));
        if is_one(OF_A_BODY) {
            return None;
        }
        if !is_one(LEFT_OUT) {
            request = request.with_header(header);
        }
    }
    Some(request.into())
}

/// A target with the bytes escaped that a URI cannot have (RFC 3986 2.1).
fn escape(target: &[u8]) -> String {
    let one = |b: &u8| match b {
        b if b.is_ascii() => char::from(*b).to_string(),
        b => format!("%{b:02X}"),
    };
    target.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(head: &[u8]) -> Option<Request> {
        parse(head, ([127, 0, 0, 1], 9).into())
    }

    #[test]
    fn lines_with_high_bytes_are_left_out_and_the_rest_is_kept() {
        let request = parsed(
            "HEAD /stream?key=Zürich HTTP/1.1\r\nHost: cam\r\nCookie: user=Zürich\r\n\
             Authorization: Basic YTpi\r\nConnection: Upgrade\r\nExpect: x\r\n\r\nmore"
                .as_bytes(),
        )
        .unwrap();
        assert_eq!(request.url(), "/stream?key=Z%C3%BCrich");
        assert_eq!(*request.method(), tiny_http::Method::Head);
        let names = request.headers().iter().map(|h| h.field.as_str().as_str());
        assert_eq!(names.collect::<Vec<_>>(), ["Host", "Authorization", "Content-Length"]);
        assert_eq!(request.body_length(), Some(0));
    }

    #[test]
    fn what_is_no_head_of_a_get_is_none() {
        for head in [
            &b"GET / HTTP/1.1\r\nHost: a\r\n"[..],
            b"POST / HTTP/1.1\r\n\r\n",
            b"GET /\r\n\r\n",
            b"GET / HTTP/2.0\r\n\r\n",
            b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
            b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
            b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"\r\n\r\n",
        ] {
            assert!(parsed(head).is_none(), "{}", head.escape_ascii());
        }
    }
}
