//! Variants: a camera's pictures smaller, coarser or without colours, for those who ask.
//!
//! ```text
//! camera -> capture -> slot -> variant: capture -> slot -> viewers of the same wish
//! ```
//! A variant is a camera: a driver whose device is another camera's slot, with a capture
//! thread and a slot of its own, which are there only while somebody reads. So a picture
//! is made once for all who share the wish; a variant that is too slow skips pictures of
//! its own; and while its readers pause, nothing is made. A snapshot is a reader as any
//! other: whoever polls finds the thread waiting, and has one picture made a poll.
//!
//! Pictures of the past have no thread: whoever asks for them makes them ([`Past`]).

mod changer;
mod cost;
mod driver;
mod past;
mod wish;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::time::Duration;

use parking_lot::Mutex;

use crate::capture::{Capture, Reader, Status};
use changer::Changer;
use cost::{Cost, Costs};
use driver::SlotDriver;

pub(crate) use cost::Figures;
pub(crate) use past::Past;
pub(crate) use wish::{Size, Wish};

/// How long a variant stays after its last reader: longer than the second between two
/// snapshots of whoever polls.
const IDLE_TIMEOUT: Duration = Duration::from_secs(3);

/// How long the first picture of a camera is waited for. The page opens a stream again
/// that does not begin within four seconds.
const FIRST_PICTURE: Duration = Duration::from_secs(2);

/// All variants of this daemon, of which there is a largest number.
pub(crate) struct AllVariants {
    n_most: usize,
    n_refused: AtomicU64,
    list: Mutex<List>,
    /// Held while a single picture of the past is changed: one at a time, so that many
    /// who ask at once take no more memory than one.
    once: Mutex<()>,
}

#[derive(Default)]
struct List {
    present: Vec<Arc<Variant>>,
    /// Viewers of the past, who make their pictures themselves.
    n_past: usize,
}

/// One variant that somebody has a place in, or had a moment ago.
struct Variant {
    source: Capture,
    wish: Wish,
    capture: Capture,
    cost: Arc<Cost>,
    /// Raised with the list locked.
    n_places: AtomicUsize,
}

/// The variants of one camera.
pub(crate) struct Variants {
    all: Arc<AllVariants>,
    label: String,
    source: Capture,
    /// Of all variants since the start.
    total: Arc<Cost>,
}

/// A right to read a variant, which lasts until it is dropped.
pub(crate) struct Place(Arc<Variant>);

/// Why there is no variant for a wish.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Refused {
    /// The largest number of others is in use.
    Full(usize),
    /// The daemon makes none.
    Off,
    /// The camera was removed, or the program stops.
    Closed,
}

/// A variant at this moment.
pub(crate) struct Report {
    pub(crate) wish: Wish,
    /// Who have a place: viewers, and for a moment snapshots.
    pub(crate) n_readers: usize,
    pub(crate) status: Status,
    pub(crate) figures: Figures,
}

impl AllVariants {
    pub(crate) fn new(n_most: usize) -> Self {
        Self { n_most, n_refused: AtomicU64::new(0), list: Mutex::default(), once: Mutex::new(()) }
    }

    pub(crate) fn n_most(&self) -> usize {
        self.n_most
    }

    pub(crate) fn n_refused(&self) -> u64 {
        self.n_refused.load(Relaxed)
    }

    /// Makes room for one more in the list. Returns those that have to go: they are to
    /// be dropped without the lock, as that waits for their threads.
    ///
    /// # Errors
    /// Why there is no room.
    fn make_room(&self, list: &mut List) -> Result<Vec<Arc<Variant>>, Refused> {
        let mut gone = list.take(|variant| variant.is_unused() && !variant.capture.is_running());
        if list.len() >= self.n_most {
            // One that only waits for its idle timeout gives way.
            let idle = list.present.iter().position(|variant| variant.is_unused());
            gone.extend(idle.map(|at| list.present.swap_remove(at)));
        }
        if list.len() < self.n_most {
            return Ok(gone);
        }
        self.n_refused.fetch_add(1, Relaxed);
        Err(if self.n_most == 0 { Refused::Off } else { Refused::Full(self.n_most) })
    }
}

impl List {
    fn len(&self) -> usize {
        self.present.len() + self.n_past
    }

    /// Takes those out that are meant.
    fn take(&mut self, is_meant: impl Fn(&Variant) -> bool) -> Vec<Arc<Variant>> {
        self.present.extract_if(.., |variant| is_meant(variant)).collect()
    }
}

impl Variants {
    pub(crate) fn new(all: Arc<AllVariants>, label: String, source: Capture) -> Self {
        Self { all, label, source, total: Arc::default() }
    }

    /// A place in the variant of this wish. `None`: the camera's own pictures are what is
    /// wished. Starts no thread yet.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn enter(&self, wish: Wish) -> Result<Option<Place>, Refused> {
        let Some(wish) = wish.settle(self.size_for(wish)) else { return Ok(None) };
        let mut list = self.all.list.lock();
        let (place, gone) = self.find_or_add(&mut list, wish)?;
        drop(list);
        drop(gone);
        Ok(Some(place))
    }

    /// The size of the camera's pictures. If it matters and is not known yet, as the
    /// camera was off since the start, its first picture is waited for: so is whoever asks,
    /// and a variant of a camera that is small itself would only cost.
    fn size_for(&self, wish: Wish) -> Option<(u16, u16)> {
        if wish.needs_size() && self.source.size().is_none() {
            self.source.read().wait_newer(0, FIRST_PICTURE);
        }
        self.source.size()
    }

    /// Returns also those that had to go, as [`AllVariants::make_room`].
    fn find_or_add(
        &self,
        list: &mut List,
        wish: Wish,
    ) -> Result<(Place, Vec<Arc<Variant>>), Refused> {
        if self.source.is_closed() {
            return Err(Refused::Closed);
        }
        let is_it = |other: &&Arc<Variant>| other.wish == wish && other.is_of(&self.source);
        if let Some(variant) = list.present.iter().find(is_it) {
            return Ok((Place::new(variant), Vec::new()));
        }
        let gone = self.all.make_room(list)?;
        let variant = Arc::new(self.variant(wish));
        let place = Place::new(&variant);
        list.present.push(variant);
        Ok((place, gone))
    }

    fn variant(&self, wish: Wish) -> Variant {
        let cost = Arc::<Cost>::default();
        let label = format!("{}, {wish}", self.label);
        let costs = Costs(vec![Arc::clone(&cost), Arc::clone(&self.total)]);
        let (source, name) = (self.source.clone(), label.clone());
        let open = move || {
            let changer = Changer::new(wish, costs.clone());
            Ok(Box::new(SlotDriver::new(source.read(), changer, name.clone())) as _)
        };
        let capture = Capture::of_variant(label, IDLE_TIMEOUT, Box::new(open));
        let n_places = AtomicUsize::new(0);
        Variant { source: self.source.clone(), wish, capture, cost, n_places }
    }

    /// The present variants, and what all since the start have cost.
    pub(crate) fn report(&self) -> (Vec<Report>, Figures) {
        let mut list = self.all.list.lock();
        // Here too, so that those that nobody asks for again are forgotten.
        let gone = list.take(|variant| variant.is_unused() && !variant.capture.is_running());
        let own: Vec<_> =
            list.present.iter().filter(|variant| variant.is_of(&self.source)).cloned().collect();
        drop(list);
        drop(gone);
        let report = |variant: &Arc<Variant>| Report {
            wish: variant.wish,
            n_readers: variant.n_places.load(SeqCst),
            status: variant.capture.status(),
            figures: variant.cost.figures(),
        };
        (own.iter().map(report).collect(), self.total.figures())
    }

    /// Ends all variants for good. Call [`Capture::close`] of the camera before.
    pub(crate) fn close(&self) {
        let gone = self.all.list.lock().take(|variant| variant.is_of(&self.source));
        gone.iter().for_each(|variant| variant.capture.close());
    }
}

impl Variant {
    fn is_of(&self, source: &Capture) -> bool {
        self.source.is_same(source)
    }

    /// Whether nobody has a place; to be asked with the list locked.
    fn is_unused(&self) -> bool {
        self.n_places.load(SeqCst) == 0
    }
}

impl Drop for Variant {
    fn drop(&mut self) {
        self.capture.close();
        self.capture.stop();
    }
}

impl Place {
    fn new(variant: &Arc<Variant>) -> Self {
        variant.n_places.fetch_add(1, SeqCst);
        Self(Arc::clone(variant))
    }

    pub(crate) fn wish(&self) -> Wish {
        self.0.wish
    }

    /// Starts to read; the thread runs from now on.
    pub(crate) fn read(&self) -> Reader {
        self.0.capture.read()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.n_places.fetch_sub(1, SeqCst);
    }
}

#[cfg(test)]
mod tests;
