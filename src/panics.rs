//! The panic hook: it counts panics and logs them without flooding the log.
//!
//! A client that resets its connection early enough makes a thread of the HTTP
//! library panic, so anybody can cause as many panics as they like.

use std::any::Any;
use std::panic::{PanicHookInfo, set_hook};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use parking_lot::Mutex;

use crate::log_limit::LogReasons;

static N_PANICS: AtomicU64 = AtomicU64::new(0);

/// Installs the hook.
pub(crate) fn install_hook() {
    let log = Mutex::<LogReasons>::default();
    set_hook(Box::new(move |panic| {
        N_PANICS.fetch_add(1, Relaxed);
        // By the place alone: names of threads and messages may hold numbers that
        // differ each time.
        let place = place(panic);
        let line = line(thread::current().name(), &place, panic);
        // The lock is released before the line is logged, so that a log that
        // blocks does not block other threads that panic.
        let passed = log.lock().pass(&place, std::time::Instant::now());
        passed.warn(&line);
    }));
}

/// How many panics there were.
pub(crate) fn count() -> u64 {
    N_PANICS.load(Relaxed)
}

/// The message of a panic.
pub(crate) fn text(panic: &(dyn Any + Send)) -> &str {
    let literal = panic.downcast_ref::<&str>().copied();
    literal.or(panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

/// File, line and column.
fn place(panic: &PanicHookInfo<'_>) -> String {
    let place = panic.location().map_or_else(String::new, ToString::to_string);
    // Of the path of a package only its name and the file in it are useful.
    place
        .rsplit_once("/src/")
        .map_or(place.as_str(), |(package, _)| &place[package.rfind('/').map_or(0, |at| at + 1)..])
        .to_owned()
}

fn line(thread: Option<&str>, place: &str, panic: &PanicHookInfo<'_>) -> String {
    let what = text(panic.payload());
    format!("panic in thread {} at {place}: {what}", thread.unwrap_or("without a name"))
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
