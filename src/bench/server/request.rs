//! Requests to a server, over connections that behave like those of a network.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};
use socket2::{Domain, Socket, Type};

/// Segments as on Ethernet, instead of the 64 kB of loopback.
const SEGMENT_BYTES: u32 = 1448;
/// A server that sends nothing for this long is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Connects and sends a GET. The caller reads the reply.
///
/// # Errors
/// The server cannot be reached.
pub(crate) fn get(server: SocketAddr, path: &str) -> Result<TcpStream> {
    send(server, &format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n"))
}

/// Connects and sends a POST without a body. The caller reads the reply.
///
/// # Errors
/// The server cannot be reached.
pub(crate) fn post(server: SocketAddr, path: &str) -> Result<TcpStream> {
    send(server, &format!("POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Length: 0\r\n\r\n"))
}

fn send(server: SocketAddr, request: &str) -> Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(server), Type::STREAM, None)?;
    socket.set_tcp_mss(SEGMENT_BYTES)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.connect(&server.into()).context("cannot connect")?;
    let mut stream = TcpStream::from(socket);
    stream.write_all(request.as_bytes())?;
    Ok(stream)
}
