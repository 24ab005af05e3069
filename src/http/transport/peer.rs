//! Who is at the other end of a connection.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The client of a connection, as logs and `/status` show it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::http) enum Peer {
    Tcp(SocketAddr),
    /// A process of this machine, at a Unix socket.
    Unix,
    /// Who asks through a trusted proxy.
    Forwarded(IpAddr),
}

impl Peer {
    /// What wrong passwords are counted by. The clients of Unix sockets, mostly
    /// one proxy for all of them, share one address that no client of TCP has.
    pub(in crate::http) fn ip(self) -> IpAddr {
        match self {
            Self::Tcp(address) => address.ip(),
            Self::Unix => Ipv4Addr::UNSPECIFIED.into(),
            Self::Forwarded(address) => address,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix => f.write_str("unix"),
            Self::Forwarded(address) => address.fmt(f),
        }
    }
}
