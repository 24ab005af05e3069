//! What is reported to systemd, or another supervisor, while the daemon runs: its state in
//! words, and that it still works. Without one there is no thread and no timer.

mod progress;

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, never, tick};
use rustix::time::{ClockId, clock_gettime};

use crate::cameras::Cameras;
use crate::config::Bind;
use crate::http::reachable;
use crate::log_limit::LogLimit;
use crate::notify::{self, Notifier};
use crate::shutdown::Shutdown;
use crate::threads;
use progress::Progress;

/// How old the words may be.
const STATUS_PERIOD: Duration = Duration::from_secs(5);

/// The daemon's side of a supervisor.
pub(super) struct Supervisor {
    notifier: Option<Notifier>,
    status: String,
    watchdog: Option<JoinHandle<()>>,
}

impl Supervisor {
    /// Says that the daemon is ready, and begins to feed the watchdog, if there is one. A
    /// message of the channel means: [`Self::look`].
    pub(super) fn start(
        addresses: Vec<Bind>,
        cameras: &Cameras,
        stop: &Shutdown,
    ) -> (Self, Receiver<Instant>) {
        let Some(notifier) = Notifier::from_env() else {
            return (Self { notifier: None, status: String::new(), watchdog: None }, never());
        };
        let status = describe(cameras, 0);
        notifier.send(&format!("READY=1\nSTATUS={status}"));
        let watchdog = notify::watchdog().and_then(|period| {
            // A third, so that one look that comes late does no harm.
            let mut watchdog = Watchdog::new(period / 3, addresses, cameras.clone())?;
            let stop = stop.clone();
            let run = move || watchdog.run(&stop);
            threads::spawn("watchdog", run).ok()
        });
        let new = Self { notifier: Some(notifier), status, watchdog };
        (new, tick(STATUS_PERIOD))
    }

    /// Says how the cameras are, and how many watch, if that has changed.
    pub(super) fn look(&mut self, cameras: &Cameras, n_viewers: usize) {
        let status = describe(cameras, n_viewers);
        if let Some(notifier) = self.notifier.as_ref().filter(|_| status != self.status) {
            notifier.send(&format!("STATUS={status}"));
            self.status = status;
        }
    }

    /// Reads the configuration again by `reload`, and says so.
    pub(super) fn reload(&self, reload: impl FnOnce()) {
        let now = clock_gettime(ClockId::Monotonic);
        let us = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec / 1000);
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={us}"));
        reload();
        self.send("READY=1");
    }

    pub(super) fn stopping(&self) {
        self.send("STOPPING=1\nSTATUS=stopping");
    }

    /// Returns when the thread has ended. The order to stop must have been given.
    pub(super) fn stop(self) {
        if self.watchdog.is_some_and(|thread| thread.join().is_err()) {
            log::error!("the watchdog's thread panicked");
        }
    }

    fn send(&self, lines: &str) {
        if let Some(notifier) = &self.notifier {
            notifier.send(lines);
        }
    }
}

/// One line, such as `2 viewers; front: live; back: lost, unplugged`.
fn describe(cameras: &Cameras, n_viewers: usize) -> String {
    let mut text = format!("{n_viewers} viewer{}", if n_viewers == 1 { "" } else { "s" });
    for camera in cameras.all().iter() {
        let status = camera.capture.status();
        text += &format!("; {}: {}", camera.name, status.state.name());
        text.extend(status.cause.map(|cause| format!(", {cause}")));
    }
    text.replace(char::is_control, " ")
}

/// Feeds the supervisor's watchdog while all works.
struct Watchdog {
    notifier: Notifier,
    pause: Duration,
    addresses: Vec<Bind>,
    cameras: Cameras,
    progress: Progress,
    log: LogLimit,
}

impl Watchdog {
    fn new(pause: Duration, addresses: Vec<Bind>, cameras: Cameras) -> Option<Self> {
        let (progress, log) = (Progress::default(), LogLimit::default());
        Some(Self { notifier: Notifier::from_env()?, pause, addresses, cameras, progress, log })
    }

    fn run(&mut self, stop: &Shutdown) {
        loop {
            match self.find_fault() {
                None => self.notifier.send("WATCHDOG=1"),
                Some(fault) if !stop.is_ordered() => {
                    self.log.warn(&format!("the watchdog is not fed: {fault}"));
                    self.notifier.send(&format!("STATUS={fault}"));
                }
                Some(_) => {}
            }
            if stop.wait_for(self.pause) {
                return;
            }
        }
    }

    /// What has stood still: a listener or the workers, by a request as clients send it;
    /// a camera, by its counters.
    fn find_fault(&mut self) -> Option<String> {
        for address in &self.addresses {
            let Err(e) = ask(address, self.pause) else { continue };
            let is_late = matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
            let why = if is_late { format!("none in {:.1?}", self.pause) } else { e.to_string() };
            return Some(format!("no answer at {address}: {why}"));
        }
        self.progress.look(Instant::now(), self.cameras.progress())
    }
}

/// Asks for the health. Any answer will do: a 401 or 503 proves as much as a 200.
fn ask(address: &Bind, patience: Duration) -> io::Result<()> {
    match address {
        Bind::Tcp(address) => {
            let socket = TcpStream::connect_timeout(&reachable(*address), patience)?;
            socket.set_read_timeout(Some(patience))?;
            exchange(&socket, &socket)
        }
        Bind::Unix(path) => {
            let socket = UnixStream::connect(path)?;
            socket.set_read_timeout(Some(patience))?;
            exchange(&socket, &socket)
        }
    }
}

fn exchange(mut to: impl Write, mut from: impl Read) -> io::Result<()> {
    to.write_all(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    from.read_exact(&mut [0; b"HTTP/1".len()])
}
