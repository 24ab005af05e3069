//! A viewer that reads everything and notes how old each picture was.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use crate::shared::process::Server;

/// Somebody who watches until the server is gone.
pub(crate) struct Viewer(Arc<Mutex<Seen>>);

/// What came.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) n_bytes: u64,
    ages: Vec<f64>,
}

impl Viewer {
    pub(crate) fn watch(server: &Server) -> Self {
        let (seen, address) = (Arc::<Mutex<Seen>>::default(), server.address);
        let noting = Arc::clone(&seen);
        thread::spawn(move || {
            let stream = TcpStream::connect(address);
            // It ends with its server: that is no fault.
            stream.map(|stream| drop(read(stream, &noting)))
        });
        Self(seen)
    }

    /// What came since the last call.
    pub(crate) fn take(&self) -> Seen {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn read(mut stream: TcpStream, seen: &Mutex<Seen>) -> Result<()> {
    stream.write_all(b"GET /stream HTTP/1.1\r\nHost: bench\r\n\r\n")?;
    let mut input = BufReader::with_capacity(256 << 10, stream);
    let mut picture = Vec::new();
    loop {
        let (mut line, mut length, mut taken) = (String::new(), None, None);
        // The head of the answer and those of parts alike.
        while line != "\r\n" || length.is_none() {
            line.clear();
            anyhow::ensure!(input.read_line(&mut line)? > 0, "the end");
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = Some(value.trim_end().parse::<usize>()?);
            } else if let Some(value) = line.strip_prefix("X-Timestamp: ") {
                let (seconds, micros) = value.trim_end().split_once('.').context("an odd time")?;
                let since = Duration::from_secs(seconds.parse()?);
                taken = Some(UNIX_EPOCH + since + Duration::from_micros(micros.parse()?));
            }
        }
        picture.resize(length.unwrap_or(0), 0);
        input.read_exact(&mut picture)?;
        let age = SystemTime::now().duration_since(taken.context("no time")?).unwrap_or_default();
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.n_bytes += picture.len() as u64;
        seen.ages.push(age.as_secs_f64() * 1e3);
    }
}

impl Seen {
    /// The median and the slowest of a hundred, in ms.
    pub(crate) fn ages(mut self) -> (f64, f64) {
        self.ages.sort_by(f64::total_cmp);
        let at = |percent: usize| {
            let at = (self.ages.len() * percent / 100).min(self.ages.len().saturating_sub(1));
            self.ages.get(at).copied().unwrap_or(f64::NAN)
        };
        (at(50), at(99))
    }
}
