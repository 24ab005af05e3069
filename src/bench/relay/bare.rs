//! A relay that costs almost nothing: it reads a whole part, whose length it knows, and writes it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use anyhow::{Context, Result};

use crate::origin;
use crate::shared::part::OPENING;
use crate::shared::process::{Core, Server};

/// The first argument with which this executable becomes this relay.
pub(crate) const ROLE: &str = "bare-relay";

/// Starts it on the servers' core, like the daemon.
///
/// # Errors
/// Why it did not start.
pub(crate) fn start(source: &Server, n_bytes: usize) -> Result<Server> {
    let part = origin::part_bytes(n_bytes).to_string();
    Server::this_program(Core::Servers, [ROLE, &source.address.to_string(), &part])
}

/// Serves until it is killed. Arguments: address of the origin, bytes of a part.
pub(crate) fn main(mut args: impl Iterator<Item = String>) -> Result<()> {
    let mut next = || args.next().context("bare-relay ADDRESS BYTES");
    let (source, n_bytes) = (next()?.parse()?, next()?.parse()?);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("listening on http://{}/", listener.local_addr()?);
    for viewer in listener.incoming() {
        let viewer = viewer?;
        // The error of a viewer that disconnects is expected: each one ends so.
        thread::spawn(move || drop(pass_on(source, n_bytes, viewer)));
    }
    Ok(())
}

fn pass_on(source: SocketAddr, n_bytes: usize, mut viewer: TcpStream) -> Result<()> {
    viewer.set_nodelay(true)?;
    let mut source = TcpStream::connect(source)?;
    source.write_all(b"GET /stream HTTP/1.1\r\nHost: bench\r\n\r\n")?;
    source.read_exact(&mut [0; OPENING.len()])?;
    viewer.write_all(OPENING)?;
    let mut part = vec![0; n_bytes];
    loop {
        source.read_exact(&mut part)?;
        viewer.write_all(&part)?;
    }
}
