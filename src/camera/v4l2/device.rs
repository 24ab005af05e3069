//! One V4L2 device, open or not: how it is found, opened and asked.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Weak};
use std::time::Instant;

use parking_lot::Mutex;

use super::super::{Cause, Controls, Error};
use super::desired::Desired;
use super::identity::Identity;
use super::known::Known;
use super::nodes::{self, Opened};
use super::{V4l2, controls};
use crate::config::CameraConfig;
use crate::controls::{Change, ChangeResult, Control};

/// The folder of links that name a socket and not a camera.
const BY_PATH: &str = "/dev/v4l/by-path";

/// All devices of this daemon, so that none takes the camera of another.
static ALL: Mutex<Vec<Weak<Claim>>> = Mutex::new(Vec::new());

/// A device that is opened many times.
pub(super) struct Device {
    claim: Arc<Claim>,
    config: CameraConfig,
    desired: Desired,
}

/// Which camera a device means.
struct Claim {
    /// The camera of this daemon that it belongs to. After a change of the
    /// configuration the device before it lives on until capture has closed it:
    /// the two are one camera, and neither takes anything from the other.
    owner: String,
    /// As it was typed; `None` stands for the first node that is a camera.
    path: Option<PathBuf>,
    known: Mutex<Option<Known>>,
    lasting: Arc<Lasting>,
}

/// What one opening of a device leaves to the next.
#[derive(Default)]
pub(super) struct Lasting {
    /// When the device was last closed by capture.
    pub(super) released: Mutex<Option<Instant>>,
    /// Whether the board's encoder has failed.
    pub(super) no_hardware: AtomicBool,
}

impl Device {
    /// `owner` is the name of the camera that it belongs to.
    pub(super) fn new(owner: &str, path: Option<PathBuf>, config: CameraConfig) -> Self {
        let desired = Desired::new(config.device.controls.clone());
        let claim = Claim::register(owner, path);
        Self { claim, config, desired }
    }

    /// Opens the camera for capture, wherever it is now, and sets it up.
    pub(super) fn open(&self) -> Result<V4l2, Error> {
        let opened = self.claim.open()?;
        let lasting = Arc::clone(&self.claim.lasting);
        V4l2::set_up(opened, &self.config, &self.desired, lasting)
    }
}

impl Controls for Device {
    fn list(&self) -> Result<Vec<Control>, Error> {
        Ok(controls::list(&self.claim.open()?))
    }

    /// Beside the capture thread, which V4L2 allows while another descriptor
    /// streams.
    fn set(&self, changes: &[Change]) -> Result<Vec<ChangeResult>, Error> {
        Ok(controls::set_lasting(&self.claim.open()?, changes, &self.desired))
    }
}

impl Claim {
    fn register(owner: &str, path: Option<PathBuf>) -> Arc<Self> {
        // Now, without opening it: later its number may be that of another.
        let known = Mutex::new(path.as_deref().and_then(Identity::of).map(Known::seen));
        let lasting = Arc::default();
        let claim = Arc::new(Self { owner: owner.to_owned(), path, known, lasting });
        let mut all = ALL.lock();
        all.retain(|claim| claim.strong_count() > 0);
        all.push(Arc::downgrade(&claim));
        claim
    }

    /// Opens the camera that this device means. No lock is held meanwhile, as
    /// opening can take seconds; the last one that opens it says where it is.
    fn open(&self) -> Result<Opened, Error> {
        let mut known = self.known.lock().clone();
        let opened = self.find(&mut known);
        *self.known.lock() = known;
        opened
    }

    fn find(&self, known: &mut Option<Known>) -> Result<Opened, Error> {
        // A socket is typed to have whatever is plugged into it.
        if let Some(path) = self.path.as_deref().filter(|_| self.is_socket()) {
            let opened = nodes::open(path)?;
            *known = Known::of(&opened);
            return Ok(opened);
        }
        let own = known.as_ref().map(|known| known.identity.clone());
        let others = self.others();
        // What two devices mean alike is busy for one of them, but a socket says
        // more than the name of a camera, which two cameras may share.
        let is_free = |identity: &Identity| {
            let is_own = own.as_ref() == Some(identity);
            !others.iter().any(|other| (!is_own || other.is_socket()) && other.means(identity))
        };
        let released = *self.lasting.released.lock();
        if let Some(opened) = known.as_mut().and_then(|known| known.open(is_free, released)) {
            return opened;
        }
        let opened = match (known.as_ref(), self.path.as_deref()) {
            (_, None) => nodes::first(|path| Identity::of(path).as_ref().is_none_or(is_free))?,
            (Some(known), Some(path)) => known.open_replacement(path)?,
            (None, Some(path)) => nodes::open(path)?,
        };
        let found = Known::of(&opened);
        if found.as_ref().is_some_and(|found| !is_free(&found.identity)) {
            let why =
                "is the device of another camera here; name each by its socket (/dev/v4l/by-path)";
            return Err(Error::lost(Cause::Busy, format!("{} {why}", opened.path.display())));
        }
        *known = found;
        Ok(opened)
    }

    fn is_socket(&self) -> bool {
        self.path.as_ref().is_some_and(|path| path.starts_with(BY_PATH))
    }

    fn others(&self) -> Vec<Arc<Self>> {
        let all = ALL.lock();
        all.iter().filter_map(Weak::upgrade).filter(|other| other.owner != self.owner).collect()
    }

    /// Whether this device is that camera, as far as is known now.
    fn means(&self, identity: &Identity) -> bool {
        let known = self.known.lock().as_ref().map(|known| known.identity.clone());
        let by_path = || self.path.as_deref().and_then(Identity::of);
        let is_it = |id: Option<Identity>| id.as_ref() == Some(identity);
        match known {
            Some(known) => known == *identity || self.is_socket() && is_it(by_path()),
            None => is_it(by_path()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_devices_of_other_cameras_are_others() {
        let [_before, after, other] = ["claim-a", "claim-a", "claim-b"]
            .map(|owner| Claim::register(owner, Some("/dev/video99".into())));
        let mut others = after.others();
        // Tests beside this one may have devices of their own.
        others.retain(|claim| claim.owner.starts_with("claim-"));
        assert!(matches!(&others[..], [only] if Arc::ptr_eq(only, &other)));
    }
}
