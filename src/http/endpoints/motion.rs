//! `/motion`: what the detector sees, and `/motion/areas`: where it looks.

use std::fmt::Write;
use std::time::SystemTime;

use crate::frame::since_epoch;
use crate::http::context::Context;
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;
use crate::http::transport::Method;
use crate::motion::{AreasError, Look, Motion};

/// # Errors
/// 404 where no motion is looked for, 400 for a value that cannot be.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    let motion = motion(request)?;
    let from = request.query().number("from", 0.0..=1e12)?.unwrap_or(0.0);
    let (looks, view) = motion.since(from, request.query().is_on("grid"));
    let now = since_epoch(SystemTime::now()).as_secs_f64();
    let (is_moving, least) = (motion.status().is_moving, motion.min_size());
    let mut text =
        format!("{{\"now\":{now:.3},\"moving\":{is_moving},\"min_size\":{least},\"looks\":[");
    for (n, Look { at, changed, moving }) in looks.iter().enumerate() {
        let comma = if n > 0 { "," } else { "" };
        // As f64, since the code for texts of f32 would be there for this alone.
        let [changed, moving] = [changed, moving].map(|share| f64::from(*share));
        // Milliseconds, and a tenth of a cell. Writing to a String does not fail.
        let _ = write!(text, "{comma}[{at:.3},{changed:.5},{moving:.5}]");
    }
    text += "],\"grid\":";
    text += &view.map_or_else(
        || "null}".into(),
        |view| format!("{{\"width\":{},\"cells\":\"{}\"}}}}", view.width, view.cells),
    );
    send(context, request, text);
    Ok(())
}

/// Answers GET with zones and masks, POST with what they are afterwards.
///
/// # Errors
/// 404 where no motion is looked for, 400 for a body that cannot be, 503 for areas that
/// cannot be kept.
pub(in crate::http) fn areas(context: &Context, request: &mut Request) -> Result<(), Reply> {
    if request.method() == Method::Post {
        let body = request.body()?;
        context.check_lock()?;
        motion(request)?.draw(&body).map_err(|e| match e {
            AreasError::Wrong(why) => Reply::bad_request(&why),
            AreasError::NotKept(why) => Reply::unavailable(&why),
        })?;
    }
    let motion = motion(request)?;
    let (fixed, drawn) = motion.areas();
    let (kept, locked) = (motion.keeps_areas(), context.config.lock_controls);
    let (drawn, fixed) = (drawn.json(), fixed.json());
    let text = format!("{{{drawn},\"fixed\":{{{fixed}}},\"kept\":{kept},\"locked\":{locked}}}");
    send(context, request, text);
    Ok(())
}

/// Not serialized: these are texts of JSON already.
fn send(context: &Context, request: &Request, json: String) {
    context.send(request, &Reply::new(Code::Ok, "application/json", json.into_bytes()));
}

/// The detector of the camera.
///
/// # Errors
/// 404 where there is none.
fn motion(request: &Request) -> Result<&Motion, Reply> {
    request.camera.motion.as_ref().ok_or_else(|| {
        Reply::text(Code::NotFound, "no motion is looked for here; start mjpegd with --motion")
    })
}
