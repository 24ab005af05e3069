//! Pictures of the past, which whoever asks for them makes.

use std::sync::Arc;

use super::changer::Changer;
use super::cost::{Costs, Outcome};
use super::{AllVariants, Place, Refused, Variants, Wish};

/// A viewer of recorded pictures with a wish. It counts as a variant, as it costs as
/// much.
pub(crate) struct Past {
    changer: Changer,
    counted: Counted,
    wish: Wish,
}

/// One of the variants, until it is dropped.
struct Counted(Arc<AllVariants>);

impl Variants {
    /// # Errors
    /// Why there is no room for one more.
    pub(crate) fn enter_past(&self, wish: Wish) -> Result<Past, Refused> {
        let mut list = self.all.list.lock();
        let gone = self.all.make_room(&mut list)?;
        list.n_past += 1;
        drop(list);
        drop(gone);
        let changer = Changer::new(wish, self.costs_of_past());
        Ok(Past { changer, counted: Counted(Arc::clone(&self.all)), wish })
    }

    /// Changes a single recorded picture; `None`: it is damaged. Needs no room among the
    /// others.
    ///
    /// # Errors
    /// The daemon makes no variants.
    pub(crate) fn change_once(&self, wish: Wish, jpeg: &[u8]) -> Result<Option<Vec<u8>>, Refused> {
        if self.all.n_most == 0 {
            return Err(Refused::Off);
        }
        let _one_at_a_time = self.all.once.lock();
        let mut out = Vec::new();
        let outcome = Changer::new(wish, self.costs_of_past()).change(jpeg, &mut out);
        Ok((outcome != Outcome::Damaged).then_some(out))
    }

    fn costs_of_past(&self) -> Costs {
        Costs(vec![Arc::clone(&self.total)])
    }

    /// Gives a viewer of the past who has caught up a place in the live variant, in the
    /// room that it has already. `None`: as of [`Variants::enter`].
    ///
    /// # Errors
    /// The camera was removed.
    pub(crate) fn go_live(&self, past: Past) -> Result<Option<Place>, Refused> {
        let Past { wish, counted, changer } = past;
        drop(changer);
        let Some(wish) = wish.settle(self.source.size()) else { return Ok(None) };
        let mut list = self.all.list.lock();
        // Under one lock, so that nobody takes the room in between.
        list.n_past -= 1;
        let found = self.find_or_add(&mut list, wish);
        list.n_past += 1;
        drop(list);
        drop(counted);
        found.map(|(place, _gone)| Some(place))
    }
}

impl Past {
    /// Appends to `out` what a recorded picture becomes. `false`: it is damaged.
    pub(crate) fn change(&mut self, jpeg: &[u8], out: &mut Vec<u8>) -> bool {
        self.changer.change(jpeg, out) != Outcome::Damaged
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.list.lock().n_past -= 1;
    }
}
