//! A display without a screen, whose memory is a file (Xvfb's `-fbdir`).

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, anyhow, ensure};

use crate::children::{Running, command};
use crate::picture::{Place, is_magenta};

/// The error of a time that is read from the display.
const LOOK_EVERY: Duration = Duration::from_millis(1);
pub(crate) const SIZE: (usize, usize) = (1024, 768);
const PIXEL: usize = 4;
/// A picture whose number could not be read for so long has moved.
const LOST_AFTER: Duration = Duration::from_millis(100);
/// Smaller ones are still being laid out.
const LEAST_WIDTH: usize = 300;

pub(crate) struct Screen {
    _server: Running,
    /// Such as `:90`.
    pub(crate) name: String,
    memory: Memory,
}

/// The display's memory: rows of pixels, each blue, green, red and nothing.
#[derive(Clone)]
struct Memory {
    file: Arc<File>,
    start: usize,
    row_bytes: usize,
}

/// The numbers that appeared, each with the time when it was first seen.
pub(crate) type Seen = Vec<(u8, SystemTime)>;

/// A thread that looks at the display until it is stopped.
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Seen>>,
}

impl Screen {
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let mut server = command("Xvfb");
        let (width, height) = SIZE;
        let size = format!("{width}x{height}x24");
        server.args(["-displayfd", "1", "-screen", "0", &size, "-nolisten", "tcp", "-nocursor"]);
        let log = folder.join("log");
        let mut server = Running::start(server.arg("-fbdir").arg(folder), &log)?;
        let file = folder.join("Xvfb_screen0");
        let memory = server.wait(|| Memory::open(&file).ok())?;
        // Xvfb takes the first number that is free, and prints it when it listens.
        let number = server.wait(|| {
            let said = fs::read_to_string(&log).ok()?;
            said.lines().find_map(|line| line.parse::<u16>().ok())
        })?;
        Ok(Self { _server: server, name: format!(":{number}"), memory })
    }

    /// Waits until a picture is there and no longer moves. Returns where it is,
    /// and when a part of it was first seen.
    pub(crate) fn find(&self, patience: Duration) -> Result<(Place, SystemTime)> {
        let deadline = Instant::now() + patience;
        while !self.memory.shows_a_part()? {
            ensure!(Instant::now() < deadline, "no picture appeared in {patience:?}");
            thread::sleep(LOOK_EVERY);
        }
        let first = SystemTime::now();
        let mut last = None;
        loop {
            let place = self.memory.find()?;
            if let Some(place) = place
                && last == Some(place)
            {
                return Ok((place, first));
            }
            last = place;
            ensure!(Instant::now() < deadline, "the picture moves for {patience:?}");
            thread::sleep(LOST_AFTER);
        }
    }

    /// Waits until no picture is there.
    pub(crate) fn wait_until_blank(&self, patience: Duration) -> Result<()> {
        let deadline = Instant::now() + patience;
        while self.memory.find()?.is_some() {
            ensure!(Instant::now() < deadline, "the picture of before stays");
            thread::sleep(LOST_AFTER / 4);
        }
        Ok(())
    }

    pub(crate) fn watch(&self, place: Place) -> Result<Watch> {
        let stop = Arc::<AtomicBool>::default();
        let (memory, ordered) = (self.memory.clone(), Arc::clone(&stop));
        let look = move || memory.watch(place, &ordered);
        let thread = thread::Builder::new().name("screen".into()).spawn(look)?;
        Ok(Watch { stop, thread })
    }
}

impl Watch {
    pub(crate) fn end(self) -> Result<Seen> {
        self.stop.store(true, Relaxed);
        self.thread.join().map_err(|_| anyhow!("the thread that looks at the display panicked"))?
    }
}

impl Memory {
    /// Format: X11's XWDFile.h, words of 32 bits, most significant byte first.
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path)?;
        let mut head = [0; 100];
        file.read_exact_at(&mut head, 0)?;
        let (words, _) = head.as_chunks::<4>();
        let word = |at: usize| {
            let bytes = words.get(at).copied().context("a short head")?;
            Ok::<_, anyhow::Error>(usize::try_from(u32::from_be_bytes(bytes))?)
        };
        let (head, width, bits, row_bytes, n_colours) =
            (word(0)?, word(4)?, word(11)?, word(12)?, word(19)?);
        ensure!((width, bits) == (SIZE.0, PIXEL * 8), "a display of {width} and {bits} bits");
        let start = head + n_colours * 12;
        ensure!(file.metadata()?.len() >= (start + row_bytes * SIZE.1) as u64, "not yet whole");
        Ok(Self { file: Arc::new(file), start, row_bytes })
    }

    fn read(&self, row: usize, rows: &mut [u8]) -> Result<()> {
        Ok(self.file.read_exact_at(rows, (self.start + row * self.row_bytes) as u64)?)
    }

    /// Whether there is something magenta in some of the rows that a picture covers. To read all
    /// of them takes a millisecond, which the browser would lack.
    fn shows_a_part(&self) -> Result<bool> {
        let mut row = vec![0; self.row_bytes];
        for y in (SIZE.1 / 4..SIZE.1 / 2).step_by(SIZE.1 / 8) {
            self.read(y, &mut row)?;
            if row.as_chunks::<PIXEL>().0.iter().any(|p| is_magenta(p[2], p[1], p[0])) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The box around all that is magenta.
    fn find(&self) -> Result<Option<Place>> {
        let mut all = vec![0; self.row_bytes * SIZE.1];
        self.read(0, &mut all)?;
        let (mut left, mut right, mut top, mut bottom) = (usize::MAX, 0, usize::MAX, 0);
        for (y, row) in all.chunks_exact(self.row_bytes).enumerate() {
            let mut pixels = row.as_chunks::<PIXEL>().0.iter();
            let is_frame = |p: &[u8; PIXEL]| is_magenta(p[2], p[1], p[0]);
            let Some(first) = pixels.clone().position(is_frame) else { continue };
            let last = pixels.rposition(is_frame).unwrap_or(first);
            (left, right) = (left.min(first), right.max(last + 1));
            (top, bottom) = (top.min(y), y + 1);
        }
        let is_there = right >= left.saturating_add(LEAST_WIDTH);
        Ok(is_there.then(|| Place { left, top, width: right - left, height: bottom - top }))
    }

    fn watch(&self, mut place: Place, stop: &AtomicBool) -> Result<Seen> {
        let mut seen = Seen::new();
        let mut rows = [vec![0; self.row_bytes], vec![0; self.row_bytes]];
        let (mut candidate, mut read_at) = (None, Instant::now());
        while !stop.load(Relaxed) {
            let now = SystemTime::now();
            for (row, y) in rows.iter_mut().zip(place.rows()) {
                self.read(y, row)?;
            }
            let green = |row: usize, x: usize| rows.get(row)?.get(x * PIXEL + 1).copied();
            if let Some(number) = place.number(green) {
                read_at = Instant::now();
                // Only what is seen twice counts, from when it was first seen: a
                // look may fall between the drawing of two fields.
                match candidate {
                    Some((last, since)) if last == number => {
                        if seen.last().is_none_or(|(before, _)| *before != number) {
                            seen.push((number, since));
                        }
                    }
                    _ => candidate = Some((number, now)),
                }
            } else if read_at.elapsed() > LOST_AFTER {
                place = self.find()?.unwrap_or(place);
                read_at = Instant::now();
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(seen)
    }
}
