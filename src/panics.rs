//! Panics are counted, and logged without flooding the log.
//!
//! A client that resets its connection early enough makes a thread of the HTTP
//! library panic, so anybody can cause any number of them.

use std::any::Any;
use std::panic::{PanicHookInfo, set_hook};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use parking_lot::Mutex;

use crate::log_limit::LogLimit;

static N_PANICS: AtomicU64 = AtomicU64::new(0);

/// Counts and logs all panics of the process from now on.
pub(crate) fn watch() {
    let log = Mutex::<LogLimit>::default();
    set_hook(Box::new(move |panic| {
        N_PANICS.fetch_add(1, Relaxed);
        let line = line(thread::current().name(), panic);
        // Unlock before logging, so that one log line cannot delay the panics
        // of other threads.
        let passed = log.lock().pass(&line, std::time::Instant::now());
        crate::log_limit::warn(&line, passed);
    }));
}

/// The number of panics since the start.
pub(crate) fn count() -> u64 {
    N_PANICS.load(Relaxed)
}

/// The message of a panic.
pub(crate) fn text(panic: &(dyn Any + Send)) -> &str {
    let literal = panic.downcast_ref::<&str>().copied();
    literal.or(panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

fn line(thread: Option<&str>, panic: &PanicHookInfo<'_>) -> String {
    let place = panic.location().map_or_else(String::new, ToString::to_string);
    // Keep the package and the file; the folder of the registry is noise.
    let place = place
        .rsplit_once("/src/")
        .map_or(place.as_str(), |(package, _)| &place[package.rfind('/').map_or(0, |at| at + 1)..]);
    let message = panic.payload_as_str().unwrap_or("no message");
    format!("panic in thread {} at {place}: {message}", thread.unwrap_or("without a name"))
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn message_of_a_panic_is_kept() {
        let panic = catch_unwind(|| panic!("at {}", 7)).unwrap_err();
        assert_eq!(text(&*panic), "at 7");
        let panic = catch_unwind(|| panic!("plain")).unwrap_err();
        assert_eq!(text(&*panic), "plain");
    }
}
