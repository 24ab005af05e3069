//! A file of concatenated JPEGs as a camera, played in a loop.

use std::fs;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::kinds::{Kind, Openable, Source, behind, openable, path};
use super::pacer::Pacer;
use super::{Cause, Driver, Error};
use crate::config::CameraConfig;
use crate::frame::{FrameBuf, Timestamp};
use crate::jpeg::{self, Found, Splitter};
use crate::mode::Mode;
use crate::shutdown::Shutdown;

/// The usual frame rate of a video: a file of JPEGs does not contain its own.
const FPS: f64 = 25.0;

pub(super) const KIND: Kind = Kind {
    form: "file:PATH",
    help: "a file of JPEGs one after the other, over and over",
    read: |text| read(text).transpose().map(|of| of.map(|of| Box::new(of) as Box<dyn Source>)),
};

/// The path of the file.
struct Named(PathBuf);

fn read(text: &str) -> Result<Option<Named>> {
    match behind("file", text) {
        Some(rest) => Ok(Some(Named(path(rest, "file:PATH")?))),
        // A bare path is refused with the form that it needs, so that every source
        // has one spelling.
        None if Path::new(text).is_file() => {
            bail!("no such source; for a file use file:{text}")
        }
        None => Ok(None),
    }
}

impl Source for Named {
    fn check(&self, config: &CameraConfig) -> Result<(), Error> {
        check(&self.0, config.max_frame_bytes)
    }

    fn camera(self: Box<Self>, config: CameraConfig, _: &str) -> Openable {
        openable(move || File::open(&self.0, config.fps, config.max_frame_bytes))
    }
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    pictures: Pictures,
    pacer: Pacer,
}

impl File {
    fn open(path: &Path, fps: Option<f64>, max_bytes: usize) -> Result<Self, Error> {
        let pacer = Pacer::new(fps.unwrap_or(FPS));
        Ok(Self { path: path.to_owned(), pictures: Pictures::open(path, max_bytes)?, pacer })
    }
}

impl Driver for File {
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Timestamp, Error> {
        self.pacer.wait(stop)?;
        loop {
            match self.pictures.next(frame).map_err(|e| io(&self.path, &e))? {
                Next::Nothing if stop.is_ordered() => return Err(Error::Stopped),
                Next::Nothing => {}
                Next::Picture => return Ok(Timestamp::now()),
                Next::Bad(why) => return Err(Error::BadFrame(why)),
                Next::End if self.pictures.n_found == 0 => return Err(no_picture(&self.path)),
                Next::End => self.pictures.rewind().map_err(|e| io(&self.path, &e))?,
            }
        }
    }

    fn mode(&self) -> Mode {
        Mode::paced(self.pacer.fps())
    }
}

/// Checks that the file holds at least one JPEG.
fn check(path: &Path, max_bytes: usize) -> Result<(), Error> {
    let mut pictures = Pictures::open(path, max_bytes)?;
    let mut frame = FrameBuf::new();
    loop {
        match pictures.next(&mut frame).map_err(|e| io(path, &e))? {
            Next::Picture => return Ok(()),
            Next::Bad(_) | Next::Nothing => {}
            Next::End => return Err(no_picture(path)),
        }
    }
}

/// The result of reading on in a file.
enum Next {
    Picture,
    Bad(jpeg::Error),
    /// No picture ended in the piece that was read. Returned to the caller, since
    /// gigabytes may follow, and it must see an order to stop in between.
    Nothing,
    End,
}

/// The JPEGs of one file, which is read in pieces.
#[derive(Debug)]
struct Pictures {
    file: fs::File,
    max_bytes: usize,
    splitter: Splitter,
    piece: Vec<u8>,
    /// Pictures found since the beginning of the file. If there is none by its
    /// end, playing it again would loop for ever.
    n_found: u64,
}

impl Pictures {
    /// A few pictures of a small camera, or a part of one of a large camera.
    const PIECE_BYTES: usize = 64 << 10;

    fn open(path: &Path, max_bytes: usize) -> Result<Self, Error> {
        let metadata = fs::metadata(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                Error::lost(Cause::NoDevice, format!("{}: no such file", path.display()))
            }
            _ => io(path, &e),
        })?;
        // Opening a pipe would block until a writer comes.
        if !metadata.is_file() {
            let why = "not a regular file; file:PATH takes a file of concatenated JPEGs";
            return Err(Error::lost(Cause::NoSignal, format!("{}: {why}", path.display())));
        }
        let file = fs::File::open(path).map_err(|e| io(path, &e))?;
        let piece = vec![0; Self::PIECE_BYTES];
        Ok(Self { file, max_bytes, splitter: Splitter::new(max_bytes), piece, n_found: 0 })
    }

    /// Copies the next JPEG into the empty `frame`. It may lack its end.
    fn next(&mut self, frame: &mut FrameBuf) -> std::io::Result<Next> {
        match self.splitter.next_jpeg() {
            Ok(Some(Found { jpeg, is_whole })) => {
                self.n_found += 1;
                frame.extend(jpeg);
                if is_whole {
                    frame.mark_walked();
                }
                return Ok(Next::Picture);
            }
            Ok(None) => {}
            Err(why) => return Ok(Next::Bad(why)),
        }
        let n = self.file.read(&mut self.piece)?;
        if n > 0 {
            self.splitter.push(&self.piece[..n]);
            Ok(Next::Nothing)
        } else if let Some(cut) = self.splitter.take_rest() {
            // Capture decides whether it is shown.
            self.n_found += 1;
            frame.extend(cut);
            Ok(Next::Picture)
        } else if self.splitter.is_inside() {
            // The file ends within a picture. A new splitter forgets the incomplete picture,
            // so the next call reaches the end of the file.
            self.splitter = Splitter::new(self.max_bytes);
            Ok(Next::Bad(jpeg::Error::Truncated))
        } else {
            Ok(Next::End)
        }
    }

    fn rewind(&mut self) -> std::io::Result<()> {
        self.splitter = Splitter::new(self.max_bytes);
        self.n_found = 0;
        self.file.rewind()
    }
}

fn no_picture(path: &Path) -> Error {
    Error::lost(
        Cause::NoSignal,
        format!("{}: no JPEG in it; file:PATH takes a file of concatenated JPEGs", path.display()),
    )
}

fn io(path: &Path, error: &std::io::Error) -> Error {
    Error::lost(Cause::Io, format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shutdown;

    const A: &[u8] = include_bytes!("demo/1.jpg");
    const B: &[u8] = include_bytes!("demo/2.jpg");

    fn file(name: &str, bytes: &[u8]) -> PathBuf {
        let path = std::env::temp_dir().join(format!("mjpegd-{}-{name}", std::process::id()));
        fs::write(&path, bytes).unwrap();
        path
    }

    #[test]
    fn pictures_loop_and_a_cut_one_is_a_bad_frame() {
        let path = file("loop", &[A, B, &A[..100]].concat());
        let mut camera = File::open(&path, Some(1000.0), 1 << 20).unwrap();
        let (_trigger, stop) = shutdown::channel();
        let mut seen = Vec::new();
        for _ in 0..6 {
            let mut frame = FrameBuf::new();
            seen.push(camera.next_frame(&mut frame, &stop).map(|_| frame.jpeg().to_vec()));
        }
        fs::remove_file(path).unwrap();
        let turn = [Ok(A.to_vec()), Ok(B.to_vec()), Err(Error::BadFrame(jpeg::Error::Truncated))];
        let is = |(seen, due): (&Result<Vec<u8>, Error>, _)| seen == due;
        assert!(seen.iter().zip(turn.iter().cycle()).all(is));
    }

    #[test]
    fn file_without_a_picture_is_refused() {
        assert!(
            check(Path::new("/dev/zero"), 1 << 20)
                .unwrap_err()
                .to_string()
                .contains("not a regular file")
        );
        for bytes in [&b""[..], b"plain text", &A[..100]] {
            let path = file("none", bytes);
            assert_eq!(check(&path, 1 << 20), Err(no_picture(&path)));
            fs::remove_file(path).unwrap();
        }
    }
}
