//! The cameras of this daemon, by name.

use std::mem;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::capture::Capture;
use crate::config::CameraSection;
use crate::recording::Recording;

/// One camera and all that hangs on it.
pub(crate) struct Unit {
    pub(crate) name: String,
    pub(crate) capture: Capture,
    pub(crate) recording: Option<Recording>,
    section: Mutex<CameraSection>,
}

/// All cameras of this moment, in the order they were asked for.
#[derive(Clone)]
pub(crate) struct Cameras(Arc<Mutex<List>>);

/// Never empty. Replaced as a whole, so that whoever reads holds no lock.
type List = Arc<[Arc<Unit>]>;

impl Cameras {
    /// No camera is opened yet, unless it is to be on always or recorded.
    pub(crate) fn new(sections: Vec<CameraSection>) -> Self {
        assert!(!sections.is_empty(), "a configuration has a camera");
        let units = sections.into_iter().map(|section| Arc::new(Unit::new(section)));
        Self(Arc::new(Mutex::new(units.collect())))
    }

    /// Makes the cameras those of a new configuration. One that stays the same
    /// notices nothing, the readers of one that changes stay, those of one
    /// that goes, or whose recording changes, see its end.
    pub(crate) fn change(&self, sections: Vec<CameraSection>) {
        let before = self.all();
        let find = |section: &CameraSection| {
            let known = before.iter().find(|unit| unit.name == section.name)?;
            (known.section.lock().record == section.record).then_some(known)
        };
        let kept: Vec<_> = sections.iter().map(|section| find(section).cloned()).collect();
        let stays = |unit: &&Arc<Unit>| kept.iter().flatten().any(|other| Arc::ptr_eq(unit, other));
        for unit in before.iter().filter(|unit| !stays(unit)) {
            let told = unit.section.lock().told();
            log::info!("{told}, gone");
            unit.capture.close();
            // Its recorder gives its folder free before another takes it.
            unit.stop();
        }
        let units = sections.into_iter().zip(kept).map(|(section, unit)| match unit {
            Some(unit) => {
                unit.change(&section);
                unit
            }
            None => {
                log::info!("{}, new", section.told());
                Arc::new(Unit::new(section))
            }
        });
        let units = units.collect();
        *self.0.lock() = units;
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

    /// Wakes all readers and ends all threads, for good.
    pub(crate) fn close(&self) {
        self.all().iter().for_each(|unit| unit.capture.close());
    }

    /// Returns when all threads are gone. To be closed before.
    pub(crate) fn stop(&self) {
        self.all().iter().for_each(|unit| unit.stop());
    }
}

impl Unit {
    fn new(section: CameraSection) -> Self {
        let capture = Capture::new(&section);
        let record = section.record.clone();
        Self {
            name: section.name.clone(),
            recording: record.map(|config| Recording::start(config, capture.clone())),
            capture,
            section: Mutex::new(section),
        }
    }

    /// To be closed before.
    fn stop(&self) {
        if let Some(recording) = &self.recording {
            recording.stop();
        }
        self.capture.stop();
    }

    fn change(&self, section: &CameraSection) {
        let before = mem::replace(&mut *self.section.lock(), section.clone());
        if before.camera != section.camera || before.capture != section.capture {
            log::info!("{}, changed", section.told());
            self.capture.change(section);
        }
    }

    /// How many may watch at once; `None`: all who have a seat.
    pub(crate) fn max_viewers(&self) -> Option<usize> {
        self.section.lock().max_viewers
    }
}
