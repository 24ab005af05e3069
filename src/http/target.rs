//! From the target of a request and a few headers to what it asks for.

use std::borrow::Cow;
use std::time::Duration;

use form_urlencoded::parse;

use super::recorded::{self, Recorded};
use super::route::{Asked, Layout, Route, StreamRequest, Which};
use crate::config::is_name;

/// A key is only shown; longer ones are cut.
const MAX_KEY: usize = 64;

/// Finds what a target asks for. `accept` is the Accept header, which tells
/// an `<img>` and an address bar from programs.
pub(super) fn route(target: &str, accept: Option<&str>) -> Asked {
    let (path, query) = split(target);
    let of_first = |route| Asked { which: Which::First, route };
    let path = match path.strip_prefix("/webcam") {
        Some("") if value(query, "action").is_none() => {
            return of_first(Route::AddSlash("webcam".into()));
        }
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    };
    let Some((name, path)) = split_name(path) else {
        return numbered(path, query, accept)
            .unwrap_or_else(|| of_first(on_camera(path, query, accept)));
    };
    let route = match path {
        "" if value(query, "action").is_none() => Route::File(String::new()),
        "" => on_camera("/", query, accept),
        "/status" => Route::Status { is_named: true },
        path => on_camera(path, query, accept),
    };
    Asked { which: Which::Named(name.into()), route }
}

/// The name of a camera that a path begins with, and the rest.
fn split_name(path: &str) -> Option<(&str, &str)> {
    let whole = path.strip_prefix('/')?;
    let (name, rest) = whole.split_at(whole.find('/').unwrap_or(whole.len()));
    is_name(name).then_some((name, rest))
}

/// mjpg-streamer's `?action=stream_1`.
fn numbered(path: &str, query: &str, accept: Option<&str>) -> Option<Asked> {
    let action = value(query, "action").filter(|_| path == "/")?;
    let (action, n) = action.rsplit_once('_')?;
    let which = Which::Nth(n.parse().ok()?);
    let route = match action {
        "stream" => stream("/stream", query, accept),
        "snapshot" => snapshot(query),
        _ => return None,
    };
    Some(Asked { which, route })
}

fn on_camera(path: &str, query: &str, accept: Option<&str>) -> Route {
    if let Some(recorded) = Recorded::parse(path, query) {
        return recorded.map_or_else(Route::Bad, Route::Recorded);
    }
    match (path, value(query, "action").as_deref()) {
        ("/", Some("stream")) | ("/stream", _) => stream("/stream", query, accept),
        ("/video_feed", _) => stream("/video_feed", query, accept),
        ("/", Some("snapshot")) | ("/snapshot", _) => snapshot(query),
        ("/", Some(_)) => Route::Bad("action is to be stream or snapshot".into()),
        ("/status", _) => Route::Status { is_named: false },
        ("/state", _) => Route::State,
        ("/metrics", _) => Route::Metrics,
        ("/controls", _) => Route::Controls,
        ("/healthz", _) => Route::Health,
        (path, _) => Route::File(path.to_owned()),
    }
}

/// Path and query of a target, which may be in absolute form (RFC 9112 3.2.2).
fn split(target: &str) -> (&str, &str) {
    let path = match target.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|b| b.is_ascii_alphabetic()) => {
            rest.find(['/', '?']).map_or("/", |at| &rest[at..])
        }
        _ => target,
    };
    let path = path.split_once('#').map_or(path, |(path, _fragment)| path);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    (if path.is_empty() { "/" } else { path }, query)
}

/// The first value of a key in a query. Keys that nobody asks for (cache
/// busters, mostly) are passed over.
pub(super) fn value<'a>(query: &'a str, key: &str) -> Option<Cow<'a, str>> {
    parse(query.as_bytes()).find(|(k, _)| k == key).map(|(_, value)| value)
}

fn is_on(query: &str, key: &str) -> bool {
    value(query, key).is_some_and(|value| !matches!(&*value, "0" | "false"))
}

fn stream(path: &str, query: &str, accept: Option<&str>) -> Route {
    let is_browser = accept.is_some_and(|a| a.starts_with("image/") || a.starts_with("text/html"));
    let (is_raw, has_extra_headers) = (is_on(query, "raw"), is_on(query, "extra_headers"));
    let layout = match value(query, "headers").as_deref() {
        Some("minimal") => Layout::Advance,
        Some("full") => Layout::Full,
        Some(_) => return Route::Bad("headers is to be minimal or full".into()),
        None if is_raw || has_extra_headers => Layout::Full,
        None if is_on(query, "advance_headers") => Layout::Advance,
        None if path == "/video_feed" || is_browser => Layout::Advance,
        None => Layout::Full,
    };
    let fps = match value(query, "fps").map(|fps| fps.parse::<f64>()) {
        None => None,
        Some(Ok(fps)) if (0.001..=1000.0).contains(&fps) => Some(fps),
        Some(_) => return Route::Bad("fps is to be a number from 0.001 to 1000".into()),
    };
    let key = value(query, "key").unwrap_or_default().chars().take(MAX_KEY).collect();
    let play = match recorded::play(query) {
        Ok(play) => play,
        Err(why) => return Route::Bad(why),
    };
    let path = path.into();
    Route::Stream(StreamRequest { path, layout, is_raw, fps, has_extra_headers, key, play })
}

fn snapshot(query: &str) -> Route {
    if let Some(picture) = Recorded::picture(query) {
        return picture.map_or_else(Route::Bad, Route::Recorded);
    }
    match value(query, "max_delay").map(|ms| ms.parse::<u32>()) {
        None => Route::Snapshot { max_delay: None },
        Some(Ok(ms)) => Route::Snapshot { max_delay: Some(Duration::from_millis(ms.into())) },
        Some(Err(_)) => Route::Bad("max_delay is to be a number of milliseconds".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SNAPSHOT: Route = Route::Snapshot { max_delay: None };

    /// What is asked of the first camera.
    fn first(target: &str, accept: Option<&str>) -> Route {
        let asked = route(target, accept);
        assert_eq!(asked.which, Which::First, "{target}");
        asked.route
    }

    fn layout(target: &str, accept: Option<&str>) -> Option<Layout> {
        match first(target, accept) {
            Route::Stream(stream) => Some(stream.layout),
            _ => None,
        }
    }

    #[test]
    fn url_and_accept_choose_the_layout() {
        let (img, page) = (Some("image/avif,image/webp,*/*"), Some("text/html,*/*"));
        for (target, accept, is) in [
            ("/video_feed", None, Layout::Advance),
            ("/video_feed", Some("*/*"), Layout::Advance),
            ("/video_feed?headers=full", img, Layout::Full),
            ("/stream", None, Layout::Full),
            ("/stream", Some("*/*"), Layout::Full),
            ("/stream", img, Layout::Advance),
            ("/stream", page, Layout::Advance),
            ("/stream?advance_headers=1", None, Layout::Advance),
            ("/stream?advance_headers=0", None, Layout::Full),
            ("/stream?headers=minimal", None, Layout::Advance),
            ("/stream?raw=1", img, Layout::Full),
            ("/stream?extra_headers=1", page, Layout::Full),
            ("/?action=stream", None, Layout::Full),
            ("/?action=stream&1700000000", None, Layout::Full),
            ("/?action=stream", img, Layout::Advance),
            ("/webcam/?action=stream", None, Layout::Full),
            ("/webcam?action=stream", None, Layout::Full),
            ("/webcam/stream", None, Layout::Full),
            ("/webcam/video_feed", None, Layout::Advance),
            ("http://host:5000/stream?x=1", None, Layout::Full),
        ] {
            assert_eq!(layout(target, accept), Some(is), "{target} {accept:?}");
        }
    }

    #[test]
    fn every_other_path_has_its_route() {
        for (target, is) in [
            ("/", Route::File("/".into())),
            ("/webcam/", Route::File("/".into())),
            ("/webcam", Route::AddSlash("webcam".into())),
            ("/style.css/x", Route::File("/style.css/x".into())),
            ("/app.js?v=1#top", Route::File("/app.js".into())),
            ("http://host", Route::File("/".into())),
            ("http://host?action=snapshot", SNAPSHOT),
            ("/snapshot", SNAPSHOT),
            ("/snapshot?bypassCache=17", SNAPSHOT),
            ("/?action=snapshot", SNAPSHOT),
            ("/webcam/?action=snapshot", SNAPSHOT),
            ("/webcam/snapshot", SNAPSHOT),
            (
                "/snapshot?max_delay=300",
                Route::Snapshot { max_delay: Some(Duration::from_millis(300)) },
            ),
            ("/status", Route::Status { is_named: false }),
            ("/webcam/status", Route::Status { is_named: false }),
            ("/state", Route::State),
            ("/metrics", Route::Metrics),
            ("/controls", Route::Controls),
            ("/healthz", Route::Health),
            ("/stream/", Route::File("/stream/".into())),
            ("*", Route::File("*".into())),
        ] {
            assert_eq!(first(target, None), is, "{target}");
        }
    }

    #[test]
    fn values_that_cannot_be_say_what_can() {
        for target in [
            "/stream?fps=0",
            "/stream?fps=abc",
            "/stream?fps=NaN",
            "/stream?fps=-1",
            "/stream?headers=some",
            "/snapshot?max_delay=-1",
            "/snapshot?max_delay=1s",
            "/?action=reboot",
        ] {
            assert!(
                matches!(first(target, None), Route::Bad(why) if why.contains("is to be")),
                "{target}"
            );
        }
    }

    #[test]
    fn wishes_of_a_viewer_are_read() {
        let Route::Stream(stream) = first("/stream?fps=2.5&key=a%20b&extra_headers=1", None) else {
            panic!("no stream")
        };
        assert_eq!((stream.fps, stream.key.as_str()), (Some(2.5), "a b"));
        assert!(stream.has_extra_headers && !stream.is_raw);
        let Route::Stream(stream) = first(&format!("/stream?key={}", "é".repeat(500)), None)
        else {
            panic!("no stream")
        };
        assert_eq!(stream.key.chars().count(), MAX_KEY);
    }

    #[test]
    fn camera_is_named_by_the_path_or_numbered_by_the_action() {
        let named = |name: &str| Which::Named(name.into());
        let file = |path: &str| Route::File(path.into());
        for (target, which, is) in [
            ("/front/status", named("front"), Route::Status { is_named: true }),
            ("/webcam/front/status", named("front"), Route::Status { is_named: true }),
            ("/webcam2/?action=snapshot", named("webcam2"), SNAPSHOT),
            ("/webcam2?action=snapshot", named("webcam2"), SNAPSHOT),
            ("/front", named("front"), file("")),
            ("/front/", named("front"), file("/")),
            ("/front/app.js?v=1", named("front"), file("/app.js")),
            ("/front/back/status", named("front"), file("/back/status")),
            ("/?action=snapshot_0", Which::Nth(0), SNAPSHOT),
            ("/webcam/?action=snapshot_12", Which::Nth(12), SNAPSHOT),
        ] {
            assert_eq!(route(target, None), Asked { which, route: is }, "{target}");
        }
        let Asked { which: Which::Nth(1), route: Route::Stream(_) } =
            route("/?action=stream_1", None)
        else {
            panic!("no stream of the second camera")
        };
        for target in ["/?action=stream_", "/?action=stream_-1", "/?action=reboot_1"] {
            assert!(matches!(first(target, None), Route::Bad(_)), "{target}");
        }
    }

    #[test]
    fn no_camera_can_hide_an_address() {
        for target in [
            "/stream",
            "/video_feed",
            "/snapshot",
            "/status",
            "/state",
            "/metrics",
            "/controls",
            "/healthz",
            "/webcam",
        ] {
            assert!(!is_name(&target[1..]), "{target}");
        }
    }
}
