//! Every picture, in order.

use std::fmt;
use std::time::{Duration, Instant, SystemTime};

use super::stream::Stream;
use super::{Client, ClientError, Frame};
use crate::back_off::BackOff;
use crate::fetch::Fetcher;
use crate::shutdown::{Shutdown, Trigger};

/// Every picture of a stream, in order; made by [`Client::frames`].
///
/// As an iterator it never ends by itself. Each error is one connection that
/// was lost or could not be made; the next call tries again, after a pause
/// that grows from 250 ms to 4 s. Whoever has seen enough drops it, which
/// closes the connection. Only after the [`Stopper`] was dropped, it gives
/// `None`.
pub struct Frames {
    client: Client,
    stop: Shutdown,
    fetcher: Fetcher,
    stream: Option<Stream>,
    opened: Instant,
    back_off: BackOff,
    pause: Option<Duration>,
    n_frames: u64,
    /// Held where nobody else does.
    stopper: Option<Stopper>,
}

impl Frames {
    pub(super) fn new(client: Client, stop: Shutdown) -> Self {
        let fetcher = Fetcher::new(client.url.clone(), stop.clone());
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

    /// As nobody else can stop them.
    pub(super) fn with(self, stopper: Stopper) -> Self {
        Self { stopper: Some(stopper), ..self }
    }

    /// Blocks until the next picture is there, at most for the client's
    /// timeout, and for a pause if the call before it failed.
    ///
    /// # Errors
    /// Why there is none. After all but [`ClientError::Stopped`], the next
    /// call connects anew.
    pub fn wait(&mut self) -> Result<Frame, ClientError> {
        let taken = self.take();
        if taken.is_err() {
            self.stream = None;
            self.pause = Some(self.back_off.after(self.opened.elapsed()));
        }
        taken
    }

    fn take(&mut self) -> Result<Frame, ClientError> {
        if self.stop.wait_for(self.pause.take().unwrap_or_default()) {
            return Err(ClientError::Stopped);
        }
        let until = Instant::now() + self.client.timeout;
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                self.opened = Instant::now();
                let answer = self.fetcher.get(until).map_err(ClientError::of)?;
                self.stream.insert(Stream::new(answer, self.client.max_frame_bytes))
            }
        };
        let (picture, part) = stream.next(until)?;
        self.n_frames += 1;
        Ok(Frame {
            picture,
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

/// Ends the waits of its [`Frames`] when it is dropped, from any thread. They
/// end within 0.2 seconds.
#[derive(Debug)]
pub struct Stopper(#[expect(dead_code, reason = "dropped, never read")] Trigger);

impl Stopper {
    pub(super) fn new(trigger: Trigger) -> Self {
        Self(trigger)
    }
}
