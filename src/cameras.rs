//! The cameras of this daemon, by name.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::capture::Capture;
use crate::config::CameraSection;
use crate::shutdown::Shutdown;

/// One camera and all that hangs on it.
pub(crate) struct Unit {
    pub(crate) name: String,
    pub(crate) capture: Capture,
}

/// All cameras of this moment, in the order they were asked for.
#[derive(Clone)]
pub(crate) struct Cameras(Arc<Mutex<List>>);

/// Never empty. Replaced as a whole, so that whoever reads holds no lock.
type List = Arc<[Arc<Unit>]>;

impl Cameras {
    /// No camera is opened yet, unless it is to be on always.
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
        self.all().iter().for_each(|unit| unit.capture.stop());
    }
}

impl Unit {
    fn new(section: CameraSection, stop: &Shutdown) -> Self {
        let capture = Capture::new(section.camera, section.capture, stop.clone());
        Self { name: section.name, capture }
    }
}
