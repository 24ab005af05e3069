//! `/stream` and `/video_feed`: pictures one after another, live or from the
//! recording, for as long as the viewer stays.

mod cookie;
mod delivery;
mod live;
mod options;
mod playback;

use std::io::{self, ErrorKind};
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use live::Live;
use options::StreamOptions;
use playback::{End, Found, Playback};

use crate::cameras::Camera;
use crate::frame::{DELIMITER, INSTANCE, SHORT_HEADERS, STREAM_TYPE};
use crate::http::context::Context;
use crate::http::reply::{Code, Head, Reply};
use crate::http::request::{self, Request, TIMEOUT};
use crate::http::transport::{Cut, Method, StreamSocket};
use crate::http::variant;
use crate::http::viewer::{Layout, Viewer};
use crate::http::viewers::{Full, Seat};
use crate::instance;
use crate::recording::Micros;
use crate::variants::{Past, Place};

/// Without a new picture for a second the last one goes out again: Chromium and
/// WebKit hold the last part of a stream back until another one begins, and
/// proxies and readers give up on a silent one. A fifth is added, so that a
/// camera of one picture a second does not send each twice.
const REPEAT_AFTER: Duration = Duration::from_millis(1200);
/// How often a client that gets few pictures is checked for having left.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// A viewer whose page was reloaded waits this long for its old seat: the
/// worker that holds it wakes within this time.
const SEAT_PATIENCE: Duration = Duration::from_secs(2);
const SEAT_POLL: Duration = Duration::from_millis(20);

/// A viewer that leaves earlier has seen hardly anything: it is a program that
/// does not understand the stream, and asks again at once.
const BRIEF: Duration = Duration::from_secs(2);

/// A stream that was asked for rightly, and has no seat yet.
pub(in crate::http) struct Stream {
    camera: Arc<Camera>,
    options: StreamOptions,
    /// As it was asked, for the log. Of any length, so it goes when there is a seat.
    target: String,
    /// Where the viewer has a wish that is not the camera itself.
    place: Option<Place>,
    /// Boxed, as few viewers have it and all have the stack.
    past: Option<Box<Recorded>>,
}

/// Recorded pictures, and what changes them.
type Recorded = (Found, Option<Box<Past>>);

/// Checks what a viewer asks for.
///
/// # Errors
/// The reply to a value that cannot be, to a time of which nothing is recorded, to a wish for
/// which there is no variant, or for a camera that a reload removes.
pub(in crate::http) fn open(context: &Context, request: &Request) -> Result<Box<Stream>, Reply> {
    let mut options = StreamOptions::parse(context, request)?;
    let camera = Arc::clone(&request.camera);
    if camera.capture.is_closed() && !context.stop.is_ordered() {
        let why = "the camera was removed, or is being replaced; try again in a moment";
        return Err(Reply::unavailable(why));
    }
    // A HEAD is answered for the address, whatever is recorded.
    let play = options.play.as_ref().filter(|_| !request.is_head());
    let past = play.map(|play| playback::find(&camera, play)).transpose()?;
    let wish = options.info.wish.filter(|_| !request.is_head());
    // Before there is a seat, so that nobody becomes a viewer who cannot be served.
    let (place, past) = match past {
        None => (variant::enter(&camera, wish)?, None),
        Some(found) => {
            (None, Some(Box::new((found, variant::enter_past(&camera, wish)?.map(Box::new)))))
        }
    };
    // Shown as it is given: a width becomes that of a scale, or nothing.
    options.info.wish = place.as_ref().map(Place::wish).or(wish.filter(|_| past.is_some()));
    let target = request.connection.target().to_owned();
    Ok(Box::new(Stream { camera, options, target, place, past }))
}

impl Stream {
    /// The head of the reply to a HEAD, which makes nobody a viewer.
    pub(in crate::http) fn head(&self, context: &Context) -> Vec<u8> {
        self.open_head(context).finish()
    }

    /// The head of the reply. The body ends with the connection.
    fn open_head(&self, context: &Context) -> Head {
        let content_type =
            if self.options.is_raw { "application/octet-stream" } else { STREAM_TYPE };
        let head = context.head(Code::Ok).with("Content-Type", content_type).picture_of_now();
        let head = head.with(INSTANCE, &instance::text(&self.camera.name));
        // nginx would hold pictures back until its buffers are full.
        head.with("X-Accel-Buffering", "no")
    }

    /// Serves the viewer until it leaves, stalls, or the program stops.
    pub(in crate::http) fn run(&mut self, context: &Context, socket: &StreamSocket) {
        let target = mem::take(&mut self.target);
        let seat = match self.take_seat(context, socket) {
            Ok(seat) => seat,
            Err(reply) => return refuse(context, socket, &target, &self.camera.name, &reply),
        };
        drop(target);
        log_begin(context, &seat.viewer);
        // Taken out of the box here, and gone when playback ends: a viewer that is live
        // again should not hold the files of a recording open.
        let past = self.past.take();
        let end = self.serve(context, socket, &seat, past);
        log_end(context, &seat.viewer, &end);
    }

    // Not inlined, nor the others below: what a log line takes of the stack would
    // add to what serving takes, and each viewer would keep a page more.
    #[inline(never)]
    fn serve(
        &self,
        context: &Context,
        socket: &StreamSocket,
        seat: &Seat,
        past: Option<Box<Recorded>>,
    ) -> io::Result<()> {
        socket.write(&self.opening(context, &seat.viewer), &[], context.config.write_timeout)?;
        let (after, place) = match past {
            None => (None, None),
            Some(past) => match self.play(context, socket, seat, *past)? {
                None => return Ok(()),
                Some((last, place)) => (Some(last), place),
            },
        };
        let place = self.place.as_ref().or(place.as_ref());
        let live = Live {
            socket,
            options: &self.options,
            seat,
            reader: variant::read(&self.camera, place),
            write_timeout: context.config.write_timeout,
            stop: &context.stop,
        };
        live.run(after)
    }

    /// Plays the recording. Returns when the last picture was taken, and where the
    /// viewer reads on, if it has caught up.
    #[inline(never)]
    fn play(
        &self,
        context: &Context,
        socket: &StreamSocket,
        seat: &Seat,
        (found, mut change): Recorded,
    ) -> io::Result<Option<(Micros, Option<Place>)>> {
        let playback = Playback {
            socket,
            options: &self.options,
            seat,
            write_timeout: context.config.write_timeout,
            stop: &context.stop,
        };
        let End::Live(last) = playback.run(found, change.as_deref_mut())? else { return Ok(None) };
        let Some(change) = change else { return Ok(Some((last, None))) };
        // An error: the camera was removed meanwhile.
        let place = self.camera.variants.go_live(*change).ok();
        Ok(place.map(|place| (last, place)))
    }

    /// The head, and what stands before the first JPEG.
    // Not inlined: what it takes of the stack would be taken from the viewer.
    #[inline(never)]
    fn opening(&self, context: &Context, viewer: &Viewer) -> Vec<u8> {
        let cookie = cookie::new(&context.config.instance_id, viewer);
        let mut head = self.open_head(context).with("Set-Cookie", &cookie);
        if let Some(cookie) = cookie::of_instance(viewer) {
            head = head.with("Set-Cookie", &cookie);
        }
        let mut opening = head.finish();
        opening.extend_from_slice(DELIMITER);
        if self.options.info.layout == Layout::Advance {
            opening.extend_from_slice(SHORT_HEADERS);
        }
        opening
    }

    /// Takes a seat, or that of a viewer that is just leaving: a page that is
    /// reloaded asks before its old stream has ended.
    ///
    /// # Errors
    /// 503, when all seats stay taken, or the program stops meanwhile.
    #[inline(never)]
    fn take_seat(&self, context: &Context, socket: &StreamSocket) -> Result<Seat, Reply> {
        let (viewers, name) = (&context.viewers, &self.camera.name);
        let enter = || viewers.enter(name, self.camera.max_viewers(), self.options.info.clone());
        let mut full = match enter() {
            Ok(seat) => return Ok(seat),
            Err(full) => full,
        };
        if full != Full::Closed
            && context.connections.cut_viewers_who_left() > 0
            && let Some(_place) = viewers.stand_in_line()
        {
            let deadline = Instant::now() + SEAT_PATIENCE;
            // One that has left gives its place in the line to others.
            while Instant::now() < deadline
                && !socket.has_left()
                && !context.stop.wait_for(SEAT_POLL)
            {
                // Others may have left meanwhile.
                context.connections.cut_viewers_who_left();
                match enter() {
                    Ok(seat) => return Ok(seat),
                    Err(still) => full = still,
                }
            }
        }
        // It might have had the next seat, so nobody needs more seats for it.
        if context.stop.is_ordered() {
            return Err(Reply::stopping());
        }
        viewers.count_refused(name);
        let why = format!("{}; try again in a moment", full.describe(name));
        Err(Reply::unavailable(&why))
    }
}

#[inline(never)]
fn refuse(context: &Context, socket: &StreamSocket, target: &str, camera: &str, reply: &Reply) {
    let (head, body) = (reply.head(context.allow_origin()), reply.body(Method::Get));
    request::log_end(socket.peer(), socket.write(&head, body, TIMEOUT));
    context.log_if_unavailable(socket.peer(), target, Some(camera), reply);
}

#[inline(never)]
fn log_begin(context: &Context, viewer: &Viewer) {
    let seats = context.viewers.seats();
    // Formatted here, as one level deeper it takes a further page of stack.
    let line = format!(
        "viewer {} from {} watches {} of {} ({} of {} seats)",
        viewer.id, viewer.info.peer, viewer.info.path, viewer.camera, seats.taken, seats.total
    );
    context.log_viewer(&line);
}

#[inline(never)]
fn log_end(context: &Context, viewer: &Viewer, end: &io::Result<()>) {
    if end.as_ref().is_err_and(|e| e.kind() == ErrorKind::TimedOut) {
        context.connections.counts().cut(Cut::Stalled);
    }
    let (served, time) = (viewer.report().served, viewer.since.elapsed());
    let line = format!(
        "viewer {} {} after {:.1} s, {} pictures, {} skipped",
        viewer.id,
        reason(context, end),
        time.as_secs_f64(),
        served.n_sent,
        served.n_skipped
    );
    if time < BRIEF {
        context.viewers.count_brief();
        context.log_viewer(&line);
    } else {
        log::info!("{line}");
    }
}

/// Why a stream ended.
fn reason(context: &Context, end: &io::Result<()>) -> String {
    match end {
        _ if context.stop.is_ordered() => "was disconnected, as the program stops,".into(),
        _ if context.viewers.is_closed() => "was disconnected, as the program drains,".into(),
        Ok(()) => "ended".into(),
        Err(e) if e.kind() == ErrorKind::TimedOut => {
            format!("stalled for {:?} and lost its seat", context.config.write_timeout)
        }
        Err(e) if matches!(e.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
            "left".into()
        }
        Err(e) => format!("was lost ({e})"),
    }
}
