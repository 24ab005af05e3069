//! Snow, and rain that is seen to fall: many thin things that go down. A single one may be
//! anything.

use super::track::Track;

/// What is thin and falls is snow if so many did in so many pictures...
const MANY: f32 = 4.0;
const MEMORY: f32 = 100.0;
/// ...and with so many all that is thin is, as flakes cross and join.
const HEAVY: f32 = 10.0;

/// How much of it there is.
#[derive(Debug, Default)]
pub(super) struct Snow {
    n_fallen: f32,
}

impl Snow {
    /// Forgets a little.
    pub(super) fn next_picture(&mut self) {
        self.n_fallen *= 1.0 - 1.0 / MEMORY;
    }

    /// Whether a track is one of many. Counts each once.
    pub(super) fn is_in(&mut self, track: &mut Track) -> bool {
        let is_falling = track.is_thin() && track.is_falling();
        if is_falling && !track.has_fallen {
            track.has_fallen = true;
            self.n_fallen += 1.0;
        }
        self.n_fallen >= if is_falling { MANY } else { HEAVY } && track.is_thin()
    }
}
