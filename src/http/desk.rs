//! The front desk: looks at each request and hands it to the pool that
//! answers it. It never blocks, so that a full house is told so at once.

use std::sync::Arc;
use std::time::Instant;

use tiny_http::Method;

use super::auth::Verdict;
use super::connection::Connection;
use super::methods;
use super::office::Office;
use super::pool::{Pool, Size};
use super::reply::{Code, Reply};
use super::route::{Asked, Route, route};
use crate::cameras::{Admission, Unit};

/// A client, what it asked for and of which camera. Boxed on its way, as every place in a queue
/// and several in a worker's stack hold one.
struct Job {
    /// Of a viewer.
    admission: Option<Admission>,
    client: Connection,
    unit: Arc<Unit>,
    route: Route,
    asked: Instant,
}

/// Routes, admits, refuses.
pub(super) struct Desk {
    pools: Arc<Pools>,
    passwords: Pool<Box<Job>>,
}

/// Who answers: viewers, who stay, never take the place of short requests.
struct Pools {
    office: Arc<Office>,
    streams: Pool<Box<Job>>,
    snapshots: Pool<Box<Job>>,
    shorts: Pool<Box<Job>>,
    controls: Pool<Box<Job>>,
}

/// Snapshots wait for the camera, and one new picture answers all that wait;
/// but a client may take its time to receive one, so there are many threads.
const SNAPSHOTS: Size = Size { n_threads: 32, n_waiting: 64 };
/// Replies that are made in microseconds and mostly taken in milliseconds. A
/// thread is made when all others are held up, and ends soon after.
const SHORTS: Size = Size { n_threads: 16, n_waiting: 64 };
/// A device that hangs keeps one for seconds: it is not to hold up the rest.
const CONTROLS: Size = Size { n_threads: 4, n_waiting: 16 };
/// A slow hash keeps one core busy: never more than one.
const PASSWORDS: Size = Size { n_threads: 1, n_waiting: 16 };

impl Desk {
    pub(super) fn new(office: Office) -> Self {
        let office = Arc::new(office);
        let seats = Size { n_threads: office.config.n_seats, n_waiting: 0 };
        let pools = Arc::new(Pools {
            streams: Pool::new("http", seats, answer(&office)),
            snapshots: Pool::new("http-snap", SNAPSHOTS, answer(&office)),
            shorts: Pool::new("http-short", SHORTS, answer(&office)),
            controls: Pool::new("http-ctrl", CONTROLS, answer(&office)),
            office,
        });
        let asked = Arc::clone(&pools);
        let passwords = Pool::new("http-auth", PASSWORDS, move |job| asked.check_password(job));
        Self { pools, passwords }
    }

    /// Sees to it that a client is answered.
    pub(super) fn receive(&self, client: Connection) {
        let asked = Instant::now();
        let Asked { which, route } = route(client.target(), client.header("Accept"));
        log::debug!("{}: {} {}", client.peer(), client.method(), client.target());
        let allow_origin = self.pools.office.config.allow_origin.as_deref();
        if let Some(reply) = methods::refusal(&client, &route, allow_origin) {
            return self.pools.reply(client, reply);
        }
        let (unit, route) = self.pools.office.look_up(&which, route);
        let verdict = match route {
            Route::Health => Verdict::Yes,
            _ => self.pools.office.auth.check(client.header("Authorization")),
        };
        let job = Box::new(Job { client, admission: None, unit, route, asked });
        match verdict {
            Verdict::Yes => self.pools.admit(job),
            Verdict::No => self.pools.reply(job.client, unauthorized()),
            Verdict::Slow => {
                if let Err(job) = self.passwords.submit(job) {
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
        self.pools.streams.stop();
        self.pools.snapshots.stop();
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

impl Pools {
    fn admit(&self, job: Box<Job>) {
        let is_head = *job.client.method() == Method::Head;
        let refused = match job.route {
            Route::Stream(_) if !is_head => self.seat(job),
            Route::Snapshot { .. } => {
                self.snapshots.submit(job).map_err(|job| (job, "too many snapshots at once".into()))
            }
            Route::Controls => {
                self.controls.submit(job).map_err(|job| (job, "too many changes at once".into()))
            }
            _ => self.shorts.submit(job).map_err(|job| (job, "too many requests at once".into())),
        };
        if let Err((job, why)) = refused {
            self.office.refuse(&job.client, &why);
        }
    }

    /// Gives a viewer a seat, if there is one for this camera.
    fn seat(&self, mut job: Box<Job>) -> Result<(), (Box<Job>, String)> {
        let taken = match job.unit.admit() {
            Ok(admission) => {
                job.admission = Some(admission);
                self.streams.submit(job).map_err(|job| {
                    (job, format!("all {} seats are taken", self.office.config.n_seats))
                })
            }
            Err(n) => {
                let taken = format!("all {n} seats of camera {} are taken", job.unit.name);
                Err((job, taken))
            }
        };
        taken.map_err(|(job, taken)| {
            self.office.viewers.refused(&job.unit.name);
            (job, format!("{taken}; try again in a moment"))
        })
    }

    fn check_password(&self, job: Box<Job>) {
        if self.office.auth.check_slowly(job.client.header("Authorization")) {
            self.admit(job);
        } else {
            self.reply(job.client, unauthorized());
        }
    }

    /// Sends a finished reply, by a worker.
    fn reply(&self, client: Connection, reply: Reply) {
        let route = Route::Reply(Box::new(reply));
        let unit = self.office.cameras.first();
        let asked = Instant::now();
        self.admit(Box::new(Job { client, admission: None, unit, route, asked }));
    }
}
