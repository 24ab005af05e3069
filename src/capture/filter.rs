//! Which of a camera's good pictures are shown: each Nth, and a still picture not
//! again and again.

use crate::config::CaptureConfig;
use crate::frame::Frame;

/// What the options leave out, for one opening of the camera.
pub(super) struct Filter {
    every: u32,
    max_same: u32,
    /// How many pictures to skip before the next one is taken.
    n_to_skip: u32,
    /// How many pictures in a row were the same as the last one that was shown.
    n_same: u32,
}

impl Filter {
    pub(super) fn new(config: &CaptureConfig) -> Self {
        Self { every: config.every, max_same: config.max_same, n_to_skip: 0, n_same: 0 }
    }

    /// Whether the next picture is not wanted.
    pub(super) fn skips_next(&self) -> bool {
        self.n_to_skip > 0
    }

    pub(super) fn skipped(&mut self) {
        self.n_to_skip = self.n_to_skip.saturating_sub(1);
    }

    pub(super) fn taken(&mut self) {
        self.n_to_skip = self.every.saturating_sub(1);
    }

    /// Whether a picture is left out because it has the bytes of the last one.
    /// Compares bytes and not pixels: a still signal gives equal JPEGs, and the
    /// noise of a sensor never does. `latest` is asked for only where it counts.
    pub(super) fn is_repeat(
        &mut self,
        jpeg: &[u8],
        latest: impl FnOnce() -> Option<std::sync::Arc<Frame>>,
    ) -> bool {
        if self.n_same >= self.max_same {
            self.n_same = 0;
            return false;
        }
        let is_same = latest().is_some_and(|latest| latest.jpeg() == jpeg);
        self.n_same = if is_same { self.n_same + 1 } else { 0 };
        is_same
    }
}
