//! How one viewer wants the stream, as its query and its browser say.

use crate::http::context::Context;
use crate::http::query::Query;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::http::stretch::{self, Stretch};
use crate::http::time::{Period, When};
use crate::http::viewer::{Extras, Layout, ViewerInfo};

/// A key is only shown in the status; longer ones are cut.
const MAX_KEY: usize = 64;

/// How one viewer wants the stream.
#[derive(Clone, Debug)]
pub(super) struct StreamOptions {
    pub(super) info: ViewerInfo,
    /// As `application/octet-stream`, since WebKit's fetch() refuses multipart.
    pub(super) is_raw: bool,
    /// At most this many pictures a second.
    pub(super) fps: Option<f64>,
    /// Recorded pictures first.
    pub(super) play: Option<Play>,
}

/// From when, until when and how fast a recording is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Play {
    pub(super) from: When,
    pub(super) to: Option<When>,
    pub(super) speed: f64,
}

impl StreamOptions {
    /// # Errors
    /// 400: which value cannot be, and what can; 404 for an event that is not known.
    pub(super) fn parse(context: &Context, request: &Request) -> Result<Self, Reply> {
        let query = request.query();
        let is_browser = is_browser(
            request.connection.header("Accept"),
            request.connection.header("Sec-Fetch-Dest"),
        );
        let info = ViewerInfo {
            peer: request.connection.peer(),
            path: request.path.clone(),
            // Cut and not refused: the key is only for the client's own use.
            key: query.text("key").unwrap_or_default().chars().take(MAX_KEY).collect(),
            layout: layout(&request.path, query, is_browser)?,
            extras: Extras {
                extra_headers: query.is_on("extra_headers"),
                dual_final_frames: query.is_on("dual_final_frames"),
                zero_data: query.is_on("zero_data"),
            },
            wish: query.wish()?,
        };
        Ok(Self {
            info,
            is_raw: query.is_on("raw"),
            fps: query.number("fps", 0.001..=1000.0)?,
            play: play(query, stretch::of_event(context, request)?)?,
        })
    }
}

/// Where a browser shows what it asks for. A script's own `fetch` is `empty`,
/// and wants lengths.
const SHOWN: [&str; 7] = ["image", "document", "iframe", "frame", "embed", "object", "video"];

/// Types that only browsers name in `Accept`: formats that they decode, and what
/// their address bar asks for. A weight behind `image/*` is theirs too. The
/// types `text/html`, `image/jpeg` and `image/gif` say nothing: Java and many
/// scripts send them.
const OF_BROWSERS: [&str; 6] = [
    "image/avif",
    "image/webp",
    "image/apng",
    "image/svg+xml",
    "image/jxl",
    "application/xhtml+xml",
];

/// Whether an `<img>` or an address bar asks, and not a program.
fn is_browser(accept: Option<&str>, destination: Option<&str>) -> bool {
    // Browsers send a destination to https and to their own machine only.
    if let Some(destination) = destination {
        return SHOWN.iter().any(|shown| destination.eq_ignore_ascii_case(shown));
    }
    let is_theirs = |part: &str| {
        let (name, weight) = part.split_once(';').map_or((part, None), |(n, w)| (n, Some(w)));
        let name = name.trim();
        OF_BROWSERS.iter().any(|known| name.eq_ignore_ascii_case(known))
            || (name == "image/*" && weight.is_some())
    };
    accept.is_some_and(|accept| accept.split(',').any(is_theirs))
}

/// Browsers paint a picture only when the next part's headers have arrived;
/// programs want its length. `/video_feed` is always for browsers.
fn layout(path: &str, query: Query<'_>, is_browser: bool) -> Result<Layout, Reply> {
    let words = [("minimal", Layout::Advance), ("full", Layout::Full)];
    Ok(match query.choice("headers", &words)? {
        Some(layout) => layout,
        // These clients parse the parts themselves, and read the length and the time.
        None if query.is_on("raw") => Layout::Full,
        // With both, uStreamer sends no headers of its own.
        None if query.is_on("advance_headers") => Layout::Advance,
        None if query.is_on("extra_headers") => Layout::Full,
        None if path == "/video_feed" || is_browser => Layout::Advance,
        None => Layout::Full,
    })
}

/// How the recording is played, if a moment is asked for.
fn play(query: Query<'_>, event: Option<Stretch>) -> Result<Option<Play>, Reply> {
    let Period { mut from, mut to } = query.period()?;
    if let Some(stretch) = event {
        (from, to) = (Some(When::At(stretch.from)), Some(When::At(stretch.to)));
    }
    let speed = query.number("speed", 0.1..=100.0)?.unwrap_or(1.0);
    match (from, to) {
        (Some(from), to) => Ok(Some(Play { from, to, speed })),
        // Refused rather than ignored: the viewer would get a live stream that never
        // ends.
        (None, Some(_)) => Err(Reply::bad_request("to: use it together with from")),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_query_and_accept_choose_the_layout() {
        for (path, query, is_browser, is) in [
            ("/video_feed", "", false, Layout::Advance),
            ("/video_feed", "headers=full", true, Layout::Full),
            ("/stream", "", false, Layout::Full),
            ("/stream", "", true, Layout::Advance),
            ("/stream", "advance_headers=1", false, Layout::Advance),
            ("/stream", "advance_headers=0", false, Layout::Full),
            ("/stream", "headers=minimal", false, Layout::Advance),
            ("/stream", "raw=1", true, Layout::Full),
            ("/stream", "extra_headers=1", true, Layout::Full),
            ("/stream", "extra_headers=1&advance_headers=1", false, Layout::Advance),
            ("/video_feed", "extra_headers=1", false, Layout::Full),
            ("/stream", "action=stream&1700000000", false, Layout::Full),
        ] {
            let found = layout(path, Query(query), is_browser);
            assert_eq!(found, Ok(is), "{path} {query} {is_browser}");
        }
        assert!(layout("/stream", Query("headers=some"), false).is_err());
    }

    #[test]
    fn browsers_are_known_by_what_only_they_ask_for() {
        let avif = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";
        for (accept, browser) in [
            (avif, "Chromium <img>"),
            ("image/webp,*/*;q=0.8", "old Chromium <img>"),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,\
                 image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
                "Chromium's address bar",
            ),
            (
                "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5",
                "Firefox <img>",
            ),
            ("image/png,image/*;q=0.8,*/*;q=0.5", "old Firefox <img>"),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                "Firefox's and Safari's address bar",
            ),
            (
                "image/webp,image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5",
                "Safari <img>",
            ),
            ("image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5", "Edge legacy <img>"),
            ("image/png, image/svg+xml, image/*;q=0.8, */*;q=0.5", "Internet Explorer <img>"),
            ("text/html, application/xhtml+xml, */*", "Internet Explorer's address bar"),
        ] {
            assert!(is_browser(Some(accept), None), "{browser}");
        }
        for accept in [
            "*/*",
            "",
            "text/html, image/jpeg, */*",
            "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
            "image/jpeg",
            "image/jpeg, */*",
            "image/*",
            "multipart/x-mixed-replace, image/jpeg;q=0.9",
            "text/html",
            "application/json, text/plain, */*",
        ] {
            assert!(!is_browser(Some(accept), None), "{accept}");
        }
        assert!(!is_browser(None, None));
        for shown in ["image", "document", "iframe", "Image"] {
            assert!(is_browser(Some("*/*"), Some(shown)), "{shown}");
        }
        assert!(!is_browser(Some(avif), Some("empty")));
    }

    #[test]
    fn recording_is_played_from_a_moment_on() {
        assert_eq!(play(Query("fps=5"), None), Ok(None));
        let found = play(Query("from=17&speed=2.5"), None).unwrap().unwrap();
        assert_eq!((found.speed, found.to), (2.5, None));
        for wrong in ["to=17", "from=x", "from=17&to=x", "from=17&speed=0", "from=17&speed=NaN"] {
            assert!(play(Query(wrong), None).is_err(), "{wrong}");
        }
    }
}
