//! Which events somebody wants.

use super::event::{Event, Micros};
use super::kind::Kind;

/// Which events somebody wants. The default is all of them.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    /// Of this camera; `None`: of all.
    pub(crate) camera: Option<String>,
    /// Of these types; empty: of all.
    pub(crate) kinds: Vec<Kind>,
    pub(crate) from: Micros,
    pub(crate) to: Micros,
}

impl Default for Filter {
    fn default() -> Self {
        Self { camera: None, kinds: Vec::new(), from: 0, to: Micros::MAX }
    }
}

impl Filter {
    /// The events of a camera.
    pub(crate) fn camera(name: &str) -> Self {
        Self { camera: Some(name.to_owned()), ..Self::default() }
    }

    pub(crate) fn passes(&self, event: &Event) -> bool {
        self.camera.as_ref().is_none_or(|camera| *camera == event.camera)
            && (self.kinds.is_empty() || self.kinds.contains(&event.kind))
            && (self.from..=self.to).contains(&event.at)
    }
}
