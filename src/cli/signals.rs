//! SIGINT, SIGTERM, SIGHUP and SIGUSR2 become messages.

use std::io::{self, IsTerminal, Read};
use std::os::unix::net::UnixStream;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, bounded};
use nix::sys::signal::{SigSet, Signal};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGTERM, SIGUSR2};
use signal_hook::low_level;

use crate::daemon::Signals;
use crate::threads;

/// The signals that the daemon handles.
///
/// # Errors
/// The system has no thread left, or the handler is set already.
pub(super) fn all() -> Result<Signals> {
    let (stop_sender, stop, mut actions) = stop_channel()?;
    let (reload_sender, reload) = bounded(1);
    let began_in_terminal = is_in_terminal();
    // By their cause: when the terminal of the program was closed, it stops, as any
    // program does; sent by somebody, it means to read the file again.
    let hangup = move || {
        let has_lost_terminal = began_in_terminal && !is_in_terminal();
        let sender = if has_lost_terminal { &stop_sender } else { &reload_sender };
        // A full channel means that the same order waits already.
        let _ = sender.try_send(());
    };
    actions.add(SIGHUP, hangup).context("cannot handle SIGHUP")?;
    let (drain_sender, drain) = bounded(1);
    let order = move || {
        let _ = drain_sender.try_send(());
    };
    actions.add(SIGUSR2, order).context("cannot handle SIGUSR2")?;
    actions.start()?;
    release_hangups();
    Ok(Signals { stop, reload, drain })
}

/// Gives a message at the first SIGINT or SIGTERM. The second ends the
/// process at once.
///
/// # Errors
/// The handler is set already.
pub(super) fn stop() -> Result<Receiver<()>> {
    let (_, stop, actions) = stop_channel()?;
    actions.start()?;
    Ok(stop)
}

fn stop_channel() -> Result<(Sender<()>, Receiver<()>, Actions)> {
    let (sender, receiver) = bounded(1);
    let handler_sender = sender.clone();
    let is_ordered = Arc::<AtomicBool>::default();
    let order = move || {
        if is_ordered.swap(true, SeqCst) {
            exit_at_once();
        }
        // A full channel means that the order was given already.
        let _ = handler_sender.try_send(());
    };
    ctrlc::set_handler(order.clone()).context("cannot handle SIGINT")?;
    // ctrlc would take SIGTERM only together with SIGHUP.
    let mut actions = Actions(Vec::new());
    actions.add(SIGTERM, order).context("cannot handle SIGTERM")?;
    Ok((sender, receiver, actions))
}

/// What is done at signals, all in one thread.
struct Actions(Vec<(UnixStream, Box<dyn Fn() + Send>)>);

impl Actions {
    /// By a handler and not by a blocked signal that the thread waits for: a command of
    /// a camera would inherit the blocked one, and all that it starts.
    fn add(&mut self, signal: i32, action: impl Fn() + Send + 'static) -> io::Result<()> {
        let (arrivals, handler) = UnixStream::pair()?;
        low_level::pipe::register(signal, handler)?;
        self.0.push((arrivals, Box::new(action)));
        Ok(())
    }

    /// Starts the thread, which runs for as long as the process.
    fn start(self) -> Result<()> {
        let run = move || while self.wait().is_ok() {};
        threads::spawn("signals", run).map(drop).context("cannot handle signals")
    }

    /// Waits for signals, and does what they ask for.
    fn wait(&self) -> io::Result<()> {
        let pipes = self.0.iter().map(|(arrivals, _)| arrivals);
        let mut fds: Vec<_> = pipes.map(|pipe| PollFd::new(pipe, PollFlags::IN)).collect();
        match poll(&mut fds, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
        for (fd, (arrivals, action)) in fds.iter().zip(&self.0) {
            // A byte a signal, so that a second one counts as such.
            if !fd.revents().is_empty() && (&mut &*arrivals).read(&mut [0])? > 0 {
                action();
            }
        }
        Ok(())
    }
}

/// Holds SIGHUPs back in this thread and over a start of another image of this
/// program, until [`all`] can handle them: without a handler they would end it. Has
/// to be called while the process has one thread, or when it has no other left that
/// would take them.
pub(super) fn hold_hangups() {
    // The only error is an invalid operation, and nix passes a valid one.
    let _ = hangup().thread_block();
}

fn release_hangups() {
    let _ = hangup().thread_unblock();
}

fn hangup() -> SigSet {
    SigSet::from(Signal::SIGHUP)
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
