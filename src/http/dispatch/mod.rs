//! From a whole request to the worker that answers it: which address, who may
//! ask, which camera, which lane. Refuses in one place. The accept thread runs
//! it, so it must not block.

mod refusal;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::access::{Auth, Login, PendingLogin};
use super::context::Context;
use super::drainer::Drainer;
use super::lanes::{Lane, Lanes, Limit, NotTaken};
use super::reply::{Code, Reply};
use super::request::{Request, TIMEOUT};
use super::routes::{Access, Answer, Endpoint, Stream, Target, Which, actions};
use super::transport::{Connection, Handler, Method};
use super::viewer::HeldReply;
use crate::cameras::Camera;
use crate::secrets::hide;

/// Dispatches requests to the workers.
pub(super) struct Dispatch {
    shared: Arc<Shared>,
    lanes: Lanes<Job>,
}

struct Shared {
    context: Context,
    auth: Auth,
}

/// A request that is not routed to its camera yet.
struct Arrival {
    connection: Connection,
    target: Target,
    asked: Instant,
}

/// What a worker does. Boxed, as every place in a queue and several frames of a
/// worker's stack hold one, and a viewer's stack has two pages.
enum Job {
    Answer(Box<Request>, Answer),
    CheckPassword(Box<Arrival>, PendingLogin),
    Send(Box<(Connection, Reply)>),
}

/// Jobs in the viewers' lane beyond the seats: clients that wait for the seat of a
/// viewer that is leaving, and clients whose query is wrong.
const N_BEYOND_SEATS: usize = 8;

/// Streams of events at once, a page or a program each.
const N_EVENT_STREAMS: usize = 16;

/// How many jobs of a lane run at once, and how many wait. One more gets 503:
///
/// | lane | text | counter |
/// | --- | --- | --- |
/// | `Viewer`, all seats taken | all N seats are taken | `seats.refused` |
/// | `Viewer`, seats free | too many viewers at once | `seats.refused` |
/// | `Short` | too many requests at once | `connections.refused` |
/// | `Snapshot`, `Download`, `Control` | too many snapshots, downloads, changes at once | `connections.refused` |
/// | `Login` | too many passwords to check | `connections.refused` |
/// | `Events` | too many streams of events at once | `connections.refused` |
///
/// Mostly a viewer finds out in [`Stream::run`] that there is no seat, since its
/// lane is longer than there are seats. It has the same text and counter there.
/// Texts are in [`refusal::full`], and for operators in the guide's chapter on
/// troubleshooting.
fn limit(lane: Lane, n_seats: usize) -> Limit {
    let (n_running, n_waiting) = match lane {
        Lane::Viewer => (n_seats + N_BEYOND_SEATS, 0),
        // One new picture answers all that wait, but a client may take its time
        // to receive it.
        Lane::Snapshot => (32, 64),
        // A disk is slow at many files at once.
        Lane::Download => (4, 4),
        Lane::Short => (16, 64),
        Lane::Control => (4, 16),
        // A slow hash keeps a core busy, so never two at once.
        Lane::Login => (1, 32),
        // Each keeps a thread. They take no seats, so that pages that show events cannot
        // take them from viewers.
        Lane::Events => (N_EVENT_STREAMS, 0),
    };
    Limit { n_running, n_waiting }
}

impl Dispatch {
    pub(super) fn new(mut context: Context) -> Self {
        let auth = Auth::new(context.config.credentials.take());
        let n_seats = context.config.n_seats;
        let shared = Arc::new(Shared { context, auth });
        let worker = Arc::clone(&shared);
        let lanes =
            Lanes::new(|lane| limit(lane, n_seats), move |lanes, job| worker.work(lanes, job));
        Self { shared, lanes }
    }

    pub(super) fn n_viewers(&self) -> usize {
        self.shared.context.viewers.n_present()
    }

    pub(super) fn count_viewers(&self) -> Box<dyn Fn(&str) -> usize + Send> {
        let viewers = Arc::clone(&self.shared.context.viewers);
        Box::new(move |camera| viewers.n_watching(camera))
    }

    pub(super) fn last_watched(&self) -> Option<Instant> {
        self.shared.context.viewers.last_watched()
    }

    pub(super) fn drainer(&self) -> Drainer {
        let Context { viewers, connections, .. } = &self.shared.context;
        Drainer::new(Arc::clone(viewers), Arc::clone(connections))
    }

    /// Whether a reply is on its way, beside streams.
    pub(super) fn is_busy(&self) -> bool {
        self.lanes.is_busy()
    }

    /// Returns when all workers have ended. Their connections must be shut and
    /// the slots closed.
    pub(super) fn stop(&self) {
        self.lanes.stop();
    }
}

impl Handler for Dispatch {
    fn takes_body(&self, method: Method, target: &str) -> bool {
        method == Method::Post && self.shared.target(target).endpoint().methods.has_body
    }

    fn receive(&self, mut connection: Connection) {
        if let Some(client) = refusal::client(&connection, &self.shared.context) {
            connection.set_client(client);
        }
        let (shared, lanes, asked) = (&*self.shared, &self.lanes, Instant::now());
        let (peer, method) = (connection.peer(), connection.method().name());
        log::debug!("{peer}: {method} {}", hide(connection.target()));
        let target = shared.target(connection.target());
        let endpoint = target.endpoint();
        let needs_login = shared.auth.is_needed();
        if let Some(reply) = refusal::find(&connection, endpoint, &shared.context, needs_login) {
            return shared.send(lanes, connection, reply);
        }
        let login = match endpoint.access {
            Access::Anybody => Login::Granted,
            Access::LoggedIn => shared.auth.check(connection.header("Authorization"), peer.ip()),
        };
        let arrival = Arrival { connection, target, asked };
        match login {
            Login::Granted => shared.admit(lanes, arrival),
            Login::Denied => shared.deny(lanes, arrival.connection),
            Login::Throttled => shared.throttle(lanes, arrival.connection),
            Login::Slow(pending) => {
                shared.submit(lanes, Lane::Login, Job::CheckPassword(Box::new(arrival), pending));
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.shared.context.viewers.seats().taken == 0
    }
}

impl Shared {
    /// What a target asks for, of the cameras of this moment.
    fn target(&self, target: &str) -> Target {
        Target::parse(target).resolve(|name| self.context.cameras.find(name).is_some())
    }

    /// Finds the camera of a request that may be answered, and its lane.
    fn admit(&self, lanes: &Lanes<Job>, arrival: Arrival) {
        let Arrival { connection, target, asked } = arrival;
        let (camera, target) = match self.find_camera(target) {
            Ok(found) => found,
            Err(reply) => return self.send(lanes, connection, reply),
        };
        let Endpoint { lane, answer, .. } = *target.endpoint();
        let is_named = matches!(target.which, Which::Named(_));
        let Target { path, query, .. } = target;
        let request = Request { connection, camera, path, query, is_named, asked };
        if matches!(lane, Lane::Viewer | Lane::Snapshot) {
            self.context.viewers.note_watching(asked);
        }
        // A HEAD of a stream takes no seat.
        let is_stream = matches!(lane, Lane::Viewer | Lane::Events);
        let is_short = is_stream && request.is_head();
        let lane = if is_short { Lane::Short } else { lane };
        self.submit(lanes, lane, Job::Answer(Box::new(request), answer));
    }

    /// The camera that is meant. A name that no camera has may still be a
    /// folder of the page.
    ///
    /// # Errors
    /// The reply where there is no such camera, or no such address.
    fn find_camera(&self, target: Target) -> Result<(Arc<Camera>, Target), Reply> {
        let cameras = &self.context.cameras;
        let (camera, missing) = match &target.which {
            Which::First => (Some(cameras.first()), String::new()),
            // mjpg-streamer counts from 0 in one form and from 1 in another, so
            // the number is not repeated.
            Which::Nth(n) => (cameras.all().get(*n).cloned(), "camera of that number".into()),
            Which::Named(name) => (cameras.find(name), format!("camera {name}")),
        };
        if target.is_unknown_action {
            return Err(Reply::bad_request(&format!("action: use {}", actions())));
        }
        match (camera, &target.which) {
            (Some(_), _) if target.missing_slash().is_some() => {
                let to = format!("{}/", target.missing_slash().unwrap_or_default());
                let reply = Reply::text(Code::MovedPermanently, &format!("see {to}"));
                Err(reply.with("Location", to))
            }
            (Some(camera), _) => Ok((camera, target)),
            (None, Which::Named(name)) if target.is_file() => {
                let path = format!("/{name}{}", target.path);
                Ok((cameras.first(), Target { which: Which::First, path, ..target }))
            }
            (None, _) => {
                let all = cameras.all();
                let names: Vec<_> = all.iter().map(|camera| camera.name.as_str()).collect();
                let text = format!("there is no {missing}; there are: {}", names.join(", "));
                Err(Reply::text(Code::NotFound, &text))
            }
        }
    }

    /// Hands a job to its lane, or refuses the client when that is full.
    fn submit(&self, lanes: &Lanes<Job>, lane: Lane, job: Job) {
        let Err((job, why)) = lanes.submit(lane, job) else { return };
        let (mut connection, camera) = match job {
            Job::Answer(request, _) => (request.connection, Some(request.camera)),
            Job::CheckPassword(arrival, _) => (arrival.connection, None),
            Job::Send(sending) => (sending.0, None),
        };
        // Pages and states are of all cameras.
        let camera = camera.filter(|_| !matches!(lane, Lane::Short | Lane::Events));
        let camera = camera.as_ref().map(|camera| camera.name.as_str());
        let reply = self.refuse(lane, why, camera);
        // On this thread, as all workers are busy. Neither blocks: these are the
        // first bytes to the client, and a body that is still coming is not
        // waited for.
        self.context.write(&connection, camera, &reply);
        connection.abandon_body();
    }

    /// Counts a client that gets no worker. Returns the reply, which says why.
    fn refuse(&self, lane: Lane, why: NotTaken, camera: Option<&str>) -> Reply {
        let (context, counts) = (&self.context, self.context.connections.counts());
        match (why, lane, camera) {
            (NotTaken::Stopped, ..) => return Reply::stopping(),
            // A seat was free or not: what lacks is a thread, and more seats would make
            // it worse.
            (NotTaken::NoThread, ..) => {
                counts.refused.fetch_add(1, Relaxed);
                return Reply::unavailable("no thread for a request; try again in a moment");
            }
            (NotTaken::Full, Lane::Viewer, Some(camera)) => {
                context.viewers.count_refused(camera);
                let seats = context.viewers.seats();
                if seats.taken >= seats.total {
                    let why = format!("all {} seats are taken; try again in a moment", seats.total);
                    return Reply::unavailable(&why);
                }
            }
            (NotTaken::Full, ..) => {
                counts.refused.fetch_add(1, Relaxed);
            }
        }
        Reply::unavailable(refusal::full(lane))
    }

    /// Has a worker send a finished reply.
    fn send(&self, lanes: &Lanes<Job>, connection: Connection, reply: Reply) {
        // A client that announces a body and does not send it holds its worker
        // for a second. Not one of those that answer pages and states.
        let lane = if connection.is_body_coming() { Lane::Control } else { Lane::Short };
        self.submit(lanes, lane, Job::Send(Box::new((connection, reply))));
    }

    fn deny(&self, lanes: &Lanes<Job>, connection: Connection) {
        let has_login = connection.header("Authorization").is_some();
        if has_login {
            self.context.connections.counts().wrong_passwords.fetch_add(1, Relaxed);
        }
        self.send(lanes, connection, refusal::unauthorized(has_login));
    }

    fn throttle(&self, lanes: &Lanes<Job>, connection: Connection) {
        self.context.connections.counts().slowed_guesses.fetch_add(1, Relaxed);
        self.send(lanes, connection, refusal::throttled());
    }

    /// A worker's part.
    fn work(&self, lanes: &Lanes<Job>, job: Job) {
        match job {
            Job::Answer(request, Answer::Stream(open)) => self.stream(request, open),
            Job::Answer(request, Answer::Hold(open)) => self.hold(request, open),
            Job::Answer(request, Answer::Reply(answer)) => self.reply(request, answer),
            Job::Send(sending) => self.context.write(&sending.0, None, &sending.1),
            Job::CheckPassword(arrival, _pending) => self.check_password(lanes, *arrival),
        }
    }

    // None of these is inlined: what one of them takes of the stack would be taken
    // from each viewer, for as long as it watches.
    #[inline(never)]
    fn stream(&self, request: Box<Request>, open: super::routes::Open) {
        let Some(mut stream) = self.open_stream(&request, open) else { return };
        let socket = request.into_stream();
        socket.mark_as_viewer();
        stream.run(&self.context, &socket);
    }

    #[inline(never)]
    fn open_stream(&self, request: &Request, open: super::routes::Open) -> Option<Box<Stream>> {
        match open(&self.context, request) {
            Ok(stream) if request.is_head() => {
                request.send(&stream.head(&self.context), &[], TIMEOUT);
                None
            }
            Ok(stream) => Some(stream),
            Err(reply) => {
                self.context.send(request, &reply);
                None
            }
        }
    }

    #[inline(never)]
    fn hold(&self, request: Box<Request>, open: super::routes::Hold) {
        match open(&self.context, &request) {
            Ok((head, viewers)) => {
                request.send(&head, &[], TIMEOUT);
                if !request.is_head() {
                    let held = HeldReply::new(request.into_stream());
                    viewers.iter().for_each(|(viewer, byte)| viewer.begin_heartbeat(&held, *byte));
                }
            }
            Err(reply) => self.context.send(&request, &reply),
        }
    }

    #[inline(never)]
    fn reply(&self, mut request: Box<Request>, answer: super::routes::Once) {
        if let Err(reply) = answer(&self.context, &mut request) {
            self.context.send(&request, &reply);
        }
    }

    #[inline(never)]
    fn check_password(&self, lanes: &Lanes<Job>, arrival: Arrival) {
        let from = arrival.connection.peer().ip();
        if self.auth.check_slowly(arrival.connection.header("Authorization"), from) {
            self.admit(lanes, arrival);
        } else {
            self.deny(lanes, arrival.connection);
        }
    }
}
