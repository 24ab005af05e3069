//! A viewer without a browser: notes when the last byte of each picture came.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Result, anyhow, ensure};
use memchr::memmem;

use crate::picture::number_of_jpeg;

const START: &[u8] = &[0xFF, 0xD8, 0xFF];
const END: &[u8] = &[0xFF, 0xD9];
/// How often it looks whether it is to stop.
const SLICE: Duration = Duration::from_millis(100);
const PAUSE: Duration = Duration::from_millis(5);
const MAX_BYTES: usize = 8 << 20;

/// A picture, and when its last byte was there. To decode it would take time from the servers, so
/// that is done in the end.
type Arrived = Vec<(Vec<u8>, SystemTime)>;

pub(crate) struct Viewer {
    shared: Arc<Shared>,
    thread: JoinHandle<Result<Arrived>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    has_picture: AtomicBool,
}

impl Viewer {
    /// Returns with a picture. A server may listen before its camera gives any.
    pub(crate) fn watch(server: SocketAddr, path: &str, patience: Duration) -> Result<Self> {
        let deadline = Instant::now() + patience;
        loop {
            let viewer = Self::open(server, path)?;
            while !viewer.thread.is_finished() {
                if viewer.shared.has_picture.load(Relaxed) {
                    return Ok(viewer);
                }
                ensure!(Instant::now() < deadline, "no picture in {patience:?}");
                thread::sleep(PAUSE);
            }
            thread::sleep(SLICE);
        }
    }

    fn open(server: SocketAddr, path: &str) -> Result<Self> {
        let mut stream = TcpStream::connect(server)?;
        stream.set_read_timeout(Some(SLICE))?;
        // In the older version nobody cuts the pictures into chunks.
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {server}\r\n\r\n")?;
        let shared = Arc::<Shared>::default();
        let of_thread = Arc::clone(&shared);
        let read = move || read(stream, &of_thread);
        let thread = thread::Builder::new().name("viewer".into()).spawn(read)?;
        Ok(Self { shared, thread })
    }

    /// The numbers, and when their pictures were there.
    pub(crate) fn end(self) -> Result<Vec<(u8, SystemTime)>> {
        self.shared.stop.store(true, Relaxed);
        let arrived =
            self.thread.join().map_err(|_| anyhow!("the viewer without a browser panicked"))??;
        let number = |(jpeg, time): (Vec<u8>, _)| Some((number_of_jpeg(&jpeg).ok()?, time));
        Ok(arrived.into_iter().filter_map(number).collect())
    }
}

fn read(mut stream: TcpStream, shared: &Shared) -> Result<Arrived> {
    let mut arrived = Arrived::new();
    let (mut bytes, mut piece) = (Vec::new(), vec![0; 256 << 10]);
    while !shared.stop.load(Relaxed) {
        let n = match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                continue;
            }
            Err(e) => return Err(e.into()),
        };
        let now = SystemTime::now();
        // A marker may have been cut.
        let mut searched = bytes.len().saturating_sub(1);
        bytes.extend_from_slice(&piece[..n]);
        ensure!(bytes.len() < MAX_BYTES, "a stream without pictures");
        while let Some(at) = memmem::find(&bytes[searched..], END) {
            let rest = bytes.split_off(searched + at + END.len());
            if let Some(start) = memmem::find(&bytes, START) {
                arrived.push((bytes.split_off(start), now));
                shared.has_picture.store(true, Relaxed);
            }
            bytes = rest;
            searched = 0;
        }
    }
    Ok(arrived)
}
