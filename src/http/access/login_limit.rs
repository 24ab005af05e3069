//! How fast one address may guess passwords.
//!
//! A wrong one costs a drop in the bucket of its address; a bucket that is
//! full lets nothing in until a drop has run out. So a person who mistypes
//! notices nothing, and a program that guesses gets one try in two seconds.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Wrong passwords that may come in one burst.
const BUCKET: u32 = 20;
/// In this time one of them is forgotten.
const FORGET: Duration = Duration::from_secs(2);
/// Slow hashes of one address that may wait. Few, so that other addresses get
/// their turn soon.
const MAX_PENDING: u32 = 4;
/// Addresses that are remembered. The one whose bucket is empty first makes room.
const MAX_ADDRESSES: usize = 1024;

/// The buckets of all addresses that sent wrong passwords lately.
#[derive(Default)]
pub(super) struct LoginLimit(Mutex<HashMap<IpAddr, Failures>>);

#[derive(Clone, Copy)]
struct Failures {
    /// When the bucket will be empty.
    empty_at: Instant,
    n_pending: u32,
}

/// A password that is being checked.
pub(in crate::http) struct PendingLogin {
    limit: Arc<LoginLimit>,
    address: IpAddr,
}

impl LoginLimit {
    /// Whether this address may have a password checked now.
    pub(super) fn may(&self, address: IpAddr, now: Instant) -> bool {
        self.0.lock().get(&network(address)).is_none_or(|failures| !failures.is_full(now))
    }

    /// Notes a wrong password.
    pub(super) fn wrong(&self, address: IpAddr, now: Instant) {
        let mut all = self.0.lock();
        make_room(&mut all, now);
        let failures = all.entry(network(address)).or_insert_with(|| Failures::new(now));
        // One number is the whole bucket: the time when it will be empty says how full
        // it is now, and no timer has to empty it.
        failures.empty_at = failures.empty_at.max(now) + FORGET;
    }

    /// Begins a slow check. `None`: enough checks of this address wait already.
    pub(super) fn begin(self: &Arc<Self>, address: IpAddr, now: Instant) -> Option<PendingLogin> {
        let address = network(address);
        let mut all = self.0.lock();
        make_room(&mut all, now);
        let failures = all.entry(address).or_insert_with(|| Failures::new(now));
        if failures.n_pending >= MAX_PENDING {
            return None;
        }
        failures.n_pending += 1;
        Some(PendingLogin { limit: Arc::clone(self), address })
    }
}

impl Drop for PendingLogin {
    fn drop(&mut self) {
        if let Some(failures) = self.limit.0.lock().get_mut(&self.address) {
            failures.n_pending = failures.n_pending.saturating_sub(1);
        }
    }
}

impl Failures {
    fn new(now: Instant) -> Self {
        Self { empty_at: now, n_pending: 0 }
    }

    fn is_full(&self, now: Instant) -> bool {
        // Full means that one more drop would not fit.
        self.empty_at.saturating_duration_since(now) > (BUCKET - 1) * FORGET
    }
}

/// An IPv6 host has 2^64 addresses to choose from, but one network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

fn make_room(all: &mut HashMap<IpAddr, Failures>, now: Instant) {
    if all.len() < MAX_ADDRESSES {
        return;
    }
    // First those that nothing is known against. A check that still runs keeps its
    // entry, or it could not give its place back.
    all.retain(|_, failures| failures.empty_at > now || failures.n_pending > 0);
    while all.len() >= MAX_ADDRESSES {
        // Still too many: an attacker with many addresses. The one that is due to be
        // forgotten first has guessed least.
        let first = all.iter().min_by_key(|(_, failures)| failures.empty_at);
        let Some(address) = first.map(|(address, _)| *address) else { return };
        all.remove(&address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn guesser_is_slowed_and_nobody_else() {
        let (limit, start) = (LoginLimit::default(), Instant::now());
        for _ in 0..BUCKET {
            assert!(limit.may(ip("10.0.0.1"), start));
            limit.wrong(ip("10.0.0.1"), start);
        }
        assert!(!limit.may(ip("10.0.0.1"), start));
        assert!(limit.may(ip("10.0.0.2"), start));
        assert!(limit.may(ip("10.0.0.1"), start + FORGET));
        limit.wrong(ip("10.0.0.1"), start + FORGET);
        assert!(!limit.may(ip("10.0.0.1"), start + FORGET));
    }

    #[test]
    fn addresses_of_one_network_are_one_guesser() {
        let (limit, now) = (LoginLimit::default(), Instant::now());
        for n in 0..BUCKET {
            limit.wrong(ip(&format!("2001:db8:1:2::{n}")), now);
        }
        assert!(!limit.may(ip("2001:db8:1:2:ffff::1"), now));
        assert!(limit.may(ip("2001:db8:1:3::1"), now));
        (0..BUCKET).for_each(|_| limit.wrong(ip("::ffff:10.0.0.1"), now));
        assert!(!limit.may(ip("10.0.0.1"), now));
    }

    #[test]
    fn few_checks_of_one_address_wait() {
        let (limit, now) = (Arc::new(LoginLimit::default()), Instant::now());
        let begin = || limit.begin(ip("10.0.0.1"), now);
        let mut waiting: Vec<_> = (0..MAX_PENDING).map(|_| begin().unwrap()).collect();
        assert!(begin().is_none() && limit.begin(ip("10.0.0.2"), now).is_some());
        waiting.pop();
        assert!(begin().is_some());
    }

    #[test]
    fn memory_is_bounded() {
        let (limit, now) = (LoginLimit::default(), Instant::now());
        (0..BUCKET).for_each(|_| limit.wrong(ip("10.0.0.1"), now));
        for n in 0..5000_u32 {
            limit.wrong(IpAddr::from((0x0B00_0000 + n).to_be_bytes()), now);
        }
        assert!(limit.0.lock().len() <= MAX_ADDRESSES);
        assert!(!limit.may(ip("10.0.0.1"), now), "the worst is not forgotten first");
    }
}
