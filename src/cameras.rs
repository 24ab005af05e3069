//! The cameras of this daemon, by name.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use parking_lot::Mutex;

use crate::capture::Capture;
use crate::config::CameraSection;
use crate::recording::Recording;
use crate::shutdown::Shutdown;

/// One camera and all that hangs on it.
pub(crate) struct Unit {
    pub(crate) name: String,
    pub(crate) capture: Capture,
    pub(crate) recording: Option<Recording>,
    /// How many may watch at once; `None`: all who have a seat.
    pub(crate) max_viewers: Option<usize>,
    n_viewers: AtomicUsize,
}

/// The right to watch one camera, given back when dropped.
pub(crate) struct Admission(Arc<Unit>);

/// All cameras of this moment, in the order they were asked for.
#[derive(Clone)]
pub(crate) struct Cameras(Arc<Mutex<List>>);

/// Never empty. Replaced as a whole, so that whoever reads holds no lock.
type List = Arc<[Arc<Unit>]>;

impl Cameras {
    /// No camera is opened yet, unless it is to be on always or recorded.
    pub(crate) fn new(sections: Vec<CameraSection>, stop: &Shutdown) -> Self {
        assert!(!sections.is_empty(), "a configuration has a camera");
        let units = sections.into_iter().map(|section| Arc::new(Unit::new(section, stop)));
        Self(Arc::new(Mutex::new(units.collect())))
    }

    pub(crate) fn all(&self) -> List {
        Arc::clone(&self.0.lock())
    }

    /// The one that is meant where none is named.
    pub(crate) fn first(&self) -> Arc<Unit> {
        Arc::clone(&self.all()[0])
    }

    pub(crate) fn find(&self, name: &str) -> Option<Arc<Unit>> {
        self.all().iter().find(|unit| unit.name == name).cloned()
    }

    /// Wakes all readers, for good.
    pub(crate) fn close(&self) {
        self.all().iter().for_each(|unit| unit.capture.close());
    }

    /// Returns when all threads are gone. The order to stop must have been
    /// given.
    pub(crate) fn stop(&self) {
        for unit in self.all().iter() {
            if let Some(recording) = &unit.recording {
                recording.stop();
            }
            unit.capture.stop();
        }
    }
}

impl Unit {
    fn new(section: CameraSection, stop: &Shutdown) -> Self {
        let capture = Capture::new(&section, stop.clone());
        let recording = section.record.map(|config| Recording::start(config, capture.clone()));
        Self {
            capture,
            recording,
            name: section.name,
            max_viewers: section.max_viewers,
            n_viewers: AtomicUsize::new(0),
        }
    }

    /// Lets a viewer in.
    ///
    /// # Errors
    /// How many watch, if that is as many as may.
    pub(crate) fn admit(self: &Arc<Self>) -> Result<Admission, usize> {
        let n_most = self.max_viewers.unwrap_or(usize::MAX);
        let more = |n| (n < n_most).then_some(n + 1);
        self.n_viewers.fetch_update(SeqCst, SeqCst, more)?;
        Ok(Admission(Arc::clone(self)))
    }

    pub(crate) fn n_viewers(&self) -> usize {
        self.n_viewers.load(SeqCst)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.0.n_viewers.fetch_sub(1, SeqCst);
    }
}
