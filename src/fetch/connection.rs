//! TCP connections whose waits end at a deadline or when the program stops.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

use super::WaitLimit;
use super::clean_heads::CleanHeads;
use crate::trust::Trust;

/// The connector of an agent: TCP, then [`CleanHeads`].
#[cfg(not(feature = "https"))]
pub(super) fn connector(
    wait_limit: Arc<WaitLimit>,
    _: &Trust,
    clean_heads: CleanHeads,
) -> impl Connector<Out = impl Transport> {
    Tcp(wait_limit).chain(clean_heads)
}

/// The connector of an agent: TCP, then TLS for https addresses, then [`CleanHeads`].
#[cfg(feature = "https")]
pub(super) fn connector(
    wait_limit: Arc<WaitLimit>,
    trust: &Trust,
    clean_heads: CleanHeads,
) -> impl Connector<Out = impl Transport> {
    Tcp(wait_limit).chain(super::tls::Tls::new(trust)).chain(clean_heads)
}

struct Tcp(Arc<WaitLimit>);

impl Connector for Tcp {
    type Out = Connection;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _: Option<()>,
    ) -> Result<Option<Connection>, Error> {
        let config = details.config;
        let stream = connect_any(&details.addrs, &self.0)?.ok_or(Error::HostNotFound)?;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        let socket = TcpSocket { stream, wait_limit: Arc::clone(&self.0) };
        Ok(Some(Connection { socket, buffers }))
    }
}

/// Connects to the first of the addresses that answers; `None`: there is no address.
pub(super) fn connect_any(
    addresses: &[SocketAddr],
    wait_limit: &WaitLimit,
) -> io::Result<Option<TcpStream>> {
    let mut end = Ok(None);
    for (n_before, address) in addresses.iter().enumerate() {
        // Share the time between the addresses that are left, so that one which does
        // not answer (often the IPv6 one) leaves time for the others.
        let left = u32::try_from(addresses.len() - n_before).unwrap_or(1);
        let now = Instant::now();
        let share = wait_limit.until().saturating_duration_since(now) / left;
        match connect(*address, wait_limit, now + share) {
            Ok(stream) => return Ok(Some(stream)),
            Err(e) => end = Err(e),
        }
    }
    end
}

/// Connects with a non-blocking socket and waits until `until`. A blocking connect
/// could not be ended when the program stops.
fn connect(address: SocketAddr, wait_limit: &WaitLimit, until: Instant) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    match socket.connect(&address.into()) {
        Err(e) if e.raw_os_error() == Some(Errno::INPROGRESS.raw_os_error()) => {
            wait_limit.wait_until(until, |slice| is_ready(&socket, PollFlags::OUT, slice))?;
            socket.take_error()?.map_or(Ok(()), Err)?;
        }
        end => end?,
    }
    // A request is one small write, which would wait for the acknowledgement of the one
    // before.
    socket.set_tcp_nodelay(true)?;
    Ok(socket.into())
}

/// A socket whose waits end at the deadline or when the program stops.
pub(super) struct TcpSocket {
    pub(super) stream: TcpStream,
    pub(super) wait_limit: Arc<WaitLimit>,
}

impl Read for TcpSocket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.stream.read(buf) {
                // A caller that does not wait has its answer: a poll would give the same.
                // A relay asks after each picture whether the next one came already.
                Err(e) if e.kind() == ErrorKind::WouldBlock && self.wait_limit.is_over() => {
                    return Err(e);
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    self.wait_limit.wait(|slice| is_ready(&self.stream, PollFlags::IN, slice))?;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                end => return end,
            }
        }
    }
}

impl Write for TcpSocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.stream.write(bytes) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    self.wait_limit.wait(|slice| is_ready(&self.stream, PollFlags::OUT, slice))?;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                end => return end,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection, with the buffers that ureq works in.
struct Connection {
    socket: TcpSocket,
    buffers: LazyBuffers,
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), Error> {
        Ok(self.socket.write_all(&self.buffers.output()[..amount])?)
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
        self.socket.wait_limit.check()?;
        let n = self.socket.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(n);
        Ok(n > 0)
    }

    /// Whether the connection can be used for another request: it is open, and no byte
    /// came that belongs to no answer.
    fn is_open(&mut self) -> bool {
        self.socket.stream.peek(&mut [0]).is_err_and(|e| e.kind() == ErrorKind::WouldBlock)
    }
}

/// Whether something can be read or written within `timeout`.
fn is_ready(
    socket: impl std::os::fd::AsFd,
    flags: PollFlags,
    timeout: Duration,
) -> Result<bool, Errno> {
    let timeout = Timespec::try_from(timeout).map_err(|_| Errno::INVAL)?;
    poll(&mut [PollFd::new(&socket, flags)], Some(&timeout)).map(|n| n > 0)
}

impl fmt::Debug for Tcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tcp")
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.socket.stream)
    }
}
