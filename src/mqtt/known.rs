//! What the broker knows of the cameras: compared with what there is.

use std::time::Instant;

use super::publisher::Publisher;
use super::topics::{self, on_off};
use crate::cameras::Camera;
use crate::fetch::Error;

/// A camera and what the broker knows of it.
pub(super) struct Known {
    name: String,
    /// As it was announced; `None`: not over this connection.
    has_motion: Option<bool>,
    state: String,
    picture_due: Instant,
}

impl Known {
    /// Nothing was published over a new connection.
    pub(super) fn begin_again(&mut self) {
        self.has_motion = None;
    }
}

impl Publisher<'_> {
    /// Publishes what has changed since the last look.
    pub(super) fn look_at_cameras(&mut self, now: Instant) -> Result<(), Error> {
        let all = self.cameras.all();
        let mut known = std::mem::take(&mut self.memory.known);
        known.retain(|known| {
            all.iter().any(|camera| camera.name == known.name) || {
                // Else over the next connection.
                self.forget(&known.name).is_err()
            }
        });
        let mut end = Ok(());
        for camera in all.iter() {
            let at = known.iter().position(|known| known.name == camera.name);
            let at = at.unwrap_or_else(|| {
                let name = camera.name.clone();
                let state = String::new();
                known.push(Known { name, has_motion: None, state, picture_due: now });
                known.len() - 1
            });
            end = end.and_then(|()| self.look_at(camera, &mut known[at], now));
        }
        self.memory.known = known;
        end
    }

    /// Publishes what has changed at a camera.
    fn look_at(&mut self, camera: &Camera, known: &mut Known, now: Instant) -> Result<(), Error> {
        let shared = self.shared;
        let is_moving = topics::is_moving(camera);
        if known.has_motion != Some(is_moving.is_some()) {
            self.announce(&camera.name, Some(is_moving.is_some()))?;
            // Empty, it takes away what an earlier run has left there.
            let motion = is_moving.map(on_off).unwrap_or_default();
            self.publish_of(&camera.name, "motion", motion)?;
            known.has_motion = Some(is_moving.is_some());
            known.state.clear();
        }
        let state = topics::state(camera, (self.n_viewers)(&camera.name));
        if known.state != state {
            self.publish_of(&camera.name, "state", &state)?;
            known.state = state;
        }
        if let Some(every) = shared.config.snapshot_every
            && known.picture_due <= now
            && self.pictures.ask(camera)
        {
            known.picture_due = now + every;
        }
        Ok(())
    }

    fn announce(&mut self, camera: &str, has_motion: Option<bool>) -> Result<(), Error> {
        let messages = self.shared.topics.discovery(camera, has_motion);
        messages.iter().try_for_each(|(topic, text)| {
            self.shared.publish(&mut self.session, topic, text.as_bytes(), true)
        })
    }

    /// Takes away what was retained of a camera.
    fn forget(&mut self, camera: &str) -> Result<(), Error> {
        self.announce(camera, None)?;
        ["state", "motion", "snapshot"]
            .iter()
            .try_for_each(|what| self.publish_of(camera, what, ""))
    }

    /// A retained text about a camera.
    pub(super) fn publish_of(&mut self, camera: &str, what: &str, text: &str) -> Result<(), Error> {
        let topic = self.shared.topics.of_camera(camera, what);
        self.shared.publish(&mut self.session, &topic, text.as_bytes(), true)
    }
}
