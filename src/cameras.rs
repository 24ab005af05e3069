//! The cameras of this daemon, by name.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::capture::{Capture, MAX_SILENCE, Prepared, State};
use crate::config::CameraOptions;
use crate::events::Events;
use crate::motion::Motion;
use crate::recording::Recording;
use crate::variants::{AllVariants, Variants};

/// One camera with its capture, recording and variants.
pub(crate) struct Camera {
    pub(crate) name: String,
    pub(crate) capture: Capture,
    pub(crate) variants: Variants,
    pub(crate) recording: Option<Recording>,
    pub(crate) motion: Option<Motion>,
    section: Mutex<CameraOptions>,
}

/// By what a camera is judged to get on.
pub(crate) struct CameraProgress {
    pub(crate) name: String,
    /// Grows with each picture and each fault; 0: it is off.
    pub(crate) count: u64,
    /// How long a driver may wait for a picture.
    pub(crate) patience: Duration,
}

/// The present cameras, in the order of the configuration.
#[derive(Clone)]
pub(crate) struct Cameras {
    list: Arc<Mutex<List>>,
    variants: Arc<AllVariants>,
    events: Events,
}

/// How a camera follows a new configuration. All steps are known before the first is taken.
enum Step {
    Keep(Arc<Camera>),
    Change(Arc<Camera>, Prepared),
    Add(Prepared),
}

/// Never empty. Replaced as a whole, so that readers need not hold the lock.
type List = Arc<[Arc<Camera>]>;

impl Cameras {
    /// Opens no camera yet, except those that are always on or recorded. There may be
    /// `max_variants` at once.
    pub(crate) fn new(sections: Vec<CameraOptions>, max_variants: usize, events: Events) -> Self {
        assert!(!sections.is_empty(), "a configuration has a camera");
        let variants = Arc::new(AllVariants::new(max_variants));
        let prepared: Vec<_> = sections.iter().map(Prepared::new).collect();
        let new = |(section, prepared)| Camera::new(section, prepared, &variants, &events);
        let cameras = sections.into_iter().zip(prepared).map(new).map(Arc::new).collect();
        Self { list: Arc::new(Mutex::new(cameras)), variants, events }
    }

    /// The variants of all cameras.
    pub(crate) fn variants(&self) -> &AllVariants {
        &self.variants
    }

    /// Changes the cameras to those of a new configuration. A camera that stays the same
    /// is not touched, and one that changes keeps its readers. The readers of a camera
    /// that is removed, or whose recording changes, see its end.
    pub(crate) fn change(&self, sections: Vec<CameraOptions>) {
        let before = self.all();
        // A camera's recording and detector are fixed when the camera is created, so a change
        // of them needs a new camera.
        let find = |section: &CameraOptions| {
            let known = before.iter().find(|camera| camera.name == section.name)?;
            let before = known.section.lock();
            let is_same = before.record == section.record
                && before.motion == section.motion
                && before.camera.source.recorded_folder()
                    == section.camera.source.recorded_folder();
            drop(before);
            is_same.then_some(known)
        };
        let step = |section: &CameraOptions| match find(section) {
            None => Step::Add(Prepared::new(section)),
            Some(camera) if camera.differs(section) => {
                Step::Change(Arc::clone(camera), Prepared::new(section))
            }
            Some(camera) => Step::Keep(Arc::clone(camera)),
        };
        let steps: Vec<_> = sections.iter().map(step).collect();
        let stays = |camera: &&Arc<Camera>| steps.iter().any(|step| step.keeps(camera));
        let removed: Vec<_> = before.iter().filter(|camera| !stays(camera)).collect();
        // All are ordered to stop before the first is waited for: together they take
        // as long as the slowest.
        for camera in &removed {
            let description = camera.section.lock().description();
            log::info!("{description}, removed");
            camera.close();
        }
        // A recorder must release its folder before a new camera records there.
        removed.iter().for_each(|camera| camera.stop());
        let cameras = sections.into_iter().zip(steps).map(|(section, step)| match step {
            Step::Keep(camera) => {
                *camera.section.lock() = section;
                camera
            }
            Step::Change(camera, prepared) => {
                log::info!("{}, changed", section.description());
                camera.capture.change(prepared);
                *camera.section.lock() = section;
                camera
            }
            Step::Add(prepared) => {
                log::info!("{}, added", section.description());
                Arc::new(Camera::new(section, prepared, &self.variants, &self.events))
            }
        });
        let cameras = cameras.collect();
        *self.list.lock() = cameras;
    }

    /// What happened at them.
    pub(crate) fn events(&self) -> &Events {
        &self.events
    }

    /// The present cameras; a later change does not affect the returned list.
    pub(crate) fn all(&self) -> List {
        Arc::clone(&self.list.lock())
    }

    /// The camera for requests that name none.
    pub(crate) fn first(&self) -> Arc<Camera> {
        Arc::clone(&self.all()[0])
    }

    pub(crate) fn find(&self, name: &str) -> Option<Arc<Camera>> {
        self.all().iter().find(|camera| camera.name == name).cloned()
    }

    /// Names and causes of those that are lost now. One that nobody watches is
    /// off, not lost.
    pub(crate) fn lost(&self) -> Vec<(String, String)> {
        let all = self.all();
        let status = all.iter().map(|camera| (camera.name.clone(), camera.capture.status()));
        let lost = status.filter(|(_, status)| status.state == State::Lost);
        lost.map(|(name, status)| (name, status.cause.unwrap_or_default())).collect()
    }

    /// How far each has come.
    pub(crate) fn progress(&self) -> Vec<CameraProgress> {
        self.all().iter().map(|camera| camera.progress()).collect()
    }

    /// Ends all reads for good and orders all threads to stop.
    pub(crate) fn close(&self) {
        self.all().iter().for_each(|camera| camera.close());
    }

    /// Returns when all threads have ended. Call [`Cameras::close`] before.
    pub(crate) fn stop(&self) {
        self.all().iter().for_each(|camera| camera.stop());
    }
}

impl Step {
    /// Whether this camera stays.
    fn keeps(&self, other: &Arc<Camera>) -> bool {
        match self {
            Self::Keep(camera) | Self::Change(camera, _) => Arc::ptr_eq(camera, other),
            Self::Add(_) => false,
        }
    }
}

impl Camera {
    fn new(
        section: CameraOptions,
        prepared: Prepared,
        variants: &Arc<AllVariants>,
        events: &Events,
    ) -> Self {
        let source = events.source(&section.name);
        let capture = Capture::new(prepared, source.clone());
        let (record, motion) = (section.record.clone(), section.motion.clone());
        // Before the detector, whose first events it must not miss.
        let recording = match section.camera.source.recorded_folder() {
            Some(dir) => Some(Recording::follow(dir.to_owned(), capture.clone(), source.clone())),
            None => record.map(|config| Recording::start(config, capture.clone(), source.clone())),
        };
        let motion = motion.map(|config| Motion::start(config, capture.clone(), source));
        Self {
            name: section.name.clone(),
            recording,
            motion,
            variants: Variants::new(Arc::clone(variants), section.label(), capture.clone()),
            capture,
            section: Mutex::new(section),
        }
    }

    /// Ends all reads for good and orders the threads to stop.
    fn close(&self) {
        self.capture.close();
        self.variants.close();
    }

    /// Returns when the threads have ended. Capture must be closed before.
    fn stop(&self) {
        // Both are readers, so they stop before the capture that they read from.
        if let Some(motion) = &self.motion {
            motion.stop();
        }
        if let Some(recording) = &self.recording {
            recording.stop();
        }
        self.capture.stop();
        // Last, so that the end of each of these is in it.
        if let Some(recording) = &self.recording {
            recording.stop_journal();
        }
    }

    /// Whether its capture must change to follow these options.
    fn differs(&self, section: &CameraOptions) -> bool {
        let before = self.section.lock();
        before.camera != section.camera || before.capture != section.capture
    }

    fn progress(&self) -> CameraProgress {
        let count = self.capture.n_events();
        let stall = self.section.lock().camera.stall_timeout;
        let patience = stall.map_or(MAX_SILENCE, |time| time.max(MAX_SILENCE));
        CameraProgress { name: self.name.clone(), count, patience }
    }

    /// How many may watch at once; `None` if only the seats are limited.
    pub(crate) fn max_viewers(&self) -> Option<usize> {
        self.section.lock().max_viewers
    }
}
