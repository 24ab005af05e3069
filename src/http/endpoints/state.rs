//! `/state`: the state in the names and shapes of uStreamer, whose users'
//! programs read it. What has no counterpart here is left out: uStreamer leaves
//! out `sinks`, `h264` and `drm` too where it has none.

use serde_json::{Map, Value, json};

use crate::capture::State;
use crate::http::context::Context;
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;
use crate::http::viewer::{Extras, Layout, Viewer};
use crate::mode::Mode;

/// Never fails: the signature is that of all endpoints.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    let camera = request.camera.capture.status();
    let latest = camera.latest.as_ref().map(|frame| frame.meta);
    let viewers = context.viewers.present();
    let of_camera = viewers.iter().filter(|viewer| viewer.camera == request.camera.name);
    let clients: Map<String, Value> =
        of_camera.map(|viewer| (viewer.hex_id(), client(viewer))).collect();
    let of_frame = latest.map(|meta| (meta.width.into(), meta.height.into()));
    let size = of_frame.or(camera.mode.size).or(camera.asked.size).unwrap_or_default();
    let state = json!({
        "ok": true,
        "result": {
            "instance_id": context.config.instance_id,
            "encoder": encoder(&camera.mode),
            "source": {
                "resolution": {
                    "width": size.0,
                    "height": size.1,
                },
                // Only with pictures: clients that find it true ask for the stream, and
                // a camera that is starting or lost gives none yet.
                "online": camera.state == State::Live,
                "desired_fps": whole(camera.asked.fps.or(camera.mode.fps).unwrap_or(0.0)),
                "captured_fps": whole(camera.fps),
            },
            "stream": {
                "queued_fps": whole(camera.fps),
                "clients": clients.len(),
                "clients_stat": clients,
            },
        },
    });
    context.send(request, &Reply::json(Code::Ok, &state));
    Ok(())
}

/// Who makes the JPEGs: this program, an encoder of the board, or the camera, of whose
/// quality nothing is known.
fn encoder(mode: &Mode) -> Value {
    match mode.quality {
        Some(quality) => {
            let kind = if mode.encoder.is_some() { "M2M-IMAGE" } else { "CPU" };
            json!({ "type": kind, "quality": quality })
        }
        None => json!({ "type": "HW", "quality": 0 }),
    }
}

fn client(viewer: &Viewer) -> Value {
    let Extras { extra_headers, dual_final_frames, zero_data } = viewer.info.extras;
    json!({
        "fps": whole(viewer.report().fps),
        "extra_headers": extra_headers,
        "advance_headers": viewer.info.layout == Layout::Advance,
        "dual_final_frames": dual_final_frames,
        "zero_data": zero_data,
        "key": viewer.info.shown_key(),
    })
}

/// uStreamer counts whole frames.
#[allow(clippy::cast_possible_truncation, reason = "a rounded rate is far below 2^53")]
fn whole(rate: f64) -> i64 {
    rate.round() as i64
}
