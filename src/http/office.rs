//! What the workers do: each answers one client to the end.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use parking_lot::Mutex;
use tiny_http::Method;

use super::auth::Auth;
use super::connection::{Connection, Connections};
use super::guard::{ConnectionsReport, Cut};
use super::playback::{End, Found, Playback};
use super::reply::{Code, Reply, TIMEOUT};
use super::route::{Route, StreamRequest, Which};
use super::status::{Seats, Shown, StatusReport, state};
use super::stream::{self, Stream};
use super::viewers::{Seat, Viewers};
use super::{controls, metrics, page, playback, snapshot};
use crate::cameras::{Camera, Cameras};
use crate::config::HttpConfig;
use crate::log_limit::{self, LogLimit};
use crate::shutdown::Shutdown;

/// What all workers share.
pub(super) struct Office {
    pub(super) config: HttpConfig,
    pub(super) auth: Auth,
    pub(super) viewers: Arc<Viewers>,
    pub(super) cameras: Cameras,
    pub(super) connections: Arc<Connections>,
    started: Instant,
    pub(super) stop: Shutdown,
    refusals: Mutex<LogLimit>,
}

impl Office {
    pub(super) fn new(
        mut config: HttpConfig,
        cameras: Cameras,
        connections: Arc<Connections>,
        stop: Shutdown,
    ) -> Self {
        Self {
            auth: Auth::new(config.credentials.take()),
            config,
            viewers: Arc::default(),
            cameras,
            connections,
            started: Instant::now(),
            stop,
            refusals: Mutex::default(),
        }
    }

    /// Finds the camera that is meant, and what is asked of it: a name that
    /// no camera has may still be a folder of the page.
    pub(super) fn look_up(&self, which: &Which, route: Route) -> (Arc<Camera>, Route) {
        let first = self.cameras.first();
        let (unit, missing) = match which {
            Which::First => return (first, route),
            Which::Nth(n) => (self.cameras.all().get(*n).cloned(), format!("camera number {n}")),
            Which::Named(name) => (self.cameras.find(name), format!("camera {name}")),
        };
        match (unit, which, route) {
            (Some(unit), Which::Named(name), Route::File(path)) if path.is_empty() => {
                (unit, Route::AddSlash(name.clone()))
            }
            (Some(unit), _, route) => (unit, route),
            (None, Which::Named(name), Route::File(path)) => {
                (first, Route::File(format!("/{name}{path}")))
            }
            (None, ..) => (first, Route::Reply(Box::new(self.no_camera(&missing)))),
        }
    }

    fn no_camera(&self, missing: &str) -> Reply {
        let all = self.cameras.all();
        let names: Vec<_> = all.iter().map(|unit| unit.name.as_str()).collect();
        let text = format!("there is no {missing}; there are: {}", names.join(", "));
        Reply::text(Code::NotFound, &text)
    }

    /// Answers a client. Blocks for as long as it watches.
    pub(super) fn answer(
        &self,
        client: &mut Connection,
        unit: &Camera,
        route: &Route,
        asked: Instant,
    ) {
        match route {
            Route::Stream(request) if *client.method() != Method::Head => {
                self.stream(client, unit, request);
            }
            _ => self.answer_shortly(client, unit, route, asked),
        }
    }

    // Kept apart, as what this takes of the stack would be taken for each
    // viewer too, for as long as it watches: with the log that was a page more.
    #[inline(never)]
    fn answer_shortly(
        &self,
        client: &mut Connection,
        unit: &Camera,
        route: &Route,
        asked: Instant,
    ) {
        let reply = match route {
            // A HEAD: streams went elsewhere.
            Route::Stream(request) => {
                return self.send(client, &stream::head(request, self.origin()));
            }
            Route::Snapshot { max_delay } => {
                match snapshot::take(&unit.capture, asked, *max_delay) {
                    Ok(frame) => return snapshot::send(&frame, client, self.origin()),
                    Err(reply) => reply,
                }
            }
            Route::Recorded(recorded) => {
                let to = (self.origin(), self.config.write_timeout);
                match recorded.answer(unit, client, to) {
                    Some(reply) => reply,
                    None => return,
                }
            }
            Route::Status { is_named } => {
                let all = self.cameras.all();
                let (seats, connections) = (self.seats(), self.connections());
                let cameras = Shown { unit, is_named: *is_named, all: &all };
                let viewers = &self.viewers;
                json(&StatusReport::new(cameras, seats, connections, viewers, self.started))
            }
            Route::State => json(&state(unit, &self.viewers)),
            Route::Metrics => {
                let all = self.cameras.all();
                let (seats, connections) = (self.seats(), self.connections());
                let text = metrics::text(&all, seats, &connections, &self.viewers, self.started);
                Reply::new(Code::Ok, metrics::CONTENT_TYPE, text.into_bytes())
            }
            Route::Controls => controls::reply(client, &unit.capture),
            Route::Health => Reply::text(Code::Ok, "ok"),
            Route::File(path) => page::reply(self.config.www.as_deref(), path),
            Route::AddSlash(name) => {
                let to = format!("{name}/");
                Reply::text(Code::MovedPermanently, &format!("see {to}")).with("Location", to)
            }
            Route::Bad(why) => Reply::text(Code::BadRequest, why),
            Route::Reply(reply) => return reply.send(client, self.origin()),
        };
        reply.send(client, self.origin());
    }

    /// Tells a client that all seats are taken.
    pub(super) fn refuse_seat(&self, client: &Connection, camera: &str, taken: &str) {
        self.viewers.refused(camera);
        self.say_unavailable(client, &format!("{taken}; try again in a moment"));
    }

    /// Tells a client that too many like it are being answered.
    pub(super) fn refuse(&self, client: &Connection, why: &str) {
        self.connections.counts().refused.fetch_add(1, Relaxed);
        self.say_unavailable(client, why);
    }

    fn say_unavailable(&self, client: &Connection, why: &str) {
        // Formatted here, as one level deeper it takes a further page.
        let line = format!("a client was refused: {why}");
        // Unlock before logging: a log that blocks must hold nobody else up.
        let passed = self.refusals.lock().pass(&line, Instant::now());
        log_limit::warn(&line, passed);
        Reply::unavailable(why).send(client, self.origin());
    }

    fn origin(&self) -> Option<&str> {
        self.config.allow_origin.as_deref()
    }

    fn connections(&self) -> ConnectionsReport {
        self.connections.counts().report(self.connections.len())
    }

    fn seats(&self) -> Seats {
        Seats {
            total: self.config.n_seats,
            taken: self.viewers.present().len(),
            refused: self.viewers.n_refused(),
        }
    }

    fn send(&self, client: &Connection, head: &[u8]) {
        if let Err(e) = client.write(head, &[], TIMEOUT) {
            log::debug!("{}: reply not taken: {e}", client.peer());
        }
    }

    fn stream(&self, client: &Connection, unit: &Camera, request: &StreamRequest) {
        if request.play.is_some() {
            return self.stream_past(client, unit, request);
        }
        let seat = self.seat(client, unit, request);
        let end = self.live(client, unit, request, &seat).run(self.origin());
        self.tell_end(&seat, &end);
    }

    // These are kept apart for the same reason as the short replies: what one
    // of them takes of the stack stays with each viewer.
    #[inline(never)]
    fn stream_past(&self, client: &Connection, unit: &Camera, request: &StreamRequest) {
        let found = match request.play.as_ref().map(|play| playback::find(unit, play)).transpose() {
            Ok(Some(found)) => found,
            Ok(None) => return,
            Err(reply) => return reply.send(client, self.origin()),
        };
        let seat = self.seat(client, unit, request);
        let end = match self.play(client, request, &seat, found) {
            Ok(End::Live(after)) => self.live(client, unit, request, &seat).go_on(Some(after)),
            Ok(End::Over) => Ok(()),
            Err(e) => Err(e),
        };
        self.tell_end(&seat, &end);
    }

    fn live<'a>(
        &'a self,
        client: &'a Connection,
        unit: &Camera,
        request: &'a StreamRequest,
        seat: &'a Seat,
    ) -> Stream<'a> {
        Stream {
            client,
            request,
            seat,
            reader: unit.capture.read(),
            write_timeout: self.config.write_timeout,
            stop: &self.stop,
        }
    }

    #[inline(never)]
    fn seat(&self, client: &Connection, unit: &Camera, request: &StreamRequest) -> Seat {
        let seat = self.viewers.enter(client.peer(), &unit.name, request);
        let (id, n_taken) = (seat.viewer.id, self.viewers.present().len());
        let n_seats = self.config.n_seats;
        // Formatted here, as one level deeper it takes a further page.
        let line = format!(
            "viewer {id} from {} watches {} of {} ({n_taken} of {n_seats} seats)",
            client.peer(),
            request.path,
            unit.name
        );
        log::info!("{line}");
        seat
    }

    #[inline(never)]
    fn tell_end(&self, seat: &Seat, end: &io::Result<()>) {
        if end.as_ref().is_err_and(|e| e.kind() == ErrorKind::TimedOut) {
            self.connections.counts().cut(Cut::Stalled);
        }
        let served = seat.viewer.report().served;
        log::info!(
            "viewer {} {} after {:.1} s, {} pictures, {} skipped",
            seat.viewer.id,
            self.reason(end),
            seat.viewer.since.elapsed().as_secs_f64(),
            served.n_sent,
            served.n_skipped
        );
    }

    fn play(
        &self,
        client: &Connection,
        request: &StreamRequest,
        seat: &Seat,
        found: Found,
    ) -> io::Result<End> {
        let playback = Playback {
            client,
            request,
            speed: request.play.map_or(1.0, |play| play.speed),
            seat,
            write_timeout: self.config.write_timeout,
            stop: &self.stop,
        };
        playback.run(found, self.origin())
    }

    /// Why a stream ended.
    fn reason(&self, end: &io::Result<()>) -> String {
        match end {
            _ if self.stop.is_ordered() => "was sent off, as the program stops,".into(),
            Ok(()) => "ended".into(),
            Err(e) if e.kind() == ErrorKind::TimedOut => {
                format!("stalled for {:?} and lost its seat", self.config.write_timeout)
            }
            Err(e) if matches!(e.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
                "left".into()
            }
            Err(e) => format!("was lost ({e})"),
        }
    }
}

fn json(value: &impl serde::Serialize) -> Reply {
    match serde_json::to_vec(value) {
        Ok(body) => Reply::new(Code::Ok, "application/json", body),
        // Not reached with the structs above, whose keys are strings.
        Err(e) => Reply::unavailable(&format!("the status cannot be written: {e}")),
    }
}
