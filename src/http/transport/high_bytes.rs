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
//! What it cannot catch: such a byte behind the first [`MAX_SCANNED`] bytes of a
//! packet or in a later packet of the head, and kernels before 4.18. There the
//! connection is closed as before.

use std::collections::HashMap;
use std::io::{ErrorKind, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;

use socket2::{SockFilter, SockRef};
use tiny_http::{Header, Request, TestRequest};

use super::connection::Connection;
use super::connections::Connections;
use super::descriptor::{self, Socket};

/// As much of a packet as is looked at: an Ethernet packet has no more. The
/// filter must stay below what `net.core.optmem_max` lets a socket have, which
/// is 20 kB by default.
const MAX_SCANNED: u32 = 1440;
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

/// Drops a packet that begins with a GET or HEAD and holds a byte above 127.
pub(super) fn filter() -> Vec<SockFilter> {
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
    let (n_blocks, n_words) = (MAX_SCANNED / BLOCK, BLOCK / 4);
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

/// The answer to a head that is no GET or HEAD.
const BAD_REQUEST: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// Connections that were taken over, until their heads are whole.
#[derive(Default)]
pub(super) struct Heads(HashMap<u64, Head>);

struct Head {
    peer: SocketAddr,
    socket: TcpStream,
    bytes: Vec<u8>,
}

impl Heads {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a connection over of which the filter has dropped a packet and
    /// nothing has been read. `fd` is where the socket was found.
    pub(super) fn take_over(&mut self, fd: i32, cookie: u64) {
        if self.0.contains_key(&cookie) {
            return;
        }
        let Some(socket) = descriptor::duplicate(fd, cookie) else { return };
        let Ok(peer) = socket.peer_addr() else { return };
        // In this order: without the filter a packet would wake tiny_http.
        if descriptor::wake_late(&socket).is_ok() && SockRef::from(&socket).detach_filter().is_ok()
        {
            self.0.insert(cookie, Head { peer, socket, bytes: Vec::new() });
        }
    }

    /// Reads what has come, and returns the requests that are whole.
    pub(super) fn read(&mut self, max_bytes: u64, all: &Arc<Connections>) -> Vec<Connection> {
        let mut whole = Vec::new();
        self.0.retain(|cookie, head| match head.read(max_bytes) {
            Some(false) => true,
            Some(true) => {
                match head.request() {
                    Some((request, stream)) => {
                        let socket = Socket { stream, cookie: *cookie };
                        whole.push(all.adopt(request, head.peer, socket));
                    }
                    None => head.refuse(),
                }
                false
            }
            None => {
                head.refuse();
                false
            }
        });
        whole
    }
}

impl Head {
    /// Whether it is whole; `None`: the client has left, or sends too much.
    fn read(&mut self, max_bytes: u64) -> Option<bool> {
        let mut piece = [0; 4096];
        loop {
            match descriptor::read_now(&self.socket, &mut piece) {
                Ok(0) => return None,
                Ok(n) => self.bytes.extend_from_slice(&piece[..n]),
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
            if self.bytes.len() as u64 > max_bytes {
                return None;
            }
        }
        Some(memchr::memmem::find(&self.bytes, b"\r\n\r\n").is_some())
    }

    fn request(&self) -> Option<(Request, TcpStream)> {
        Some((parse(&self.bytes, self.peer)?, self.socket.try_clone().ok()?))
    }

    /// Ends the connection, as `tiny_http` ends one whose head it cannot read.
    fn refuse(&self) {
        // It does not block: these are the first bytes to the client. An error
        // means that the client has left.
        let _ = (&self.socket).write_all(BAD_REQUEST);
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
