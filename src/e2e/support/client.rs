//! An HTTP client without any logic of its own: it sends the bytes that a test
//! writes, and gives the reply byte by byte.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::time::Instant;

use socket2::{Domain, Socket, Type};

use super::{Daemon, patience};

/// One connection.
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// A whole reply.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The status line and the headers, unchanged.
    pub(crate) head: String,
    pub(crate) code: u16,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).unwrap())
    }

    /// Connects from another loopback address, such as 127.0.0.2.
    pub(crate) fn connect_from(own: IpAddr, address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::new(own, 0).into()).unwrap();
        socket.connect(&address.into()).unwrap();
        Self::over(socket.into())
    }

    /// Connects with a small receive buffer, so that the daemon's writes soon
    /// block.
    pub(crate) fn narrow(address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(&address.into()).unwrap();
        Self::over(socket.into())
    }

    fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(patience())).unwrap();
        stream.set_write_timeout(Some(patience())).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::new() }
    }

    pub(crate) fn local_address(&self) -> SocketAddr {
        self.stream.local_addr().unwrap()
    }

    /// Sends bytes. Ignores the error of a connection that the daemon has
    /// closed.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// Sends an HTTP/1.1 request without a body.
    pub(crate) fn request(&mut self, method: &str, target: &str, headers: &[&str]) {
        let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        self.send(format!("{method} {target} HTTP/1.1\r\nHost: test\r\n{lines}\r\n"));
    }

    /// How many bytes of this client wait in the socket of a daemon, by the
    /// kernel's table (Documentation/networking/proc_net_tcp.rst).
    pub(crate) fn n_unread_by(&self, daemon: &Daemon) -> u64 {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let ports = [daemon.address(), self.local_address()].map(|own| own.port());
        let ends = ports.map(|port| format!(":{port:04X}"));
        let rows = table.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
        let mut own = rows.filter(|row| row[1].ends_with(&ends[0]) && row[2].ends_with(&ends[1]));
        let queues = own.next().map_or("0:0", |row| row[4]);
        u64::from_str_radix(queues.split_once(':').unwrap().1, 16).unwrap()
    }

    /// Whether bytes have arrived. Does not wait.
    pub(crate) fn has_bytes(&mut self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let is_there = self.stream.peek(&mut [0]).is_ok();
        self.stream.set_nonblocking(false).unwrap();
        is_there
    }

    /// Whether the daemon has closed the connection. Does not wait. `false`
    /// while unread bytes wait, so call it only where none are due.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let peeked = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).unwrap();
        match peeked {
            Ok(n) => n == 0,
            Err(e) => e.kind() != ErrorKind::WouldBlock,
        }
    }

    /// Waits for more bytes. `false` at the end of the connection.
    fn fill(&mut self) -> bool {
        let mut piece = [0; 16 << 10];
        match self.stream.read(&mut piece) {
            Ok(n) => {
                self.buffer.extend_from_slice(&piece[..n]);
                n > 0
            }
            // The wait is interrupted when a suspended machine resumes.
            Err(e) if e.kind() == ErrorKind::Interrupted => true,
            // The daemon closed the connection before it had read everything,
            // which causes a reset.
            Err(e) if e.kind() == ErrorKind::ConnectionReset => false,
            Err(e) => panic!("nothing came for {:?}: {e}", patience()),
        }
    }

    /// The next `n` bytes.
    pub(crate) fn take(&mut self, n: usize) -> Vec<u8> {
        while self.buffer.len() < n {
            assert!(self.fill(), "the end after {} of {n} bytes", self.buffer.len());
        }
        self.buffer.drain(..n).collect()
    }

    /// All bytes up to and including `mark`. `None` if the connection ends
    /// before.
    pub(crate) fn take_through(&mut self, mark: &[u8]) -> Option<Vec<u8>> {
        let deadline = Instant::now() + patience();
        let mut searched = 0;
        loop {
            assert!(Instant::now() < deadline, "no {} for {:?}", mark.escape_ascii(), patience());
            if let Some(at) = memchr::memmem::find(&self.buffer[searched..], mark) {
                return Some(self.buffer.drain(..searched + at + mark.len()).collect());
            }
            searched = self.buffer.len().saturating_sub(mark.len());
            if !self.fill() {
                return None;
            }
        }
    }

    /// All bytes until the connection ends.
    pub(crate) fn take_rest(&mut self) -> Vec<u8> {
        let deadline = Instant::now() + patience();
        while self.fill() {
            assert!(Instant::now() < deadline, "no end for {:?}: a stream?", patience());
        }
        std::mem::take(&mut self.buffer)
    }

    /// Closes the sending half of the connection.
    pub(crate) fn end(&mut self) {
        // An error means that the daemon has already closed the connection.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// The head of a reply, including the blank line.
    pub(crate) fn head(&mut self) -> String {
        let head = self.take_through(b"\r\n\r\n").expect("the end before a whole head");
        String::from_utf8(head).unwrap()
    }

    /// A whole reply, after which the daemon must close the connection.
    pub(crate) fn reply(mut self, method: &str) -> Reply {
        let head = self.head();
        let reply = Reply { code: code(&head), head, body: self.take_rest() };
        match reply.header("Content-Length") {
            Some(length) if method != "HEAD" => {
                assert_eq!(length, reply.body.len().to_string(), "{}", reply.head);
            }
            _ => assert!(reply.body.is_empty(), "a body behind {}", reply.head),
        }
        reply
    }
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The status code in a head.
pub(crate) fn code(head: &str) -> u16 {
    head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect(head)
}

/// The value of a header in a head. Fails if the header occurs twice.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
    let mut values = lines.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim());
    let value = values.next();
    assert_eq!(values.next(), None, "{name} twice in {head}");
    value
}
