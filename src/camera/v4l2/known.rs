//! The camera that a device was last, and where it is now. It may come back
//! under another number or in another socket, but never as another camera.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::super::{Cause, Error};
use super::identity::Identity;
use super::nodes::{self, Opened};

/// How long to wait for a device that was unplugged before another device with
/// its number is used. Moving a plug from one socket to another takes less.
const RETURN: Duration = Duration::from_secs(10);
/// What is there this soon after the device was lost was there before: nobody
/// moves a plug that fast, and the kernel needs a second to find a camera.
const AT_ONCE: Duration = Duration::from_secs(1);

/// A USB camera that was seen.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) identity: Identity,
    /// Its own text about its socket, once it was opened.
    bus: Option<String>,
    /// Whether a second camera of its model and serial number was seen beside
    /// it: then only the socket tells which one this is.
    has_twin: bool,
    is_twin_told: bool,
    /// When it was first missed.
    away_since: Option<Instant>,
}

/// A node with its camera.
type Node = (PathBuf, Identity);

impl Known {
    pub(super) fn new(identity: Identity) -> Self {
        Self { identity, bus: None, has_twin: false, is_twin_told: false, away_since: None }
    }

    /// A camera that is plugged in, and was not opened yet. A twin that is there
    /// counts from now on: this one may be unplugged before it is first opened,
    /// and then nothing would tell the two apart.
    pub(super) fn seen(identity: Identity) -> Self {
        let mut known = Self::new(identity);
        known.look_for_twins(&cameras());
        known
    }

    fn look_for_twins(&mut self, all: &[Node]) {
        self.has_twin |= all.iter().any(|(_, identity)| self.identity.is_like(identity));
    }

    /// The camera of an opened node; `None` if it is not a USB camera.
    pub(super) fn of(opened: &Opened) -> Option<Self> {
        let bus = Some(opened.caps.bus.clone());
        Identity::of(&opened.path).map(|identity| Self { bus, ..Self::new(identity) })
    }

    /// Opens the camera where it is now; `None` if it is away. `is_free` says
    /// whether no other camera of this daemon means a node, and `released` is
    /// when this one was last open.
    pub(super) fn open(
        &mut self,
        is_free: impl Fn(&Identity) -> bool,
        released: Option<Instant>,
    ) -> Option<Result<Opened, Error>> {
        let node = self.locate(&cameras(), is_free, released);
        let Some((node, identity)) = node else {
            self.away_since.get_or_insert_with(Instant::now);
            return None;
        };
        self.away_since = None;
        Some(self.open_node(&node, identity))
    }

    fn open_node(&mut self, node: &Path, identity: Identity) -> Result<Opened, Error> {
        // By a name that people know again, where there is one.
        let name = nodes::lasting_name(node).unwrap_or_else(|| node.to_owned());
        let opened = nodes::open(&name)?;
        let has_moved = self.identity != identity;
        let is_bus = |bus: &String| has_moved || *bus == opened.caps.bus;
        // Numbers and links may have changed since they were read; the camera's
        // own text comes from the opened device itself.
        if Identity::of(&name).as_ref() != Some(&identity) || !self.bus.as_ref().is_none_or(is_bus)
        {
            return Err(self.missed());
        }
        self.bus = Some(opened.caps.bus.clone());
        self.identity = identity;
        Ok(opened)
    }

    /// The node of this camera among all that there are now.
    fn locate(
        &mut self,
        all: &[Node],
        is_free: impl Fn(&Identity) -> bool,
        released: Option<Instant>,
    ) -> Option<Node> {
        let own = all.iter().find(|(_, identity)| *identity == self.identity);
        let like: Vec<_> = all.iter().filter(|(_, id)| self.identity.is_like(id)).collect();
        // One that was open a moment ago counts as seen, though its node is gone: what is
        // there now was beside it.
        let was_here = self.away_since.is_none()
            && released.is_some_and(|released| released.elapsed() < AT_ONCE);
        self.has_twin |= like.len() + usize::from(own.is_some() || was_here) > 1;
        if self.has_twin && !std::mem::replace(&mut self.is_twin_told, true) {
            let shown = own.or(like.first().copied()).map_or(Path::new(""), |(path, _)| path);
            log::warn!(
                "{}: two cameras have one serial number; each is known by its socket now",
                shown.display()
            );
        }
        if let Some(own) = own.filter(|(_, identity)| is_free(identity)) {
            return Some(own.clone());
        }
        // In another socket; or the name led to one of two, and another device
        // here is typed by that one's socket, so this must be the other.
        let may_be_other = !self.has_twin || own.is_some();
        let mut free = like.into_iter().filter(|(_, identity)| may_be_other && is_free(identity));
        free.next().filter(|_| free.next().is_none()).cloned()
    }

    /// Opens the device at `path`, once this one is away for [`RETURN`]. Until
    /// then another camera may have taken the number that was typed, and this
    /// one may still come back under a new number.
    pub(super) fn open_replacement(&self, path: &Path) -> Result<Opened, Error> {
        let has_returned = |since: Instant| since.elapsed() < RETURN;
        if self.away_since.is_none_or(has_returned) {
            return Err(self.missed());
        }
        let is_twin = Identity::of(path).is_some_and(|id| self.identity.is_like(&id));
        if is_twin && self.has_twin {
            let why = "unplugged; another camera has its serial number: plug it into the same socket, or name the socket, as `mjpegd devices` does";
            return Err(Error::lost(Cause::NoDevice, format!("{}: {why}", path.display())));
        }
        nodes::open(path)
    }

    fn missed(&self) -> Error {
        let bus = self.bus.as_deref().map_or(String::new(), |bus| format!(" from {bus}"));
        Error::lost(Cause::NoDevice, format!("the camera was unplugged{bus}"))
    }
}

fn cameras() -> Vec<Node> {
    let identified = |path: PathBuf| Identity::of(&path).map(|identity| (path, identity));
    nodes::all().into_iter().filter_map(identified).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(n: u32, socket: &str, serial: &str) -> Node {
        (PathBuf::from(format!("/dev/video{n}")), Identity::test(socket, serial))
    }

    const FREE: fn(&Identity) -> bool = |_| true;

    fn found(known: &mut Known, all: &[Node], released: Option<Instant>) -> Option<String> {
        let node = known.locate(all, FREE, released);
        if node.is_none() {
            known.away_since.get_or_insert_with(Instant::now);
        }
        node.map(|(path, _)| path.display().to_string())
    }

    /// However slow the machine is.
    fn just_lost() -> Option<Instant> {
        Some(Instant::now() + RETURN)
    }

    #[test]
    fn camera_is_found_under_another_number_and_in_another_socket() {
        let mut known = Known::new(Identity::test("a", "1"));
        assert_eq!(found(&mut known, &[node(4, "a", "1")], None).unwrap(), "/dev/video4");
        let all = [node(0, "a", "2"), node(2, "b", "1")];
        assert_eq!(found(&mut known, &all, None).unwrap(), "/dev/video2");
        assert_eq!(known.locate(&all, |_| false, None), None, "it is another's");
    }

    #[test]
    fn name_of_two_means_the_one_whose_socket_is_not_typed_elsewhere() {
        let all = [node(0, "a", "1"), node(2, "b", "1")];
        let mut known = Known::new(Identity::test("b", "1"));
        let typed_elsewhere = |id: &Identity| *id != Identity::test("b", "1");
        assert_eq!(
            known.locate(&all, typed_elsewhere, None).unwrap().0,
            PathBuf::from("/dev/video0")
        );
        assert_eq!(known.locate(&all[1..], typed_elsewhere, None), None);
    }

    #[test]
    fn twin_that_was_there_at_the_start_is_never_taken() {
        let (own, twin) = (node(0, "a", "1"), node(2, "b", "1"));
        let mut known = Known::new(Identity::test("a", "1"));
        known.look_for_twins(&[own, twin.clone()]);
        assert_eq!(found(&mut known, &[twin], None), None);
    }

    #[test]
    fn twin_is_never_taken() {
        let (own, twin) = (node(0, "a", "1"), node(2, "b", "1"));
        let known = Known::new(Identity::test("a", "1"));
        // Seen together once, before or while it was lost.
        let mut seen = known.clone();
        assert!(found(&mut seen, &[own.clone(), twin.clone()], None).is_some());
        assert_eq!(found(&mut seen, std::slice::from_ref(&twin), None), None);
        assert_eq!(found(&mut seen, &[node(9, "a", "1")], None).unwrap(), "/dev/video9");
        let mut lost = known.clone();
        assert_eq!(found(&mut lost, std::slice::from_ref(&twin), just_lost()), None);
        assert_eq!(found(&mut lost, std::slice::from_ref(&twin), None), None);
        // Two that come while it is away.
        let mut away = known.clone();
        assert_eq!(found(&mut away, &[], None), None);
        assert_eq!(found(&mut away, &[twin, node(4, "c", "1")], None), None);
        // One that comes later may be it, if nothing says otherwise.
        let mut moved = known;
        assert_eq!(found(&mut moved, &[], just_lost()), None);
        assert!(found(&mut moved, &[node(4, "c", "1")], just_lost()).is_some());
    }
}
