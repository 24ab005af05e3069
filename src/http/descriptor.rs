//! Finds the socket under a request.
//!
//! tiny_http tells the address of a peer but hands out no descriptor, and
//! without one a connection can neither be shut nor given a deadline. So the
//! descriptors of this process are searched for the one with that peer. This
//! is the only file with `unsafe` in it: a descriptor that somebody else owns
//! is borrowed for the length of two system calls.
#![allow(unsafe_code, reason = "descriptors that tiny_http owns are borrowed here")]

use std::net::{SocketAddr, TcpStream};
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::net::{getpeername, sockopt::socket_cookie};

/// The kernel gives the lowest free number, so that open ones lie close
/// together; so long a gap comes only after many were closed at once.
const GAP: RawFd = 256;

/// A socket of ours, and the number that the kernel gives to no other socket.
pub(super) struct Socket {
    pub(super) stream: TcpStream,
    pub(super) cookie: u64,
}

/// A duplicate of the connected socket whose peer is `peer`. Where there are
/// several (one client port to two of our addresses), the first that
/// `is_new` says yes to, else any.
pub(super) fn find(peer: SocketAddr, is_new: impl Fn(u64) -> bool) -> Option<Socket> {
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
fn look(fd: RawFd, peer: SocketAddr) -> Result<Option<Socket>, ()> {
    // SAFETY: `fd` is not -1. It may be closed or reused by its owner at any
    // time; both calls made through it then fail or look at another file, and
    // neither changes it. What is used further is the duplicate, which is ours
    // and is looked at again.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    let is_it = match getpeername(borrowed) {
        Err(Errno::BADF) => return Err(()),
        Ok(Some(address)) => SocketAddr::try_from(address) == Ok(peer),
        Ok(None) | Err(_) => false,
    };
    if !is_it {
        return Ok(None);
    }
    Ok(fcntl_dupfd_cloexec(borrowed, 3).ok().and_then(|ours| confirm(ours, peer)))
}

/// The duplicate as a stream, if it still is what was looked for.
fn confirm(ours: OwnedFd, peer: SocketAddr) -> Option<Socket> {
    let stream = TcpStream::from(ours);
    let cookie = socket_cookie(&stream).ok()?;
    (stream.peer_addr().ok()? == peer).then_some(Socket { stream, cookie })
}

fn open_descriptors() -> impl Iterator<Item = RawFd> {
    let entries = std::fs::read_dir("/proc/self/fd").into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (listener.accept().unwrap().0, client)
    }

    #[test]
    fn socket_is_found_by_its_peer() {
        let (server, mut client) = pair();
        let found = find(client.local_addr().unwrap(), |_| true).unwrap();
        (&found.stream).write_all(b"hello").unwrap();
        drop((found, server));
        let mut text = String::new();
        client.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
    }

    #[test]
    fn same_socket_has_the_same_cookie_and_another_has_another() {
        let ((_s1, c1), (_s2, c2)) = (pair(), pair());
        let cookie = |c: &TcpStream| find(c.local_addr().unwrap(), |_| true).unwrap().cookie;
        assert_eq!(cookie(&c1), cookie(&c1));
        assert_ne!(cookie(&c1), cookie(&c2));
    }

    #[test]
    fn nothing_is_found_for_a_stranger() {
        assert!(find("127.0.0.1:1".parse().unwrap(), |_| true).is_none());
    }
}
