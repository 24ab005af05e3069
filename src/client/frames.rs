//! Every frame, in order.

use std::fmt;
use std::time::{Duration, Instant, SystemTime};

use super::stream::Stream;
use super::{Client, ClientError, Frame};
use crate::back_off::BackOff;
use crate::fetch::Fetcher;
use crate::shutdown::{Shutdown, Trigger};
use crate::trust::Trust;

/// Every frame of a stream, in order; made by [`Client::frames`].
///
/// The iterator does not end by itself. An error stands for one connection that
/// was lost or could not be made. The next call connects again, after a pause
/// that grows from 250 ms to 4 s. The iterator returns `None` only after its
/// [`Stopper`] was dropped. Dropping it closes the connection.
pub struct Frames {
    client: Client,
    stop: Shutdown,
    fetcher: Fetcher,
    stream: Option<Stream>,
    opened: Instant,
    back_off: BackOff,
    pause: Option<Duration>,
    n_frames: u64,
    /// Kept here if the caller has not asked for it: dropping it would stop
    /// these frames.
    stopper: Option<Stopper>,
}

impl Frames {
    pub(super) fn new(client: Client, stop: Shutdown) -> Self {
        let fetcher = Fetcher::new(client.url.clone(), &Trust::Public, stop.clone());
        Self {
            client,
            stop,
            fetcher,
            stream: None,
            opened: Instant::now(),
            back_off: BackOff::new(),
            pause: None,
            n_frames: 0,
            stopper: None,
        }
    }

    /// Keeps the stopper, since dropping it would stop these frames.
    pub(super) fn with_stopper(self, stopper: Stopper) -> Self {
        Self { stopper: Some(stopper), ..self }
    }

    /// Blocks until the next frame has come. It blocks for at most the client's
    /// timeout, after a pause of up to 4 s if the call before it failed.
    ///
    /// # Errors
    /// Why there is no frame. After every error but [`ClientError::Stopped`]
    /// the next call connects again.
    pub fn wait(&mut self) -> Result<Frame, ClientError> {
        let result = self.read();
        if result.is_err() {
            // Also after an error inside the stream: where a parser stopped, nothing can be
            // read any more.
            self.stream = None;
            // Not slept here, so that the caller learns of the error at once.
            self.pause = Some(self.back_off.after(self.opened.elapsed()));
        }
        result
    }

    fn read(&mut self) -> Result<Frame, ClientError> {
        if self.stop.wait_for(self.pause.take().unwrap_or_default()) {
            return Err(ClientError::Stopped);
        }
        // One deadline for the connection and the frame: a caller waits for no more than it
        // said.
        let until = Instant::now() + self.client.timeout;
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                self.opened = Instant::now();
                let answer = self.fetcher.get(until).map_err(ClientError::from_fetch)?;
                self.stream.insert(Stream::new(answer, self.client.max_frame_bytes))
            }
        };
        let (buf, part) = stream.next(until)?;
        self.n_frames += 1;
        Ok(Frame {
            buf,
            number: self.n_frames,
            n_skipped: 0,
            captured: part.timestamp,
            received: SystemTime::now(),
            n_dropped: part.n_dropped,
        })
    }
}

impl Iterator for Frames {
    type Item = Result<Frame, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.wait() {
            Err(ClientError::Stopped) => None,
            other => Some(other),
        }
    }
}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames")
            .field("client", &self.client)
            .field("stopper", &self.stopper)
            .finish_non_exhaustive()
    }
}

/// Stops its [`Frames`] when it is dropped, from any thread: a call that waits
/// returns within 0.2 seconds.
#[derive(Debug)]
pub struct Stopper(#[expect(dead_code, reason = "dropped, never read")] Trigger);

impl Stopper {
    pub(super) fn new(trigger: Trigger) -> Self {
        Self(trigger)
    }
}
