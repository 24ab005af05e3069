//! A viewer that reads everything and notes how old each picture was.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::shared::numbers::{Series, millis};
use crate::shared::part::parse_timestamp;
use crate::shared::process::Server;

/// Watches until its server is gone.
pub(crate) struct Viewer(Arc<Mutex<Seen>>);

/// What arrived.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) n_bytes: u64,
    /// In ms, from the time in each part to its last byte.
    ages: Vec<f64>,
}

impl Viewer {
    pub(crate) fn watch(server: &Server) -> Self {
        let (seen, address) = (Arc::<Mutex<Seen>>::default(), server.address);
        let noting = Arc::clone(&seen);
        thread::spawn(move || {
            // Over plain loopback with its large segments: a relay is measured for the bytes that it handles, and small
            // segments would measure the kernel.
            let stream = TcpStream::connect(address);
            // An error is expected here: the thread ends when its server is killed.
            stream.map(|stream| drop(read(stream, &noting)))
        });
        Self(seen)
    }

    /// What arrived since the last call.
    pub(crate) fn take(&self) -> Seen {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn read(mut stream: TcpStream, seen: &Mutex<Seen>) -> Result<()> {
    stream.write_all(b"GET /stream HTTP/1.1\r\nHost: bench\r\n\r\n")?;
    let mut input = BufReader::with_capacity(256 << 10, stream);
    let mut picture = Vec::new();
    loop {
        let (mut line, mut length, mut captured) = (String::new(), None, None);
        // The head of the reply has no length, so it is read through together with that of the first part.
        while line != "\r\n" || length.is_none() {
            line.clear();
            anyhow::ensure!(input.read_line(&mut line)? > 0, "the stream ended");
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = Some(value.trim_end().parse::<usize>()?);
            } else if let Some(value) = line.strip_prefix("X-Timestamp: ") {
                captured = Some(parse_timestamp(value)?);
            }
        }
        picture.resize(length.unwrap_or(0), 0);
        input.read_exact(&mut picture)?;
        let captured = captured.context("a part without a time")?;
        let age = SystemTime::now().duration_since(captured).unwrap_or_default();
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.n_bytes += picture.len() as u64;
        seen.ages.push(millis(age));
    }
}

impl Seen {
    pub(crate) fn ages(self) -> Series {
        self.ages.into_iter().collect()
    }
}
