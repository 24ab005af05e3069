//! `/status`: the state of the daemon, its cameras and viewers as JSON.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::by_name::ByName;
use crate::cameras::Camera;
use crate::capture::{Asked, StillCounts};
use crate::events::Kind;
use crate::frame::since_epoch;
use crate::hooks;
use crate::http::context::Context;
use crate::http::recorded;
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;
use crate::http::transport::ConnectionsReport;
use crate::http::viewer::Viewer;
use crate::http::viewers::{Seats, Viewers};
use crate::instance;
use crate::mode::Mode;
use crate::motion;
use crate::mqtt;
use crate::variants;

/// Never fails: the signature is that of all endpoints.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    context.send(request, &Reply::json(Code::Ok, &StatusReport::new(context, request)));
    Ok(())
}

/// `/status`. Times are Unix seconds, ages milliseconds or seconds as named.
#[derive(Serialize)]
struct StatusReport {
    name: &'static str,
    version: &'static str,
    /// Another one in each process.
    instance: String,
    uptime_s: f64,
    camera: CameraReport,
    /// Whether the address has the camera's name. The page cannot tell it from
    /// its own address, as a proxy may add a prefix.
    named: bool,
    cameras: Vec<CameraReport>,
    seats: Seats,
    variants: VariantsReport,
    connections: ConnectionsReport,
    /// Of the camera of this address; `null` where nothing is recorded.
    recording: Option<Value>,
    viewers: Vec<ViewerReport>,
    hooks: Vec<HookReport>,
    /// `null` without `--mqtt`.
    mqtt: Option<MqttReport>,
}

/// A command of `--on`, or the webhook, whose `event` is `null`.
#[derive(Serialize)]
struct HookReport {
    event: Option<&'static str>,
    action: String,
    done: u64,
    failed: u64,
    late: u64,
    lost: u64,
    error: Option<String>,
}

/// The broker of `--mqtt`.
#[derive(Serialize)]
struct MqttReport {
    broker: String,
    prefix: String,
    connected: bool,
    published: u64,
    waiting: usize,
    lost: u64,
    failures: u64,
    error: Option<String>,
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
    faults: ByName,
    /// Only with `--snapshot-resolution`.
    #[serde(skip_serializing_if = "Option::is_none")]
    stills: Option<Stills>,
    variants: Vec<VariantReport>,
    /// `null` where no motion is looked for.
    motion: Option<MotionReport>,
}

/// Snapshots of another size than the stream's.
#[derive(Serialize)]
struct Stills {
    width: u32,
    height: u32,
    taken: u64,
    failed: u64,
    last_pause_ms: Option<f64>,
}

/// The variants of all cameras.
#[derive(Serialize)]
struct VariantsReport {
    max: usize,
    refused: u64,
}

/// A variant that somebody has, or had a moment ago.
#[derive(Serialize)]
struct VariantReport {
    wish: String,
    state: &'static str,
    width: Option<u16>,
    height: Option<u16>,
    fps: f64,
    readers: usize,
    made: u64,
    passed: u64,
    passed_why: Option<&'static str>,
    damaged: u64,
    skipped: u64,
    cpu_s: f64,
    /// Of the pictures so far; `null` before the first.
    cpu_ms_per_picture: Option<f64>,
}

#[derive(Serialize)]
struct MotionReport {
    moving: bool,
    begun: u64,
    area: f64,
    looks: u64,
    unreadable: u64,
    cause: Option<String>,
}

/// What was asked of the camera, or what it made of it.
#[derive(Serialize)]
struct Setting {
    device: Option<String>,
    format: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    fps: Option<f64>,
    /// The device that makes JPEGs of raw pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    encoder: Option<String>,
}

impl Setting {
    fn asked(of: &Asked) -> Self {
        let (width, height) = of.size.unzip();
        let format = of.format.clone();
        Self { device: None, format, width, height, fps: of.fps, encoder: None }
    }

    fn got(mode: &Mode) -> Self {
        let (width, height) = mode.size.unzip();
        let (device, format) = (mode.device.clone(), mode.format.clone());
        Self { device, format, width, height, fps: mode.fps, encoder: mode.encoder.clone() }
    }
}

#[derive(Serialize)]
struct Frames {
    captured: u64,
    dropped: ByName,
    repaired: ByName,
}

#[derive(Serialize)]
struct ViewerReport {
    id: u64,
    address: String,
    key: String,
    camera: String,
    path: String,
    layout: &'static str,
    variant: Option<String>,
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
    fn new(context: &Context, request: &Request) -> Self {
        let Context { viewers, connections, .. } = context;
        let (camera, all) = (&request.camera, context.cameras.all());
        Self {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            instance: instance::of_process(),
            // By the monotonic clock: boards without a battery set the other one after
            // the start.
            uptime_s: round(context.started.elapsed().as_secs_f64()),
            camera: CameraReport::new(camera, viewers),
            named: request.is_named,
            cameras: all.iter().map(|camera| CameraReport::new(camera, viewers)).collect(),
            seats: viewers.seats(),
            variants: VariantsReport {
                max: context.cameras.variants().n_most(),
                refused: context.cameras.variants().n_refused(),
            },
            connections: connections.report(context.config.limits.max_connections),
            recording: camera.recording.as_ref().map(recorded::report),
            viewers: viewers.present().iter().map(|viewer| ViewerReport::new(viewer)).collect(),
            hooks: context.hooks.reports().into_iter().map(HookReport::new).collect(),
            mqtt: context.mqtt.as_ref().map(|mqtt| MqttReport::new(mqtt.report())),
        }
    }
}

impl Stills {
    fn new((width, height): (u32, u32), counts: StillCounts) -> Self {
        let StillCounts { n_taken, n_failed, last_pause } = counts;
        let last_pause_ms = last_pause.map(ms);
        Self { width, height, taken: n_taken, failed: n_failed, last_pause_ms }
    }
}

impl CameraReport {
    fn new(camera: &Camera, viewers: &Viewers) -> Self {
        let status = camera.capture.status();
        let latest = status.latest.as_ref().map(|frame| frame.meta);
        Self {
            name: camera.name.clone(),
            asked: Setting::asked(&status.asked),
            got: Setting::got(&status.mode),
            // What was typed, else what the device chose: the rate to compare `fps` with.
            fps_asked: status.asked.fps.or(status.mode.fps),
            source: status.asked.source,
            state: status.state.name(),
            cause: status.cause,
            since: round(since_epoch(status.since).as_secs_f64()),
            // Of the newest picture and not of the mode: a source may change its size,
            // and some have no mode.
            width: latest.map(|meta| meta.width),
            height: latest.map(|meta| meta.height),
            fps: round(status.fps),
            frame_age_ms: latest.map(|meta| ms(meta.at.monotonic.elapsed())),
            frames: Frames {
                captured: status.n_captured,
                dropped: ByName(status.n_dropped),
                repaired: ByName(status.n_repaired),
            },
            viewers: viewers.n_watching(&camera.name),
            max_viewers: camera.max_viewers(),
            opened: status.n_opened,
            faults: ByName(status.n_faults),
            stills: status.asked.still_size.map(|size| Stills::new(size, status.stills)),
            variants: camera.variants.report().0.iter().map(VariantReport::new).collect(),
            motion: camera.motion.as_ref().map(|motion| MotionReport::new(motion.status())),
        }
    }
}

impl VariantReport {
    fn new(report: &variants::Report) -> Self {
        let variants::Report { wish, n_readers, status, figures } = report;
        let latest = status.latest.as_ref().map(|frame| frame.meta);
        let n_pictures = figures.n_made + figures.n_passed + figures.n_damaged;
        let n_pictures = u32::try_from(n_pictures).ok().filter(|n| *n > 0);
        Self {
            wish: wish.to_string(),
            state: status.state.name(),
            width: latest.map(|meta| meta.width),
            height: latest.map(|meta| meta.height),
            fps: round(status.fps),
            readers: *n_readers,
            made: figures.n_made,
            passed: figures.n_passed,
            passed_why: figures.passed_why,
            damaged: figures.n_damaged,
            skipped: figures.n_skipped,
            cpu_s: round(figures.cpu.as_secs_f64()),
            cpu_ms_per_picture: n_pictures.map(|n| ms(figures.cpu / n)),
        }
    }
}

impl MotionReport {
    fn new(status: motion::Status) -> Self {
        Self {
            moving: status.is_moving,
            begun: status.n_begun,
            area: round(status.area.into()),
            looks: status.n_looks,
            unreadable: status.n_unreadable,
            cause: status.cause,
        }
    }
}

impl HookReport {
    fn new(hooks::Report { kind, action, counts }: hooks::Report) -> Self {
        Self {
            event: kind.map(Kind::name),
            action,
            done: counts.n_done,
            failed: counts.n_failed,
            late: counts.n_late,
            lost: counts.n_lost,
            error: counts.error,
        }
    }
}

impl MqttReport {
    fn new(report: mqtt::Report) -> Self {
        Self {
            broker: report.broker,
            prefix: report.prefix,
            connected: report.is_connected,
            published: report.n_published,
            waiting: report.n_waiting,
            lost: report.n_lost,
            failures: report.n_failures,
            error: report.error,
        }
    }
}

impl ViewerReport {
    fn new(viewer: &Viewer) -> Self {
        let report = viewer.report();
        Self {
            id: viewer.id,
            address: viewer.info.peer.to_string(),
            // By it a page finds its own row. The address would not do: behind a proxy
            // all viewers have the same one.
            key: viewer.info.key.clone(),
            camera: viewer.camera.clone(),
            path: viewer.info.path.clone(),
            layout: viewer.info.layout.name(),
            variant: viewer.info.wish.map(|wish| wish.to_string()),
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
