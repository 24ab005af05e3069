//! Always the newest frame.

use std::io;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};

use super::{ClientError, Frame, Frames, Stopper};

use crate::threads;

/// What the reading thread has received since the last call. The channel holds
/// at most one of these.
#[derive(Debug, Default)]
struct Update {
    frame: Option<Frame>,
    /// An error that came after that frame.
    error: Option<ClientError>,
}

/// Always the newest frame of a stream; made by [`Client::latest`].
///
/// A thread of its own, `mjpeg-client`, reads everything that comes. At most
/// one frame waits for the caller. A newer frame replaces it and counts it as
/// skipped. Dropping this value ends the thread within 0.2 seconds.
///
/// [`Client::latest`]: super::Client::latest
#[derive(Debug)]
pub struct Latest {
    updates: Receiver<Update>,
    /// Returned by the call after the one that returned its update's frame.
    error: Option<ClientError>,
    stopper: Option<Stopper>,
    thread: Option<JoinHandle<()>>,
}

impl Latest {
    pub(super) fn start(frames: Frames, stopper: Stopper) -> Result<Self, ClientError> {
        let (sender, updates) = bounded(1);
        let waiting = updates.clone();
        let started = threads::spawn("mjpeg-client", move || read(frames, &sender, &waiting));
        let thread = started.map_err(|e: io::Error| ClientError::Io(e.to_string()))?;
        Ok(Self { updates, error: None, stopper: Some(stopper), thread: Some(thread) })
    }

    /// Blocks until there is a frame newer than the one returned before. It
    /// blocks for at most the client's timeout, after a pause of up to 4 s if
    /// the connection was lost.
    ///
    /// # Errors
    /// The connection was lost or could not be made, and no frame came since.
    /// The thread goes on trying; the next call waits for what comes.
    pub fn wait(&mut self) -> Result<Frame, ClientError> {
        loop {
            // Far longer than the client's timeout, by which the thread has
            // sent a frame or an error.
            if let Some(result) = self.wait_for(Duration::from_secs(86_400)) {
                return result;
            }
        }
    }

    /// Like [`Latest::wait`], but returns `None` after `timeout`. With a
    /// timeout of zero it does not block.
    pub fn wait_for(&mut self, timeout: Duration) -> Option<Result<Frame, ClientError>> {
        // A newer frame comes first: it shows that the loss before it is over.
        let update = match self.updates.try_recv() {
            Ok(update) => update,
            Err(_) => match self.error.take() {
                Some(error) => return Some(Err(error)),
                None => match self.updates.recv_deadline(deadline(timeout)) {
                    Ok(update) => update,
                    Err(RecvTimeoutError::Timeout) => return None,
                    Err(RecvTimeoutError::Disconnected) => return Some(Err(ClientError::Stopped)),
                },
            },
        };
        match (update.frame, update.error) {
            (Some(frame), error) => {
                self.error = error;
                Some(Ok(frame))
            }
            (None, error) => error.map(Err),
        }
    }
}

fn deadline(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or(now)
}

/// Reads until the stopper is dropped, and keeps the newest frame waiting in
/// the channel.
fn read(frames: Frames, sender: &Sender<Update>, waiting: &Receiver<Update>) {
    for result in frames {
        let mut update = match result {
            Ok(frame) => Update { frame: Some(frame), error: None },
            Err(error) => Update { frame: None, error: Some(error) },
        };
        // No other thread sends, so the second try at the latest succeeds.
        while let Err(TrySendError::Full(newer)) = sender.try_send(update) {
            update = match waiting.try_recv() {
                Ok(older) => merged(older, newer),
                Err(_) => newer,
            };
        }
    }
}

/// The newer update, with the skipped count, or the frame, of the older one.
fn merged(older: Update, mut newer: Update) -> Update {
    match (&mut newer.frame, older.frame) {
        (Some(frame), Some(older)) => frame.n_skipped += older.n_skipped + 1,
        // An error must not hide the last frame before it.
        (frame @ None, older) => *frame = older,
        (Some(_), None) => {}
    }
    newer
}

impl Drop for Latest {
    fn drop(&mut self) {
        drop(self.stopper.take());
        if let Some(thread) = self.thread.take() {
            // If it panicked, the panic has been printed already.
            let _ = thread.join();
        }
    }
}
