//! A folder of recorded segments as a camera: its newest picture, as files come. The
//! recording itself is shown by the room of that name.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Result;

use super::kinds::{Kind, Openable, Source, behind, openable, path};
use super::{Cause, Driver, Error};
use crate::frame::{FrameBuf, HEADERS_END, PART_START, Timestamp, UP_TO_TIMESTAMP};
use crate::mode::Mode;
use crate::shutdown::Shutdown;

const FORM: &str = "recording:DIR";
/// How often to look for a newer picture.
const EVERY: Duration = Duration::from_secs(1);
/// What may stand before a JPEG in its file.
const HEAD_ROOM: usize = 4096;

pub(super) const KIND: Kind = Kind {
    form: FORM,
    help: "a recording that others write, such as a copy from a bucket; it is only shown",
    read: |text| folder(text).map(|dir| dir.map(|dir| Box::new(Named(dir)) as Box<dyn Source>)),
};

struct Named(PathBuf);

/// The folder of such a source.
fn folder(text: &str) -> Option<Result<PathBuf>> {
    behind("recording", text).map(|rest| path(rest, FORM))
}

impl Source for Named {
    fn camera(self: Box<Self>, config: crate::config::CameraConfig, _: &str) -> Openable {
        openable(move || {
            let (dir, max_bytes) = (self.0.clone(), config.max_frame_bytes);
            Ok(Recorded { dir, max_bytes, last: None })
        })
    }
}

struct Recorded {
    dir: PathBuf,
    max_bytes: usize,
    /// The file of the last picture, and how long it was.
    last: Option<(PathBuf, u64)>,
}

impl Recorded {
    /// The picture that is newer than the last one.
    fn newer(&mut self, frame: &mut FrameBuf) -> Result<Option<Timestamp>, Error> {
        let lost = |e: &io::Error| {
            Error::Lost(Cause::NoDevice, format!("cannot read {}: {e}", self.dir.display()))
        };
        let Some(newest) = newest(&self.dir).map_err(|e| lost(&e))? else {
            let why = format!("{} has no recorded file yet", self.dir.display());
            return Err(Error::Lost(Cause::NoSignal, why));
        };
        let file = File::open(&newest).map_err(|e| lost(&e))?;
        let size = file.metadata().map_err(|e| lost(&e))?.len();
        if self.last.as_ref().is_some_and(|(path, n)| (path, *n) == (&newest, size)) {
            return Ok(None);
        }
        let n = size.min((self.max_bytes + HEAD_ROOM) as u64);
        let mut tail = vec![0; usize::try_from(n).unwrap_or_default()];
        file.read_exact_at(&mut tail, size - n).map_err(|e| lost(&e))?;
        self.last = Some((newest, size));
        Ok(last_picture(&tail).map(|(jpeg, wall)| {
            frame.extend(jpeg);
            Timestamp { wall, ..Timestamp::now() }
        }))
    }
}

impl Driver for Recorded {
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Timestamp, Error> {
        match self.newer(frame)? {
            Some(at) => Ok(at),
            None if stop.wait_for(EVERY) => Err(Error::Stopped),
            None => Err(Error::NotYet),
        }
    }

    fn mode(&self) -> Mode {
        Mode::default()
    }
}

/// The segment with the highest number; `None`: there is none.
fn newest(dir: &Path) -> io::Result<Option<PathBuf>> {
    let number = |path: &Path| {
        let stem = path.file_name()?.to_str()?.strip_suffix(".mjpeg")?;
        stem.rsplit_once('_')?.1.parse::<u64>().ok()
    };
    let paths = fs::read_dir(dir)?.filter_map(|entry| Some(entry.ok()?.path()));
    let newest = paths.filter_map(|path| Some((number(&path)?, path))).max();
    Ok(newest.map(|(_, path)| path))
}

/// The last whole picture at the end of a segment, and when it was taken.
fn last_picture(bytes: &[u8]) -> Option<(&[u8], SystemTime)> {
    let mut end = bytes.len();
    loop {
        let at = memchr::memmem::rfind(&bytes[..end], PART_START.as_bytes())?;
        if let Some(found) = picture(&bytes[at + PART_START.len()..]) {
            return Some(found);
        }
        end = at;
    }
}

/// The picture of a part, behind the words before its length.
fn picture(bytes: &[u8]) -> Option<(&[u8], SystemTime)> {
    let (length, rest) = split(bytes, UP_TO_TIMESTAMP)?;
    let (time, rest) = split(rest, HEADERS_END)?;
    let (seconds, micros) = time.split_once('.')?;
    let since =
        Duration::new(seconds.parse().ok()?, micros.parse::<u32>().ok()?.checked_mul(1000)?);
    let jpeg = rest.get(..length.parse().ok()?)?;
    Some((jpeg, SystemTime::UNIX_EPOCH.checked_add(since)?))
}

/// The short text before `mark`, and the bytes behind it.
fn split<'a>(bytes: &'a [u8], mark: &str) -> Option<(&'a str, &'a [u8])> {
    let at = memchr::memmem::find(&bytes[..bytes.len().min(64)], mark.as_bytes())?;
    Some((std::str::from_utf8(&bytes[..at]).ok()?, &bytes[at + mark.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_whole_picture_is_found_behind_one_that_is_cut() {
        let part = |jpeg: &str, n: usize| {
            format!("{PART_START}{n}{UP_TO_TIMESTAMP}1795197222.490963{HEADERS_END}{jpeg}")
        };
        let text = part("one", 3) + "\r\n" + &part("three", 5) + "\r\n" + &part("cu", 9);
        let (jpeg, at) = last_picture(text.as_bytes()).unwrap();
        assert_eq!(jpeg, b"three");
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(since, Duration::from_micros(1_795_197_222_490_963));
        for text in ["", PART_START, &part("x", 9), &part("x", 1).replace("1795", "x")] {
            assert_eq!(last_picture(text.as_bytes()), None, "{text}");
        }
    }
}
