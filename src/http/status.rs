//! What the program tells of itself: `/status`, and `/state` as uStreamer has it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};

use super::guard::ConnectionsReport;
use super::recordings;
use super::viewers::{Viewer, Viewers};
use crate::cameras::Unit;
use crate::capture::{Asked, Mode};
use crate::frame::since_epoch;

/// `/status`. Times are Unix seconds, ages milliseconds or seconds as named.
#[derive(Serialize)]
pub(super) struct StatusReport {
    name: &'static str,
    version: &'static str,
    uptime_s: f64,
    camera: CameraReport,
    /// Whether the address has the camera's name.
    named: bool,
    cameras: Vec<CameraReport>,
    seats: Seats,
    connections: ConnectionsReport,
    /// Of the camera of this address; `null` where nothing is recorded.
    recording: Option<Value>,
    viewers: Vec<ViewerReport>,
}

/// The cameras that `/status` tells of.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    /// The one that was asked about, be it by its name or as the first.
    pub(super) unit: &'a Unit,
    pub(super) is_named: bool,
    pub(super) all: &'a [Arc<Unit>],
}

#[derive(Serialize)]
struct CameraReport {
    name: String,
    source: String,
    state: &'static str,
    cause: Option<String>,
    since: f64,
    width: Option<u16>,
    height: Option<u16>,
    asked: Setting,
    got: Setting,
    fps_asked: Option<f64>,
    fps: f64,
    frame_age_ms: Option<f64>,
    frames: Frames,
    viewers: usize,
    max_viewers: Option<usize>,
    opened: u64,
    faults: BTreeMap<&'static str, u64>,
}

/// What was asked of the camera, or what it made of it.
#[derive(Serialize)]
struct Setting {
    device: Option<String>,
    format: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    fps: Option<f64>,
}

impl Setting {
    fn asked(of: &Asked) -> Self {
        let (width, height) = of.size.unzip();
        Self { device: None, format: of.format.clone(), width, height, fps: of.fps }
    }

    fn got(mode: &Mode) -> Self {
        let (width, height) = mode.size.unzip();
        let (device, format) = (mode.device.clone(), mode.format.clone());
        Self { device, format, width, height, fps: mode.fps }
    }
}

#[derive(Serialize)]
struct Frames {
    captured: u64,
    dropped: BTreeMap<&'static str, u64>,
    mended: BTreeMap<&'static str, u64>,
}

/// Places for viewers.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Seats {
    pub(super) total: usize,
    pub(super) taken: usize,
    pub(super) refused: u64,
}

#[derive(Serialize)]
struct ViewerReport {
    id: u64,
    address: String,
    key: String,
    camera: String,
    path: String,
    layout: &'static str,
    age_s: f64,
    fps: f64,
    sent: u64,
    skipped: u64,
    repeated: u64,
    bytes: u64,
    frame_age_ms: Option<f64>,
}

/// Three digits behind the point are enough for people and plots.
fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn ms(duration: Duration) -> f64 {
    round(duration.as_secs_f64() * 1000.0)
}

impl StatusReport {
    pub(super) fn new(
        cameras: Shown<'_>,
        seats: Seats,
        connections: ConnectionsReport,
        viewers: &Viewers,
        started: Instant,
    ) -> Self {
        let Shown { unit, is_named, all } = cameras;
        Self {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            uptime_s: round(started.elapsed().as_secs_f64()),
            camera: CameraReport::new(unit),
            named: is_named,
            cameras: all.iter().map(|unit| CameraReport::new(unit)).collect(),
            seats,
            connections,
            recording: unit.recording.as_ref().map(recordings::report),
            viewers: viewers.present().iter().map(|viewer| ViewerReport::new(viewer)).collect(),
        }
    }
}

impl CameraReport {
    fn new(unit: &Unit) -> Self {
        let status = unit.capture.status();
        let latest = status.latest.as_ref().map(|frame| frame.meta);
        Self {
            name: unit.name.clone(),
            asked: Setting::asked(&status.asked),
            got: Setting::got(&status.mode),
            fps_asked: status.asked.fps.or(status.mode.fps),
            source: status.asked.source,
            state: status.state.name(),
            cause: status.cause,
            since: round(since_epoch(status.since).as_secs_f64()),
            width: latest.map(|meta| meta.width),
            height: latest.map(|meta| meta.height),
            fps: round(status.fps),
            frame_age_ms: latest.map(|meta| ms(meta.at.taken.elapsed())),
            frames: Frames {
                captured: status.n_captured,
                dropped: status.n_dropped.into_iter().collect(),
                mended: status.n_mended.into_iter().collect(),
            },
            viewers: unit.n_viewers(),
            max_viewers: unit.max_viewers(),
            opened: status.n_opened,
            faults: status.n_faults.into_iter().collect(),
        }
    }
}

impl ViewerReport {
    fn new(viewer: &Viewer) -> Self {
        let report = viewer.report();
        Self {
            id: viewer.id,
            address: viewer.address.to_string(),
            key: viewer.key.clone(),
            camera: viewer.camera.clone(),
            path: viewer.path.clone(),
            layout: viewer.layout.name(),
            age_s: round(viewer.since.elapsed().as_secs_f64()),
            fps: round(report.fps),
            sent: report.served.n_sent,
            skipped: report.served.n_skipped,
            repeated: report.served.n_repeated,
            bytes: report.served.n_bytes,
            frame_age_ms: report.age.map(ms),
        }
    }
}

/// `/state`, in the names and shapes of uStreamer, whose users' programs read
/// it. What has no counterpart here is left out.
pub(super) fn state(unit: &Unit, viewers: &Viewers) -> Value {
    let camera = unit.capture.status();
    let latest = camera.latest.as_ref().map(|frame| frame.meta);
    let clients: serde_json::Map<String, Value> = viewers
        .present()
        .iter()
        .filter(|viewer| viewer.camera == unit.name)
        .map(|viewer| (format!("{:016x}", viewer.id), client(viewer)))
        .collect();
    json!({
        "ok": true,
        "result": {
            "instance_id": "",
            "encoder": { "type": "HW", "quality": 0 },
            "source": {
                "resolution": {
                    "width": latest.map_or(0, |meta| meta.width),
                    "height": latest.map_or(0, |meta| meta.height),
                },
                "online": latest.is_some(),
                "desired_fps": whole(camera.asked.fps.or(camera.mode.fps).unwrap_or(0.0)),
                "captured_fps": whole(camera.fps),
            },
            "stream": {
                "queued_fps": whole(camera.fps),
                "clients": clients.len(),
                "clients_stat": clients,
            },
        },
    })
}

fn client(viewer: &Viewer) -> Value {
    json!({
        "fps": whole(viewer.report().fps),
        "extra_headers": viewer.has_extra_headers,
        "advance_headers": viewer.layout == super::route::Layout::Advance,
        "dual_final_frames": false,
        "zero_data": false,
        "key": viewer.key,
    })
}

/// uStreamer counts whole frames.
#[allow(clippy::cast_possible_truncation, reason = "a rounded rate is far below 2^53")]
fn whole(rate: f64) -> i64 {
    rate.round() as i64
}
