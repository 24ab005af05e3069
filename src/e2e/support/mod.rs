//! What every test needs: the daemon, a client that controls each byte,
//! distinguishable pictures, and waits for conditions.

#[cfg(feature = "mqtt")]
mod broker;
mod browser;
mod client;
mod daemon;
mod fake;
mod faketime;
mod fault;
mod footprint;
mod metronome;
mod mounts;
mod multipart;
mod old_kernel;
mod pictures;
mod program;
mod recorded;
mod temp;

use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

#[cfg(feature = "mqtt")]
pub(crate) use broker::{Broker, Message, Subscriber};
pub(crate) use browser::Browser;
pub(crate) use client::{Client, Reply};
pub(crate) use daemon::{Daemon, program};
pub(crate) use fake::{Asked, Fake};
pub(crate) use faketime::faketime;
pub(crate) use fault::{Call, Faults};
pub(crate) use footprint::{Footprint, Growth};
pub(crate) use metronome::Metronome;
pub(crate) use mounts::unshare;
pub(crate) use multipart::{Layout, Part, Viewer};
pub(crate) use old_kernel::{on_old_kernel, pass_on_old_kernel};
pub(crate) use pictures::{COLOURS, Dir, colour, flat, number, numbered, size, with_segment};
pub(crate) use program::{Program, python};
pub(crate) use recorded::{
    Recorded, all_frames, frames, index, of_camera, segments, write_segment,
};
pub(crate) use temp::TempDir;

/// How long a test waits for a condition. Far more than a busy machine needs,
/// so only a failing test waits this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How long for a daemon, which may be emulated: that takes ten times as long.
pub(crate) fn patience() -> Duration {
    if daemon::is_other() { PATIENCE * 4 } else { PATIENCE }
}

/// Sets a flag on drop, so that threads that watch the flag end even if the
/// test panics.
pub(crate) struct Over<'a>(pub(crate) &'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// A free port for programs that take no port 0. It is below those that the system gives to
/// clients and to listeners at port 0, so nobody gets it before the program has it.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Another run of the tests on this machine begins elsewhere.
    let first = process::id().wrapping_mul(97);
    let ports = std::iter::repeat_with(|| first.wrapping_add(NEXT.fetch_add(1, Relaxed)));
    let ports = ports.map(|n| 10_000 + u16::try_from(n % 12_000).unwrap()).take(12_000);
    let mut free = ports.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.next().expect("a free port from 10000 to 22000")
}

/// Waits until `look` finds something, and returns it.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let patience = patience();
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {patience:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until `look` returns true.
pub(crate) fn eventually_is(what: &str, mut look: impl FnMut() -> bool) {
    eventually(what, || look().then_some(()));
}
