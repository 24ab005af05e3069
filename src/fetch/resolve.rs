//! Resolves host names, with a wait that ends at a deadline or when the program stops.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use crossbeam_channel::{RecvTimeoutError, bounded};
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::WaitLimit;

use crate::threads;

/// Asks the system's resolver.
#[derive(Debug)]
pub(super) struct SystemResolver(pub(super) Arc<WaitLimit>);

impl Resolver for SystemResolver {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let host = host(uri).ok_or(Error::HostNotFound)?.to_owned();
        // ureq gives the port only where the address has one.
        let default_port = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let found = self.look_up(host, uri.port_u16().unwrap_or(default_port))?;
        let mut addresses = self.empty();
        found.into_iter().take(MAX_ADDRESSES).for_each(|address| addresses.push(address));
        if addresses.is_empty() { Err(Error::HostNotFound) } else { Ok(addresses) }
    }
}

/// The host of an address. An IPv6 address is without its brackets, which only an address
/// with a port needs.
pub(super) fn host(uri: &Uri) -> Option<&str> {
    Some(uri.host()?.trim_start_matches('[').trim_end_matches(']'))
}

/// How many addresses of a host are tried. A camera has no more.
const MAX_ADDRESSES: usize = 4;

impl SystemResolver {
    /// Looks a name up in a thread of its own: `getaddrinfo` can block for many seconds
    /// and cannot be interrupted. When the wait ends early, the thread ends with the
    /// call.
    pub(super) fn look_up(&self, host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Ok(ip) = host.parse() {
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        let (sender, receiver) = bounded(1);
        threads::spawn("resolve", move || {
            let found = (host.as_str(), port).to_socket_addrs();
            // A closed channel means that the wait ended early; the result is not needed.
            let _ = sender.send(found.map(Iterator::collect));
        })?;
        let mut found = None;
        self.0.wait(|slice| {
            found = match receiver.recv_timeout(slice) {
                Ok(found) => Some(found),
                Err(RecvTimeoutError::Timeout) => return Ok(false),
                Err(RecvTimeoutError::Disconnected) => None,
            };
            Ok(true)
        })?;
        let unknown = |e: io::Error| io::Error::new(io::ErrorKind::NotFound, e);
        found.unwrap_or_else(|| Ok(Vec::new())).map_err(unknown)
    }
}
