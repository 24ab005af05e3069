//! One picture to one client: taken after it asked, or as old as it allows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tiny_http::Method;

use super::connection::Connection;
use super::reply::{Code, Head, Reply, TIMEOUT};
use crate::capture::Capture;
use crate::frame::{Frame, JPEG_TYPE, TIMESTAMP};
use crate::slot::Newer;

/// OctoPrint gives up after 5 seconds, and this is to be answered before.
const PATIENCE: Duration = Duration::from_secs(4);

/// Waits for a picture that was taken at most `max_delay` before `asked`.
///
/// # Errors
/// Why there is none, as a reply.
pub(super) fn take(
    capture: &Capture,
    asked: Instant,
    max_delay: Option<Duration>,
) -> Result<Arc<Frame>, Reply> {
    let reader = capture.read();
    let oldest = asked.checked_sub(max_delay.unwrap_or_default()).unwrap_or(asked);
    let mut seen = 0;
    loop {
        let left = (asked + PATIENCE).saturating_duration_since(Instant::now());
        match reader.wait_newer(seen, left) {
            Newer::Frame { frame, .. } if frame.meta.is_status => {
                // It may have come back in this moment.
                let cause = reader.cause().unwrap_or_else(|| "the camera was lost".into());
                return Err(Reply::unavailable(&format!("no picture: {cause}")));
            }
            Newer::Frame { frame, .. } if frame.meta.at.monotonic >= oldest => return Ok(frame),
            Newer::Frame { frame, .. } => seen = frame.meta.seq,
            Newer::Timeout => {
                let why = reader.cause().unwrap_or_else(|| {
                    format!("the camera gave no new one within {} s", PATIENCE.as_secs())
                });
                return Err(Reply::unavailable(&format!("no picture: {why}")));
            }
            Newer::Closed => return Err(Reply::unavailable("no picture: the camera is closed")),
        }
    }
}

/// Sends a picture, to a HEAD only its headers.
pub(super) fn send(frame: &Frame, client: &Connection, allow_origin: Option<&str>) {
    let head = Head::new(Code::Ok, allow_origin)
        .with("Content-Type", JPEG_TYPE)
        .with("Content-Length", &frame.jpeg().len().to_string())
        .with(TIMESTAMP, &frame.timestamp())
        .never_stored()
        .finish();
    let body = if *client.method() == Method::Head { &[][..] } else { frame.jpeg() };
    if let Err(e) = client.write(&head, body, TIMEOUT) {
        log::debug!("{}: snapshot not taken: {e}", client.peer());
    }
}
