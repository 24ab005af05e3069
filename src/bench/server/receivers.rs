//! Viewers that read everything and parse only the start of each part.
//!
//! One thread reads for all viewers: with a thread for each, the benchmark
//! would measure how this machine shares a core among a thousand threads.

use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Result, bail, ensure};
use rustix::event::epoll;

use crate::pictures::{N_PICTURES, Part};
use crate::request::{self, PATIENCE};

/// The end of the reply's head and the first delimiter.
const OPENING_END: &[u8] = b"\r\n\r\n--frame\r\n";

/// Viewers of one server.
pub(crate) struct Receivers {
    part: Part,
    shared: Arc<Shared>,
    /// Dropping it ends the thread.
    end: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    epoll: OwnedFd,
    viewers: Mutex<Vec<Viewer>>,
    /// Becomes readable when the other half is dropped.
    _end: UnixStream,
}

/// The state of one viewer.
struct Viewer {
    stream: TcpStream,
    part: Part,
    /// The received bytes of the reply's head or of the start of a part.
    start: Vec<u8>,
    is_open: bool,
    /// The remaining bytes of the part, once its start has been parsed.
    left: usize,
    captured: SystemTime,
    number: usize,
    tally: Tally,
    fault: Option<String>,
}

/// What one viewer received.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// For each picture, the time from its timestamp to the arrival of its last
    /// byte.
    pub(crate) ages: Vec<Duration>,
    pub(crate) n_skipped: usize,
    last: Option<usize>,
}

impl Receivers {
    /// Connects `n_viewers` at once, and returns when each has received a
    /// picture.
    ///
    /// # Errors A viewer cannot connect, or gets no picture in time.
    pub(crate) fn connect(server: SocketAddr, n_viewers: usize, part: Part) -> Result<Self> {
        let mut receivers = Self::new(part)?;
        (0..n_viewers).try_for_each(|_| receivers.add(server))?;
        receivers.wait()?;
        Ok(receivers)
    }

    /// Connects each viewer when the one before has received a picture. (Not
    /// for the bare loops, which send nothing before all viewers have
    /// connected.)
    ///
    /// # Errors A viewer cannot connect, or gets no picture in time.
    pub(crate) fn one_by_one(server: SocketAddr, n_viewers: usize, part: Part) -> Result<Self> {
        let mut receivers = Self::new(part)?;
        for _ in 0..n_viewers {
            receivers.add(server)?;
            receivers.wait()?;
        }
        Ok(receivers)
    }

    fn new(part: Part) -> Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let (ours, end) = UnixStream::pair()?;
        let data = epoll::EventData::new_u64(END);
        epoll::add(&epoll, &end, data, epoll::EventFlags::IN)?;
        let shared = Arc::new(Shared { epoll, viewers: Mutex::default(), _end: end });
        let reading = Arc::clone(&shared);
        let thread = thread::Builder::new().spawn(move || reading.read_all())?;
        Ok(Self { part, shared, end: Some(ours), thread: Some(thread) })
    }

    fn add(&mut self, server: SocketAddr) -> Result<()> {
        let stream = request::get(server, "/stream")?;
        stream.set_nonblocking(true)?;
        let mut viewers = self.shared.viewers();
        let data = epoll::EventData::new_u64(viewers.len() as u64 + 1);
        epoll::add(&self.shared.epoll, &stream, data, epoll::EventFlags::IN)?;
        viewers.push(Viewer::new(stream, self.part));
        Ok(())
    }

    fn wait(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.shared.viewers().iter().any(|viewer| viewer.tally.ages.is_empty()) {
            self.shared.check()?;
            ensure!(Instant::now() < deadline, "a viewer got no picture");
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// What each viewer received since the last call.
    ///
    /// # Errors The first error of a viewer.
    pub(crate) fn take(&self) -> Result<Vec<Tally>> {
        self.shared.check()?;
        Ok(self.shared.viewers().iter_mut().map(Viewer::take).collect())
    }
}

impl Drop for Receivers {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The event that ends the thread. Viewers have the numbers from 1.
const END: u64 = 0;

impl Shared {
    fn viewers(&self) -> MutexGuard<'_, Vec<Viewer>> {
        self.viewers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self) -> Result<()> {
        let fault = self.viewers().iter().find_map(|viewer| viewer.fault.clone());
        fault.map_or(Ok(()), |fault| bail!("a viewer ended: {fault}"))
    }

    fn read_all(&self) {
        let (mut events, mut buffer) = (Vec::with_capacity(64), vec![0; 64 << 10]);
        loop {
            let room = rustix::buffer::spare_capacity(&mut events);
            match epoll::wait(&self.epoll, room, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
            let mut viewers = self.viewers();
            for event in events.drain(..) {
                let number = event.data.u64();
                if number == END {
                    return;
                }
                let viewer = usize::try_from(number - 1).ok().and_then(|at| viewers.get_mut(at));
                let Some(viewer) = viewer else { continue };
                if let Err(e) = viewer.read(&mut buffer) {
                    viewer.fault = Some(format!("{e:#}"));
                    let _ = epoll::delete(&self.epoll, &viewer.stream);
                }
            }
        }
    }
}

impl Viewer {
    fn new(stream: TcpStream, part: Part) -> Self {
        Self {
            stream,
            part,
            start: Vec::new(),
            is_open: false,
            left: 0,
            captured: SystemTime::UNIX_EPOCH,
            number: 0,
            tally: Tally::default(),
            fault: None,
        }
    }

    /// Reads the available bytes, at most one buffer, so that other viewers get
    /// their turn.
    fn read(&mut self, buffer: &mut [u8]) -> Result<()> {
        let n = match self.stream.read(buffer) {
            Ok(0) => bail!("the stream ended"),
            Ok(n) => n,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                return Ok(());
            }
            Err(e) => return Err(e.into()),
        };
        let mut bytes = &buffer[..n];
        while !bytes.is_empty() {
            bytes = self.consume(bytes)?;
        }
        Ok(())
    }

    /// Consumes bytes up to the end of the current section, and returns the
    /// rest.
    fn consume<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8]> {
        if self.left > 0 {
            let (now, later) = bytes.split_at(self.left.min(bytes.len()));
            self.left -= now.len();
            if self.left == 0 {
                let age = SystemTime::now().duration_since(self.captured).unwrap_or_default();
                self.tally.arrived(self.number, age);
            }
            return Ok(later);
        }
        if !self.is_open {
            self.start.push(bytes[0]);
            ensure!(self.start.len() < 4096, "no stream: {}", self.start.escape_ascii());
            self.is_open = self.start.ends_with(OPENING_END);
            if self.is_open {
                self.start.clear();
            }
            return Ok(&bytes[1..]);
        }
        let missing = self.part.start_bytes() - self.start.len();
        let (now, later) = bytes.split_at(missing.min(bytes.len()));
        self.start.extend_from_slice(now);
        if now.len() == missing {
            (self.captured, self.number) = self.part.read(&self.start)?;
            self.left = self.part.n_bytes - self.start.len();
            self.start.clear();
        }
        Ok(later)
    }

    fn take(&mut self) -> Tally {
        let taken = Tally { last: self.tally.last, ..Tally::default() };
        std::mem::replace(&mut self.tally, taken)
    }
}

/// Reads the head of the reply and the first delimiter.
pub(crate) fn read_opening(stream: &mut impl Read) -> Result<()> {
    let (mut opening, mut byte) = (Vec::new(), [0]);
    while !opening.ends_with(OPENING_END) {
        stream.read_exact(&mut byte)?;
        opening.extend(byte);
        ensure!(opening.len() < 4096, "no stream: {}", String::from_utf8_lossy(&opening));
    }
    Ok(())
}

impl Tally {
    fn arrived(&mut self, number: usize, age: Duration) {
        let ahead = |last| (number + N_PICTURES - last) % N_PICTURES;
        match self.last.map(ahead) {
            // The server repeated the picture because it had no new one, so it
            // does not count.
            Some(0) => return,
            Some(n) => self.n_skipped += n - 1,
            None => {}
        }
        self.last = Some(number);
        self.ages.push(age);
    }
}
