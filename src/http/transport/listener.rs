//! The socket that listens, and all that accepted sockets inherit from it.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use rustix::io::Errno;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

use super::{descriptor, high_bytes};
use crate::processes::{self, PROC};

/// Holds a burst of viewers that reconnect after a restart, which the standard
/// library's 128 do not.
pub(super) const BACKLOG: i32 = 1024;
/// Sent but not yet taken by the network: more of it is only stale pictures.
const UNSENT_BYTES: u32 = 16 << 10;
/// In its place, where only all that is sent and not confirmed can be limited. The kernel
/// counts twice as much, for its own part of each piece.
pub(super) const SEND_BYTES: usize = 64 << 10;
/// Heads are small. A client that sends more waits, instead of filling memory.
const RECEIVE_BYTES: usize = 16 << 10;
/// How often a write that makes no progress looks at its deadline.
pub(super) const SEND_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a host may be silent before the system gives its connection up.
const VANISHED: Duration = Duration::from_secs(30);

/// The part of the log filter for tiny_http. It logs the end of its listener,
/// which the accept thread logs too, with its cause, when it replaces it.
pub(crate) const QUIET: &str = "tiny_http=off";

/// A socket that listens.
pub(super) struct Listener {
    pub(super) socket: TcpListener,
    /// Whether packets with bytes above 127 are dropped, see [`high_bytes`].
    pub(super) has_filter: bool,
}

/// Listens, so that no write blocks much longer than `write_timeout`. Where the
/// system has no IPv6, the same addresses of IPv4 take its place.
pub(super) fn listen(address: SocketAddr, write_timeout: Duration) -> io::Result<Listener> {
    let error = match listen_on(address, write_timeout) {
        Ok(listener) => return Ok(listener),
        Err(error) => error,
    };
    match in_ipv4(address).filter(|_| is_without_ipv6(&error)) {
        Some(other) => {
            log::warn!("this system has no IPv6 ({error}); listening on {other}, not {address}");
            listen_on(other, write_timeout)
        }
        None => Err(error),
    }
}

/// Whether an error says that the system has no IPv6: none in the kernel or a
/// unit without AF_INET6 (`RestrictAddressFamilies=`), or no address of it.
fn is_without_ipv6(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(
        errno,
        Some(Errno::AFNOSUPPORT | Errno::PFNOSUPPORT | Errno::PROTONOSUPPORT | Errno::ADDRNOTAVAIL)
    )
}

/// The address of IPv4 that means the same: all addresses, or this machine. Any
/// other address of IPv6 means itself alone.
fn in_ipv4(address: SocketAddr) -> Option<SocketAddr> {
    let SocketAddr::V6(v6) = address else { return None };
    let ip = match *v6.ip() {
        Ipv6Addr::UNSPECIFIED => Ipv4Addr::UNSPECIFIED,
        Ipv6Addr::LOCALHOST => Ipv4Addr::LOCALHOST,
        other => other.to_ipv4_mapped()?,
    };
    Some((ip, address.port()).into())
}

/// Why an address cannot be listened on, and what to type instead.
pub(super) fn describe_failure(error: io::Error, bind: SocketAddr) -> anyhow::Error {
    let what = format!("cannot listen on {bind}");
    let (ip, port) = (bind.ip(), bind.port());
    let hint = match error.kind() {
        ErrorKind::AddrInUse => {
            let owner = processes::listening(Path::new(PROC), port);
            let owner = owner.map_or_else(|| "another program".into(), |owner| owner.to_string());
            let next = SocketAddr::new(ip, port.checked_add(1).unwrap_or(5001));
            // Both are often on the machines that this program is for.
            let also = if port == 5000 { "; OctoPrint and Frigate use 5000 too" } else { "" };
            format!("{owner} listens there; use another port, such as --bind {next}{also}")
        }
        ErrorKind::PermissionDenied if port < 1024 => {
            let high = SocketAddr::new(ip, 5000);
            format!("ports below 1024 are for root; use another one, such as --bind {high}")
        }
        ErrorKind::AddrNotAvailable => {
            let any = SocketAddr::from(([0, 0, 0, 0], port));
            format!("this machine has no such address; for all that it has, --bind {any}")
        }
        _ => return anyhow::Error::new(error).context(what),
    };
    anyhow::Error::new(error).context(hint).context(what)
}

fn listen_on(address: SocketAddr, write_timeout: Duration) -> io::Result<Listener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // [::] means all addresses of this machine, of both families.
        socket.set_only_v6(false)?;
    }
    // Connections of the process before this one may still be in TIME_WAIT, and would
    // keep the address for a minute.
    socket.set_reuse_address(true)?;
    let has_filter = set_options(&SockRef::from(&socket), write_timeout)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(Listener { socket: socket.into(), has_filter })
}

/// Sets what accepted sockets inherit, and returns whether the filter is on.
fn set_options(socket: &SockRef<'_>, write_timeout: Duration) -> io::Result<bool> {
    // Nagle would hold the end of a picture back until the client has confirmed the
    // rest.
    socket.set_tcp_nodelay(true)?;
    socket.set_write_timeout(Some(SEND_TIMEOUT.min(write_timeout)))?;
    socket.set_recv_buffer_size(RECEIVE_BYTES)?;
    if socket.set_tcp_notsent_lowat(UNSENT_BYTES).is_err() {
        // Before Linux 3.12. It holds what is on its way, too, so it is larger.
        socket.set_send_buffer_size(SEND_BYTES)?;
    }
    // Counts for a client that is there and takes nothing, too.
    socket.set_tcp_user_timeout(Some(VANISHED.max(write_timeout)))?;
    let keepalive =
        TcpKeepalive::new().with_time(VANISHED).with_interval(VANISHED / 3).with_retries(3);
    socket.set_tcp_keepalive(&keepalive)?;
    Ok(attach_filter(socket))
}

/// Drops packets with bytes above 127, as far as the kernel lets a filter look.
fn attach_filter(socket: &SockRef<'_>) -> bool {
    // Only where the drops can be seen, or the client would wait for nothing.
    if descriptor::n_dropped(&**socket).is_none() {
        log::info!("requests with bytes above 127 are closed, as this kernel is too old");
        return false;
    }
    let attach = |n_scanned: &u32| socket.attach_filter(&high_bytes::filter(*n_scanned));
    let refusals: Vec<_> = high_bytes::SCANNED.iter().map_while(|n| attach(n).err()).collect();
    match refusals.last() {
        Some(e) if refusals.len() == high_bytes::SCANNED.len() => {
            log::info!("requests with bytes above 127 are closed, as the kernel says: {e}");
            false
        }
        _ => true,
    }
}

/// The listener of that address among those that the image of this process before
/// this one left open. It gets the options of today.
pub(super) fn adopt(
    left: &mut Vec<OwnedFd>,
    address: SocketAddr,
    write_timeout: Duration,
) -> Option<Listener> {
    let is_it = |own: SocketAddr, address: SocketAddr| {
        own.ip() == address.ip() && (own.port() == address.port() || address.port() == 0)
    };
    let at = left.iter().position(|fd| {
        let own = SockRef::from(fd).local_addr().ok().and_then(|own| own.as_socket());
        let is_own = |address| own.is_some_and(|own| is_it(own, address));
        is_own(address) || in_ipv4(address).is_some_and(is_own)
    })?;
    let socket = TcpListener::from(left.swap_remove(at));
    socket.set_nonblocking(false).ok()?;
    let has_filter = set_options(&SockRef::from(&socket), write_timeout).ok()?;
    Some(Listener { socket, has_filter })
}

/// tiny_http on a duplicate of the listener.
pub(super) fn serve(listener: &TcpListener) -> Result<tiny_http::Server> {
    let duplicate = listener.try_clone().context("the listener cannot be duplicated")?;
    tiny_http::Server::from_listener(duplicate, None).map_err(|e| anyhow!("{e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_gives_a_viewer_up_no_sooner_than_was_said() {
        for (write_timeout, due) in [(5, 30), (300, 300)] {
            let any = SocketAddr::from(([127, 0, 0, 1], 0));
            let listener = listen(any, Duration::from_secs(write_timeout)).unwrap();
            let timeout = SockRef::from(&listener.socket).tcp_user_timeout().unwrap();
            assert_eq!(timeout, Some(Duration::from_secs(due)));
        }
    }

    #[test]
    fn only_what_means_the_same_is_taken_for_an_address_of_ipv6() {
        for (v6, v4) in [
            ("[::]:5000", Some("0.0.0.0:5000")),
            ("[::1]:80", Some("127.0.0.1:80")),
            ("[::ffff:192.0.2.1]:1", Some("192.0.2.1:1")),
            ("[fe80::1]:5000", None),
            ("0.0.0.0:5000", None),
        ] {
            let v4: Option<SocketAddr> = v4.map(|text| text.parse().unwrap());
            assert_eq!(in_ipv4(v6.parse().unwrap()), v4, "{v6}");
        }
        let error = |errno: Errno| io::Error::from_raw_os_error(errno.raw_os_error());
        assert!(is_without_ipv6(&error(Errno::AFNOSUPPORT)));
        assert!(is_without_ipv6(&error(Errno::ADDRNOTAVAIL)));
        assert!(!is_without_ipv6(&error(Errno::ADDRINUSE)));
    }
}
