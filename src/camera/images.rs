//! The JPEG files of a folder as a camera, in name order, played in a loop.
//!
//! Other files with such a name (the `._x.jpg` of a Mac, an upload that has just
//! begun, a folder) are skipped, and named once in the log.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use parking_lot::Mutex;

use super::kinds::{Kind, Openable, Source, behind, openable, path};
use super::pacer::Pacer;
use super::watched::{self, Watched};
use super::{Cause, Driver, Error};
use crate::config::{CameraConfig, Watch};
use crate::frame::{FrameBuf, Timestamp};
use crate::jpeg;
use crate::mode::Mode;
use crate::shutdown::Shutdown;

/// The files that were named in the log since the start of the program. A static,
/// because a folder is listed again in each round and opened again after a pause.
static NAMED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
/// How many bytes of a file are checked at the start of the program.
const N_START: u64 = 80;
/// The most files to remember; further ones are not named.
const MAX_NAMED: usize = 100;

pub(super) const KIND: Kind = Kind {
    form: "images:DIR",
    help: "the JPEG files of a folder, in name order, over and over, or as they come (--watch)",
    read: |text| read(text).transpose().map(|of| of.map(|of| Box::new(of) as Box<dyn Source>)),
};

/// The path of the folder.
struct Named(PathBuf);

fn read(text: &str) -> Result<Option<Named>> {
    match behind("images", text) {
        Some(rest) => Ok(Some(Named(path(rest, "images:DIR")?))),
        // A bare path is refused with the form that it needs, so that every source
        // has one spelling.
        None if Path::new(text).is_dir() => {
            bail!("no such source; for a folder use images:{text}")
        }
        None => Ok(None),
    }
}

impl Source for Named {
    fn check(&self, config: &CameraConfig) -> Result<(), Error> {
        if config.watch.is_some() { watched::check(&self.0) } else { check(&self.0) }
    }

    fn camera(self: Box<Self>, config: CameraConfig, _: &str) -> Openable {
        if let Some(Watch { removes }) = config.watch {
            return openable(move || Watched::open(&self.0, removes, config.max_frame_bytes));
        }
        openable(move || Images::open(&self.0, config.fps, config.max_frame_bytes))
    }
}

#[derive(Debug)]
struct Images {
    dir: PathBuf,
    files: std::vec::IntoIter<PathBuf>,
    pacer: Pacer,
    max_bytes: usize,
    /// How many files the folder had when it was listed last.
    n_files: usize,
    /// How many bad files came since the last good picture; `None` before the first.
    n_bad: Option<usize>,
    /// Why the last file could not be read, if none of this round could.
    unread: Option<Error>,
}

impl Images {
    fn open(dir: &Path, fps: Option<f64>, max_bytes: usize) -> Result<Self, Error> {
        let files = list(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            n_files: files.len(),
            files: files.into_iter(),
            pacer: Pacer::new(fps.unwrap_or(1.0)),
            max_bytes,
            n_bad: None,
            unread: None,
        })
    }

    /// Whether the next file is due at once, because the last one was bad: where others
    /// are good, a bad file takes no time from them. At most a round is run through in
    /// this way, or a folder without a good picture would keep the processor busy.
    fn is_due(&self) -> bool {
        self.n_bad.is_some_and(|n| (1..=self.n_files).contains(&n))
    }

    /// Reads the next file that can be read into `frame`, and returns its path.
    fn read_next(&mut self, frame: &mut FrameBuf) -> Result<PathBuf, Error> {
        loop {
            let Some(path) = self.files.next() else {
                // List the folder again in each round, since files may be
                // added and deleted.
                if let Some(error) = self.unread.take() {
                    return Err(error);
                }
                let files = list(&self.dir)?;
                self.n_files = files.len();
                self.files = files.into_iter();
                continue;
            };
            match read_file(&path, frame, self.max_bytes) {
                Ok(()) => {
                    self.unread = None;
                    return Ok(path);
                }
                // The file was deleted since the folder was listed. `list` returns
                // only files that exist, so this loop ends.
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(e) => {
                    log_once(&path, &e.to_string());
                    frame.truncate(0);
                    self.unread = Some(io(&path, &e));
                }
            }
        }
    }
}

/// Reads a file into an empty frame, or as much of it as is no frame any more.
pub(super) fn read_file(
    path: &Path,
    frame: &mut FrameBuf,
    max_bytes: usize,
) -> std::io::Result<()> {
    let file = fs::File::open(path)?;
    let n_bytes = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    frame.extend_from(file, n_bytes, max_bytes).map(|_| ())
}

/// Checks what was read of a file, which is named in the log if it is no picture.
pub(super) fn check_picture(
    path: &Path,
    frame: &mut FrameBuf,
    max_bytes: usize,
) -> Result<(), Error> {
    frame.cut(0..jpeg::n_before(frame.jpeg()));
    let checked = match frame.jpeg() {
        jpeg if jpeg.len() > max_bytes => Err(jpeg::Error::TooLarge),
        jpeg => jpeg::check(jpeg),
    };
    let info = checked.map_err(|why| {
        log_once(path, &why.to_string());
        Error::BadFrame(why)
    })?;
    // A file without its end may be half an upload: capture decides whether it
    // is shown.
    if info.has_end {
        frame.truncate(info.len);
        frame.mark_walked();
    }
    Ok(())
}

impl Driver for Images {
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Timestamp, Error> {
        if !self.is_due() {
            self.pacer.wait(stop)?;
        }
        let path = self.read_next(frame)?;
        let checked = check_picture(&path, frame, self.max_bytes);
        self.n_bad = match &checked {
            Ok(()) => Some(0),
            Err(_) => self.n_bad.map(|n| n + 1),
        };
        checked.map(|()| Timestamp::now())
    }

    fn mode(&self) -> Mode {
        Mode::paced(self.pacer.fps())
    }
}

/// Checks that the folder holds a picture: a file that begins like a JPEG.
fn check(dir: &Path) -> Result<(), Error> {
    let files = list(dir)?;
    let n_files = files.len();
    let error = |path: PathBuf| check_start(&path).err().map(|why| (path, why));
    let bad: Vec<_> = files.into_iter().filter_map(error).collect();
    match bad.first() {
        Some((path, why)) if bad.len() == n_files => Err(Error::lost(
            Cause::NoSignal,
            format!("{}: {why}; the folder must hold JPEG files", path.display()),
        )),
        _ => {
            bad.iter().for_each(|(path, why)| log_once(path, why));
            Ok(())
        }
    }
}

/// Checks that a file begins like a JPEG.
fn check_start(path: &Path) -> Result<(), String> {
    let mut start = Vec::new();
    let file = fs::File::open(path).map_err(|e| e.to_string())?;
    file.take(N_START).read_to_end(&mut start).map_err(|e| e.to_string())?;
    match &start[jpeg::n_before(&start)..] {
        [0xFF, 0xD8, 0xFF, ..] => Ok(()),
        [] => Err(jpeg::Error::Empty.to_string()),
        _ => Err(jpeg::Error::NotJpeg.to_string()),
    }
}

/// Logs once that a file is skipped, and why.
pub(super) fn log_once(path: &Path, why: &str) {
    let mut named = NAMED.lock();
    if named.len() < MAX_NAMED && !named.iter().any(|known| known == path) {
        named.push(path.to_owned());
        drop(named);
        log::warn!("{}: {why}; the file is skipped", path.display());
    }
}

/// The JPEG files in name order, at least one.
fn list(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let error = |why: &str| Error::lost(Cause::NoDevice, format!("{}: {why}", dir.display()));
    let entries = fs::read_dir(dir).map_err(|e| match e.kind() {
        ErrorKind::NotFound => error("no such folder"),
        ErrorKind::NotADirectory => error("not a folder; for a single file use file:PATH"),
        _ => error(&e.to_string()),
    })?;
    let entries = entries.filter_map(Result::ok).map(|e| e.path()).filter(|p| has_jpeg_name(p));
    let (mut files, others): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_file());
    others.iter().for_each(|path| log_once(path, "not a file"));
    if files.is_empty() {
        return Err(error("no picture in this folder; put files *.jpg or *.jpeg there"));
    }
    // By the bytes of their names: 10.jpg comes before 2.jpg, as in most programs.
    files.sort_unstable();
    Ok(files)
}

pub(super) fn has_jpeg_name(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    extension.eq_ignore_ascii_case("jpg") || extension.eq_ignore_ascii_case("jpeg")
}

fn io(path: &Path, error: &std::io::Error) -> Error {
    Error::lost(Cause::Io, format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &[u8] = include_bytes!("demo/1.jpg");
    const B: &[u8] = include_bytes!("demo/2.jpg");

    fn dir(name: &str, files: &[(&str, &[u8])]) -> PathBuf {
        let name = format!("mjpegd-images-{}-{name}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        fs::create_dir_all(&dir).unwrap();
        files.iter().for_each(|(name, bytes)| fs::write(dir.join(name), bytes).unwrap());
        dir
    }

    /// The results of the next calls.
    fn next(images: &mut Images, n: usize) -> Vec<Result<Vec<u8>, Error>> {
        let (_trigger, stop) = crate::shutdown::channel();
        let one = |_| {
            let mut frame = FrameBuf::new();
            images.next_frame(&mut frame, &stop).map(|_| frame.jpeg().to_vec())
        };
        (0..n).map(one).collect()
    }

    /// How often a file was named.
    fn n_named(path: &Path) -> usize {
        NAMED.lock().iter().filter(|known| *known == path).count()
    }

    #[test]
    fn picture_that_was_deleted_within_the_round_is_skipped() {
        let dir = dir("deleted", &[("1.jpg", A), ("2.jpg", B), ("3.jpg", A)]);
        let mut images = Images::open(&dir, Some(1000.0), 1 << 20).unwrap();
        fs::remove_file(dir.join("1.jpg")).unwrap();
        fs::remove_file(dir.join("3.jpg")).unwrap();
        assert!(next(&mut images, 3).iter().all(|jpeg| *jpeg == Ok(B.to_vec())));
        fs::remove_dir_all(&dir).unwrap();
        let gone = &next(&mut images, 1)[0];
        assert!(matches!(gone, Err(Error::Lost(Cause::NoDevice, _))), "{gone:?}");
    }

    #[test]
    fn bad_files_are_skipped_and_named_once() {
        let mac = b"\0\x05\x16\x07\0\x02\0\0Mac OS X";
        let files: [(&str, &[u8]); 5] = [
            ("._1.jpg", mac),
            ("1.jpg", A),
            ("2.jpg", b""),
            ("3.JPG", b"\x89PNG\r\n"),
            ("4.jpeg", B),
        ];
        let dir = dir("bad", &files);
        fs::create_dir(dir.join("5.jpg")).unwrap();
        std::os::unix::fs::symlink(dir.join("nowhere"), dir.join("6.jpg")).unwrap();
        assert_eq!(check(&dir), Ok(()));
        let mut images = Images::open(&dir, Some(1000.0), 1 << 20).unwrap();
        for _ in 0..2 {
            let seen = next(&mut images, 5);
            let bad = |why| Err(Error::BadFrame(why));
            let (a, b) = (Ok(A.to_vec()), Ok(B.to_vec()));
            let due = [
                bad(jpeg::Error::NotJpeg),
                a,
                bad(jpeg::Error::Empty),
                bad(jpeg::Error::NotJpeg),
                b,
            ];
            assert!(seen == due);
        }
        for name in ["._1.jpg", "2.jpg", "3.JPG", "5.jpg", "6.jpg"] {
            assert_eq!(n_named(&dir.join(name)), 1, "{name}");
        }
        assert_eq!(n_named(&dir.join("1.jpg")), 0);
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn bad_file_takes_no_time_among_good_ones() {
        let dir = dir("time", &[("1.jpg", A), ("2.jpg", b"x"), ("3.jpg", b"y")]);
        let mut images = Images::open(&dir, Some(1000.0), 1 << 20).unwrap();
        next(&mut images, 1);
        for is_due in [true, true, false] {
            next(&mut images, 1);
            assert_eq!(images.is_due(), is_due);
        }
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn folder_without_a_picture_is_refused() {
        let dir = dir("none", &[("1.jpg", b"x"), ("2.jpg", b"")]);
        let error = check(&dir).unwrap_err().to_string();
        assert!(error.contains("not a JPEG; the folder must hold JPEG files"), "{error}");
        fs::remove_dir_all(&dir).unwrap();
    }
}
