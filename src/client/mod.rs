//! Reads anybody's MJPEG stream: every picture, or always the newest.
//!
//! Any server's dialect is understood: `multipart/x-mixed-replace` with or
//! without lengths, JPEGs one after the other, a lone JPEG. A connection that
//! is lost is made again, after a pause that grows from 250 ms to 4 s.
//!
//! ```
//! # use std::io::{Read, Write};
//! # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
//! # let url = format!("http://{}/stream", server.local_addr()?);
//! # std::thread::spawn(move || {
//! #     let (mut viewer, _) = server.accept().unwrap();
//! #     viewer.read(&mut [0; 1024]).unwrap();
//! #     viewer.write_all(b"HTTP/1.1 200 OK\r\n\
//! #         Content-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n\
//! #         --frame\r\nContent-Length: 6\r\n\r\n\xFF\xD8\xFF\x00\xFF\xD9\r\n--frame\r\n").unwrap();
//! #     viewer.read(&mut [0; 1024])
//! # });
//! use mjpegd::client::Client;
//!
//! let mut newest = Client::new(&url)?.latest()?;
//! let frame = newest.wait()?;
//! println!("{} bytes, {} came and went unseen", frame.jpeg().len(), frame.n_skipped());
//! # assert_eq!(frame.jpeg(), b"\xFF\xD8\xFF\x00\xFF\xD9");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! Whoever wants each picture, in order, reads [`Client::frames`]:
//!
//! ```no_run
//! # use mjpegd::client::Client;
//! for frame in Client::new("http://camera.local/stream")?.frames() {
//!     match frame {
//!         Ok(frame) => println!("picture {} of {} bytes", frame.number(), frame.jpeg().len()),
//!         Err(lost) => eprintln!("{lost}; trying again"),
//!     }
//! }
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod error;
mod frame;
mod frames;
mod latest;
mod stream;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use error::ClientError;
pub use frame::Frame;
pub use frames::{Frames, Stopper};
pub use latest::Latest;

use crate::shutdown;
use crate::url::Url;

/// What is to be read, and how patiently. Nothing is connected before
/// [`Client::frames`] or [`Client::latest`] read.
#[derive(Clone, Debug)]
pub struct Client {
    url: Url,
    timeout: Duration,
    max_frame_bytes: usize,
}

impl Client {
    /// For an address such as `http://user:password@camera.local:8080/stream`.
    /// `https` is understood if the crate has the feature of that name.
    ///
    /// # Errors
    /// [`ClientError::Address`]: that is no address, and what would be one.
    pub fn new(url: &str) -> Result<Self, ClientError> {
        let url = Url::parse(url).map_err(|e| ClientError::Address(format!("{e:#}")))?;
        Ok(Self { url, timeout: Duration::from_secs(10), max_frame_bytes: 16 << 20 })
    }

    /// Without a picture for so long, the connection is taken for lost, and
    /// made again. 10 seconds if not set; at least 100 ms.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        // Above a year a deadline may overflow, and nobody waits.
        let timeout = timeout.clamp(Duration::from_millis(100), Duration::from_secs(31_536_000));
        Self { timeout, ..self }
    }

    /// The largest picture that is taken, in bytes. 16 MiB if not set. It is
    /// also what bounds the memory: at most about three such pictures.
    #[must_use]
    pub fn max_frame_bytes(self, n_bytes: usize) -> Self {
        Self { max_frame_bytes: n_bytes.max(1), ..self }
    }

    /// Every picture that comes, in order. They are read in the thread that
    /// asks for them: nothing is queued here, and a server is slowed down by a
    /// slow reader.
    #[must_use]
    pub fn frames(&self) -> Frames {
        let (frames, stopper) = self.stoppable_frames();
        frames.with(stopper)
    }

    /// As [`Client::frames`], with a handle by which another thread can end
    /// the wait for the next picture.
    #[must_use]
    pub fn stoppable_frames(&self) -> (Frames, Stopper) {
        let (trigger, stop) = shutdown::channel();
        (Frames::new(self.clone(), stop), Stopper::new(trigger))
    }

    /// Always the newest picture, however slowly they are taken: a thread
    /// reads, and what came and went is only counted. It ends when the
    /// [`Latest`] is dropped.
    ///
    /// # Errors
    /// [`ClientError::Io`]: the system has no thread left.
    pub fn latest(&self) -> Result<Latest, ClientError> {
        let (frames, stopper) = self.stoppable_frames();
        Latest::start(frames, stopper)
    }
}
