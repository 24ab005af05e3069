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
        let mut left = details.addrs.len();
        let mut end = Err(Error::HostNotFound);
        for address in &details.addrs {
            // Share the time between the addresses that are left, so that one which does
            // not answer (often the IPv6 one) leaves time for the others.
            let whole = self.0.until();
            let now = Instant::now();
            let share = whole.saturating_duration_since(now) / u32::try_from(left).unwrap_or(1);
            left -= 1;
            match connect(*address, &self.0, now + share) {
                Ok(stream) => {
                    let buffers =
                        LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
                    let wait_limit = Arc::clone(&self.0);
                    return Ok(Some(Connection { stream, buffers, wait_limit }));
                }
                Err(e) => end = Err(Error::Io(e)),
            }
        }
        end
    }
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

/// A connection, with the buffers that ureq works in.
struct Connection {
    stream: TcpStream,
    buffers: LazyBuffers,
    wait_limit: Arc<WaitLimit>,
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), Error> {
        let mut output = &self.buffers.output()[..amount];
        while !output.is_empty() {
            match self.stream.write(output) {
                Ok(n) => output = &output[n..],
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    self.wait_limit.wait(|slice| is_ready(&self.stream, PollFlags::OUT, slice))?;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
        self.wait_limit.check()?;
        loop {
            match self.stream.read(self.buffers.input_append_buf()) {
                Ok(n) => {
                    self.buffers.input_appended(n);
                    return Ok(n > 0);
                }
                // A caller that does not wait has its answer: a poll would give the same.
                // A relay asks after each picture whether the next one came already.
                Err(e) if e.kind() == ErrorKind::WouldBlock && self.wait_limit.is_over() => {
                    return Err(e.into());
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    self.wait_limit.wait(|slice| is_ready(&self.stream, PollFlags::IN, slice))?;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// Whether the connection can be used for another request: it is open, and no byte
    /// came that belongs to no answer.
    fn is_open(&mut self) -> bool {
        self.stream.peek(&mut [0]).is_err_and(|e| e.kind() == ErrorKind::WouldBlock)
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
        write!(f, "{:?}", self.stream)
    }
}
