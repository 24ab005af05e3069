//! Many viewers that check what they get: whole parts, each with the number that its
//! picture should have. One thread a viewer, as they read different connections.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::support::{eventually_is, number};

/// A program that connects again when its stream ends, after this time.
const PAUSE: Duration = Duration::from_millis(100);

/// How old the last picture of one that is served may be.
const RECENT: Duration = Duration::from_secs(2);

/// What one viewer has seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) n_pictures: u64,
    /// When the last picture came.
    pub(super) last: Option<Instant>,
    /// The longest time without one, since the last reset.
    pub(super) longest_gap: Duration,
    /// Streams that ended, and requests that were refused.
    pub(super) n_ends: u64,
    pub(super) n_refused: u64,
    /// Pictures between two of the same stream that it did not get.
    pub(super) n_missed: u64,
    /// Numbers that were not above the one before, in the same stream.
    pub(super) n_wrong: u64,
}

/// Viewers that watch until the end.
pub(super) struct Crowd {
    seen: Vec<Arc<Mutex<Seen>>>,
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Crowd {
    /// `n_numbers` is how many pictures the camera has before it begins again.
    pub(super) fn start(at: SocketAddr, n: usize, n_numbers: usize) -> Self {
        let (is_over, mut seen, mut threads) =
            (Arc::<AtomicBool>::default(), Vec::new(), Vec::new());
        for _ in 0..n {
            let own = Arc::<Mutex<Seen>>::default();
            seen.push(Arc::clone(&own));
            let over = Arc::clone(&is_over);
            let run = move || {
                while !over.load(SeqCst) {
                    watch(at, n_numbers, &own, &over);
                    thread::sleep(PAUSE);
                }
            };
            threads.push(thread::Builder::new().stack_size(128 << 10).spawn(run).unwrap());
        }
        Self { seen, is_over, threads }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.iter().map(|seen| seen.lock().clone()).collect()
    }

    /// Forgets gaps and counts, as a phase of a test begins.
    pub(super) fn reset(&self) {
        for seen in &self.seen {
            let mut seen = seen.lock();
            *seen = Seen { last: Some(Instant::now()), ..Seen::default() };
        }
    }

    /// Waits until all have had a picture in the last moments.
    pub(super) fn wait_until_lit(&self) {
        let is_lit =
            |seen: &Seen| seen.n_pictures > 0 && seen.last.is_some_and(|at| at.elapsed() < RECENT);
        eventually_is("all have pictures", || self.seen().iter().all(is_lit));
    }

    /// Waits until each has had `n` pictures from now on.
    pub(super) fn wait_for_more(&self, n: u64) {
        let n_pictures = || self.seen().iter().map(|seen| seen.n_pictures).collect::<Vec<_>>();
        let due: Vec<_> = n_pictures().into_iter().map(|before| before + n).collect();
        eventually_is("all have more pictures", || {
            n_pictures().iter().zip(&due).all(|(now, due)| now >= due)
        });
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.is_over.store(true, SeqCst);
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

/// Watches one stream to its end.
fn watch(at: SocketAddr, n_numbers: usize, seen: &Mutex<Seen>, over: &AtomicBool) {
    let Ok(mut stream) = TcpStream::connect(at) else { return };
    // Only to look whether it is over.
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    if stream.write_all(b"GET /stream HTTP/1.1\r\nHost: fleet\r\n\r\n").is_err() {
        return;
    }
    let mut reader = BufReader::with_capacity(16 << 10, Patient { stream, over });
    let mut line = String::new();
    let _ = reader.read_line(&mut line);
    if !line.starts_with("HTTP/1.1 200 ") {
        seen.lock().n_refused += u64::from(line.contains(" 503 "));
        return;
    }
    let mut before: Option<usize> = None;
    let mut is_chunked = false;
    while !over.load(SeqCst)
        && let Some(length) = next_length(&mut reader, &mut is_chunked)
    {
        let mut jpeg = vec![0; length];
        if reader.read_exact(&mut jpeg).is_err() {
            break;
        }
        let now = Instant::now();
        let mut seen = seen.lock();
        if let Some(last) = seen.last {
            seen.longest_gap = seen.longest_gap.max(now - last);
        }
        seen.last = Some(now);
        seen.n_pictures += 1;
        // A status picture has no number.
        if let Some(n) = number(&jpeg) {
            if let Some(before) = before {
                // One that is sent again is no mistake.
                let step = (n + n_numbers - before) % n_numbers;
                seen.n_missed += step.saturating_sub(1) as u64;
                seen.n_wrong += u64::from(step > n_numbers / 2);
            }
            before = Some(n);
        }
    }
    seen.lock().n_ends += 1;
}

/// The length of the next JPEG; `None` at the end of the stream.
fn next_length(reader: &mut impl BufRead, is_chunked: &mut bool) -> Option<usize> {
    let mut length = None;
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        *is_chunked |= line.to_ascii_lowercase().starts_with("transfer-encoding: chunked");
        assert!(!*is_chunked, "this client reads no chunks");
        if let Some(text) = line.strip_prefix("Content-Length:") {
            length = text.trim().parse().ok();
        }
        if line == "\r\n" && length.is_some() {
            return length;
        }
    }
}

/// Reads on after a timeout, unless the test is over.
struct Patient<'a> {
    stream: TcpStream,
    over: &'a AtomicBool,
}

impl Read for Patient<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        loop {
            match self.stream.read(buf) {
                Err(e) if e.kind() == ErrorKind::WouldBlock && !self.over.load(SeqCst) => {}
                other => return other,
            }
        }
    }
}
