//! Who watches, and how well they are served.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::route::{Layout, StreamRequest};
use crate::rate::Rate;

/// All viewers of this moment, and what those that left had.
#[derive(Default)]
pub(super) struct Viewers {
    present: Mutex<BTreeMap<u64, Arc<Viewer>>>,
    n_ever: AtomicU64,
    n_refused: AtomicU64,
    /// By camera, without the viewers that are present.
    gone: Mutex<BTreeMap<String, Tally>>,
}

/// What a camera's viewers were given since the start of the program.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Tally {
    pub(super) n_ever: u64,
    pub(super) n_refused: u64,
    pub(super) served: Served,
}

/// One receiver of a stream.
pub(super) struct Viewer {
    pub(super) id: u64,
    pub(super) address: SocketAddr,
    pub(super) camera: String,
    pub(super) path: String,
    pub(super) key: String,
    pub(super) layout: Layout,
    pub(super) has_extra_headers: bool,
    pub(super) since: Instant,
    served: Mutex<Serving>,
}

struct Serving {
    served: Served,
    rate: Rate,
    age: Option<Duration>,
}

/// What one or many viewers were given.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Served {
    /// Pictures, repeated ones left out.
    pub(super) n_sent: u64,
    /// Pictures that came and went while one was being written.
    pub(super) n_skipped: u64,
    /// Pictures sent again for want of a new one.
    pub(super) n_repeated: u64,
    pub(super) n_bytes: u64,
}

/// What is told of a viewer.
pub(super) struct Report {
    pub(super) served: Served,
    pub(super) fps: f64,
    /// Age of the last picture when it had been handed to the kernel.
    pub(super) age: Option<Duration>,
}

/// A place in the list, given up when dropped.
pub(super) struct Seat {
    all: Arc<Viewers>,
    pub(super) viewer: Arc<Viewer>,
}

impl Viewers {
    /// Enters a viewer into the list.
    pub(super) fn enter(
        self: &Arc<Self>,
        address: SocketAddr,
        camera: &str,
        request: &StreamRequest,
    ) -> Seat {
        let serving = Serving { served: Served::default(), rate: Rate::new(), age: None };
        let viewer = Arc::new(Viewer {
            id: self.n_ever.fetch_add(1, Relaxed) + 1,
            address,
            camera: camera.to_owned(),
            path: request.path.clone(),
            key: request.key.clone(),
            layout: request.layout,
            has_extra_headers: request.has_extra_headers,
            since: Instant::now(),
            served: Mutex::new(serving),
        });
        self.tally(camera, |tally| tally.n_ever += 1);
        self.present.lock().insert(viewer.id, Arc::clone(&viewer));
        Seat { all: Arc::clone(self), viewer }
    }

    pub(super) fn present(&self) -> Vec<Arc<Viewer>> {
        self.present.lock().values().cloned().collect()
    }

    /// Counts a viewer that found no seat.
    pub(super) fn refused(&self, camera: &str) {
        self.n_refused.fetch_add(1, Relaxed);
        self.tally(camera, |tally| tally.n_refused += 1);
    }

    pub(super) fn n_refused(&self) -> u64 {
        self.n_refused.load(Relaxed)
    }

    fn tally(&self, camera: &str, count: impl FnOnce(&mut Tally)) {
        let mut gone = self.gone.lock();
        if !gone.contains_key(camera) {
            gone.insert(camera.to_owned(), Tally::default());
        }
        gone.get_mut(camera).map(count);
    }

    /// What the viewers of each of these cameras were given. Others, which
    /// are not there any more, are forgotten.
    pub(super) fn tallies(&self, cameras: &[&str]) -> Vec<Tally> {
        // Held to the end: a viewer is with those present or with those gone,
        // never with neither, or a counter would go back for a moment.
        let mut gone = self.gone.lock();
        gone.retain(|name, _| cameras.contains(&name.as_str()));
        let present = self.present();
        let of = |name: &&str| {
            let mut tally = gone.get(*name).copied().unwrap_or_default();
            let viewers = present.iter().filter(|viewer| viewer.camera == *name);
            viewers.for_each(|viewer| tally.served.add(viewer.report().served));
            tally
        };
        cameras.iter().map(of).collect()
    }
}

impl Viewer {
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
        serving.age = Some(now.saturating_duration_since(taken));
    }

    /// A recorded picture went out, `skipped` others had not.
    pub(super) fn played(&self, n_bytes: usize, skipped: u64) {
        let mut serving = self.served.lock();
        let n_bytes = n_bytes as u64;
        serving.served.add(Served { n_sent: 1, n_skipped: skipped, n_repeated: 0, n_bytes });
        serving.rate.event(Instant::now());
        serving.age = None;
    }

    /// Pictures were left out.
    pub(super) fn skipped(&self, n: u64) {
        self.served.lock().served.add(Served { n_skipped: n, ..Served::default() });
    }

    /// The last picture went out again.
    pub(super) fn repeated(&self, n_bytes: usize) {
        let repeat = Served { n_repeated: 1, n_bytes: n_bytes as u64, ..Served::default() };
        self.served.lock().served.add(repeat);
    }

    pub(super) fn report(&self) -> Report {
        let serving = self.served.lock();
        Report {
            served: serving.served,
            fps: serving.rate.per_second(Instant::now()),
            age: serving.age,
        }
    }
}

impl Served {
    fn add(&mut self, other: Self) {
        self.n_sent += other.n_sent;
        self.n_skipped += other.n_skipped;
        self.n_repeated += other.n_repeated;
        self.n_bytes += other.n_bytes;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let viewer = &self.viewer;
        let served = viewer.report().served;
        self.all.tally(&viewer.camera, |tally| {
            // Both under the lock of the tallies.
            self.all.present.lock().remove(&viewer.id);
            tally.served.add(served);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::route::Route;
    use super::super::target::route;
    use super::*;

    #[test]
    fn what_a_viewer_had_stays_in_the_total() {
        let viewers = Arc::new(Viewers::default());
        let Route::Stream(request) = route("/stream?key=k", None).route else {
            panic!("no stream")
        };
        let seat = viewers.enter("127.0.0.1:1".parse().unwrap(), "camera", &request);
        seat.viewer.sent(100, 0, Instant::now());
        seat.viewer.sent(100, 3, Instant::now());
        seat.viewer.repeated(50);
        assert_eq!(viewers.present().len(), 1);
        let due = Served { n_sent: 2, n_skipped: 3, n_repeated: 1, n_bytes: 250 };
        viewers.refused("other");
        let had = || viewers.tallies(&["camera", "other"]);
        let [of, other] = had()[..] else { panic!("not two tallies") };
        assert_eq!((of.n_ever, of.n_refused, of.served), (1, 0, due));
        assert_eq!((other.n_ever, other.n_refused, other.served), (0, 1, Served::default()));
        drop(seat);
        assert!(viewers.present().is_empty());
        assert_eq!(had(), [of, other]);
        assert_eq!(viewers.tallies(&["other"]), [other]);
        assert_eq!(viewers.tallies(&["camera"])[0].n_ever, 0, "it is not forgotten");
        assert_eq!(viewers.n_refused(), 1);
    }
}
