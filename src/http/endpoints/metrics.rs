//! `/metrics`: the figures of `/status` in the Prometheus text format 0.0.4.

use std::fmt::{Display, Write};

use crate::capture::{State, Status};
use crate::hooks::Counts;
use crate::http::context::Context;
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;
use crate::http::transport::ConnectionsReport;
use crate::http::viewers::Tally;
use crate::motion::{self, Motion};
use crate::mqtt;
use crate::recording::{self, Handover, Totals, Waiting};
use crate::variants::{self, Figures};

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Never fails: the signature is that of all endpoints.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    let text = text(context).into_bytes();
    context.send(request, &Reply::new(Code::Ok, CONTENT_TYPE, text));
    Ok(())
}

/// A page under construction.
#[derive(Default)]
struct Page(String);

/// A line's labels, without those of the camera.
type Label<'a> = Option<(&'a str, &'a str)>;

impl Page {
    /// A metric with one value.
    #[inline(never)]
    fn one(&mut self, name: &str, kind: &str, help: &str, value: &dyn Display) {
        self.head(name, kind, help);
        self.put(format_args!("mjpegd_{name} {value}\n"));
    }

    /// A metric with a value for each value of a label.
    fn many<'a, V: Display>(
        &mut self,
        (name, kind, help): (&str, &str, &str),
        label: &str,
        values: impl IntoIterator<Item = (&'a str, V)>,
    ) {
        self.head(name, kind, help);
        for (key, value) in values {
            self.put(format_args!("mjpegd_{name}{{{label}=\"{key}\"}} {value}\n"));
        }
    }

    /// A metric with a value, several or none for each camera.
    fn each<'a, V: Display, I: IntoIterator<Item = (Label<'a>, V)>>(
        &mut self,
        (name, kind, help): (&str, &str, &str),
        cameras: &'a [CameraFigures<'a>],
        values: impl Fn(&'a CameraFigures<'a>) -> I,
    ) {
        self.head(name, kind, help);
        for camera in cameras {
            for (label, value) in values(camera) {
                self.sample(name, camera.name, label, &value);
            }
        }
    }

    // Of no type of its own, and not inlined: there are some thirty metrics, and each would
    // have its copy.
    #[inline(never)]
    fn sample(&mut self, name: &str, camera: &str, label: Label<'_>, value: &dyn Display) {
        self.put(format_args!("mjpegd_{name}{{camera=\"{camera}\""));
        if let Some((key, text)) = label {
            self.put(format_args!(",{key}=\"{text}\""));
        }
        self.put(format_args!("}} {value}\n"));
    }

    #[inline(never)]
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.put(format_args!("# HELP mjpegd_{name} {help}\n# TYPE mjpegd_{name} {kind}\n"));
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        self.0.write_fmt(text).expect("a String takes all that is written");
    }
}

/// The figures of one camera. A name needs no escape: it is plain.
struct CameraFigures<'a> {
    name: &'a str,
    status: Status,
    n_viewers: usize,
    tally: Tally,
    motion: Option<motion::Status>,
    recording: Option<(recording::Status, Totals)>,
    n_events_lost: Option<u64>,
    handover: Option<(Handover, Waiting)>,
    variants: (Vec<variants::Report>, Figures),
}

/// All metrics of this moment. No label comes from a client.
fn text(context: &Context) -> String {
    let (viewers, connections) =
        (&context.viewers, &context.connections.report(context.config.limits.max_connections));
    let (list, seats) = (context.cameras.all(), viewers.seats());
    let names: Vec<_> = list.iter().map(|camera| camera.name.as_str()).collect();
    // All cameras at once, under one lock, so that the sums of one reply belong to one
    // moment.
    let tallies = viewers.tallies(&names);
    let cameras: Vec<_> = list
        .iter()
        .zip(tallies)
        .map(|(camera, tally)| CameraFigures {
            name: &camera.name,
            status: camera.capture.status(),
            n_viewers: viewers.n_watching(&camera.name),
            tally,
            motion: camera.motion.as_ref().map(Motion::status),
            recording: camera.recording.as_ref().map(|r| (r.status(), r.store().totals())),
            n_events_lost: camera.recording.as_ref().map(|r| r.journal().n_lost()),
            handover: camera.recording.as_ref().and_then(|recording| {
                recording.handover().map(|handover| (handover, recording.store().waiting()))
            }),
            variants: camera.variants.report(),
        })
        .collect();
    let mut page = Page::default();
    let version = [(env!("CARGO_PKG_VERSION"), 1)];
    // The version is a label of a constant, the usual form for what is no number.
    page.many(("info", "gauge", "The program that answers."), "version", version);
    page.one(
        "uptime_seconds",
        "gauge",
        "Time since the start.",
        &context.started.elapsed().as_secs_f64(),
    );
    page.one("seats", "gauge", "Viewers that may watch at once.", &seats.total);
    let brief = "Viewers that left within two seconds.";
    page.one("viewers_brief_total", "counter", brief, &seats.brief);
    of_capture(&mut page, &cameras);
    of_viewers(&mut page, &cameras);
    of_recordings(&mut page, &cameras);
    of_handovers(&mut page, &cameras);
    let (max, refused) =
        (context.cameras.variants().n_most(), context.cameras.variants().n_refused());
    page.one("variants_max", "gauge", "Variants that there may be at once.", &max);
    page.one("variants_refused_total", "counter", "Wishes refused, all variants in use.", &refused);
    of_variants(&mut page, &cameras);
    of_motion(&mut page, &cameras);
    of_events(&mut page, context);
    of_mqtt(&mut page, context);
    of_connections(&mut page, connections);
    page.0
}

fn of_motion(page: &mut Page, all: &[CameraFigures<'_>]) {
    let mut one = |name, kind, help, value: fn(&motion::Status) -> u64| {
        page.each((name, kind, help), all, |camera| {
            camera.motion.iter().map(move |status| (None, value(status)))
        });
    };
    one("motion", "gauge", "1 while something moves.", |status| status.is_moving.into());
    let looks = "Pictures looked at for motion.";
    one("motion_looks_total", "counter", looks, |status| status.n_looks);
    let unreadable = "Pictures in which no motion can be seen.";
    one("motion_unreadable_total", "counter", unreadable, |status| status.n_unreadable);
}

fn of_events(page: &mut Page, context: &Context) {
    page.many(
        ("events_total", "counter", "Events, by type."),
        "type",
        context.cameras.events().counts().map(|(kind, n)| (kind.name(), n)),
    );
    // All hooks together, as nothing that was typed is a label.
    let Counts { n_done, n_failed, n_late, n_lost, .. } = context.hooks.totals();
    let results = [("done", n_done), ("failed", n_failed), ("late", n_late), ("lost", n_lost)];
    let help = "Events for hooks, by what became of them.";
    page.many(("hooks_total", "counter", help), "result", results);
}

/// Without `--mqtt` they have no values, as an alarm about a broker needs one.
fn of_mqtt(page: &mut Page, context: &Context) {
    let report = context.mqtt.as_ref().map(|mqtt| mqtt.report());
    let mut one = |name, kind, help, value: fn(&mqtt::Report) -> u64| match &report {
        Some(report) => page.one(name, kind, help, &value(report)),
        None => page.head(name, kind, help),
    };
    let connected = "1 while connected to the MQTT broker.";
    one("mqtt_connected", "gauge", connected, |report| report.is_connected.into());
    let published = "Messages sent to the MQTT broker.";
    one("mqtt_published_total", "counter", published, |report| report.n_published);
    let waiting = "Events that the MQTT broker has not acknowledged.";
    one("mqtt_waiting", "gauge", waiting, |report| report.n_waiting as u64);
    let lost = "Events for the MQTT broker that were lost, too many waiting.";
    one("mqtt_lost_total", "counter", lost, |report| report.n_lost);
    let failures = "Connections to the MQTT broker that failed or broke.";
    one("mqtt_failures_total", "counter", failures, |report| report.n_failures);
}

fn of_connections(page: &mut Page, of: &ConnectionsReport) {
    page.one("connections_max", "gauge", "Connections that there may be at once.", &of.max);
    page.many(
        ("connections", "gauge", "Connections that are answered, or wait without a request."),
        "state",
        [("answered", of.answered), ("waiting", of.waiting)],
    );
    page.many(
        ("connections_cut_total", "counter", "Connections cut by a limit."),
        "cause",
        // Causes that never happened are there with 0, so that a rate over the first
        // one is seen.
        of.cut.0.iter().copied(),
    );
    page.one("connections_kicked_total", "counter", "Wake-ups for connections.", &of.kicked);
    page.one("connections_leaked_total", "counter", "Connections lost for good.", &of.leaked);
    let help = "Requests with a byte above 127 in their head.";
    page.one("requests_non_ascii_total", "counter", help, &of.non_ascii);
    page.one("requests_forgotten_total", "counter", "Requests of absurd length.", &of.forgotten);
    page.one("requests_refused_total", "counter", "Requests of a kind that is busy.", &of.refused);
    page.one(
        "listener_renewed_total",
        "counter",
        "Times the listener was replaced.",
        &of.listener_renewed,
    );
    page.one("passwords_wrong_total", "counter", "Passwords that were wrong.", &of.wrong_passwords);
    page.one("passwords_slowed_total", "counter", "Passwords refused unseen.", &of.slowed_guesses);
    page.one("restarts_total", "counter", "Times the program restarted itself.", &of.restarts);
    page.one("panics_total", "counter", "Panics of threads.", &of.panics);
}

fn of_capture(page: &mut Page, all: &[CameraFigures<'_>]) {
    // A series for each state, 1 or 0, as Prometheus has no texts: so an alert is a
    // comparison with 1.
    page.each(("camera_state", "gauge", "1 for the present state."), all, |camera| {
        State::ALL
            .map(|state| (Some(("state", state.name())), u8::from(camera.status.state == state)))
    });
    let fps = ("camera_fps", "gauge", "Frames a second, lately.");
    page.each(fps, all, |camera| [(None, camera.status.fps)]);
    let opened = ("camera_opened_total", "counter", "Times the camera was opened.");
    page.each(opened, all, |camera| [(None, camera.status.n_opened)]);
    let captured = ("frames_captured_total", "counter", "Frames taken.");
    page.each(captured, all, |camera| [(None, camera.status.n_captured)]);
    let by_cause = |(cause, n): &(&'static str, u64)| (Some(("cause", *cause)), *n);
    let dropped = ("frames_dropped_total", "counter", "Frames that were dropped.");
    page.each(dropped, all, |camera| camera.status.n_dropped.iter().map(by_cause));
    let repaired = ("frames_repaired_total", "counter", "Frames with a fault that are shown.");
    page.each(repaired, all, |camera| camera.status.n_repaired.iter().map(by_cause));
    let faults = ("camera_faults_total", "counter", "Times the camera was lost.");
    page.each(faults, all, |camera| camera.status.n_faults.iter().map(by_cause));
    let age = ("frame_age_seconds", "gauge", "Age of the newest frame.");
    page.each(age, all, |camera| {
        let latest = camera.status.latest.as_ref();
        // No line while the camera is off: an age of 0 would look like a fresh picture,
        // and a growing one would raise an alarm.
        latest.map(|frame| (None, frame.meta.at.monotonic.elapsed().as_secs_f64()))
    });
}

fn of_viewers(page: &mut Page, all: &[CameraFigures<'_>]) {
    let present = ("viewers", "gauge", "Viewers that watch.");
    page.each(present, all, |camera| [(None, camera.n_viewers)]);
    let ever = ("viewers_total", "counter", "Viewers that ever watched.");
    page.each(ever, all, |camera| [(None, camera.tally.n_ever)]);
    let refused = ("viewers_refused_total", "counter", "Viewers refused, all seats taken.");
    page.each(refused, all, |camera| [(None, camera.tally.n_refused)]);
    let sent = ("frames_sent_total", "counter", "Frames sent to viewers.");
    page.each(sent, all, |camera| [(None, camera.tally.served.n_sent)]);
    let skipped = ("frames_skipped_total", "counter", "Frames viewers were too slow for.");
    page.each(skipped, all, |camera| [(None, camera.tally.served.n_skipped)]);
    let repeated =
        ("frames_repeated_total", "counter", "Frames sent again, as there was no new one.");
    page.each(repeated, all, |camera| [(None, camera.tally.served.n_repeated)]);
    let bytes = ("sent_bytes_total", "counter", "Bytes of frames sent.");
    page.each(bytes, all, |camera| [(None, camera.tally.served.n_bytes)]);
}

fn of_recordings(page: &mut Page, all: &[CameraFigures<'_>]) {
    page.each(("recording_state", "gauge", "1 for the present state."), all, |camera| {
        camera.recording.iter().flat_map(|(status, ..)| {
            recording::State::ALL
                .map(|state| (Some(("state", state.name())), u8::from(status.state == state)))
        })
    });
    let mut one = |name, kind, help, value: fn(&(recording::Status, Totals)) -> u64| {
        page.each((name, kind, help), all, |camera| {
            camera.recording.iter().map(move |recording| (None, value(recording)))
        });
    };
    one("recording_bytes", "gauge", "Bytes of the recording on disk.", |(_, t)| t.n_bytes);
    one("recording_frames", "gauge", "Frames in the recording.", |(_, t)| t.n_frames);
    one("frames_recorded_total", "counter", "Frames written to disk.", |(s, _)| s.n_frames);
    one("recorded_bytes_total", "counter", "Bytes written to disk.", |(s, _)| s.n_bytes);
    let missed = "Frames the disk was too slow for.";
    one("frames_unrecorded_total", "counter", missed, |(s, _)| s.n_skipped);
    let failed = "Times that recording failed.";
    one("recording_failures_total", "counter", failed, |(s, _)| s.n_failures);
    let lost = ("events_lost_total", "counter", "Events the disk could not keep.");
    page.each(lost, all, |camera| camera.n_events_lost.map(|n| (None, n)));
}

fn of_handovers(page: &mut Page, all: &[CameraFigures<'_>]) {
    let mut one = |name, kind, help, value: fn(&(Handover, Waiting)) -> u64| {
        page.each((name, kind, help), all, |camera| {
            camera.handover.iter().map(move |handover| (None, value(handover)))
        });
    };
    let done = "Segments handed to --on-segment.";
    one("segments_handed_over_total", "counter", done, |(h, _)| h.n_done);
    let waiting = "Finished segments that --on-segment has not got.";
    one("segments_waiting", "gauge", waiting, |(_, w)| w.n_segments as u64);
    let lost = "Segments deleted before they were handed over.";
    one("segments_lost_total", "counter", lost, |(_, w)| w.n_lost);
    let failed = "Times that --on-segment failed.";
    one("on_segment_failures_total", "counter", failed, |(h, _)| h.n_failures);
}

fn of_variants(page: &mut Page, all: &[CameraFigures<'_>]) {
    let mut one = |name, kind, help, value: fn(&(Vec<variants::Report>, Figures)) -> f64| {
        page.each((name, kind, help), all, |camera| [(None, value(&camera.variants))]);
    };
    one("variants", "gauge", "Variants of pictures that are made.", |(all, _)| all.len() as f64);
    one("variant_readers", "gauge", "Viewers and snapshots that read variants.", |(all, _)| {
        all.iter().map(|variant| variant.n_readers).sum::<usize>() as f64
    });
    one("variant_frames_total", "counter", "Frames made for variants.", |(_, f)| f.n_made as f64);
    let passed = "Frames that variants passed on as they are.";
    one("variant_frames_passed_total", "counter", passed, |(_, f)| f.n_passed as f64);
    let damaged = "Frames that variants could not decode.";
    one("variant_frames_damaged_total", "counter", damaged, |(_, f)| f.n_damaged as f64);
    let skipped = "Frames variants were too slow for.";
    one("variant_frames_skipped_total", "counter", skipped, |(_, f)| f.n_skipped as f64);
    let cpu = "Processor time that variants took.";
    one("variant_cpu_seconds_total", "counter", cpu, |(_, f)| f.cpu.as_secs_f64());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_form_of_the_format() {
        let mut page = Page::default();
        page.one("a", "gauge", "Help.", &1.5);
        page.many(("b_total", "counter", "More."), "cause", [("x", 1), ("y", 2)]);
        page.each(("c", "gauge", "None."), &[], |_| [(None, 1)]);
        assert_eq!(
            page.0,
            "# HELP mjpegd_a Help.\n# TYPE mjpegd_a gauge\nmjpegd_a 1.5\n\
             # HELP mjpegd_b_total More.\n# TYPE mjpegd_b_total counter\n\
             mjpegd_b_total{cause=\"x\"} 1\nmjpegd_b_total{cause=\"y\"} 2\n\
             # HELP mjpegd_c None.\n# TYPE mjpegd_c gauge\n"
        );
    }
}
