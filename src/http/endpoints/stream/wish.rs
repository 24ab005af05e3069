//! How one viewer wants the stream, as its query and its browser say.

use crate::http::query::Query;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::http::time::{Period, When};
use crate::http::viewers::{Layout, ViewerInfo};

/// A key is only shown in the status; longer ones are cut.
const MAX_KEY: usize = 64;

/// How one viewer wants the stream.
#[derive(Clone, Debug)]
pub(super) struct Wish {
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

impl Wish {
    /// # Errors
    /// 400: which value cannot be, and what can.
    pub(super) fn parse(request: &Request) -> Result<Self, Reply> {
        let query = request.query();
        let accept = request.connection.header("Accept");
        let info = ViewerInfo {
            address: request.connection.peer(),
            path: request.path.clone(),
            key: query.text("key").unwrap_or_default().chars().take(MAX_KEY).collect(),
            layout: layout(&request.path, query, accept)?,
            has_extra_headers: query.is_on("extra_headers"),
        };
        Ok(Self {
            info,
            is_raw: query.is_on("raw"),
            fps: query.number("fps", 0.001..=1000.0)?,
            play: play(query)?,
        })
    }
}

/// Browsers paint a picture only when the next part's headers have arrived;
/// programs want its length. `/video_feed` is always for browsers. At other
/// addresses the `Accept` header tells an `<img>` and an address bar from
/// programs.
fn layout(path: &str, query: Query<'_>, accept: Option<&str>) -> Result<Layout, Reply> {
    let is_browser = accept.is_some_and(|a| a.starts_with("image/") || a.starts_with("text/html"));
    let words = [("minimal", Layout::Advance), ("full", Layout::Full)];
    Ok(match query.choice("headers", &words)? {
        Some(layout) => layout,
        None if query.is_on("raw") || query.is_on("extra_headers") => Layout::Full,
        None if query.is_on("advance_headers") => Layout::Advance,
        None if path == "/video_feed" || is_browser => Layout::Advance,
        None => Layout::Full,
    })
}

/// How the recording is played, if a moment is asked for.
fn play(query: Query<'_>) -> Result<Option<Play>, Reply> {
    let Period { from, to } = query.period()?;
    let speed = query.number("speed", 0.1..=100.0)?.unwrap_or(1.0);
    match (from, to) {
        (Some(from), to) => Ok(Some(Play { from, to, speed })),
        (None, Some(_)) => Err(Reply::bad_request("to: use it together with from")),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_query_and_accept_choose_the_layout() {
        let (img, page) = (Some("image/avif,image/webp,*/*"), Some("text/html,*/*"));
        for (path, query, accept, is) in [
            ("/video_feed", "", None, Layout::Advance),
            ("/video_feed", "", Some("*/*"), Layout::Advance),
            ("/video_feed", "headers=full", img, Layout::Full),
            ("/stream", "", None, Layout::Full),
            ("/stream", "", Some("*/*"), Layout::Full),
            ("/stream", "", img, Layout::Advance),
            ("/stream", "", page, Layout::Advance),
            ("/stream", "advance_headers=1", None, Layout::Advance),
            ("/stream", "advance_headers=0", None, Layout::Full),
            ("/stream", "headers=minimal", None, Layout::Advance),
            ("/stream", "raw=1", img, Layout::Full),
            ("/stream", "extra_headers=1", page, Layout::Full),
            ("/stream", "action=stream&1700000000", None, Layout::Full),
        ] {
            assert_eq!(layout(path, Query(query), accept), Ok(is), "{path} {query} {accept:?}");
        }
        assert!(layout("/stream", Query("headers=some"), None).is_err());
    }

    #[test]
    fn recording_is_played_from_a_moment_on() {
        assert_eq!(play(Query("fps=5")), Ok(None));
        let found = play(Query("from=17&speed=2.5")).unwrap().unwrap();
        assert_eq!((found.speed, found.to), (2.5, None));
        for wrong in ["to=17", "from=x", "from=17&to=x", "from=17&speed=0", "from=17&speed=NaN"] {
            assert!(play(Query(wrong)).is_err(), "{wrong}");
        }
    }
}
