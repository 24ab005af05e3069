//! Reads the MJPEG stream of any server: every frame, or always the newest.
//!
//! It accepts every kind of stream that cameras send:
//! `multipart/x-mixed-replace` with or without lengths, JPEGs one after the
//! other, and a single JPEG. When the connection is lost it connects again,
//! after a pause that grows from 250 ms to 4 s. Memory is bounded, see
//! [`Client::max_frame_bytes`].
//!
//! [`Client::frames`] is for a program that wants every frame; the front page
//! of this crate has an [example](crate). [`Client::latest`] is for one that is
//! slower than the stream, such as an image recognition. It always gets the
//! newest frame:
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
//! let mut latest = Client::new(&url)?.latest()?;
//! let frame = latest.wait()?;
//! println!("{} bytes, {} frames skipped before", frame.jpeg().len(), frame.n_skipped());
//! # assert_eq!(frame.jpeg(), b"\xFF\xD8\xFF\x00\xFF\xD9");
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

/// The address of a stream, and how to read it. It connects only when a frame
/// of [`Client::frames`] is asked for, or when [`Client::latest`] starts.
#[derive(Clone, Debug)]
pub struct Client {
    url: Url,
    timeout: Duration,
    max_frame_bytes: usize,
}

impl Client {
    /// Takes an address such as `http://user:password@camera.local:8080/stream`.
    /// An `https` address needs the crate's feature of that name.
    ///
    /// # Errors
    /// [`ClientError::Address`]: the text is no address, and what one looks
    /// like.
    pub fn new(url: &str) -> Result<Self, ClientError> {
        // The text of the error hides a password in the address.
        let url = Url::parse(url).map_err(|e| ClientError::Address(format!("{e:#}")))?;
        Ok(Self { url, timeout: Duration::from_secs(10), max_frame_bytes: 16 << 20 })
    }

    /// How long to wait for a frame before the connection counts as lost and is
    /// made again: from 100 ms to a year, by default 10 seconds.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        // A deadline much further away could overflow.
        let timeout = timeout.clamp(Duration::from_millis(100), Duration::from_secs(31_536_000));
        Self { timeout, ..self }
    }

    /// The largest frame that is accepted, in bytes; by default 16 MiB. It also
    /// bounds the memory, to about three such frames.
    #[must_use]
    pub fn max_frame_bytes(self, n_bytes: usize) -> Self {
        Self { max_frame_bytes: n_bytes.max(1), ..self }
    }

    /// Every frame that comes, in order. The calling thread reads them from the
    /// connection and nothing is queued, so a slow caller slows the server down
    /// or misses frames that the server drops.
    #[must_use]
    pub fn frames(&self) -> Frames {
        let (frames, stopper) = self.stoppable_frames();
        frames.with_stopper(stopper)
    }

    /// Like [`Client::frames`], with a handle by which another thread can end a
    /// wait for the next frame.
    #[must_use]
    pub fn stoppable_frames(&self) -> (Frames, Stopper) {
        let (trigger, stop) = shutdown::channel();
        (Frames::new(self.clone(), stop), Stopper::new(trigger))
    }

    /// Always the newest frame, however slow the caller is: a thread reads the
    /// stream, and frames that the caller did not take are only counted. The
    /// thread ends when the [`Latest`] is dropped.
    ///
    /// # Errors
    /// [`ClientError::Io`]: the system has no free thread.
    pub fn latest(&self) -> Result<Latest, ClientError> {
        let (frames, stopper) = self.stoppable_frames();
        Latest::start(frames, stopper)
    }
}
