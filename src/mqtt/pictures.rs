//! Pictures that are due: when something begins to move, and at a rate. None of them wakes
//! a camera or keeps it on, since the program would then never rest for a broker that
//! perhaps nobody asks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::packet::MAX_LEN;
use crate::cameras::Camera;
use crate::capture::Reader;
use crate::frame::Frame;
use crate::slot::Newer;

/// No larger picture fits into a packet with its topic. No camera has one.
const MAX_BYTES: usize = MAX_LEN - 1024;
/// How long a picture is waited for: a camera that is on has one by then.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Default)]
pub(super) struct Pictures(Vec<Awaited>);

/// A picture that is waited for.
struct Awaited {
    camera: String,
    reader: Reader,
    until: Instant,
}

/// What became of one.
enum Outcome {
    Waits,
    Came(Arc<Frame>),
    Given,
}

impl Pictures {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Waits for a picture of this camera from now on. Returns whether the camera is on.
    pub(super) fn ask(&mut self, camera: &Camera) -> bool {
        // A second reader would see the first, and think that the camera is on for others.
        if self.0.iter().any(|awaited| awaited.camera == camera.name) {
            return true;
        }
        let Some(reader) = camera.capture.read_beside_others() else { return false };
        let until = Instant::now() + PATIENCE;
        self.0.push(Awaited { camera: camera.name.clone(), reader, until });
        true
    }

    /// A picture that has come, and its camera. Does not wait.
    pub(super) fn next(&mut self) -> Option<(String, Arc<Frame>)> {
        let mut at = 0;
        while let Some(awaited) = self.0.get(at) {
            match awaited.outcome() {
                Outcome::Waits => at += 1,
                Outcome::Came(frame) => return Some((self.0.swap_remove(at).camera, frame)),
                Outcome::Given => drop(self.0.swap_remove(at)),
            }
        }
        None
    }
}

impl Awaited {
    fn outcome(&self) -> Outcome {
        match self.reader.wait_newer(0, Duration::ZERO) {
            Newer::Frame { frame, .. } if frame.jpeg().len() > MAX_BYTES => Outcome::Given,
            // What stands in for a picture while the camera is lost does not come from it.
            Newer::Frame { frame, .. } if !frame.meta.is_status => Outcome::Came(frame),
            Newer::Closed => Outcome::Given,
            _ if Instant::now() >= self.until || self.reader.cause().is_some() => Outcome::Given,
            _ => Outcome::Waits,
        }
    }
}
