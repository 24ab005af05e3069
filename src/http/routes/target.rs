//! What a target asks for: the spellings of an address, and which camera it
//! means.

use std::borrow::Cow;

use super::{COMMAND_PATH, Endpoint, ROUTES, TAKE_PATH, is_camera_name};
use crate::http::query::Query;

/// Other spellings of an address, which other servers have or people type. They
/// are no rows of their own, so that whatever holds for the row holds for them.
/// A name with a dot can hide no camera, and stands before a file of `--www`; one
/// without a dot is looked at where no camera has it, see [`Target::resolve`].
/// A slash at the end, doubled slashes and capital letters are taken for every
/// address, see [`plain_path`].
pub(super) const ALIASES: [(&str, &str); 9] = [
    ("/take", TAKE_PATH),
    ("/snapshot.jpg", "/snapshot"),
    ("/snapshot.jpeg", "/snapshot"),
    ("/stream.mjpg", "/stream"),
    ("/stream.mjpeg", "/stream"),
    ("/video.mjpg", "/stream"),
    ("/video.mjpeg", "/stream"),
    ("/video_feed.mjpg", "/video_feed"),
    ("/video_feed.mjpeg", "/video_feed"),
];

/// Addresses with a camera's number in them, as mjpg-streamer and its variants
/// have them: what stands before and behind it, the number of the first camera,
/// and the row. An underscore may stand before the number.
pub(super) const NUMBERED: [(&str, &str, usize, &str); 6] = [
    ("/cam", ".jpg", 1, "/snapshot"),
    ("/cam", ".mjpg", 1, "/stream"),
    ("/snapshot", "", 0, "/snapshot"),
    ("/stream", "", 0, "/stream"),
    ("/input", ".json", 0, "/input.json"),
    ("/output", ".json", 0, "/output.json"),
];

/// mjpg-streamer's `/?action=NAME`, and the path that it stands for.
const ACTIONS: [(&str, &str); 4] = [
    ("stream", "/stream"),
    ("snapshot", "/snapshot"),
    ("command", COMMAND_PATH),
    ("take", TAKE_PATH),
];

/// mjpg-streamer's folder behind a proxy, before any path.
pub(super) const PREFIX: &str = "webcam";

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
    pub(in crate::http) is_unknown_action: bool,
}

impl Target {
    /// Takes a target apart.
    pub(crate) fn parse(target: &str) -> Self {
        let (path, query) = split(target);
        let action = Query(&query).text("action").map(Cow::into_owned);
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
    pub(crate) fn resolve(self, is_camera: impl Fn(&str) -> bool) -> Self {
        match &self.which {
            Which::Named(name) if !is_camera(name) => self.without_name(name).unwrap_or(self),
            _ => self,
        }
    }

    /// The address that a name stands for: one in capital letters such as
    /// `/Stream`, one with a number such as `/stream_1`, or `/take`. `None`: it
    /// stands for none.
    fn without_name(&self, name: &str) -> Option<Self> {
        if self.is_unknown_action {
            return None;
        }
        let path = format!("/{}{}", name.to_ascii_lowercase(), self.path);
        let query = self.query.clone();
        if let Some((n, path)) = numbered(&path) {
            let (which, path) = (Which::Nth(n), path.to_owned());
            return Some(Self { which, path, query, is_unknown_action: false });
        }
        let plain = plain_path(&path);
        if plain != path {
            let (which, path) = (Which::First, plain.into_owned());
            return Some(Self { which, path, query, is_unknown_action: false });
        }
        let found = Self { query, ..Self::parse(&path) };
        (found.which != self.which && !found.is_file()).then_some(found)
    }

    /// The target behind `?action=`: one of [`ACTIONS`], and without a camera's
    /// name also with a camera's number, such as `stream_1`. A command has the
    /// number in a parameter of its own.
    fn from_action(which: Which, action: &str, query: String) -> Self {
        let action = action.trim_end_matches('/');
        let find = |action: &str| ACTIONS.iter().find(|(n, _)| n.eq_ignore_ascii_case(action));
        let numbered = action.rsplit_once('_').filter(|_| which == Which::First);
        let numbered = numbered.and_then(|(action, n)| Some((find(action)?, n.parse().ok()?)));
        let (which, path) = match (numbered, find(action)) {
            (Some(((_, path), n)), _) => (Which::Nth(n), Some(*path)),
            (None, named) => (which, named.map(|(_, path)| *path)),
        };
        let plugin = || Query(&query).text("plugin")?.parse().ok();
        let which = match plugin().filter(|_| path == Some(COMMAND_PATH)) {
            Some(n) if which == Which::First => Which::Nth(n),
            _ => which,
        };
        let is_unknown_action = path.is_none();
        Self { which, path: path.unwrap_or("/").to_owned(), query, is_unknown_action }
    }

    /// Its row.
    pub(in crate::http) fn endpoint(&self) -> &'static Endpoint {
        let is_row = |row: &&Endpoint| match row.path.strip_suffix('*') {
            Some(prefix) => self.path.starts_with(prefix),
            None => self.path == row.path,
        };
        // What is not even a path (`*`, a bare name) is no file of the page
        // either, and the page says so.
        ROUTES.iter().find(is_row).unwrap_or(&ROUTES[ROUTES.len() - 1])
    }

    /// Whether the page or one of its files is meant.
    pub(in crate::http) fn is_file(&self) -> bool {
        self.endpoint().path == "/*"
    }

    /// Whether this names a folder without the slash at its end, and the page
    /// is meant: relative links would lead elsewhere. Its last part.
    pub(in crate::http) fn missing_slash(&self) -> Option<&str> {
        match &self.which {
            Which::Named(name) if self.path.is_empty() => Some(name),
            Which::First if self.path.strip_prefix('/') == Some(PREFIX) => Some(PREFIX),
            _ => None,
        }
    }
}

/// What `?action=` may be, for people.
pub(in crate::http) fn actions() -> String {
    ACTIONS.map(|(name, _)| name).join(", ")
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
    let bare = path.strip_suffix('/').unwrap_or(path);
    let is_it = |known: &str| known.eq_ignore_ascii_case(bare);
    let aliases = ALIASES.iter().filter(|(alias, _)| is_it(alias)).map(|(_, path)| *path);
    let rows = ROUTES.iter().map(|row| row.path).filter(|path| is_it(path));
    aliases.chain(rows).next().map_or(Cow::Borrowed(path), Cow::Borrowed)
}

/// The camera's number, from 0, and the row of a path such as `/cam_1.jpg`.
fn numbered(path: &str) -> Option<(usize, &'static str)> {
    let bare = path.strip_suffix('/').unwrap_or(path);
    NUMBERED.iter().find_map(|(start, end, first, row)| {
        let number = bare.strip_prefix(start)?.strip_suffix(end)?;
        let digits = number.strip_prefix('_').unwrap_or(number);
        // A plus would be read as a number too.
        let n: usize = digits.parse().ok().filter(|_| !digits.starts_with('+'))?;
        Some((n.checked_sub(*first)?, *row))
    })
}
