//! What the controls of a device are to be, and how those who set them at the
//! same time, an opening and requests, come to agree with the device.

use parking_lot::Mutex;

use super::super::settings::{Change, Wish};
use super::describe::typed;

/// So often is a device set again, while others set it too. Each time one of
/// them was done, so this is reached only where changes come without end.
const MOST_TRIES: u32 = 16;

/// Controls and their values, in the order of asking.
pub(super) type Values = Vec<(String, i64)>;

/// What is wanted: at first what was typed. It outlives the closing and the
/// loss of the device.
pub(super) struct Wanted(Mutex<State>);

struct State {
    values: Values,
    /// How many have set the device and were done.
    n_done: u64,
}

impl Wanted {
    pub(super) fn new(values: Values) -> Self {
        Self(Mutex::new(State { values, n_done: 0 }))
    }

    /// Sets the device by `set`, which is told what is wanted now, and then
    /// changes what is wanted by `keep`. While somebody else was done in
    /// between, the device may be as that one left it or not: it is set again.
    /// So who is done last has set it last. No lock is held meanwhile.
    pub(super) fn agree<T>(
        &self,
        mut state: T,
        set: impl Fn(&mut T, &Values),
        keep: impl FnOnce(&T, &mut Values),
    ) -> T {
        let mut n_tries = 0;
        loop {
            let (values, begun) = {
                let wanted = self.0.lock();
                (wanted.values.clone(), wanted.n_done)
            };
            set(&mut state, &values);
            n_tries += 1;
            let mut wanted = self.0.lock();
            if wanted.n_done == begun || n_tries == MOST_TRIES {
                wanted.n_done += 1;
                keep(&state, &mut wanted.values);
                return state;
            }
        }
    }
}

/// What leads from `old` to `new`. At its default is what is wanted no more.
pub(super) fn changes(old: &Values, new: &Values) -> Vec<Change> {
    let of_same_name = |(name, _): &&(String, i64)| {
        let name = typed(name);
        move |(other, _): &(String, i64)| typed(other) == name
    };
    let gone = old.iter().filter(|value| !new.iter().any(of_same_name(value)));
    let gone = gone.map(|(name, _)| (name.clone(), Wish::Default));
    let changed = new.iter().filter(|value| !old.contains(value));
    gone.chain(changed.map(|(name, value)| (name.clone(), Wish::Value(*value)))).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn brightness(value: i64) -> Values {
        vec![("brightness".into(), value)]
    }

    /// A device with one control.
    struct Device {
        wanted: Wanted,
        brightness: Cell<i64>,
        n_set: Cell<u32>,
    }

    impl Device {
        fn new() -> Self {
            let wanted = Wanted::new(brightness(1));
            Self { wanted, brightness: Cell::new(0), n_set: Cell::new(0) }
        }

        fn set(&self, value: i64) {
            self.brightness.set(value);
            self.n_set.update(|n| n + 1);
        }

        /// An opening, with what happens just before and just behind its call
        /// to the device.
        fn open(&self, before: impl Fn(), behind: impl Fn()) {
            let set = |done: &mut Values, values: &Values| {
                before();
                for (_, wish) in changes(done, values) {
                    self.set(if let Wish::Value(value) = wish { value } else { 0 });
                }
                behind();
                done.clone_from(values);
            };
            self.wanted.agree(Values::new(), set, |_, _| {});
        }

        fn post(&self, value: i64, before: impl Fn(), behind: impl Fn()) {
            let set = |(): &mut (), _: &Values| {
                before();
                self.set(value);
                behind();
            };
            self.wanted.agree((), set, |(), values| *values = brightness(value));
        }

        fn is_as_wanted(&self) -> bool {
            self.wanted.0.lock().values == brightness(self.brightness.get())
        }
    }

    /// Does it the first time that it is called.
    fn once(act: impl Fn()) -> impl Fn() {
        let is_done = Cell::new(false);
        move || {
            if !is_done.replace(true) {
                act();
            }
        }
    }

    #[test]
    fn undisturbed_one_sets_once() {
        let device = Device::new();
        device.open(|| {}, || {});
        assert_eq!((device.brightness.get(), device.n_set.get()), (1, 1));
        device.post(5, || {}, || {});
        assert_eq!((device.brightness.get(), device.n_set.get()), (5, 2));
        assert!(device.is_as_wanted());
    }

    #[test]
    fn request_during_an_opening_wins() {
        let request = |device: &Device| device.post(5, || {}, || {});
        let device = Device::new();
        device.open(once(|| request(&device)), || {});
        assert!(device.is_as_wanted() && device.brightness.get() == 5);
        let device = Device::new();
        device.open(|| {}, once(|| request(&device)));
        assert!(device.is_as_wanted() && device.brightness.get() == 5);
    }

    #[test]
    fn request_that_an_opening_overtakes_wins() {
        let opening = |device: &Device| device.open(|| {}, || {});
        let device = Device::new();
        device.post(5, once(|| opening(&device)), || {});
        assert!(device.is_as_wanted() && device.brightness.get() == 5);
        let device = Device::new();
        device.post(5, || {}, once(|| opening(&device)));
        assert!(device.is_as_wanted() && device.brightness.get() == 5);
    }

    #[test]
    fn of_two_requests_the_one_that_is_done_last_wins() {
        let device = Device::new();
        device.post(5, || {}, once(|| device.post(7, || {}, || {})));
        assert!(device.is_as_wanted() && device.brightness.get() == 5);
    }

    #[test]
    fn changes_without_end_are_not_waited_for() {
        let device = Device::new();
        device.post(5, || {}, || device.wanted.agree((), |(), _| {}, |(), _| {}));
        assert_eq!(device.n_set.get(), MOST_TRIES);
        assert!(device.is_as_wanted());
    }

    #[test]
    fn changes_are_what_differs() {
        let values = |values: &[(&str, i64)]| -> Values {
            values.iter().map(|(name, value)| ((*name).to_string(), *value)).collect()
        };
        let old = values(&[("contrast", 1), ("White Balance", 2), ("gain", 3)]);
        let new = values(&[("contrast", 1), ("white_balance", 4)]);
        assert_eq!(
            changes(&old, &new),
            [("gain".into(), Wish::Default), ("white_balance".into(), Wish::Value(4))]
        );
        assert_eq!(changes(&new, &new), []);
    }
}
