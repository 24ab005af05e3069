//! The table of addresses: one row an address, one file an endpoint.
//!
//! `HEAD`, `OPTIONS`, 404, 405 and CORS follow from a row. So do the names that
//! a camera may not have. The guide's list of addresses is compared with it by
//! a test.

// The endpoints are declared here, so that an address is one row, one `mod` line
// and a file. They know nothing of each other, nor of this table.
#[path = "endpoints"]
mod endpoints {
    pub(super) mod clients;
    pub(super) mod command;
    pub(super) mod controls;
    pub(super) mod download;
    pub(super) mod events;
    pub(super) mod events_stream;
    pub(super) mod frames_csv;
    pub(super) mod health;
    pub(super) mod heartbeat;
    pub(super) mod input;
    pub(super) mod metrics;
    pub(super) mod motion;
    pub(super) mod output;
    pub(super) mod page;
    pub(super) mod program;
    pub(super) mod ready;
    pub(super) mod record;
    pub(super) mod recordings;
    pub(super) mod segment;
    pub(super) mod snapshot;
    pub(super) mod state;
    pub(super) mod status;
    pub(super) mod stream;
    pub(super) mod take;
}

mod target;

use anyhow::{Result, ensure};

use super::context::Context;
use super::lanes::Lane;
use super::reply::Reply;
use super::request::Request;
use super::transport::Method;
use super::viewer::Beating;
use crate::config::is_plain_name;

pub(super) use endpoints::stream::Stream;
use target::PREFIX;
pub(super) use target::actions;
pub(crate) use target::{Target, Which};

/// One address.
pub(super) struct Endpoint {
    /// The path behind the camera's name. With `*` at its end it stands for all
    /// that begin so.
    pub(super) path: &'static str,
    pub(super) methods: Methods,
    pub(super) access: Access,
    pub(super) lane: Lane,
    pub(super) answer: Answer,
}

/// How a worker answers. An `Err` is a reply that was not sent yet, never a
/// success.
#[derive(Clone, Copy)]
pub(super) enum Answer {
    /// Sends one reply.
    Reply(Once),
    /// Checks the request; the stream then keeps the client's socket.
    Stream(Open),
    /// Checks the request; the reply then stays open as long as all of the viewers, which
    /// have a byte each, and takes no worker.
    Hold(Hold),
}

pub(super) type Once = fn(&Context, &mut Request) -> Result<(), Reply>;
pub(super) type Hold = fn(&Context, &Request) -> Result<(Vec<u8>, Vec<Beating>), Reply>;
pub(super) type Open = fn(&Context, &Request) -> Result<Box<Stream>, Reply>;

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Access {
    /// Anybody, also where a login is needed.
    Anybody,
    /// Whoever has logged in, where a login is needed.
    LoggedIn,
}

/// The methods of an address.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Methods {
    /// The value of the `Allow` header.
    pub(super) allow: &'static str,
    /// The one that changes something, for which a web page has to prove that it
    /// may.
    pub(super) changing: Option<Method>,
    /// Whether a POST has a body, which must be JSON.
    pub(super) has_body: bool,
}

/// For an address that is only read.
const READ: Methods = Methods { allow: "GET, HEAD, OPTIONS", changing: None, has_body: false };
/// For a stream, which mjpg-streamer also gives to a POST.
const WATCH: Methods =
    Methods { allow: "GET, HEAD, POST, OPTIONS", changing: None, has_body: false };
/// For an address that only takes orders.
const ORDER: Methods =
    Methods { allow: "POST, OPTIONS", changing: Some(Method::Post), has_body: false };
/// For an address that is read and changed.
const CHANGE: Methods =
    Methods { allow: "GET, HEAD, POST, OPTIONS", changing: Some(Method::Post), has_body: true };
/// For mjpg-streamer's orders, which are links.
const COMMAND: Methods =
    Methods { allow: "GET, OPTIONS", changing: Some(Method::Get), has_body: false };

use Access::{Anybody, LoggedIn};

#[rustfmt::skip]
pub(super) static ROUTES: &[Endpoint] = &[
    Endpoint { path: "/stream", methods: WATCH, access: LoggedIn, lane: Lane::Viewer, answer: Answer::Stream(endpoints::stream::open) },
    Endpoint { path: "/video_feed", methods: READ, access: LoggedIn, lane: Lane::Viewer, answer: Answer::Stream(endpoints::stream::open) },
    Endpoint { path: "/heartbeat", methods: READ, access: LoggedIn, lane: Lane::Short, answer: Answer::Hold(endpoints::heartbeat::open) },
    Endpoint { path: "/snapshot", methods: READ, access: LoggedIn, lane: Lane::Snapshot, answer: Answer::Reply(endpoints::snapshot::answer) },
    Endpoint { path: "/status", methods: READ, access: LoggedIn, lane: Lane::Short, answer: Answer::Reply(endpoints::status::answer) },
    Endpoint { path: "/state", methods: READ, access: LoggedIn, lane: Lane::Short, answer: Answer::Reply(endpoints::state::answer) },
    Endpoint { path: "/metrics", methods: READ, access: LoggedIn, lane: Lane::Short, answer: Answer::Reply(endpoints::metrics::answer) },
    Endpoint { path: "/controls", methods: CHANGE, access: LoggedIn, lane: Lane::Control, answer: Answer::Reply(endpoints::controls::answer) },
    Endpoint { path: "/record/start", methods: ORDER, access: LoggedIn, lane: Lane::Short, answer: Answer::Reply(endpoints::record::start) },
    Endpoint { path: "/record/stop", methods: ORDER, access: LoggedIn, lane: Lane::Short, answer: Answer::Reply(endpoints::record::stop) },
    Endpoint { path: "/recordings", methods: READ, access: LoggedIn, lane: Lane::Short, answer: Answer::Reply(endpoints::recordings::answer) },
    Endpoint { path: "/recordings/frames.csv", methods: READ, access: LoggedIn, lane: Lane::Download, answer: Answer::Reply(endpoints::frames_csv::answer) },
    Endpoint { path: "/recordings/*", methods: READ, access: LoggedIn, lane: Lane::Download, answer: Answer::Reply(endpoints::segment::answer) },
    Endpoint { path: "/download", methods: READ, access: LoggedIn, lane: Lane::Download, answer: Answer::Reply(endpoints::download::answer) },
    Endpoint { path: "/events", methods: READ, access: LoggedIn, lane: Lane::Download, answer: Answer::Reply(endpoints::events::answer) },
    Endpoint { path: "/events/stream", methods: READ, access: LoggedIn, lane: Lane::Events, answer: Answer::Reply(endpoints::events_stream::answer) },
    Endpoint { path: "/motion", methods: READ, access: LoggedIn, lane: Lane::Short, answer: Answer::Reply(endpoints::motion::answer) },
    // In a lane of its own, as it may wait for a disk.
    Endpoint { path: "/motion/areas", methods: CHANGE, access: LoggedIn, lane: Lane::Control, answer: Answer::Reply(endpoints::motion::areas) },
    // Of mjpg-streamer.
    Endpoint { path: COMMAND_PATH, methods: COMMAND, access: LoggedIn, lane: Lane::Control, answer: Answer::Reply(endpoints::command::answer) },
    Endpoint { path: TAKE_PATH, methods: READ, access: LoggedIn, lane: Lane::Download, answer: Answer::Reply(endpoints::take::answer) },
    Endpoint { path: "/input.json", methods: READ, access: LoggedIn, lane: Lane::Control, answer: Answer::Reply(endpoints::input::answer) },
    Endpoint { path: "/output.json", methods: READ, access: LoggedIn, lane: Lane::Short, answer: Answer::Reply(endpoints::output::answer) },
    Endpoint { path: "/program.json", methods: READ, access: LoggedIn, lane: Lane::Short, answer: Answer::Reply(endpoints::program::answer) },
    Endpoint { path: "/clients.json", methods: READ, access: LoggedIn, lane: Lane::Short, answer: Answer::Reply(endpoints::clients::answer) },
    Endpoint { path: "/healthz", methods: READ, access: Anybody, lane: Lane::Short, answer: Answer::Reply(endpoints::health::answer) },
    Endpoint { path: "/readyz", methods: READ, access: Anybody, lane: Lane::Short, answer: Answer::Reply(endpoints::ready::answer) },
    // The page and its files: whatever is no other address.
    Endpoint { path: "/*", methods: READ, access: LoggedIn, lane: Lane::Short, answer: Answer::Reply(endpoints::page::answer) },
];

/// The paths of actions that are no other address. No camera can have such a
/// name, so that these take none away.
const COMMAND_PATH: &str = "/?action=command";
const TAKE_PATH: &str = "/?action=take";

/// Names that no address has yet, kept free for some.
const KEPT_FREE: [&str; 5] = ["api", "cameras", "play", "playback", "recording"];

impl Methods {
    pub(super) fn takes(self, method: Method) -> bool {
        self.allow.split(", ").any(|name| name == method.name())
    }
}

/// The first parts of all paths: at this place an address has a camera's name.
fn first_parts() -> impl Iterator<Item = &'static str> {
    let parts = ROUTES.iter().filter_map(|row| row.path[1..].split('/').next());
    // The page's files are not among them: `--www` has any, and a camera's name wins
    // over a file.
    parts.filter(|part| *part != "*").chain([PREFIX]).chain(KEPT_FREE)
}

/// Whether a camera may have this name.
fn is_camera_name(text: &str) -> bool {
    is_plain_name(text) && first_parts().all(|part| part != text)
}

/// # Errors
/// Why a camera cannot have this name: it is an address of the program.
pub(crate) fn check_camera_name(text: &str) -> Result<()> {
    ensure!(
        is_camera_name(text),
        "a camera cannot be named {text}, as /{text} is an address of the program; \
         use another name, such as {text}1"
    );
    Ok(())
}

/// What a 404 says: the addresses that exist, without those that are orders.
pub(super) fn list() -> String {
    let is_listed = |row: &&Endpoint| {
        row.methods.takes(Method::Get) && !row.path.ends_with('*') && !row.path.contains('?')
    };
    let paths: Vec<_> = ROUTES.iter().filter(is_listed).map(|row| row.path).collect();
    format!("the page is at /, and there are {}", paths.join(", "))
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
