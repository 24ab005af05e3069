//! Finds the sockets that tiny_http owns, and asks the kernel about them.
//!
//! tiny_http tells the address of a peer but hands out no descriptor, and
//! without one a connection can neither be shut nor given a deadline. So the
//! descriptors of this process are searched. This is the only file of this
//! room with `unsafe` in it: a descriptor that somebody else owns is borrowed
//! for the length of a few system calls, and four calls are made that no crate
//! here makes safely (TCP_INFO, SO_MEMINFO, SO_RCVLOWAT, F_SETSIG).
#![allow(unsafe_code, reason = "descriptors that tiny_http owns are borrowed here")]

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::fstat;
use rustix::io::{Errno, fcntl_dupfd_cloexec, ioctl_fionread};
use rustix::net::{RecvFlags, getpeername, getsockname, recv, sockopt::socket_acceptconn};

/// The kernel gives the lowest free number, so that open ones lie close
/// together; so long a gap comes only after many were closed at once.
const GAP: RawFd = 256;

/// A duplicate of a socket, and its [`cookie`].
pub(super) struct Found {
    pub(super) stream: TcpStream,
    pub(super) cookie: u64,
}

/// The number by which a socket is known here: its inode, which no other one has while it
/// is open, and a later one only after four billion others. SO_COOKIE is the same thing, but
/// Linux has it only since 4.12, and qemu-user not at all.
pub(super) fn cookie(socket: impl AsFd) -> Result<u64, Errno> {
    fstat(socket).map(|stat| stat.st_ino)
}

/// A duplicate of the connected socket whose peer is `peer`. Where there are
/// several (one client port to two of our addresses), the first that
/// `is_new` says yes to, else any.
pub(super) fn find(peer: SocketAddr, is_new: impl Fn(u64) -> bool) -> Option<Found> {
    let mut known = None;
    let (mut fd, mut n_closed) = (3, 0);
    while n_closed < GAP {
        match look(fd, peer) {
            Ok(Some(socket)) if is_new(socket.cookie) => return Some(socket),
            Ok(Some(socket)) => known = Some(socket),
            Ok(None) => n_closed = 0,
            Err(()) => n_closed += 1,
        }
        fd += 1;
    }
    if known.is_some() {
        return known;
    }
    let beyond = open_descriptors().filter(|n| *n >= fd);
    beyond.filter_map(|n| look(n, peer).ok().flatten()).find(|s| is_new(s.cookie))
}

/// The socket behind `fd` if its peer is the one; an error if `fd` is not open.
fn look(fd: RawFd, peer: SocketAddr) -> Result<Option<Found>, ()> {
    if peer_at(fd)? != Some(peer) {
        return Ok(None);
    }
    // SAFETY: as in `peer_at`.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    Ok(fcntl_dupfd_cloexec(borrowed, 3).ok().and_then(|ours| confirm(ours, peer)))
}

/// The peer of the connected socket behind `fd`; an error if `fd` is not open.
fn peer_at(fd: RawFd) -> Result<Option<SocketAddr>, ()> {
    // SAFETY: `fd` is not -1. It may be closed or reused by its owner at any
    // time; a call made through it then fails or looks at another file, and
    // does not change it. What is used further is a duplicate, which is ours
    // and is looked at again.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    match getpeername(borrowed) {
        Err(Errno::BADF) => Err(()),
        Ok(address) => Ok(address.and_then(|address| SocketAddr::try_from(address).ok())),
        Err(_) => Ok(None),
    }
}

/// The duplicate as a stream, if it still is what was looked for.
fn confirm(ours: OwnedFd, peer: SocketAddr) -> Option<Found> {
    let stream = TcpStream::from(ours);
    let cookie = cookie(&stream).ok()?;
    (stream.peer_addr().ok()? == peer).then_some(Found { stream, cookie })
}

/// The descriptors of all connections, by their peers: for many searches at
/// once, as the walk over all of them takes longest.
pub(super) struct Peers(HashMap<SocketAddr, Vec<RawFd>>);

impl Peers {
    /// As they are now.
    pub(super) fn now() -> Self {
        let mut all = HashMap::<_, Vec<_>>::new();
        walk(|fd| {
            if let Some(peer) = peer_at(fd)? {
                all.entry(peer).or_default().push(fd);
            }
            Ok(())
        });
        Self(all)
    }

    /// As [`find`], among those that were there.
    pub(super) fn find(&self, peer: SocketAddr, is_new: impl Fn(u64) -> bool) -> Option<Found> {
        let fds = self.0.get(&peer).into_iter().flatten();
        let mut known = None;
        for socket in fds.filter_map(|fd| look(*fd, peer).ok().flatten()) {
            if is_new(socket.cookie) {
                return Some(socket);
            }
            known = Some(socket);
        }
        known
    }
}

/// All connections of this process that came in at an address: a descriptor for
/// each cookie. Works without a free descriptor too, unless they lie far apart.
pub(super) fn connections(own: SocketAddr) -> HashMap<u64, RawFd> {
    let mut found = HashMap::new();
    walk(|fd| {
        if let Some(cookie) = cookie_at(fd, own)? {
            found.entry(cookie).or_insert(fd);
        }
        Ok(())
    });
    found
}

/// Looks at all descriptors; `look` fails where none is open.
fn walk(mut look: impl FnMut(RawFd) -> Result<(), ()>) {
    let (mut fd, mut n_closed) = (3, 0);
    while n_closed < GAP {
        n_closed = if look(fd).is_ok() { 0 } else { n_closed + 1 };
        fd += 1;
    }
    for beyond in open_descriptors().filter(|n| *n >= fd) {
        // One that was closed meanwhile is no matter.
        let _ = look(beyond);
    }
}

/// The cookie of the socket behind `fd` if it is connected (or was) at an address
/// that a listener at `own` takes; an error if `fd` is not open.
fn cookie_at(fd: RawFd, own: SocketAddr) -> Result<Option<u64>, ()> {
    // SAFETY: as in `peer_at`; these calls change nothing either.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    let address = match getsockname(borrowed) {
        Err(Errno::BADF) => return Err(()),
        Ok(address) => SocketAddr::try_from(address).ok(),
        Err(_) => None,
    };
    let is_one =
        |ip: IpAddr| own.ip().is_unspecified() || ip.to_canonical() == own.ip().to_canonical();
    let is_at_own = |address: SocketAddr| address.port() == own.port() && is_one(address.ip());
    let is_ours = address.is_some_and(is_at_own) && socket_acceptconn(borrowed) == Ok(false);
    Ok(is_ours.then(|| cookie(borrowed).ok()).flatten())
}

/// A connection as the kernel sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct TcpState {
    /// Both ways are closed: nothing will come or go any more.
    pub(super) is_closed: bool,
    /// `None` before Linux 4.1, which does not say it.
    pub(super) n_received: Option<u64>,
    pub(super) n_unread: u64,
    /// Milliseconds since bytes last came or, before the first, since it was opened.
    pub(super) silent_ms: u32,
    /// Packets that the socket did not take, such as those of a filter.
    pub(super) n_dropped: u32,
}

/// States of a socket in `tcpi_state` (include/net/tcp_states.h).
const TCP_CLOSE: u8 = 7;
const TCP_CLOSE_WAIT: u8 = 8;
const TCP_LAST_ACK: u8 = 9;

/// Whether the peer has closed its side of a connection, whose read side may
/// be shut here: then no poll tells it.
pub(super) fn has_left(socket: impl AsFd) -> bool {
    let state = tcp_info(socket.as_fd()).map(|(info, _)| info[0]);
    matches!(state, Some(TCP_CLOSE | TCP_CLOSE_WAIT | TCP_LAST_ACK))
}

/// Whether a poll, which does not wait, says one of `what` of a socket.
pub(super) fn is_polled(socket: impl AsFd, what: PollFlags) -> bool {
    let mut fds = [PollFd::new(&socket, what)];
    poll(&mut fds, Some(&Timespec::default())).is_ok() && fds[0].revents().intersects(what)
}

/// Looks at the connection of that cookie. `None`: `fd` is another one by now.
pub(super) fn tcp_state(fd: RawFd, cookie: u64) -> Option<TcpState> {
    // SAFETY: as in `peer_at`; these calls change nothing either.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    let (info, length) = tcp_info(borrowed)?;
    let n_unread = ioctl_fionread(borrowed).unwrap_or(0);
    (self::cookie(borrowed) == Ok(cookie)).then(|| TcpState {
        is_closed: info[0] == TCP_CLOSE,
        n_received: received_in(&info, length),
        n_unread,
        silent_ms: number_at(&info, 52), // tcpi_last_data_recv
        n_dropped: n_dropped(borrowed).unwrap_or(0),
    })
}

/// The place of the drops in what SO_MEMINFO gives (include/uapi/linux/sock_diag.h).
const MEMINFO_DROPS: usize = 8;

/// How many packets a socket did not take; `None` before Linux 4.12.
pub(super) fn n_dropped(fd: impl AsFd) -> Option<u32> {
    let mut info = [0_u32; MEMINFO_DROPS + 1];
    let mut length = libc::socklen_t::try_from(size_of_val(&info)).ok()?;
    let (fd, to) = (fd.as_fd().as_raw_fd(), info.as_mut_ptr().cast());
    // SAFETY: `to` and `length` describe a buffer that lives through the call.
    let result =
        unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_MEMINFO, to, &raw mut length) };
    (result == 0 && length as usize == size_of_val(&info)).then_some(info[MEMINFO_DROPS])
}

/// A duplicate of the socket of that cookie.
pub(super) fn duplicate(fd: RawFd, cookie: u64) -> Option<TcpStream> {
    // SAFETY: as in `peer_at`.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    let ours = fcntl_dupfd_cloexec(borrowed, 3).ok()?;
    (self::cookie(&ours) == Ok(cookie)).then(|| TcpStream::from(ours))
}

/// Lets the kernel wake a thread that waits for bytes only when `n_bytes` have
/// come, or half of the receive buffer. One that does not wait reads what is there.
pub(super) fn wake_at(socket: &TcpStream, n_bytes: libc::c_int) -> io::Result<()> {
    let length = libc::socklen_t::try_from(size_of::<libc::c_int>()).map_err(io::Error::other)?;
    let from = (&raw const n_bytes).cast();
    // SAFETY: `from` and `length` describe a number that lives through the call.
    let result = unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_RCVLOWAT, from, length)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// How many bytes a connection has ever received; `None` before Linux 4.1.
pub(super) fn n_received(socket: &TcpStream) -> Option<u64> {
    tcp_info(socket.as_fd()).and_then(|(info, length)| received_in(&info, length))
}

/// Reads without waiting.
pub(super) fn read_now(socket: impl AsFd, to: &mut [u8]) -> io::Result<usize> {
    Ok(recv(socket, to, RecvFlags::DONTWAIT)?.0)
}

/// How many clients wait to be accepted.
pub(super) fn backlog(listener: &TcpListener) -> u32 {
    // Of a listener, tcpi_unacked is the length of the queue (tcp_get_info()).
    tcp_info(listener.as_fd()).map_or(0, |(info, _)| number_at(&info, 24))
}

/// Up to and with `tcpi_bytes_received`, which Linux has since 4.1.
type TcpInfo = [u8; 136];

/// A field of 32 bits (struct tcp_info in include/uapi/linux/tcp.h).
fn number_at(info: &TcpInfo, offset: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&info[offset..offset + 4]);
    u32::from_ne_bytes(bytes)
}

fn received_in(info: &TcpInfo, length: usize) -> Option<u64> {
    let bytes = info.last_chunk().copied().filter(|_| length >= info.len());
    bytes.map(u64::from_ne_bytes)
}

/// What the kernel says, and how much of it.
fn tcp_info(fd: BorrowedFd<'_>) -> Option<(TcpInfo, usize)> {
    let mut info: TcpInfo = [0; 136];
    let mut length = libc::socklen_t::try_from(info.len()).ok()?;
    let to = info.as_mut_ptr().cast();
    // SAFETY: `to` and `length` describe a buffer that lives through the call.
    let result = unsafe {
        libc::getsockopt(fd.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, to, &raw mut length)
    };
    (result == 0).then_some((info, length as usize))
}

/// Cuts the connection of that cookie, both ways.
pub(super) fn shut(fd: RawFd, cookie: u64) {
    // SAFETY: as in `peer_at`. With no free descriptor for a duplicate it is shut
    // as it is found: should its owner close it and another connection take
    // its number in this very moment, that one would be cut in its place.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    let ours = fcntl_dupfd_cloexec(borrowed, 3).ok();
    let at = ours.as_ref().map_or(borrowed, AsFd::as_fd);
    if self::cookie(at) == Ok(cookie) {
        // An error means that it is cut already.
        let _ = socket2::SockRef::from(&at).shutdown(Shutdown::Both);
    }
}

/// The command that chooses the signal (include/uapi/asm-generic/fcntl.h); the libc crate
/// has it for some systems only.
const F_SETSIG: libc::c_int = 10;

/// Has the kernel send SIGURG for each connection that comes in. (By default
/// SIGURG does nothing: it may also come when nobody minds it.)
pub(super) fn signal_arrivals(listener: &TcpListener) -> io::Result<()> {
    let fd = listener.as_raw_fd();
    let own = libc::pid_t::try_from(std::process::id()).map_err(io::Error::other)?;
    let set = |command: libc::c_int, value: libc::c_int| {
        // SAFETY: these commands of fcntl() take a number and touch no memory.
        let result = unsafe { libc::fcntl(fd, command, value) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
    };
    set(libc::F_SETOWN, own)?;
    set(F_SETSIG, libc::SIGURG)?;
    let flags = set(libc::F_GETFL, 0)?;
    set(libc::F_SETFL, flags | libc::O_ASYNC)?;
    Ok(())
}

/// The listener that another image of this process left open under that number.
pub(super) fn adopt(fd: RawFd) -> Option<OwnedFd> {
    if fd < 3 {
        return None;
    }
    // SAFETY: `fd` is not -1, and is borrowed only to ask what it is; the call
    // changes nothing.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    if socket_acceptconn(borrowed) != Ok(true) {
        return None;
    }
    // SAFETY: nobody else in this process owns it: it was open before the
    // program began, which names it once, before it opens sockets of its own.
    Some(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn open_descriptors() -> impl Iterator<Item = RawFd> {
    let entries = std::fs::read_dir("/proc/self/fd").into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

#[cfg(test)]
#[path = "descriptor_tests.rs"]
mod tests;
