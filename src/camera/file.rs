//! A file of JPEGs one after the other as a camera, over and over.

use std::fs;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use super::pacer::Pacer;
use super::{Camera, Cause, Error, Mode};
use crate::frame::{FrameBuf, Taken};
use crate::jpeg::{Fault, Found, Splitter};
use crate::shutdown::Shutdown;

/// The usual pace of a video, as such a file does not tell its own.
const FPS: f64 = 25.0;

#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    pictures: Pictures,
    pacer: Pacer,
}

impl File {
    pub(super) fn open(path: &Path, fps: Option<f64>, max_bytes: usize) -> Result<Self, Error> {
        let pacer = Pacer::new(fps.unwrap_or(FPS));
        Ok(Self { path: path.to_owned(), pictures: Pictures::open(path, max_bytes)?, pacer })
    }
}

impl Camera for File {
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Taken, Error> {
        self.pacer.wait(stop)?;
        loop {
            match self.pictures.next(frame).map_err(|e| io(&self.path, &e))? {
                Next::Nothing if stop.is_ordered() => return Err(Error::Stopped),
                Next::Nothing => {}
                Next::Picture => return Ok(Taken::now()),
                Next::Bad(fault) => return Err(Error::BadFrame(fault)),
                Next::End if self.pictures.n_found == 0 => return Err(no_picture(&self.path)),
                Next::End => self.pictures.rewind().map_err(|e| io(&self.path, &e))?,
            }
        }
    }

    fn mode(&self) -> Mode {
        Mode::paced(self.pacer.fps())
    }
}

/// Whether the file holds a picture at all.
pub(super) fn check(path: &Path, max_bytes: usize) -> Result<(), Error> {
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

/// What comes next in a file.
enum Next {
    Picture,
    Bad(Fault),
    /// A piece in which no picture ends: there may be gigabytes of them.
    Nothing,
    End,
}

/// The pictures of one file, read in pieces.
#[derive(Debug)]
struct Pictures {
    file: fs::File,
    max_bytes: usize,
    splitter: Splitter,
    piece: Vec<u8>,
    /// Since the beginning of the file.
    n_found: u64,
}

impl Pictures {
    /// A few pictures of a small camera, or a part of a large one's.
    const PIECE_BYTES: usize = 64 << 10;

    fn open(path: &Path, max_bytes: usize) -> Result<Self, Error> {
        let of = fs::metadata(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                Error::lost(Cause::NoDevice, format!("{}: no such file", path.display()))
            }
            _ => io(path, &e),
        })?;
        // A pipe would block for as long as its writer likes.
        if !of.is_file() {
            let why = "not a regular file; file:PATH takes a file of JPEGs one after the other";
            return Err(Error::lost(Cause::NoSignal, format!("{}: {why}", path.display())));
        }
        let file = fs::File::open(path).map_err(|e| io(path, &e))?;
        let piece = vec![0; Self::PIECE_BYTES];
        Ok(Self { file, max_bytes, splitter: Splitter::new(max_bytes), piece, n_found: 0 })
    }

    /// Copies the next picture into `frame`, which may lack its end.
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
            Err(fault) => return Ok(Next::Bad(fault)),
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
            self.splitter = Splitter::new(self.max_bytes);
            Ok(Next::Bad(Fault::Truncated))
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
        format!(
            "{}: no JPEG in it; file:PATH takes a file of JPEGs one after the other",
            path.display()
        ),
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
        let turn = [Ok(A.to_vec()), Ok(B.to_vec()), Err(Error::BadFrame(Fault::Truncated))];
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
