//! `/metrics`: the same figures in the Prometheus text format 0.0.4.

use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::guard::ConnectionsReport;
use super::status::Seats;
use super::viewers::Viewers;
use crate::capture::{State, Status};

pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A page under construction.
#[derive(Default)]
struct Page(String);

impl Page {
    /// A metric with one value.
    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, kind, help);
        self.line(name, "", value);
    }

    /// A metric with a value for each value of a label.
    fn many<'a, V: std::fmt::Display>(
        &mut self,
        (name, kind, help): (&str, &str, &str),
        label: &str,
        values: impl IntoIterator<Item = (&'a str, V)>,
    ) {
        self.head(name, kind, help);
        for (key, value) in values {
            self.line(name, &format!("{{{label}=\"{key}\"}}"), value);
        }
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.put(format_args!("# HELP mjpegd_{name} {help}\n# TYPE mjpegd_{name} {kind}\n"));
    }

    fn line(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        self.put(format_args!("mjpegd_{name}{labels} {value}\n"));
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        self.0.write_fmt(text).expect("a String takes all that is written");
    }
}

/// All metrics of this moment. No label comes from a client.
pub(super) fn text(
    camera: &Status,
    seats: Seats,
    connections: &ConnectionsReport,
    viewers: &Viewers,
    started: Instant,
) -> String {
    let mut page = Page::default();
    page.many(
        ("info", "gauge", "The program that answers."),
        "version",
        [(env!("CARGO_PKG_VERSION"), 1)],
    );
    page.one("uptime_seconds", "gauge", "Time since the start.", started.elapsed().as_secs_f64());
    of_camera(&mut page, camera);
    let (total, n_ever) = (viewers.total(), viewers.n_ever.load(Relaxed));
    page.one("seats", "gauge", "Viewers that may watch at once.", seats.total);
    page.one("viewers", "gauge", "Viewers that watch.", seats.taken);
    page.one("viewers_total", "counter", "Viewers that ever watched.", n_ever);
    page.one(
        "viewers_refused_total",
        "counter",
        "Viewers refused, all seats taken.",
        seats.refused,
    );
    page.one("frames_sent_total", "counter", "Frames sent to viewers.", total.n_sent);
    page.one(
        "frames_skipped_total",
        "counter",
        "Frames viewers were too slow for.",
        total.n_skipped,
    );
    page.one("frames_repeated_total", "counter", "Frames sent again in a lull.", total.n_repeated);
    page.one("sent_bytes_total", "counter", "Bytes of frames sent.", total.n_bytes);
    of_connections(&mut page, connections);
    page.0
}

fn of_connections(page: &mut Page, of: &ConnectionsReport) {
    page.one("connections_max", "gauge", "Connections that there may be at once.", of.max);
    page.many(
        ("connections", "gauge", "Connections that are answered, or wait without a request."),
        "state",
        [("answered", of.answered), ("waiting", of.waiting)],
    );
    page.many(
        ("connections_cut_total", "counter", "Connections cut by a limit."),
        "cause",
        of.cut.iter().map(|(cause, n)| (*cause, *n)),
    );
    page.one("connections_kicked_total", "counter", "Wake-ups for connections.", of.kicked);
    page.one("connections_leaked_total", "counter", "Connections lost for good.", of.leaked);
    page.one("requests_forgotten_total", "counter", "Requests of absurd length.", of.forgotten);
    page.one("listener_renewed_total", "counter", "Times it listened anew.", of.listener_renewed);
    page.one("restarts_total", "counter", "Times the program started itself anew.", of.restarts);
    page.one("panics_total", "counter", "Panics of threads.", of.panics);
}

fn of_camera(page: &mut Page, camera: &Status) {
    let is = |state: State| (state.name(), u8::from(camera.state == state));
    page.many(("camera_state", "gauge", "1 for the state that is."), "state", State::ALL.map(is));
    page.one("camera_fps", "gauge", "Frames a second, of late.", camera.fps);
    page.one("camera_opened_total", "counter", "Times the camera was opened.", camera.n_opened);
    page.one("frames_captured_total", "counter", "Frames taken.", camera.n_captured);
    page.many(
        ("frames_dropped_total", "counter", "Frames that were no good."),
        "cause",
        camera.n_dropped.iter().copied(),
    );
    page.many(
        ("camera_faults_total", "counter", "Times the camera was lost."),
        "cause",
        camera.n_faults.iter().copied(),
    );
    if let Some(frame) = &camera.latest {
        let age = frame.meta.at.taken.elapsed().as_secs_f64();
        page.one("frame_age_seconds", "gauge", "Age of the newest frame.", age);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_form_of_the_format() {
        let mut page = Page::default();
        page.one("a", "gauge", "Help.", 1.5);
        page.many(("b_total", "counter", "More."), "cause", [("x", 1), ("y", 2)]);
        assert_eq!(
            page.0,
            "# HELP mjpegd_a Help.\n# TYPE mjpegd_a gauge\nmjpegd_a 1.5\n\
             # HELP mjpegd_b_total More.\n# TYPE mjpegd_b_total counter\n\
             mjpegd_b_total{cause=\"x\"} 1\nmjpegd_b_total{cause=\"y\"} 2\n"
        );
    }
}
