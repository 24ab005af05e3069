//! `/?action=take`: the newest picture of the recording, as a file.
//!
//! mjpg-streamer writes its newest picture into the folder of its recording. Here
//! the recording has that picture already, and keeps it: `at=` of a snapshot
//! gives it again, by its `X-Timestamp`. So a GET writes nothing to the disk.

use std::time::SystemTime;

use crate::frame::TIMESTAMP;
use crate::http::context::Context;
use crate::http::recorded::{self, recording};
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;
use crate::recording::{State, micros};

/// The longest name of a file that is sent back.
const MAX_NAME: usize = 100;

/// # Errors
/// 404 where nothing is recorded, or recording is off or waits; 503 and the cause while
/// the camera is lost, as the newest picture is an old one then.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    let recording = recording(&request.camera)?;
    if !recording.is_wanted() {
        let text = "recording is switched off; POST /record/start switches it on";
        return Err(Reply::text(Code::NotFound, text));
    }
    if recording.status().state == State::Waiting {
        let text = "nothing moves, so nothing is recorded now (--record-on motion)";
        return Err(Reply::text(Code::NotFound, text));
    }
    if let Some(cause) = request.camera.capture.status().cause {
        return Err(Reply::unavailable(&format!("no picture: {cause}")));
    }
    let picture = recorded::picture(recording, micros(SystemTime::now()), 0)?;
    let name = request.query().text("filename").map(|name| file_name(&name));
    let disposition = format!("attachment; filename=\"{}\"", name.unwrap_or_default());
    let timestamp = picture.timestamp();
    let headers = [(TIMESTAMP, &*timestamp), ("Content-Disposition", &disposition)];
    let n_headers = if disposition.ends_with("\"\"") { 1 } else { 2 };
    context.send_picture(request, picture.jpeg(), None, &headers[..n_headers]);
    Ok(())
}

/// A name without its folders, and without signs that a header or a disk might
/// take for something else.
fn file_name(typed: &str) -> String {
    let name = typed.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let plain = name.chars().map(|c| if is_plain(c) { c } else { '_' });
    plain.take(MAX_NAME).collect::<String>().trim_start_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_of_a_file_is_only_a_name() {
        for (typed, name) in [
            ("front.jpg", "front.jpg"),
            ("/tmp/a b.jpg", "a_b.jpg"),
            ("..\\..\\boot.ini", "boot.ini"),
            ("a\"\r\nSet-Cookie: b", "a___Set-Cookie__b"),
            ("../.bashrc", "bashrc"),
            ("", ""),
            ("..", ""),
        ] {
            assert_eq!(file_name(typed), name, "{typed}");
        }
        assert_eq!(file_name(&"x".repeat(1000)).len(), MAX_NAME);
    }
}
