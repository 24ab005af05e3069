//! The stream of a page of one camera, which begins before the page's scripts are there: it
//! stands in the HTML, and the camera is started by the request for it. The browser's event
//! `load` then waits for the first picture, so nothing on the page waits for that event.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};

use crate::http::context::Context;
use crate::http::request::Request;

/// Browsers send it with pages that they are to show, and only with these.
const SHOWS: &str = "Upgrade-Insecure-Requests";
/// They send it with pages that perhaps will be shown.
const GUESSES: &str = "Sec-Purpose";

/// What stands in the HTML, and what stands there instead for one camera. `{key}` tells the
/// stream from all others, so that the page finds it in the list of viewers.
const CHANGES: [(&str, &str); 2] = [
    (r#"data-state="starting""#, r#"data-state="early" data-view="single""#),
    (
        "<img id=\"picture\" alt=\"\">\n\
         <noscript><img class=\"plain\" src=\"video_feed\" alt=\"Live picture of the camera\"></noscript>",
        "<img id=\"picture\" class=\"early\" src=\"video_feed?key={key}\" alt=\"Live picture of the camera\">\n",
    ),
];

pub(super) fn is_page(request: &Request) -> bool {
    matches!(&*request.path, "/" | "/index.html")
}

/// The page with the stream in it; as it is for several cameras, whose tiles open theirs, and
/// for a browser that only guesses that somebody will want the page.
pub(super) fn page(
    context: &Context,
    request: &Request,
    html: &'static [u8],
) -> Cow<'static, [u8]> {
    match std::str::from_utf8(html) {
        Ok(html) if shows_one(context, request) && !has(request, GUESSES) => {
            let key = RandomState::new().hash_one("key");
            Cow::Owned(with_stream(html, key).into_bytes())
        }
        _ => Cow::Borrowed(html),
    }
}

fn with_stream(html: &str, key: u64) -> String {
    let change = |html: String, (from, to): &(&str, &str)| html.replacen(from, to, 1);
    let html = CHANGES.iter().fold(html.to_owned(), change);
    html.replacen("{key}", &format!("{key:016x}"), 1)
}

/// Starts the camera if a page was asked for that is shown now, so that camera and page start
/// at the same time. Not at each request for the page: programs that only look whether there is
/// an answer ask for it too.
pub(super) fn wake_camera(context: &Context, request: &Request) {
    let is_shown = is_page(request) && has(request, SHOWS) && !has(request, GUESSES);
    if is_shown && shows_one(context, request) && !request.is_head() {
        drop(request.camera.capture.read());
    }
}

fn has(request: &Request, header: &'static str) -> bool {
    request.connection.header(header).is_some()
}

fn shows_one(context: &Context, request: &Request) -> bool {
    request.is_named || context.cameras.all().len() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_of_one_camera_has_its_stream_once() {
        let html = std::str::from_utf8(super::super::PAGE).unwrap();
        let live = with_stream(html, 7);
        let src = "src=\"video_feed?key=0000000000000007\"";
        assert_eq!(live.matches("src=\"video_feed").count(), 1, "for browsers without scripts too");
        assert!(live.contains(src) && live.contains("data-view=\"single\""), "{live}");
        assert!(!live.contains("noscript"));
        assert!(html.contains("noscript") && !html.contains("data-view"));
    }
}
