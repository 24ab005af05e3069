//! SIGINT, SIGTERM and SIGHUP become messages.

use std::io::{self, IsTerminal};
use std::process;
use std::thread;

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, bounded};
use nix::sys::signal::{SigSet, Signal};

use crate::daemon::Signals;

/// The signals that the daemon handles. [`block_hangups`] has to come before.
///
/// # Errors
/// The system has no thread left, or the handler is set already.
pub(super) fn all() -> Result<Signals> {
    let (stop_sender, stop) = stop_channel()?;
    let (reload_sender, reload) = bounded(1);
    let began_in_terminal = is_in_terminal();
    thread::Builder::new()
        .name("hangup".into())
        .spawn(move || wait_for_hangups(began_in_terminal, &stop_sender, &reload_sender))
        .context("cannot start a thread for SIGHUP")?;
    Ok(Signals { stop, reload })
}

/// Gives a message at the first SIGINT or SIGTERM. The second ends the
/// process at once.
///
/// # Errors
/// The handler is set already.
pub(super) fn stop() -> Result<Receiver<()>> {
    stop_channel().map(|(_, stop)| stop)
}

fn stop_channel() -> Result<(Sender<()>, Receiver<()>)> {
    let (sender, receiver) = bounded(1);
    let handler_sender = sender.clone();
    let mut is_first = true;
    ctrlc::set_handler(move || {
        if !std::mem::take(&mut is_first) {
            exit_at_once();
        }
        // A full channel means that the order was given already.
        let _ = handler_sender.try_send(());
    })
    .context("cannot handle SIGINT and SIGTERM")?;
    Ok((sender, receiver))
}

/// Blocks SIGHUP in this thread and in all that it starts later, so that only
/// the thread that waits for SIGHUP takes it. Has to be called while the
/// process has one thread.
pub(super) fn block_hangups() {
    // The only error is an invalid operation, and nix passes a valid one.
    let _ = hangup().thread_block();
}

fn hangup() -> SigSet {
    SigSet::from(Signal::SIGHUP)
}

/// Sorts SIGHUPs by their cause, as ctrlc would take each for an order to stop:
/// when the terminal of the program was closed, it stops, as any program does;
/// sent by somebody, it means to read the file again. Never returns.
fn wait_for_hangups(began_in_terminal: bool, stop: &Sender<()>, reload: &Sender<()>) {
    while hangup().wait().is_ok() {
        let sender = if began_in_terminal && !is_in_terminal() { stop } else { reload };
        // A full channel means that the same order waits already.
        let _ = sender.try_send(());
    }
}

fn is_in_terminal() -> bool {
    io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal()
}

/// Logs nothing: the first signal may be waiting just for a log that nobody
/// reads (a stopped terminal, a full pipe).
#[expect(clippy::exit, reason = "a second signal means: do not wait for anything")]
fn exit_at_once() -> ! {
    process::exit(1)
}
