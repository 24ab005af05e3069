//! The socket that listens, and all that accepted sockets inherit from it.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use rustix::io::{FdFlags, fcntl_setfd};
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use super::restart::Inherited;
use super::{descriptor, high_bytes};

/// Holds a burst of viewers that reconnect after a restart, which the standard
/// library's 128 do not.
const BACKLOG: i32 = 1024;
/// Sent but not yet taken by the network: more of it is only stale pictures.
const UNSENT_BYTES: u32 = 16 << 10;
/// Heads are small. A client that sends more waits, instead of filling memory.
const RECEIVE_BYTES: usize = 16 << 10;
/// How often a write that makes no progress looks at its deadline.
const SEND_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a host may be silent before the system gives its connection up.
const VANISHED: Duration = Duration::from_secs(30);

/// The part of the log filter for tiny_http. It logs the end of its listener,
/// which the accept thread logs too, with its cause, when it replaces it.
pub(crate) const QUIET: &str = "tiny_http=off";

/// Listens, so that no write blocks much longer than `write_timeout`.
pub(super) fn listen(address: SocketAddr, write_timeout: Duration) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // [::] means all addresses of this machine, of both families.
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_write_timeout(Some(SEND_TIMEOUT.min(write_timeout)))?;
    socket.set_recv_buffer_size(RECEIVE_BYTES)?;
    socket.set_tcp_notsent_lowat(UNSENT_BYTES)?;
    // Counts for a client that is there and takes nothing, too.
    socket.set_tcp_user_timeout(Some(VANISHED.max(write_timeout)))?;
    let keepalive =
        TcpKeepalive::new().with_time(VANISHED).with_interval(VANISHED / 3).with_retries(3);
    socket.set_tcp_keepalive(&keepalive)?;
    // Only where the drops can be seen, or the client would wait for nothing.
    if descriptor::n_dropped(&socket).is_none() {
        log::debug!("this kernel does not say what a filter drops");
    } else if let Err(e) = socket.attach_filter(&high_bytes::filter()) {
        log::debug!("no filter for bytes above 127: {e}");
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// The listener that the image of this process before this one left open, if it
/// listens on that address.
pub(super) fn adopt(inherited: Inherited, address: SocketAddr) -> Option<TcpListener> {
    let listener = descriptor::adopt(inherited.listener)?;
    fcntl_setfd(&listener, FdFlags::CLOEXEC).ok()?;
    listener.set_nonblocking(false).ok()?;
    let is_it = listener.local_addr().is_ok_and(|own| {
        own.ip() == address.ip() && (own.port() == address.port() || address.port() == 0)
    });
    is_it.then_some(listener)
}

/// tiny_http on a duplicate of the listener.
pub(super) fn serve(listener: &TcpListener) -> Result<tiny_http::Server> {
    let duplicate = listener.try_clone().context("the listener cannot be duplicated")?;
    tiny_http::Server::from_listener(duplicate, None).map_err(|e| anyhow!("{e}"))
}

#[cfg(test)]
mod tests {
    use socket2::SockRef;

    use super::*;

    #[test]
    fn system_gives_a_viewer_up_no_sooner_than_was_said() {
        for (write_timeout, due) in [(5, 30), (300, 300)] {
            let any = SocketAddr::from(([127, 0, 0, 1], 0));
            let listener = listen(any, Duration::from_secs(write_timeout)).unwrap();
            let timeout = SockRef::from(&listener).tcp_user_timeout().unwrap();
            assert_eq!(timeout, Some(Duration::from_secs(due)));
        }
    }
}
