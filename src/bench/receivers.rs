//! Viewers that read everything and look only at the start of each part.

use std::io::Read;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Result, bail, ensure};
use socket2::{Domain, Socket, Type};

use crate::pictures::{N_PICTURES, Part};

/// Segments as in a network of Ethernet, not the 64 kB of loopback.
const SEGMENT_BYTES: u32 = 1448;
/// A server that sends nothing for so long is broken.
const PATIENCE: Duration = Duration::from_secs(10);

/// A number of viewers of one server.
pub(crate) struct Receivers {
    viewers: Vec<Viewer>,
}

struct Viewer {
    stream: TcpStream,
    tally: Arc<Mutex<Tally>>,
    thread: Option<JoinHandle<()>>,
}

/// What one viewer got.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// From the time in each part to its last byte.
    pub(crate) ages: Vec<Duration>,
    pub(crate) n_skipped: usize,
    last: Option<usize>,
    fault: Option<String>,
}

impl Receivers {
    /// Connects so many at once and returns when each has had a picture.
    ///
    /// # Errors
    /// Why that did not come about.
    pub(crate) fn connect(server: SocketAddr, n_viewers: usize, part: Part) -> Result<Self> {
        let mut receivers = Self { viewers: Vec::new() };
        for _ in 0..n_viewers {
            receivers.viewers.push(Viewer::connect(server, part)?);
        }
        receivers.wait()?;
        Ok(receivers)
    }

    /// Connects one more when the one before has had a picture. (The bare
    /// loops send nothing before all are there.)
    ///
    /// # Errors
    /// Why that did not come about.
    pub(crate) fn one_by_one(server: SocketAddr, n_viewers: usize, part: Part) -> Result<Self> {
        let mut receivers = Self { viewers: Vec::new() };
        for _ in 0..n_viewers {
            receivers.viewers.push(Viewer::connect(server, part)?);
            receivers.wait()?;
        }
        Ok(receivers)
    }

    fn wait(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.viewers.iter().any(|viewer| viewer.tally(|t| t.ages.is_empty())) {
            ensure!(Instant::now() < deadline, "a viewer got no picture");
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// What each viewer got since the last call.
    ///
    /// # Errors
    /// What went wrong in one of them.
    pub(crate) fn take(&self) -> Result<Vec<Tally>> {
        self.viewers.iter().map(Viewer::take).collect()
    }
}

impl Drop for Receivers {
    fn drop(&mut self) {
        for viewer in &self.viewers {
            let _ = viewer.stream.shutdown(Shutdown::Both);
        }
        for thread in self.viewers.iter_mut().filter_map(|viewer| viewer.thread.take()) {
            let _ = thread.join();
        }
    }
}

impl Viewer {
    fn connect(server: SocketAddr, part: Part) -> Result<Self> {
        let stream = ask(server, "/stream")?;
        let (tally, reading) = (Arc::<Mutex<Tally>>::default(), stream.try_clone()?);
        let noting = Arc::clone(&tally);
        let watch = move || {
            if let Err(e) = watch(reading, part, &noting) {
                note(&noting, |tally| tally.fault = Some(e.to_string()));
            }
        };
        let thread = thread::Builder::new().stack_size(256 << 10).spawn(watch)?;
        Ok(Self { stream, tally, thread: Some(thread) })
    }

    fn tally<T>(&self, look: impl FnOnce(&mut Tally) -> T) -> T {
        note(&self.tally, look)
    }

    fn take(&self) -> Result<Tally> {
        self.tally(|tally| {
            if let Some(fault) = &tally.fault {
                bail!("a viewer ended: {fault}");
            }
            let taken = Tally { last: tally.last, ..Tally::default() };
            Ok(std::mem::replace(tally, taken))
        })
    }
}

fn note<T>(tally: &Mutex<Tally>, look: impl FnOnce(&mut Tally) -> T) -> T {
    look(&mut tally.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Connects and sends a request.
pub(crate) fn ask(server: SocketAddr, path: &str) -> Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(server), Type::STREAM, None)?;
    socket.set_tcp_mss(SEGMENT_BYTES)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.connect(&server.into())?;
    let mut stream = TcpStream::from(socket);
    let request = format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n");
    std::io::Write::write_all(&mut stream, request.as_bytes())?;
    Ok(stream)
}

/// Reads up to the first byte of the first part.
pub(crate) fn read_opening(stream: &mut impl Read) -> Result<()> {
    let (mut opening, mut byte) = (Vec::new(), [0]);
    while !opening.ends_with(b"\r\n\r\n--frame\r\n") {
        stream.read_exact(&mut byte)?;
        opening.extend(byte);
        ensure!(opening.len() < 4096, "no stream: {}", String::from_utf8_lossy(&opening));
    }
    Ok(())
}

/// Reads a stream to its end.
fn watch(mut stream: TcpStream, part: Part, tally: &Mutex<Tally>) -> Result<()> {
    read_opening(&mut stream)?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let start = &mut buffer[..part.start_bytes()];
        stream.read_exact(start)?;
        let (captured, number) = part.read(start)?;
        let mut left = part.n_bytes - part.start_bytes();
        while left > 0 {
            let room = left.min(buffer.len());
            match stream.read(&mut buffer[..room])? {
                0 => bail!("the stream ended inside a part"),
                n => left -= n,
            }
        }
        let age = SystemTime::now().duration_since(captured).unwrap_or_default();
        note(tally, |tally| tally.arrived(number, age));
    }
}

impl Tally {
    fn arrived(&mut self, number: usize, age: Duration) {
        let ahead = |last| (number + N_PICTURES - last) % N_PICTURES;
        match self.last.map(ahead) {
            // Sent again for want of a new one: not a picture delivered.
            Some(0) => return,
            Some(n) => self.n_skipped += n - 1,
            None => {}
        }
        self.last = Some(number);
        self.ages.push(age);
    }
}
