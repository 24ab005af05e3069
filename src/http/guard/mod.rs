//! Looks after the connections that have not sent a whole request yet, which
//! tiny_http shows to nobody and gives no limits: those that are silent, slow,
//! endless or too many are cut, those that no thread serves are woken, and
//! those that tiny_http has lost are counted.
//!
//! It sleeps while no such connection is there.

mod bell;
mod counts;
mod watch;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bell::{Bell, Silencer};
use watch::{Others, SHORT_TICK, Sighting, Watch};

pub(super) use counts::{ConnectionsReport, Counts, Cut};

use super::connection::Connections;
use super::descriptor;
use crate::config::Limits;
use crate::log_limit::LogLimit;
use crate::shutdown::Shutdown;

/// A connection to this very machine is there at once, or the queue is full.
const KICK_TIMEOUT: Duration = Duration::from_millis(100);
/// Half a second without a connection accepted, while some wait: a busy machine
/// is no reason to listen anew.
const STUCK_LOOKS: u32 = 5;

/// The thread that looks.
pub(super) struct Guard {
    silencer: Silencer,
    thread: JoinHandle<()>,
}

/// What it looks at and whom it tells.
pub(super) struct Post {
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
    pub(super) connections: Arc<Connections>,
    pub(super) counts: Arc<Counts>,
    pub(super) limits: Limits,
    /// Told when clients wait that nobody accepts.
    pub(super) on_stuck: Box<dyn Fn() + Send>,
    /// Told at each look how many were lost, when they are too many.
    pub(super) on_leaks: Box<dyn Fn(u64) + Send>,
    pub(super) stop: Shutdown,
}

struct Rounds {
    post: Post,
    bell: Bell,
    watch: Watch,
    /// Requests that ever came, at the last look.
    n_claimed: u64,
    /// Whether requests waited to be claimed, at the last look.
    turns: u64,
    /// Looks in a row at which clients waited and nothing had come in.
    n_stuck: u32,
    log: LogLimit,
}

impl Guard {
    /// Looks from now on.
    pub(super) fn start(post: Post) -> io::Result<Self> {
        post.counts.max.store(post.limits.max_connections, Relaxed);
        let (bell, silencer) = Bell::hang(&post.listener)?;
        let mut rounds = Rounds {
            post,
            bell,
            watch: Watch::default(),
            n_claimed: 0,
            turns: 0,
            n_stuck: 0,
            log: LogLimit::default(),
        };
        let thread = thread::Builder::new().name("guard".into()).spawn(move || rounds.run())?;
        Ok(Self { silencer, thread })
    }

    /// Returns when the thread is gone. The order to stop must have been given.
    pub(super) fn stop(self) {
        self.silencer.silence();
        if self.thread.join().is_err() {
            log::error!("the guard panicked");
        }
    }
}

impl Rounds {
    fn run(&mut self) {
        // A listener may be older than this process: the first look is due.
        let mut next = Some(SHORT_TICK);
        loop {
            next = match next {
                Some(tick) if self.post.stop.wait_for(tick) => return,
                Some(_) => self.look(),
                None if !self.bell.wait() => return,
                // Most requests are whole and answered by the time it looks.
                None => Some(SHORT_TICK),
            };
        }
    }

    /// Looks at all connections once.
    fn look(&mut self) -> Option<Duration> {
        let Post { connections, counts, limits, .. } = &self.post;
        // INVARIANT: the sockets first, then those that are answered: one whose
        // request comes in between is then not taken for one that waits.
        let sockets = descriptor::connections(self.post.address.port());
        let answered = connections.cookies();
        let waiting = sockets.iter().filter(|(cookie, _)| !answered.contains(cookie));
        let seen: Vec<Sighting> = waiting.filter_map(|(cookie, fd)| sight(*fd, *cookie)).collect();
        let others = Others {
            n_answered: answered.len(),
            are_claimed: connections.was_at_rest(&mut self.turns),
        };
        let round = self.watch.look(Instant::now(), &seen, others, limits);
        for (cookie, why) in &round.cuts {
            if !connections.contains(*cookie) {
                descriptor::shut(sockets[cookie], *cookie);
                counts.cut(*why);
            }
        }
        counts.waiting.store(round.n_waiting, Relaxed);
        if !round.cuts.is_empty() {
            self.log.warn("connections without a request were cut: see /status");
        }
        self.count_leaks(round.n_leaked);
        let n_queued = self.look_at_queue(round.has_new);
        if n_queued == 0 {
            (0..round.n_kicks).for_each(|_| self.kick());
            round.next
        } else {
            // With a full queue a connection of our own would only wait in it.
            Some(round.next.unwrap_or(SHORT_TICK).min(SHORT_TICK))
        }
    }

    fn count_leaks(&mut self, n_new: u64) {
        let n_leaked = self.post.counts.leaked.fetch_add(n_new, Relaxed) + n_new;
        if n_new > 0 {
            self.log.warn("connections were lost in tiny_http: see /status");
        }
        if n_leaked >= self.post.limits.max_leaks {
            (self.post.on_leaks)(n_leaked);
        }
    }

    /// How many clients wait to be accepted. When they do so look after look
    /// and nothing comes in, nobody accepts any more.
    fn look_at_queue(&mut self, has_new: bool) -> u32 {
        let n_queued = descriptor::backlog(&self.post.listener);
        let n_claimed = self.post.connections.n_claimed();
        let has_claimed = std::mem::replace(&mut self.n_claimed, n_claimed) != n_claimed;
        let is_stuck = n_queued > 0 && !has_new && !has_claimed;
        self.n_stuck = if is_stuck { self.n_stuck + 1 } else { 0 };
        if self.n_stuck >= STUCK_LOOKS {
            self.n_stuck = 0;
            (self.post.on_stuck)();
        }
        n_queued
    }

    /// Connects to the listener and hangs up: tiny_http hands connections that
    /// come at once to one idle thread, and the next one that comes frees one
    /// of those that wait behind another.
    fn kick(&self) {
        self.post.counts.kicked.fetch_add(1, Relaxed);
        // One that fails is repeated at the next look.
        let _ = TcpStream::connect_timeout(&reachable(self.post.address), KICK_TIMEOUT);
    }
}

fn sight(fd: i32, cookie: u64) -> Option<Sighting> {
    let look = descriptor::look_at(fd, cookie)?;
    Some(Sighting {
        cookie,
        is_closed: look.is_closed,
        n_received: look.n_received,
        n_unread: look.n_unread,
    })
}

/// The address under which this machine reaches itself.
pub(super) fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
