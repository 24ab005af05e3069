//! Starts threads, each with its name.
//!
//! All threads are of one type for the compiler: each type of its own would have
//! its own copy of the standard library's code for starting it, 2 to 4 kB.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread; the name has at most 15 bytes, as the kernel keeps no more.
///
/// # Errors
/// The system has no thread to give.
pub(crate) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    start(Builder::new(), name, Box::new(run))
}

/// As [`spawn`], with a stack of `n_bytes`.
///
/// # Errors
/// As of [`spawn`].
#[cfg(feature = "daemon")]
pub(crate) fn spawn_with_stack(
    name: &str,
    n_bytes: usize,
    run: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    start(Builder::new().stack_size(n_bytes), name, Box::new(run))
}

#[inline(never)]
fn start(
    builder: Builder,
    name: &str,
    run: Box<dyn FnOnce() + Send>,
) -> io::Result<JoinHandle<()>> {
    builder.name(name.to_owned()).spawn(run)
}
