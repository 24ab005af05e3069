//! The front desk: looks at each request and hands it to the pool that
//! answers it. It never blocks, so that a full house is told so at once.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use tiny_http::Method;

use super::auth::Verdict;
use super::connection::Connection;
use super::guesses::Pending;
use super::methods;
use super::office::Office;
use super::pool::{Pool, Size};
use super::recorded::Recorded;
use super::reply::{Code, Reply};
use super::route::{Asked, Route};
use super::sender::Trust;
use super::target::route;
use crate::cameras::{Admission, Camera};

/// A client, what it asked for and of which camera. Boxed on its way, as every place in a queue
/// and several in a worker's stack hold one.
struct Job {
    /// Of a viewer.
    admission: Option<Admission>,
    client: Connection,
    unit: Arc<Camera>,
    route: Route,
    asked: Instant,
}

/// Routes, admits, refuses.
pub(super) struct Desk {
    pools: Arc<Pools>,
    passwords: Pool<(Box<Job>, Pending)>,
}

/// Who answers: viewers, who stay, never take the place of short requests.
struct Pools {
    office: Arc<Office>,
    streams: Arc<Pool<Box<Job>>>,
    /// Those who wait for the seat of one that has just left.
    late: Pool<Box<Job>>,
    snapshots: Pool<Box<Job>>,
    files: Pool<Box<Job>>,
    shorts: Pool<Box<Job>>,
    controls: Pool<Box<Job>>,
}

/// Snapshots wait for the camera, and one new picture answers all that wait;
/// but a client may take its time to receive one, so there are many threads.
const SNAPSHOTS: Size = Size { n_threads: 32, n_waiting: 64 };
/// Files take as long as the network takes, and disks are slow at many at once.
const FILES: Size = Size { n_threads: 4, n_waiting: 4 };
/// Replies that are made in microseconds and mostly taken in milliseconds. A
/// thread is made when all others are held up, and ends soon after.
const SHORTS: Size = Size { n_threads: 16, n_waiting: 64 };
/// A device that hangs keeps one for seconds: it is not to hold up the rest.
const CONTROLS: Size = Size { n_threads: 4, n_waiting: 16 };
/// A slow hash keeps one core busy: never more than one.
const PASSWORDS: Size = Size { n_threads: 1, n_waiting: 32 };

/// A page that is loaded again asks before its old stream has ended.
const LATE: Size = Size { n_threads: 4, n_waiting: 0 };
/// The worker of one that left wakes within this time.
const LATE_PATIENCE: Duration = Duration::from_secs(2);
const LATE_LOOK: Duration = Duration::from_millis(20);

impl Desk {
    pub(super) fn new(office: Office) -> Self {
        let office = Arc::new(office);
        let seats = Size { n_threads: office.config.n_seats, n_waiting: 0 };
        let streams = Arc::new(Pool::new("http", seats, answer(&office)));
        let pools = Arc::new(Pools {
            late: Pool::new("http-late", LATE, wait_for_seat(&office, &streams)),
            streams,
            snapshots: Pool::new("http-snap", SNAPSHOTS, answer(&office)),
            files: Pool::new("http-file", FILES, answer(&office)),
            shorts: Pool::new("http-short", SHORTS, answer(&office)),
            controls: Pool::new("http-ctrl", CONTROLS, answer(&office)),
            office,
        });
        let asked = Arc::clone(&pools);
        let check = move |(job, _pending)| asked.check_password(job);
        let passwords = Pool::new("http-auth", PASSWORDS, check);
        Self { pools, passwords }
    }

    /// Sees to it that a client is answered.
    pub(super) fn receive(&self, client: Connection) {
        let asked = Instant::now();
        let Asked { which, route } = route(client.target(), client.header("Accept"));
        log::debug!("{}: {} {}", client.peer(), client.method(), client.target());
        let office = &self.pools.office;
        let trust = Trust {
            allow_origin: office.config.allow_origin.as_deref(),
            has_password: office.auth.is_needed(),
        };
        if let Some(reply) = methods::refusal(&client, &route, trust) {
            return self.pools.reply(client, reply);
        }
        let (unit, route) = self.pools.office.look_up(&which, route);
        let verdict = match route {
            Route::Health => Verdict::Yes,
            _ => {
                let from = client.peer().ip();
                self.pools.office.auth.check(client.header("Authorization"), from)
            }
        };
        let job = Box::new(Job { client, admission: None, unit, route, asked });
        match verdict {
            Verdict::Yes => self.pools.admit(job),
            Verdict::No => self.pools.refuse_password(job),
            Verdict::TooFast => self.pools.slow_down(job),
            Verdict::Slow(pending) => {
                if let Err((job, _pending)) = self.passwords.submit((job, pending)) {
                    let office = &self.pools.office;
                    office.refuse(&job.client, "too many passwords to check; try again");
                }
            }
        }
    }

    /// Returns when all workers are gone. Their connections must be shut and
    /// the slot closed.
    pub(super) fn stop(&self) {
        self.passwords.stop();
        self.pools.late.stop();
        self.pools.streams.stop();
        self.pools.snapshots.stop();
        self.pools.files.stop();
        self.pools.shorts.stop();
        self.pools.controls.stop();
    }
}

fn unauthorized() -> Reply {
    Reply::text(Code::Unauthorized, "a user and a password are needed")
        .with("WWW-Authenticate", "Basic realm=\"mjpegd\", charset=\"UTF-8\"")
}

fn answer(office: &Arc<Office>) -> impl Fn(Box<Job>) + Send + Sync + 'static {
    let office = Arc::clone(office);
    move |mut job| office.answer(&mut job.client, &job.unit, &job.route, job.asked)
}

/// Gives a viewer a seat, if there is one for this camera; else the job, and
/// which seats are taken.
fn seat(
    office: &Office,
    streams: &Pool<Box<Job>>,
    mut job: Box<Job>,
) -> Result<(), (Box<Job>, String)> {
    match job.unit.admit() {
        Ok(admission) => {
            job.admission = Some(admission);
            streams.submit(job).map_err(|mut job| {
                job.admission = None;
                (job, format!("all {} seats are taken", office.config.n_seats))
            })
        }
        Err(n) => {
            let taken = format!("all {n} seats of camera {} are taken", job.unit.name);
            Err((job, taken))
        }
    }
}

/// Seats a client as soon as there is a seat, or refuses it.
fn wait_for_seat(
    office: &Arc<Office>,
    streams: &Arc<Pool<Box<Job>>>,
) -> impl Fn(Box<Job>) + Send + Sync + 'static {
    let (office, streams) = (Arc::clone(office), Arc::clone(streams));
    move |mut job| {
        let deadline = Instant::now() + LATE_PATIENCE;
        while let Err((refused, taken)) = seat(&office, &streams, job) {
            job = refused;
            if Instant::now() >= deadline || office.stop.wait_for(LATE_LOOK) {
                return office.refuse_seat(&job.client, &job.unit.name, &taken);
            }
        }
    }
}

impl Pools {
    fn admit(&self, job: Box<Job>) {
        let is_head = *job.client.method() == Method::Head;
        let refused = match job.route {
            Route::Stream(_) if !is_head => return self.seat(job),
            Route::Recorded(ref recorded) if recorded.is_long() => {
                self.files.submit(job).map_err(|job| (job, "too many downloads at once"))
            }
            Route::Snapshot { .. } | Route::Recorded(Recorded::Picture(..)) => {
                self.snapshots.submit(job).map_err(|job| (job, "too many snapshots at once"))
            }
            Route::Controls => {
                self.controls.submit(job).map_err(|job| (job, "too many changes at once"))
            }
            _ => self.shorts.submit(job).map_err(|job| (job, "too many requests at once")),
        };
        if let Err((job, why)) = refused {
            self.office.refuse(&job.client, why);
        }
    }

    /// Gives a viewer a seat, or that of one that has left.
    fn seat(&self, mut job: Box<Job>) {
        job.client.is_for_a_viewer();
        let Err((job, taken)) = seat(&self.office, &self.streams, job) else { return };
        let is_late = self.office.connections.cut_viewers_who_left() > 0;
        let refused = if is_late { self.late.submit(job) } else { Err(job) };
        if let Err(job) = refused {
            self.office.refuse_seat(&job.client, &job.unit.name, &taken);
        }
    }

    fn check_password(&self, job: Box<Job>) {
        let from = job.client.peer().ip();
        if self.office.auth.check_slowly(job.client.header("Authorization"), from) {
            self.admit(job);
        } else {
            self.refuse_password(job);
        }
    }

    fn refuse_password(&self, job: Box<Job>) {
        if job.client.header("Authorization").is_some() {
            self.office.connections.counts().wrong_passwords.fetch_add(1, Relaxed);
        }
        self.reply(job.client, unauthorized());
    }

    fn slow_down(&self, job: Box<Job>) {
        self.office.connections.counts().slowed_guesses.fetch_add(1, Relaxed);
        let text = "too many wrong passwords from this address; try again in a moment";
        let reply = Reply::text(Code::TooManyRequests, text).with("Retry-After", "2");
        self.reply(job.client, reply);
    }

    /// Sends a finished reply, by a worker.
    fn reply(&self, client: Connection, reply: Reply) {
        let route = Route::Reply(Box::new(reply));
        let unit = self.office.cameras.first();
        let asked = Instant::now();
        self.admit(Box::new(Job { client, admission: None, unit, route, asked }));
    }
}
