//! The JPEG files of a folder as a camera, in name order, played in a loop.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::pacer::Pacer;
use super::{Cause, Driver, Error};
use crate::frame::{FrameBuf, Timestamp};
use crate::jpeg::Fault;
use crate::mode::Mode;
use crate::shutdown::Shutdown;

#[derive(Debug)]
pub(super) struct Images {
    dir: PathBuf,
    files: std::vec::IntoIter<PathBuf>,
    pacer: Pacer,
    max_bytes: usize,
}

impl Images {
    pub(super) fn open(dir: &Path, fps: Option<f64>, max_bytes: usize) -> Result<Self, Error> {
        let files = list(dir)?.into_iter();
        Ok(Self { dir: dir.to_owned(), files, pacer: Pacer::new(fps.unwrap_or(1.0)), max_bytes })
    }
}

impl Driver for Images {
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Timestamp, Error> {
        self.pacer.wait(stop)?;
        let (path, file) = loop {
            let path = match self.files.next() {
                Some(path) => path,
                None => {
                    // List the folder again in each round, since files may be
                    // added and deleted.
                    self.files = list(&self.dir)?.into_iter();
                    self.files.next().expect("a listed folder holds a picture")
                }
            };
            match fs::File::open(&path) {
                Ok(file) => break (path, file),
                // The file was deleted since the folder was listed. `list` returns
                // only files that exist, so this loop ends.
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => return Err(io(&path, &e)),
            }
        };
        let n_bytes = file.metadata().map_err(|e| io(&path, &e))?.len();
        let n_bytes = usize::try_from(n_bytes).unwrap_or(usize::MAX);
        let n = frame.extend_from(file, n_bytes, self.max_bytes).map_err(|e| io(&path, &e))?;
        if n > self.max_bytes {
            return Err(Error::BadFrame(Fault::TooLarge));
        }
        Ok(Timestamp::now())
    }

    fn mode(&self) -> Mode {
        Mode::paced(self.pacer.fps())
    }
}

/// Checks that the folder holds JPEG files, and that each begins like a JPEG.
pub(super) fn check(dir: &Path) -> Result<(), Error> {
    for path in list(dir)? {
        let mut start = Vec::new();
        let file = fs::File::open(&path).map_err(|e| io(&path, &e))?;
        file.take(3).read_to_end(&mut start).map_err(|e| io(&path, &e))?;
        if !start.starts_with(&[0xFF, 0xD8, 0xFF]) {
            let why = if start.is_empty() { Fault::Empty } else { Fault::NotJpeg };
            return Err(Error::lost(
                Cause::NoSignal,
                format!("{}: {why}; the folder must hold JPEG files", path.display()),
            ));
        }
    }
    Ok(())
}

/// The JPEG files in name order, at least one.
fn list(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let error = |why: &str| Error::lost(Cause::NoDevice, format!("{}: {why}", dir.display()));
    let entries = fs::read_dir(dir).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => error("no such folder"),
        std::io::ErrorKind::NotADirectory => error("not a folder; for a single file use file:PATH"),
        _ => error(&e.to_string()),
    })?;
    let mut files: Vec<_> =
        entries.filter_map(Result::ok).map(|e| e.path()).filter(|p| is_picture(p)).collect();
    if files.is_empty() {
        return Err(error("no picture in this folder; put files *.jpg or *.jpeg there"));
    }
    files.sort();
    Ok(files)
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    let is_jpeg = extension.eq_ignore_ascii_case("jpg") || extension.eq_ignore_ascii_case("jpeg");
    is_jpeg && path.is_file()
}

fn io(path: &Path, error: &std::io::Error) -> Error {
    Error::lost(Cause::Io, format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picture_that_was_deleted_within_the_round_is_skipped() {
        let dir = std::env::temp_dir().join(format!("mjpegd-images-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        for name in ["1.jpg", "2.jpg", "3.jpg"] {
            fs::write(dir.join(name), name).unwrap();
        }
        let mut images = Images::open(&dir, Some(1000.0), 100).unwrap();
        fs::remove_file(dir.join("1.jpg")).unwrap();
        fs::remove_file(dir.join("3.jpg")).unwrap();
        let (_trigger, stop) = crate::shutdown::channel();
        for _ in 0..3 {
            let mut frame = FrameBuf::new();
            images.next_frame(&mut frame, &stop).unwrap();
            assert_eq!(frame.jpeg(), b"2.jpg");
        }
        fs::remove_dir_all(&dir).unwrap();
        let gone = images.next_frame(&mut FrameBuf::new(), &stop);
        assert!(matches!(gone, Err(Error::Lost(Cause::NoDevice, _))), "{gone:?}");
    }
}
