//! The table of addresses: one row an address, one file an endpoint.
//!
//! `HEAD`, `OPTIONS`, 404, 405 and CORS follow from a row. So do the names that
//! a camera may not have. The guide's list of addresses is compared with it by
//! a test.

// The endpoints are declared here, so that an address is a row, a `mod` line and
// a file. They know nothing of each other, nor of this table.
#[path = "endpoints"]
mod endpoints {
    pub(super) mod controls;
    pub(super) mod download;
    pub(super) mod frames_csv;
    pub(super) mod health;
    pub(super) mod metrics;
    pub(super) mod page;
    pub(super) mod record;
    pub(super) mod recordings;
    pub(super) mod segment;
    pub(super) mod snapshot;
    pub(super) mod state;
    pub(super) mod status;
    pub(super) mod stream;
}

use std::borrow::Cow;

use anyhow::{Result, ensure};

use endpoints::{
    controls, download, frames_csv, health, metrics, page, record, recordings, segment, snapshot,
    state, status, stream,
};

use super::context::Context;
use super::lanes::Lane;
use super::query::Query;
use super::reply::Reply;
use super::request::Request;
use super::transport::Method;
use crate::config::is_plain_name;

pub(super) use endpoints::stream::Stream;

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
}

pub(super) type Once = fn(&Context, &mut Request) -> Result<(), Reply>;
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
    /// Whether a POST has a body, which must be JSON.
    pub(super) has_body: bool,
}

/// For an address that is only read.
const READ: Methods = Methods { allow: "GET, HEAD, OPTIONS", has_body: false };
/// For an address that only takes orders.
const ORDER: Methods = Methods { allow: "POST, OPTIONS", has_body: false };
/// For an address that is read and changed.
const CHANGE: Methods = Methods { allow: "GET, HEAD, POST, OPTIONS", has_body: true };

use Access::{Anybody, LoggedIn};

#[rustfmt::skip]
pub(super) static ROUTES: &[Endpoint] = &[
    Endpoint { path: "/stream", methods: READ, access: LoggedIn, lane: Lane::Viewer, answer: Answer::Stream(stream::open) },
    Endpoint { path: "/video_feed", methods: READ, access: LoggedIn, lane: Lane::Viewer, answer: Answer::Stream(stream::open) },
    Endpoint { path: "/snapshot", methods: READ, access: LoggedIn, lane: Lane::Snapshot, answer: Answer::Reply(snapshot::answer) },
    Endpoint { path: "/status", methods: READ, access: LoggedIn, lane: Lane::Short, answer: Answer::Reply(status::answer) },
    Endpoint { path: "/state", methods: READ, access: LoggedIn, lane: Lane::Short, answer: Answer::Reply(state::answer) },
    Endpoint { path: "/metrics", methods: READ, access: LoggedIn, lane: Lane::Short, answer: Answer::Reply(metrics::answer) },
    Endpoint { path: "/controls", methods: CHANGE, access: LoggedIn, lane: Lane::Control, answer: Answer::Reply(controls::answer) },
    Endpoint { path: "/record/start", methods: ORDER, access: LoggedIn, lane: Lane::Short, answer: Answer::Reply(record::start) },
    Endpoint { path: "/record/stop", methods: ORDER, access: LoggedIn, lane: Lane::Short, answer: Answer::Reply(record::stop) },
    Endpoint { path: "/recordings", methods: READ, access: LoggedIn, lane: Lane::Short, answer: Answer::Reply(recordings::answer) },
    Endpoint { path: "/recordings/frames.csv", methods: READ, access: LoggedIn, lane: Lane::Download, answer: Answer::Reply(frames_csv::answer) },
    Endpoint { path: "/recordings/*", methods: READ, access: LoggedIn, lane: Lane::Download, answer: Answer::Reply(segment::answer) },
    Endpoint { path: "/download", methods: READ, access: LoggedIn, lane: Lane::Download, answer: Answer::Reply(download::answer) },
    Endpoint { path: "/healthz", methods: READ, access: Anybody, lane: Lane::Short, answer: Answer::Reply(health::answer) },
    // The page and its files: whatever is no other address.
    Endpoint { path: "/*", methods: READ, access: LoggedIn, lane: Lane::Short, answer: Answer::Reply(page::answer) },
];

/// Other spellings of an address, which other servers have or people type. They
/// are no rows of their own, so that whatever holds for the row holds for them.
/// A name with a dot can hide no camera, and stands before a file of `--www`.
/// A slash at the end, doubled slashes and capital letters are taken for every
/// address, see [`plain_path`].
const ALIASES: [(&str, &str); 8] = [
    ("/snapshot.jpg", "/snapshot"),
    ("/snapshot.jpeg", "/snapshot"),
    ("/stream.mjpg", "/stream"),
    ("/stream.mjpeg", "/stream"),
    ("/video.mjpg", "/stream"),
    ("/video.mjpeg", "/stream"),
    ("/video_feed.mjpg", "/video_feed"),
    ("/video_feed.mjpeg", "/video_feed"),
];

/// mjpg-streamer's files for a camera by its number, which counts from 1.
const NUMBERED: [(&str, &str, &str); 2] =
    [("/cam_", ".jpg", "/snapshot"), ("/cam_", ".mjpg", "/stream")];

/// mjpg-streamer's `/?action=NAME`, and the path that it stands for.
const ACTIONS: [(&str, &str); 2] = [("stream", "/stream"), ("snapshot", "/snapshot")];

/// mjpg-streamer's folder behind a proxy, before any path.
const PREFIX: &str = "webcam";

/// Names that no address has yet, kept free for some.
const KEPT_FREE: [&str; 5] = ["api", "cameras", "play", "playback", "recording"];

/// Which camera an address means. There may be none of that name or number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Which {
    /// None is named: the first.
    First,
    /// As mjpg-streamer counts its inputs, from 0.
    Nth(usize),
    Named(String),
}

/// What a target asks for, and of which camera.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target {
    pub(crate) which: Which,
    /// The path behind the camera's name. It is empty for a camera's name with
    /// no slash behind it.
    pub(crate) path: String,
    pub(crate) query: String,
    /// Whether `?action=` stands there, and names nothing.
    pub(super) is_unknown_action: bool,
}

impl Target {
    /// Takes a target apart.
    pub(crate) fn parse(target: &str) -> Self {
        let (path, query) = split(target);
        let action = Query(&query).text("action").map(Cow::into_owned);
        // Taken off before a camera's name is looked for: behind such a proxy all
        // addresses have it.
        let path = match path.strip_prefix('/').and_then(|path| path.strip_prefix(PREFIX)) {
            Some("") if action.is_some() => "/",
            Some(path) if path.starts_with('/') => path,
            _ => &path,
        };
        let (which, path) = match split_name(path) {
            Some((name, path)) => (Which::Named(name.to_owned()), path),
            None => (Which::First, path),
        };
        if let Some(action) = action.filter(|_| matches!(path, "" | "/")) {
            return Self::from_action(which, &action, query);
        }
        if which == Which::First
            && let Some((n, path)) = numbered(path)
        {
            let path = path.to_owned();
            return Self { which: Which::Nth(n), path, query, is_unknown_action: false };
        }
        let path = plain_path(path).into_owned();
        Self { which, path, query, is_unknown_action: false }
    }

    /// The target that is meant: a name that no camera has may be an address,
    /// which is looked at only then, so that an address hides no camera.
    ///
    /// Before anything is decided by the target's row, or a GET could change what
    /// only a POST may.
    pub(super) fn resolve(self, is_camera: impl Fn(&str) -> bool) -> Self {
        match &self.which {
            Which::Named(name) if !is_camera(name) => self.without_name(name).unwrap_or(self),
            _ => self,
        }
    }

    /// The address that a name stands for: one in capital letters, such as
    /// `/Stream`, whose name could be a camera's. `None`: it stands for none.
    fn without_name(&self, name: &str) -> Option<Self> {
        if self.is_unknown_action {
            return None;
        }
        let path = format!("/{}{}", name.to_ascii_lowercase(), self.path);
        let found = Self { query: self.query.clone(), ..Self::parse(&path) };
        (found.which != self.which && !found.is_file()).then_some(found)
    }

    /// The target behind `?action=`: `stream`, `snapshot`, and without a
    /// camera's name also with a camera's number, such as `stream_1`.
    fn from_action(which: Which, action: &str, query: String) -> Self {
        let action = action.trim_end_matches('/');
        let find = |action: &str| ACTIONS.iter().find(|(n, _)| n.eq_ignore_ascii_case(action));
        // Behind a camera's name a number would name a second camera.
        let numbered = action.rsplit_once('_').filter(|_| which == Which::First);
        let numbered = numbered.and_then(|(action, n)| Some((find(action)?, n.parse().ok()?)));
        let (which, path) = match (numbered, find(action)) {
            (Some(((_, path), n)), _) => (Which::Nth(n), Some(*path)),
            (None, named) => (which, named.map(|(_, path)| *path)),
        };
        let is_unknown_action = path.is_none();
        Self { which, path: path.unwrap_or("/").to_owned(), query, is_unknown_action }
    }

    /// Its row.
    pub(super) fn endpoint(&self) -> &'static Endpoint {
        let is_row = |row: &&Endpoint| match row.path.strip_suffix('*') {
            Some(prefix) => self.path.starts_with(prefix),
            None => self.path == row.path,
        };
        // What is not even a path (`*`, a bare name) is no file of the page
        // either, and the page says so.
        ROUTES.iter().find(is_row).unwrap_or(&ROUTES[ROUTES.len() - 1])
    }

    /// Whether the page or one of its files is meant.
    pub(super) fn is_file(&self) -> bool {
        self.endpoint().path == "/*"
    }

    /// Whether this names a folder without the slash at its end, and the page
    /// is meant: relative links would lead elsewhere. Its last part.
    pub(super) fn missing_slash(&self) -> Option<&str> {
        match &self.which {
            Which::Named(name) if self.path.is_empty() => Some(name),
            Which::First if self.path.strip_prefix('/') == Some(PREFIX) => Some(PREFIX),
            _ => None,
        }
    }
}

/// What `?action=` may be, for people.
pub(super) fn actions() -> String {
    ACTIONS.map(|(name, _)| name).join(" or ")
}

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

/// The name of a camera that a path begins with, and the rest.
fn split_name(path: &str) -> Option<(&str, &str)> {
    let whole = path.strip_prefix('/')?;
    let (name, rest) = whole.split_at(whole.find('/').unwrap_or(whole.len()));
    is_camera_name(name).then_some((name, rest))
}

/// Path and query of a target, which may be in absolute form (RFC 9112 3.2.2).
/// Doubled slashes are one, and a cache buster that was appended with a second
/// `?` is a parameter like others.
fn split(target: &str) -> (String, String) {
    let path = match target.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|b| b.is_ascii_alphabetic()) => {
            rest.find(['/', '?']).map_or("/", |at| &rest[at..])
        }
        _ => target,
    };
    let path = path.split_once('#').map_or(path, |(path, _fragment)| path);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut plain = String::with_capacity(path.len());
    // Scripts join a base that ends with a slash and a path that begins with one.
    for c in path.chars() {
        if c != '/' || !plain.ends_with('/') {
            plain.push(c);
        }
    }
    (if plain.is_empty() { "/".into() } else { plain }, query.replace('?', "&"))
}

/// The path of the row that a path behind a camera's name means: an alias, or
/// one with a slash at its end or in capital letters. Others stay as they are.
fn plain_path(path: &str) -> Cow<'_, str> {
    // Served and not redirected: some players follow no redirect.
    let bare = path.strip_suffix('/').unwrap_or(path);
    let is_it = |known: &str| known.eq_ignore_ascii_case(bare);
    let aliases = ALIASES.iter().filter(|(alias, _)| is_it(alias)).map(|(_, path)| *path);
    let rows = ROUTES.iter().map(|row| row.path).filter(|path| is_it(path));
    aliases.chain(rows).next().map_or(Cow::Borrowed(path), Cow::Borrowed)
}

/// The number, from 0, and the path of a file such as `/cam_1.jpg`.
fn numbered(path: &str) -> Option<(usize, &'static str)> {
    NUMBERED.iter().find_map(|(start, end, path_of_row)| {
        let n = path.strip_prefix(start)?.strip_suffix(end)?.parse::<usize>().ok()?;
        Some((n.checked_sub(1)?, *path_of_row))
    })
}

/// What a 404 says: the addresses that exist, without those that are orders.
pub(super) fn list() -> String {
    let readable = ROUTES.iter().filter(|row| row.methods.takes(Method::Get));
    let paths: Vec<_> = readable.map(|row| row.path).filter(|path| !path.ends_with('*')).collect();
    format!("the page is at /, and there are {}", paths.join(", "))
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
