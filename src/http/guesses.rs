//! How fast one address may guess passwords.
//!
//! A wrong one costs a drop in the bucket of its address; a bucket that is
//! full lets nothing in until a drop has run out. So a person who mistypes
//! notices nothing, and a program that guesses gets one guess in two seconds.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Wrong passwords that may come at once.
const BUCKET: u32 = 20;
/// One of them is forgotten in this time.
const FORGET: Duration = Duration::from_secs(2);
/// Slow hashes of one address that may wait: few, so that those of others are
/// soon due.
const MAX_PENDING: u32 = 4;
/// Addresses that are remembered; the one nearest to innocence makes room.
const MAX_ADDRESSES: usize = 1024;

/// The buckets of all addresses that guessed wrong of late.
#[derive(Default)]
pub(super) struct Guesses(Mutex<HashMap<IpAddr, Guesser>>);

#[derive(Clone, Copy)]
struct Guesser {
    /// When the bucket will be empty.
    empty_at: Instant,
    n_pending: u32,
}

/// A password that is being checked.
pub(super) struct Pending {
    guesses: Arc<Guesses>,
    address: IpAddr,
}

impl Guesses {
    /// Whether this address may have a password checked now.
    pub(super) fn may(&self, address: IpAddr, now: Instant) -> bool {
        self.0.lock().get(&network(address)).is_none_or(|guesser| !guesser.is_full(now))
    }

    /// Notes a wrong password.
    pub(super) fn wrong(&self, address: IpAddr, now: Instant) {
        let mut all = self.0.lock();
        make_room(&mut all, now);
        let guesser = all.entry(network(address)).or_insert_with(|| Guesser::new(now));
        guesser.empty_at = guesser.empty_at.max(now) + FORGET;
    }

    /// Begins a check that takes its time. `None`: enough of this address wait.
    pub(super) fn begin(self: &Arc<Self>, address: IpAddr, now: Instant) -> Option<Pending> {
        let address = network(address);
        let mut all = self.0.lock();
        make_room(&mut all, now);
        let guesser = all.entry(address).or_insert_with(|| Guesser::new(now));
        if guesser.n_pending >= MAX_PENDING {
            return None;
        }
        guesser.n_pending += 1;
        Some(Pending { guesses: Arc::clone(self), address })
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(guesser) = self.guesses.0.lock().get_mut(&self.address) {
            guesser.n_pending = guesser.n_pending.saturating_sub(1);
        }
    }
}

impl Guesser {
    fn new(now: Instant) -> Self {
        Self { empty_at: now, n_pending: 0 }
    }

    fn is_full(&self, now: Instant) -> bool {
        self.empty_at.saturating_duration_since(now) > (BUCKET - 1) * FORGET
    }
}

/// A host of IPv6 has as many addresses as it likes, but one network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

fn make_room(all: &mut HashMap<IpAddr, Guesser>, now: Instant) {
    if all.len() < MAX_ADDRESSES {
        return;
    }
    all.retain(|_, guesser| guesser.empty_at > now || guesser.n_pending > 0);
    while all.len() >= MAX_ADDRESSES {
        let first = all.iter().min_by_key(|(_, guesser)| guesser.empty_at);
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
        let (guesses, start) = (Guesses::default(), Instant::now());
        for _ in 0..BUCKET {
            assert!(guesses.may(ip("10.0.0.1"), start));
            guesses.wrong(ip("10.0.0.1"), start);
        }
        assert!(!guesses.may(ip("10.0.0.1"), start));
        assert!(guesses.may(ip("10.0.0.2"), start));
        assert!(guesses.may(ip("10.0.0.1"), start + FORGET));
        guesses.wrong(ip("10.0.0.1"), start + FORGET);
        assert!(!guesses.may(ip("10.0.0.1"), start + FORGET));
    }

    #[test]
    fn addresses_of_one_network_are_one_guesser() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        for n in 0..BUCKET {
            guesses.wrong(ip(&format!("2001:db8:1:2::{n}")), now);
        }
        assert!(!guesses.may(ip("2001:db8:1:2:ffff::1"), now));
        assert!(guesses.may(ip("2001:db8:1:3::1"), now));
        (0..BUCKET).for_each(|_| guesses.wrong(ip("::ffff:10.0.0.1"), now));
        assert!(!guesses.may(ip("10.0.0.1"), now));
    }

    #[test]
    fn few_checks_of_one_address_wait() {
        let (guesses, now) = (Arc::new(Guesses::default()), Instant::now());
        let begin = || guesses.begin(ip("10.0.0.1"), now);
        let mut waiting: Vec<_> = (0..MAX_PENDING).map(|_| begin().unwrap()).collect();
        assert!(begin().is_none() && guesses.begin(ip("10.0.0.2"), now).is_some());
        waiting.pop();
        assert!(begin().is_some());
    }

    #[test]
    fn memory_is_bounded() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        (0..BUCKET).for_each(|_| guesses.wrong(ip("10.0.0.1"), now));
        for n in 0..5000_u32 {
            guesses.wrong(IpAddr::from((0x0B00_0000 + n).to_be_bytes()), now);
        }
        assert!(guesses.0.lock().len() <= MAX_ADDRESSES);
        assert!(!guesses.may(ip("10.0.0.1"), now), "the worst is not forgotten first");
    }
}
