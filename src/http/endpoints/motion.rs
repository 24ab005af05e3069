//! `/motion`: what the detector sees, and `/motion/areas`: where it looks.

use std::time::SystemTime;

use serde_json::{Value, json};

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
    let look = |look: &Look| {
        // Milliseconds, and a tenth of a cell.
        let rounded = [(look.at, 1e3), (look.changed.into(), 1e5), (look.moving.into(), 1e5)];
        rounded.iter().map(|(value, by)| (value * by).round() / by).collect::<Value>()
    };
    let body = json!({
        "now": since_epoch(SystemTime::now()).as_secs_f64(),
        "moving": motion.status().is_moving,
        "min_size": motion.min_size(),
        "looks": looks.iter().map(look).collect::<Value>(),
        "grid": view.map(|view| json!({ "width": view.width, "cells": view.cells })),
    });
    context.send(request, &Reply::json(Code::Ok, &body));
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
    let mut body = drawn.json();
    body["fixed"] = fixed.json();
    body["kept"] = motion.keeps_areas().into();
    body["locked"] = context.config.lock_controls.into();
    context.send(request, &Reply::json(Code::Ok, &body));
    Ok(())
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
