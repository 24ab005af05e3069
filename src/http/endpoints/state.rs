//! `/state`: the state in the names and shapes of uStreamer, whose users'
//! programs read it. What has no counterpart here is left out.

use serde_json::{Map, Value, json};

use crate::capture::State;
use crate::http::context::Context;
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;
use crate::http::viewers::{Layout, Viewer};

/// Never fails: the signature is that of all endpoints.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    let camera = request.camera.capture.status();
    let latest = camera.latest.as_ref().map(|frame| frame.meta);
    let viewers = context.viewers.present();
    let of_camera = viewers.iter().filter(|viewer| viewer.camera == request.camera.name);
    let clients: Map<String, Value> =
        of_camera.map(|viewer| (format!("{:016x}", viewer.id), client(viewer))).collect();
    let state = json!({
        "ok": true,
        "result": {
            // Fields of uStreamer are there also where this program has nothing to say,
            // as its clients may rely on them.
            "instance_id": "",
            "encoder": { "type": "HW", "quality": 0 },
            "source": {
                "resolution": {
                    "width": latest.map_or(0, |meta| meta.width),
                    "height": latest.map_or(0, |meta| meta.height),
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

fn client(viewer: &Viewer) -> Value {
    json!({
        "fps": whole(viewer.report().fps),
        "extra_headers": viewer.info.has_extra_headers,
        "advance_headers": viewer.info.layout == Layout::Advance,
        "dual_final_frames": false,
        "zero_data": false,
        "key": viewer.info.key,
    })
}

/// uStreamer counts whole frames.
#[allow(clippy::cast_possible_truncation, reason = "a rounded rate is far below 2^53")]
fn whole(rate: f64) -> i64 {
    rate.round() as i64
}
