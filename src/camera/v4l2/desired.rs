//! The desired values of a device's controls, and how a device is brought to
//! agree with them.

use parking_lot::Mutex;

/// Controls and their values, in the order in which they were requested; `None` is
/// the device's default.
pub(super) type Values = Vec<(String, Option<i64>)>;

/// The desired values: at first those of the configuration, then as requests
/// change them. They outlive the closing and the loss of the device.
pub(super) struct Desired(Mutex<Values>);

impl Desired {
    pub(super) fn new(values: Values) -> Self {
        Self(Mutex::new(values))
    }

    /// Runs `set`, which sets the device and may change the desired values,
    /// while nobody else sets the device.
    ///
    /// The lock is held while `set` calls the device, for seconds if the device
    /// does not answer. Elsewhere no lock is held across I/O, but only two rare
    /// callers take this one: an opening of the camera, and a request that sets
    /// controls. Without it they would have to compare and repeat until neither
    /// overwrote the other.
    pub(super) fn reconcile<T>(&self, set: impl FnOnce(&mut Values) -> T) -> T {
        set(&mut self.0.lock())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, AtomicU32, Ordering::SeqCst};
    use std::thread;

    use super::*;

    fn brightness(value: i64) -> Values {
        vec![("brightness".into(), Some(value))]
    }

    /// A device with one control.
    struct Device {
        desired: Desired,
        brightness: AtomicI64,
        n_set: AtomicU32,
    }

    impl Device {
        fn new() -> Self {
            let desired = Desired::new(brightness(1));
            Self { desired, brightness: AtomicI64::new(0), n_set: AtomicU32::new(0) }
        }

        fn set(&self, value: i64) {
            self.brightness.store(value, SeqCst);
            self.n_set.fetch_add(1, SeqCst);
        }

        /// An opening, with what happens just before and just after its call to
        /// the device.
        fn open(&self, before: impl FnOnce(), after: impl FnOnce()) {
            self.desired.reconcile(|values| {
                before();
                values.iter().filter_map(|(_, value)| *value).for_each(|value| self.set(value));
                after();
            });
        }

        fn post(&self, value: i64, before: impl FnOnce(), after: impl FnOnce()) {
            self.desired.reconcile(|values| {
                before();
                self.set(value);
                after();
                *values = brightness(value);
            });
        }

        fn expect(&self, value: i64, n_set: u32) {
            assert_eq!((self.brightness.load(SeqCst), self.n_set.load(SeqCst)), (value, n_set));
            self.desired.reconcile(|values| assert_eq!(*values, brightness(value)));
        }
    }

    /// Lets `second` begin in a thread of its own at the moment when `first`
    /// calls what it is given, and returns when both are done.
    fn both(device: &Device, first: impl FnOnce(&Device, &dyn Fn()), second: fn(&Device)) {
        thread::scope(|scope| {
            first(device, &|| {
                // A caller that starts now must find the device locked.
                assert!(device.desired.0.try_lock().is_none(), "no lock is held");
                scope.spawn(|| second(device));
            });
        });
    }

    #[test]
    fn undisturbed_one_sets_once() {
        let device = Device::new();
        device.open(|| {}, || {});
        device.expect(1, 1);
        device.post(5, || {}, || {});
        device.expect(5, 2);
    }

    #[test]
    fn request_during_an_opening_wins() {
        let request = |device: &Device| device.post(5, || {}, || {});
        let device = Device::new();
        both(&device, |device, begin| device.open(begin, || {}), request);
        device.expect(5, 2);
        let device = Device::new();
        both(&device, |device, begin| device.open(|| {}, begin), request);
        device.expect(5, 2);
    }

    #[test]
    fn request_that_an_opening_overtakes_wins() {
        let opening = |device: &Device| device.open(|| {}, || {});
        let device = Device::new();
        both(&device, |device, begin| device.post(5, begin, || {}), opening);
        device.expect(5, 2);
        let device = Device::new();
        both(&device, |device, begin| device.post(5, || {}, begin), opening);
        device.expect(5, 2);
    }

    #[test]
    fn of_two_requests_the_one_that_is_done_last_wins() {
        let device = Device::new();
        both(
            &device,
            |device, begin| device.post(5, || {}, begin),
            |device| device.post(7, || {}, || {}),
        );
        device.expect(7, 2);
    }
}
