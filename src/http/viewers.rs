//! The book of viewers: who has a seat, and how well each is served.
//!
//! A seat is one of `--threads`. All counts of viewers, of the daemon and of a
//! camera, are made from this one list, so that they always agree.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use serde::Serialize;

use super::viewer::{Served, Viewer, ViewerInfo};
use crate::events::{Events, Kind, seconds};
use crate::log_limit::LogBudget;

/// All viewers of this moment, and the totals of those that left.
pub(super) struct Viewers {
    /// How many may watch at once.
    n_seats: usize,
    events: Events,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    present: BTreeMap<u64, Arc<Viewer>>,
    n_ever: u64,
    n_refused: u64,
    n_brief: u64,
    /// By camera. What the present viewers were sent is added when they leave.
    totals: BTreeMap<String, Tally>,
    /// Clients that wait for the seat of one that is leaving.
    n_in_line: usize,
    /// When somebody last asked for a stream or a snapshot, or stopped watching.
    last_watched: Option<Instant>,
    /// Nobody gets a seat any more.
    is_closed: bool,
    /// The cameras that somebody watches.
    watched: BTreeMap<String, Watched>,
    /// By camera. A client that reconnects again and again must not fill the list of
    /// events; both ends of a short visit are left out then.
    budgets: BTreeMap<String, LogBudget>,
}

/// A time in which somebody watches a camera.
struct Watched {
    since: Instant,
    /// Whether its beginning was an event, so that its end is one.
    is_announced: bool,
}

/// What a camera's viewers were given since the start of the program.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Tally {
    pub(super) n_ever: u64,
    pub(super) n_refused: u64,
    pub(super) served: Served,
}

/// The seats of the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Seats {
    pub(super) total: usize,
    pub(super) taken: usize,
    /// Viewers that found no seat, since the start of the program.
    pub(super) refused: u64,
    /// Viewers that left within two seconds.
    pub(super) brief: u64,
}

/// Why a viewer gets no seat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Full {
    /// All seats of the daemon are taken.
    Daemon(usize),
    /// As many watch the camera as its `max-viewers` allows.
    Camera(usize),
    /// The program drains.
    Closed,
}

/// A place in the list, given up when dropped.
pub(super) struct Seat {
    all: Arc<Viewers>,
    pub(super) viewer: Arc<Viewer>,
}

/// A place in the line for a seat, given up when dropped.
pub(super) struct InLine<'a>(&'a Viewers);

/// Why nobody gets a seat while the program drains.
pub(super) const DRAINING: &str = "the program drains and takes no new viewers";

/// A page that is reloaded asks before its old stream has ended. More clients
/// than this at once are a crowd, which is refused.
const MAX_IN_LINE: usize = 4;

impl Viewers {
    pub(super) fn new(n_seats: usize, events: Events) -> Self {
        Self { n_seats, events, book: Mutex::default() }
    }

    /// Gives a viewer a seat. `n_most` may watch the camera, or all who have a
    /// seat.
    ///
    /// # Errors
    /// Which seats are all taken.
    pub(super) fn enter(
        self: &Arc<Self>,
        camera: &str,
        n_most: Option<usize>,
        info: ViewerInfo,
    ) -> Result<Seat, Full> {
        let n_most = n_most.unwrap_or(usize::MAX);
        let mut book = self.book.lock();
        if book.is_closed {
            return Err(Full::Closed);
        }
        if book.present.len() >= self.n_seats {
            return Err(Full::Daemon(self.n_seats));
        }
        // Counted and not kept: there are few viewers, and a count of its own could
        // differ from the list.
        if book.n_watching(camera) >= n_most {
            return Err(Full::Camera(n_most));
        }
        book.n_ever += 1;
        let viewer = Arc::new(Viewer::new(book.n_ever, camera, info));
        // Checked and taken under one lock, so that two that come at once do not get
        // the last seat both.
        book.tally(camera).n_ever += 1;
        book.note_first(camera, &self.events);
        book.present.insert(viewer.id, Arc::clone(&viewer));
        Ok(Seat { all: Arc::clone(self), viewer })
    }

    /// Gives out no seat any more. Those who have one keep it.
    pub(super) fn close(&self) {
        self.book.lock().is_closed = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.book.lock().is_closed
    }

    /// A place in the line for a seat; `None`: the line is full.
    pub(super) fn stand_in_line(&self) -> Option<InLine<'_>> {
        let mut book = self.book.lock();
        if book.n_in_line >= MAX_IN_LINE {
            return None;
        }
        book.n_in_line += 1;
        Some(InLine(self))
    }

    pub(super) fn present(&self) -> Vec<Arc<Viewer>> {
        self.book.lock().present.values().cloned().collect()
    }

    /// The viewer that has chosen this key.
    pub(super) fn find(&self, key: &str) -> Option<Arc<Viewer>> {
        let book = self.book.lock();
        // The newest, should a program use a key for several.
        book.present.values().rev().find(|viewer| viewer.info.key == key).cloned()
    }

    pub(super) fn seats(&self) -> Seats {
        let book = self.book.lock();
        Seats {
            total: self.n_seats,
            taken: book.present.len(),
            refused: book.n_refused,
            brief: book.n_brief,
        }
    }

    /// Notes that somebody asked for a stream or a snapshot.
    pub(super) fn note_watching(&self, at: Instant) {
        self.book.lock().last_watched = Some(at);
    }

    /// When somebody last watched or asked for a snapshot; now, if somebody
    /// watches.
    pub(super) fn last_watched(&self) -> Option<Instant> {
        let book = self.book.lock();
        if book.present.is_empty() { book.last_watched } else { Some(Instant::now()) }
    }

    /// How many watch.
    pub(super) fn n_present(&self) -> usize {
        self.book.lock().present.len()
    }

    /// How many watch a camera.
    pub(super) fn n_watching(&self, camera: &str) -> usize {
        self.book.lock().n_watching(camera)
    }

    /// Counts a viewer that left at once.
    pub(super) fn count_brief(&self) {
        self.book.lock().n_brief += 1;
    }

    /// Counts a viewer that found no seat.
    pub(super) fn count_refused(&self, camera: &str) {
        let mut book = self.book.lock();
        book.n_refused += 1;
        book.tally(camera).n_refused += 1;
    }

    /// What the viewers of each of these cameras were given. The totals of
    /// other cameras, which were removed by a reload, are forgotten.
    pub(super) fn tallies(&self, cameras: &[&str]) -> Vec<Tally> {
        let mut book = self.book.lock();
        // Here, as only this caller knows which cameras there are. Names come from a
        // file that is read again, so they would grow without bound.
        book.totals.retain(|name, _| cameras.contains(&name.as_str()));
        book.budgets.retain(|name, _| cameras.contains(&name.as_str()));
        let total = |name: &&str| {
            let mut tally = book.totals.get(*name).copied().unwrap_or_default();
            let viewers = book.present.values().filter(|viewer| viewer.camera == *name);
            // What the present ones were given is added at each look. Adding each
            // picture to the totals would take this lock for each of them.
            viewers.for_each(|viewer| tally.served.add(viewer.report().served));
            tally
        };
        cameras.iter().map(total).collect()
    }
}

impl Book {
    fn n_watching(&self, camera: &str) -> usize {
        self.present.values().filter(|viewer| viewer.camera == camera).count()
    }

    /// A viewer comes.
    fn note_first(&mut self, camera: &str, events: &Events) {
        if self.watched.contains_key(camera) {
            return;
        }
        let since = Instant::now();
        let budget = self.budgets.entry(camera.to_owned()).or_default();
        let is_announced = budget.pass(since).is_some();
        if is_announced {
            // Under the lock of the book, so that events are in the order of what happened.
            events.emit(camera, Kind::FirstViewer, &[]);
        }
        self.watched.insert(camera.to_owned(), Watched { since, is_announced });
    }

    /// A viewer has left.
    fn note_last(&mut self, camera: &str, events: &Events) {
        if self.n_watching(camera) > 0 {
            return;
        }
        if let Some(Watched { since, is_announced: true }) = self.watched.remove(camera) {
            events.emit(camera, Kind::LastViewer, &[("watched_s", seconds(since.elapsed()))]);
        }
    }

    fn tally(&mut self, camera: &str) -> &mut Tally {
        // Not `entry`, which would copy the name for each viewer.
        if !self.totals.contains_key(camera) {
            self.totals.insert(camera.to_owned(), Tally::default());
        }
        self.totals.get_mut(camera).expect("it was just inserted if it was missing")
    }
}

impl Full {
    /// Which seats are taken, for people.
    pub(super) fn describe(self, camera: &str) -> String {
        match self {
            Self::Daemon(n) => format!("all {n} seats are taken"),
            Self::Camera(n) => format!("all {n} seats of camera {camera} are taken"),
            Self::Closed => DRAINING.into(),
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let viewer = &self.viewer;
        let served = viewer.report().served;
        viewer.end_heartbeat();
        // Both under one lock: a viewer is counted as present or as gone, never
        // as neither, or a counter would go back for a moment.
        let mut book = self.all.book.lock();
        book.present.remove(&viewer.id);
        book.last_watched = Some(Instant::now());
        book.tally(&viewer.camera).served.add(served);
        book.note_last(&viewer.camera, &self.all.events);
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.0.book.lock().n_in_line -= 1;
    }
}

#[cfg(test)]
#[path = "viewers_tests.rs"]
mod tests;
