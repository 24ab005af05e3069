//! The camera: a process that writes numbered pictures and notes when.
//!
//! It writes them to its standard output, one after the other.

use std::fs::{File, OpenOptions};
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};

use crate::picture::{self, Pictures};

/// The first argument with which this executable becomes a camera.
pub(crate) const ROLE: &str = "camera";

/// How to run a camera.
pub(crate) struct Camera {
    /// The command.
    pub(crate) words: Vec<String>,
    notes: PathBuf,
}

impl Camera {
    /// A camera that gives its first picture `start` after it was started.
    pub(crate) fn new(pictures: &Pictures, name: &str, rate: u32, start: Duration) -> Result<Self> {
        let notes = pictures.folder.join(format!("notes-{name}"));
        File::create(&notes)?;
        let exe = std::env::current_exe()?;
        let words = [
            exe.display().to_string(),
            ROLE.into(),
            pictures.file().display().to_string(),
            pictures.n_bytes.to_string(),
            notes.display().to_string(),
            rate.to_string(),
            start.as_millis().to_string(),
        ];
        Ok(Self { words: words.into(), notes })
    }

    /// When it wrote which number, in order.
    pub(crate) fn captured(&self) -> Result<Captured> {
        let notes = std::fs::read(&self.notes)?;
        let (notes, _) = notes.as_chunks::<NOTE_BYTES>();
        Ok(Captured(notes.iter().map(read_note).collect()))
    }
}

/// What a camera noted.
pub(crate) struct Captured(Vec<(u8, SystemTime)>);

impl Captured {
    /// When the picture was captured that was seen with this number at this
    /// time: the newest one before it.
    pub(crate) fn of(&self, number: u8, seen: SystemTime) -> Option<SystemTime> {
        let mut notes = self.0.iter().rev();
        notes.find(|(other, time)| *other == number && *time <= seen).map(|(_, time)| *time)
    }

    /// When the first one was captured.
    pub(crate) fn first(&self) -> Option<SystemTime> {
        self.0.first().map(|(_, time)| *time)
    }

    /// How many pictures were captured in this span.
    pub(crate) fn n_between(&self, from: SystemTime, to: SystemTime) -> usize {
        self.0.iter().filter(|(_, time)| (from..to).contains(time)).count()
    }
}

/// Nanoseconds since 1970 and a number, 8 bytes each.
const NOTE_BYTES: usize = 16;

fn note(number: u8, now: SystemTime) -> [u8; NOTE_BYTES] {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (since.as_nanos() | u128::from(number) << 64).to_le_bytes()
}

fn read_note(note: &[u8; NOTE_BYTES]) -> (u8, SystemTime) {
    let [nanos @ .., _, _, _, _, _, _, _] = *note;
    let [nanos @ .., number] = nanos;
    (number, SystemTime::UNIX_EPOCH + Duration::from_nanos(u64::from_le_bytes(nanos)))
}

/// Arguments: file and length of the pictures, file for the notes, pictures a
/// second, milliseconds to the first one.
pub(crate) fn main(mut args: impl Iterator<Item = String>) -> Result<()> {
    let begun = Instant::now();
    let mut next = || args.next().context("camera FILE BYTES NOTES FPS START_MS");
    let (pictures, n_bytes) = (File::open(next()?)?, next()?.parse()?);
    let mut notes = OpenOptions::new().append(true).open(Path::new(&next()?))?;
    let (rate, start): (u32, u64) = (next()?.parse()?, next()?.parse()?);
    let mut due = begun + Duration::from_millis(start);
    let (mut picture, mut output) = (vec![0; n_bytes], stdout().lock());
    for number in (0..=u8::MAX).cycle() {
        picture::read(&pictures, number, &mut picture)?;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        due += Duration::from_secs(1) / rate;
        notes.write_all(&note(number, SystemTime::now()))?;
        output.write_all(&picture)?;
        output.flush()?;
    }
    Ok(())
}
