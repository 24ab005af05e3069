//! One viewer: what it asked for, and what it was given.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

use super::transport::{NonBlocking, Peer, StreamSocket};
use crate::rate::Rate;
use crate::variants::Wish;

/// What stands between JPEGs on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Layout {
    /// The next part's headers at once, no length: browsers paint in time.
    Advance,
    /// Length and time in each part: programs decode in time.
    Full,
}

/// What a viewer says of itself in its request.
#[derive(Clone, Debug)]
pub(super) struct ViewerInfo {
    pub(super) peer: Peer,
    pub(super) path: String,
    /// Chosen by the viewer to find itself in the status.
    pub(super) key: String,
    pub(super) layout: Layout,
    pub(super) extras: Extras,
    /// How its pictures are changed.
    pub(super) wish: Option<Wish>,
}

/// What a viewer asked for in uStreamer's words.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Extras {
    /// uStreamer's headers in each part of the full layout.
    pub(super) extra_headers: bool,
    /// A picture without a successor once more, soon.
    pub(super) dual_final_frames: bool,
    /// Parts without their JPEGs.
    pub(super) zero_data: bool,
}

/// One receiver of a stream.
pub(super) struct Viewer {
    pub(super) id: u64,
    pub(super) camera: String,
    pub(super) info: ViewerInfo,
    pub(super) since: Instant,
    served: Mutex<Serving>,
}

struct Serving {
    served: Served,
    rate: Rate,
    age: Option<Duration>,
    /// When the last picture went out.
    last: Option<Instant>,
    heartbeat: Option<Heartbeat>,
}

/// A reply that goes on as long as the stream, or as all of several.
struct Heartbeat {
    reply: Arc<HeldReply>,
    /// What is written for this stream.
    byte: u8,
    at: Instant,
}

/// A viewer, and the byte that is written for it.
pub(super) type Beating = (Arc<Viewer>, u8);

/// The reply that the heartbeats of several viewers share. It ends with the first of them.
pub(super) struct HeldReply {
    /// Closed when it is dropped.
    socket: Mutex<Option<StreamSocket>>,
    writer: NonBlocking,
}

impl HeldReply {
    pub(super) fn new(socket: StreamSocket) -> Arc<Self> {
        let writer = socket.non_blocking();
        Arc::new(Self { socket: Mutex::new(Some(socket)), writer })
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        let socket = self.reply.socket.lock().take();
        drop(socket);
    }
}

/// How often a byte shows that the stream goes on. A stream sends its last picture
/// again when there is no newer one, so it always has something to show.
const BEAT_EVERY: Duration = Duration::from_secs(1);

/// What one or many viewers were given.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Served {
    /// Pictures, repeated ones left out.
    pub(super) n_sent: u64,
    /// Pictures that came and went while one was being written.
    pub(super) n_skipped: u64,
    /// Pictures sent again, as there was no new one.
    pub(super) n_repeated: u64,
    pub(super) n_bytes: u64,
}

/// How a viewer is served, at this moment.
pub(super) struct Report {
    pub(super) served: Served,
    pub(super) fps: f64,
    /// Age of the last picture when the kernel had taken it.
    pub(super) age: Option<Duration>,
    /// When that was; `None`: it has had none.
    pub(super) last: Option<Instant>,
}

impl Layout {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Advance => "advance",
            Self::Full => "full",
        }
    }
}

impl ViewerInfo {
    /// The key as uStreamer shows it.
    pub(super) fn shown_key(&self) -> &str {
        if self.key.is_empty() { "0" } else { &self.key }
    }
}

impl Viewer {
    pub(super) fn new(id: u64, camera: &str, info: ViewerInfo) -> Self {
        let served = Served::default();
        let rate = Rate::new();
        let serving = Serving { served, rate, age: None, last: None, heartbeat: None };
        let since = Instant::now();
        Self { id, camera: camera.to_owned(), info, since, served: Mutex::new(serving) }
    }

    /// Its number in uStreamer's form.
    pub(super) fn hex_id(&self) -> String {
        format!("{:016x}", self.id)
    }

    /// A picture went out, `skipped` others had not.
    pub(super) fn sent(&self, n_bytes: usize, skipped: u64, taken: Instant) {
        let now = Instant::now();
        let mut serving = self.served.lock();
        serving.served.add(Served {
            n_sent: 1,
            n_skipped: skipped,
            n_repeated: 0,
            n_bytes: n_bytes as u64,
        });
        serving.rate.event(now);
        serving.last = Some(now);
        serving.age = Some(now.saturating_duration_since(taken));
        beat(serving, now);
    }

    /// A recorded picture went out, `skipped` others had not.
    pub(super) fn played(&self, n_bytes: usize, skipped: u64) {
        let mut serving = self.served.lock();
        let n_bytes = n_bytes as u64;
        serving.served.add(Served { n_sent: 1, n_skipped: skipped, n_repeated: 0, n_bytes });
        let now = Instant::now();
        serving.rate.event(now);
        serving.last = Some(now);
        // The age of a recorded picture is not how far the viewer is behind, for which
        // people read it.
        serving.age = None;
        beat(serving, now);
    }

    /// Pictures were left out.
    pub(super) fn skipped(&self, n: u64) {
        self.served.lock().served.add(Served { n_skipped: n, ..Served::default() });
    }

    /// The last picture went out again.
    pub(super) fn repeated(&self, n_bytes: usize) {
        let repeat = Served { n_repeated: 1, n_bytes: n_bytes as u64, ..Served::default() };
        let mut serving = self.served.lock();
        serving.served.add(repeat);
        beat(serving, Instant::now());
    }

    /// Keeps a reply open as long as this viewer has its seat, in place of an earlier
    /// one. Its head was sent.
    pub(super) fn begin_heartbeat(&self, reply: &Arc<HeldReply>, byte: u8) {
        let new = Heartbeat { reply: Arc::clone(reply), byte, at: Instant::now() };
        let before = self.served.lock().heartbeat.replace(new);
        // Closed only after the lock is given back.
        drop(before);
    }

    pub(super) fn end_heartbeat(&self) {
        let last = self.served.lock().heartbeat.take();
        drop(last);
    }

    pub(super) fn report(&self) -> Report {
        let serving = self.served.lock();
        Report {
            served: serving.served,
            fps: serving.rate.per_second(Instant::now()),
            age: serving.age,
            last: serving.last,
        }
    }
}

/// Sends a byte where one is due. A client that does not take it has none.
fn beat(mut serving: MutexGuard<'_, Serving>, now: Instant) {
    let Some(heartbeat) = &mut serving.heartbeat else { return };
    if now.saturating_duration_since(heartbeat.at) < BEAT_EVERY {
        return;
    }
    heartbeat.at = now;
    let (reply, byte) = (Arc::clone(&heartbeat.reply), heartbeat.byte);
    drop(serving);
    reply.writer.write(&[byte]);
}

impl Served {
    pub(super) fn add(&mut self, other: Self) {
        self.n_sent += other.n_sent;
        self.n_skipped += other.n_skipped;
        self.n_repeated += other.n_repeated;
        self.n_bytes += other.n_bytes;
    }
}
