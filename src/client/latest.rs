//! Always the newest picture.

use std::io;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};

use super::{ClientError, Frame, Frames, Stopper};

/// What a thread read and nobody has taken yet.
#[derive(Debug, Default)]
struct News {
    frame: Option<Frame>,
    /// What happened after that frame came.
    lost: Option<ClientError>,
}

/// Always the newest picture of a stream; made by [`Client::latest`].
///
/// A thread of its own (`mjpeg-client`) reads all that comes. At most one
/// picture waits to be taken: a newer one takes its place, and it is counted
/// as skipped. Dropping it ends the thread, within 0.2 seconds.
///
/// [`Client::latest`]: super::Client::latest
#[derive(Debug)]
pub struct Latest {
    news: Receiver<News>,
    /// Told after the frame that came with it.
    lost: Option<ClientError>,
    stopper: Option<Stopper>,
    thread: Option<JoinHandle<()>>,
}

impl Latest {
    pub(super) fn start(frames: Frames, stopper: Stopper) -> Result<Self, ClientError> {
        let (sender, news) = bounded(1);
        let box_of = news.clone();
        let started = thread::Builder::new()
            .name("mjpeg-client".into())
            .spawn(move || read(frames, &sender, &box_of));
        let thread = started.map_err(|e: io::Error| ClientError::Io(e.to_string()))?;
        Ok(Self { news, lost: None, stopper: Some(stopper), thread: Some(thread) })
    }

    /// Blocks until there is a picture newer than the one given before: no
    /// longer than the client's timeout, and a pause of up to 4 s after an
    /// error.
    ///
    /// # Errors
    /// The connection was lost or could not be made, and no picture came
    /// since. The thread goes on trying; the next call waits for what comes.
    pub fn wait(&mut self) -> Result<Frame, ClientError> {
        loop {
            // A day, in which the thread has said something.
            if let Some(found) = self.wait_for(Duration::from_secs(86_400)) {
                return found;
            }
        }
    }

    /// As [`Latest::wait`], for no longer than `timeout`: then `None`. With a
    /// timeout of zero it does not wait.
    pub fn wait_for(&mut self, timeout: Duration) -> Option<Result<Frame, ClientError>> {
        // What was lost before a newer picture came is over.
        let news = match self.news.try_recv() {
            Ok(news) => news,
            Err(_) => match self.lost.take() {
                Some(lost) => return Some(Err(lost)),
                None => match self.news.recv_deadline(deadline(timeout)) {
                    Ok(news) => news,
                    Err(RecvTimeoutError::Timeout) => return None,
                    Err(RecvTimeoutError::Disconnected) => return Some(Err(ClientError::Stopped)),
                },
            },
        };
        match (news.frame, news.lost) {
            (Some(frame), lost) => {
                self.lost = lost;
                Some(Ok(frame))
            }
            (None, lost) => lost.map(Err),
        }
    }
}

fn deadline(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or(now)
}

/// Reads until the stopper is dropped, and leaves the newest in the box.
fn read(frames: Frames, sender: &Sender<News>, box_of: &Receiver<News>) {
    for read in frames {
        let mut news = match read {
            Ok(frame) => News { frame: Some(frame), lost: None },
            Err(lost) => News { frame: None, lost: Some(lost) },
        };
        // This thread alone fills the box: it is full once at most.
        while let Err(TrySendError::Full(full)) = sender.try_send(news) {
            news = match box_of.try_recv() {
                Ok(old) => replaced(old, full),
                Err(_) => full,
            };
        }
    }
}

/// What is left of the old when something newer came.
fn replaced(old: News, mut new: News) -> News {
    match (&mut new.frame, old.frame) {
        (Some(frame), Some(old)) => frame.n_skipped += old.n_skipped + 1,
        // The last picture before a loss is not lost.
        (frame @ None, old) => *frame = old,
        (Some(_), None) => {}
    }
    new
}

impl Drop for Latest {
    fn drop(&mut self) {
        drop(self.stopper.take());
        if let Some(thread) = self.thread.take() {
            // A panic in it is told by its own message; here nobody asks.
            let _ = thread.join();
        }
    }
}
