//! Looks after the connections that have not sent a whole request yet. The rest
//! of the program cannot see these, and tiny_http sets them no limits. The guard
//! cuts those that are silent, slow, endless or too many, wakes those that no
//! thread of tiny_http serves, and counts those that tiny_http has leaked.
//!
//! It sleeps while there is no such connection.

mod tracker;
mod wakeup;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tracker::{Answered, Observation, SHORT_TICK, Tracker};
use wakeup::{Wakeup, WakeupHandle};

use super::connection::Connection;
use super::connections::Connections;
use super::counts::Cut;
use super::descriptor::{self, TcpState};
use super::high_bytes::PartialHeads;
use super::intake::Intake;
use crate::config::Limits;
use crate::log_limit::LogLimit;
use crate::shutdown::Shutdown;
use crate::threads;

/// A connection to this very machine is there at once, or the queue is full.
const KICK_TIMEOUT: Duration = Duration::from_millis(100);
/// Half a second without a connection accepted while some wait. Fewer looks
/// would replace the listener on a busy machine.
const STUCK_LOOKS: u32 = 5;

/// The guard's thread, owned.
pub(super) struct Guard {
    wakeup: WakeupHandle,
    thread: JoinHandle<()>,
}

/// What the guard looks at, and what it calls.
pub(super) struct GuardConfig {
    pub(super) listener: TcpListener,
    /// Whether packets with bytes above 127 are dropped, see `high_bytes`.
    pub(super) has_filter: bool,
    pub(super) address: SocketAddr,
    pub(super) connections: Arc<Connections>,
    pub(super) intake: Arc<Intake>,
    pub(super) limits: Limits,
    /// Takes a request that the guard has read itself.
    pub(super) on_request: Box<dyn Fn(Connection) + Send>,
    /// Called when clients wait and none is accepted.
    pub(super) on_stuck: Box<dyn Fn() + Send>,
    /// Called at each look with the number of leaks, while they are too many.
    pub(super) on_leaks: Box<dyn Fn(u64) + Send>,
    pub(super) stop: Shutdown,
}

struct GuardThread {
    config: GuardConfig,
    wakeup: Wakeup,
    tracker: Tracker,
    /// Those that waited at the last look.
    n_waiting: usize,
    /// Requests that ever came, at the last look.
    n_ever_claimed: u64,
    /// The count of [`Intake::was_waiting`] at the last look.
    n_waits: u64,
    /// Looks in a row at which clients waited and nothing had come in.
    n_stuck: u32,
    heads: PartialHeads,
    log: LogLimit,
    non_ascii_log: LogLimit,
}

impl Guard {
    /// Looks from now on.
    ///
    /// # Errors
    /// What the system refuses: the signal of arrivals, or a thread.
    pub(super) fn start(config: GuardConfig) -> io::Result<Self> {
        let (wakeup, handle) = Wakeup::arm(&config.listener)?;
        let mut guard = GuardThread {
            config,
            wakeup,
            tracker: Tracker::default(),
            n_waiting: 0,
            n_ever_claimed: 0,
            n_waits: 0,
            n_stuck: 0,
            heads: PartialHeads::default(),
            log: LogLimit::default(),
            non_ascii_log: LogLimit::default(),
        };
        let thread = threads::spawn("guard", move || guard.run())?;
        Ok(Self { wakeup: handle, thread })
    }

    /// Returns when the thread is gone. The order to stop must have been given.
    pub(super) fn stop(self) {
        self.wakeup.close();
        if self.thread.join().is_err() {
            log::error!("the guard panicked");
        }
    }
}

impl GuardThread {
    fn run(&mut self) {
        // A listener may be older than this process: the first look is due.
        let mut next = Some(SHORT_TICK);
        loop {
            next = match next {
                // Only while something waits. Without such connections it is the kernel
                // that wakes it, so an idle daemon has no timer here.
                Some(tick) if self.config.stop.wait_for(tick) => return,
                Some(_) => self.look(),
                None if !self.wakeup.wait() => return,
                // Most requests are whole and answered by the time it looks.
                None => Some(SHORT_TICK),
            };
        }
    }

    /// Looks at all connections once.
    fn look(&mut self) -> Option<Duration> {
        let GuardConfig { connections, limits, .. } = &self.config;
        let counts = connections.counts();
        // INVARIANT: the sockets first, then those that are answered: one whose
        // request comes in between is then not taken for one that waits.
        let sockets = descriptor::connections(self.config.address);
        let answered = connections.cookies();
        let waiting = sockets.iter().filter(|(cookie, _)| !answered.contains(cookie));
        let mut seen = Vec::new();
        for (cookie, fd) in waiting {
            let Some(state) = descriptor::tcp_state(*fd, *cookie) else { continue };
            let is_dropped = state.n_dropped > 0 && state.n_received == Some(0);
            if self.config.has_filter && is_dropped && !state.is_closed {
                self.heads.take_over(*fd, *cookie);
            }
            seen.push(observe(*cookie, state));
        }
        // Those that wait at other listeners count too.
        let n_elsewhere = counts.waiting.load(Relaxed).saturating_sub(self.n_waiting);
        let others = Answered {
            n: answered.len() + n_elsewhere,
            is_queue_empty: self.config.intake.was_waiting(&mut self.n_waits),
        };
        let round = self.tracker.look(Instant::now(), &seen, others, limits);
        for (cookie, why) in &round.cuts {
            // A head that is read here is answered and counted there.
            let is_answered = *why == Cut::HeadSize && self.heads.holds(*cookie);
            if !is_answered && !connections.contains(*cookie) {
                // Counted first: whoever sees the end may ask for the figure at once.
                counts.cut(*why);
                descriptor::shut(sockets[cookie], *cookie);
            }
        }
        counts.change_waiting(&mut self.n_waiting, round.n_waiting);
        if !round.cuts.is_empty() {
            self.log.warn("connections without a request were cut: see /status");
        }
        self.count_leaks(round.n_leaked);
        let next = self.read_heads(round.next);
        let n_queued = self.check_backlog(round.has_new);
        if n_queued == 0 {
            (0..round.n_kicks).for_each(|_| self.kick());
            next
        } else {
            // With a full queue a connection of our own would only wait in it.
            Some(next.unwrap_or(SHORT_TICK).min(SHORT_TICK))
        }
    }

    /// Reads the heads that the library cannot, and hands the whole ones over.
    /// Returns when to look again, which is soon while some are not whole.
    fn read_heads(&mut self, next: Option<Duration>) -> Option<Duration> {
        let GuardConfig { connections, limits, on_request, .. } = &self.config;
        let whole = self.heads.read(limits.max_head_bytes, connections);
        if !whole.is_empty() {
            self.non_ascii_log.warn(
                "a request has a byte above 127 in a header, such as a cookie of another program \
                 on this host; it is answered 0.3 s late (see the guide, troubleshooting)",
            );
        }
        whole.into_iter().for_each(on_request);
        if self.heads.is_empty() { next } else { Some(next.unwrap_or(SHORT_TICK).min(SHORT_TICK)) }
    }

    fn count_leaks(&mut self, n_new: u64) {
        let n_leaked = self.config.connections.counts().leaked.fetch_add(n_new, Relaxed) + n_new;
        if n_new > 0 {
            self.log.warn("connections were lost in the HTTP library: see /status");
        }
        if n_leaked >= self.config.limits.max_leaks {
            (self.config.on_leaks)(n_leaked);
        }
    }

    /// Returns how many clients wait to be accepted. If some wait at several
    /// looks in a row and none comes in, tiny_http accepts no more.
    fn check_backlog(&mut self, has_new: bool) -> u32 {
        let n_queued = descriptor::backlog(&self.config.listener);
        let n_claimed = self.config.intake.n_ever_claimed();
        let has_claimed = std::mem::replace(&mut self.n_ever_claimed, n_claimed) != n_claimed;
        let is_stuck = n_queued > 0 && !has_new && !has_claimed;
        self.n_stuck = if is_stuck { self.n_stuck + 1 } else { 0 };
        if self.n_stuck >= STUCK_LOOKS {
            self.n_stuck = 0;
            (self.config.on_stuck)();
        }
        n_queued
    }

    /// Connects to the listener and hangs up. tiny_http gives several connections
    /// that come at once to one idle thread, and each further connection frees
    /// one of those that wait behind another.
    fn kick(&self) {
        self.config.connections.counts().kicked.fetch_add(1, Relaxed);
        // One that fails is repeated at the next look.
        let _ = TcpStream::connect_timeout(&reachable(self.config.address), KICK_TIMEOUT);
    }
}

fn observe(cookie: u64, state: TcpState) -> Observation {
    Observation {
        cookie,
        is_closed: state.is_closed,
        n_received: state.n_received,
        n_unread: state.n_unread,
        silent_ms: state.silent_ms,
    }
}

/// The address under which this machine reaches itself.
pub(crate) fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
