//! `/controls`: the camera's controls with their values, and new values by POST.

use serde_json::{Map, Value, json};

use crate::capture::Capture;
use crate::controls::{ALL, Change, SetTo};
use crate::http::context::Context;
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;
use crate::http::transport::Method;

/// How many may be changed at once: more than any camera has.
const MOST: usize = 256;

/// Answers GET with all controls, POST with the result of each change.
///
/// # Errors
/// 400 for a body that cannot be, 503 where the controls cannot be reached.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    let reply = if request.method() == Method::Post {
        let body = request.body()?;
        context.check_lock()?;
        set(&body, &request.camera.capture)?
    } else {
        list(&request.camera.capture)?
    };
    context.send(request, &reply);
    Ok(())
}

fn list(capture: &Capture) -> Result<Reply, Reply> {
    let controls = capture.controls().map_err(|why| away(&why))?;
    Ok(Reply::json(Code::Ok, &json!({ "controls": controls })))
}

fn set(body: &[u8], capture: &Capture) -> Result<Reply, Reply> {
    // What cannot be read is answered beside the others, and these are set: a page that
    // sends ten values learns of the one that is wrong.
    let (changes, mut ends) = read(body)?;
    let results = capture.set_controls(&changes).map_err(|why| away(&why))?;
    for (name, end) in results {
        let end = match end {
            Ok(value) => json!({ "value": value }),
            Err(why) => json!({ "error": why }),
        };
        log::debug!("control {name}: {end}");
        ends.insert(name, end);
    }
    let has_failed = ends.values().any(|end| end.get("error").is_some());
    // One wrong value makes the whole reply an error, so that a script that looks at
    // the code alone notices it.
    let code = if has_failed { Code::BadRequest } else { Code::Ok };
    Ok(Reply::json(code, &json!({ "controls": ends })))
}

fn away(why: &str) -> Reply {
    Reply::unavailable(&format!("the camera's controls cannot be reached: {why}"))
}

/// The changes that a body asks for, and errors for what is none.
fn read(body: &[u8]) -> Result<(Vec<Change>, Map<String, Value>), Reply> {
    let right = "send names and values, such as {\"brightness\": 40}";
    let bad = |why: &str| Reply::bad_request(&format!("{right}: {why}"));
    let map: Map<String, Value> = serde_json::from_slice(body).map_err(|e| bad(&e.to_string()))?;
    // Each is a call to the device at least, and holds a worker of this lane meanwhile.
    if map.len() > MOST {
        return Err(bad(&format!("at most {MOST} at once")));
    }
    let (mut changes, mut errors) = (Vec::new(), Map::new());
    for (name, value) in map {
        match set_to(&value) {
            Some(set_to) if name != ALL || set_to == SetTo::Default => changes.push((name, set_to)),
            _ => {
                let right = "is no value; use a whole number, true or false, the label of a \
                             menu's item, or null for the default";
                errors.insert(name, json!({ "error": format!("{value} {right}") }));
            }
        }
    }
    Ok((changes, errors))
}

/// What a value of JSON asks for.
fn set_to(value: &Value) -> Option<SetTo> {
    match value {
        Value::Null => Some(SetTo::Default),
        Value::String(text) if text == "default" => Some(SetTo::Default),
        Value::String(text) => Some(SetTo::Item(text.clone())),
        Value::Bool(is_on) => Some(SetTo::Value((*is_on).into())),
        Value::Number(number) => number.as_i64().map(SetTo::Value),
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_json_are_read() {
        let (changes, errors) = read(
            br#"{"a": -5, "b": true, "c": "50 Hz", "d": null, "e": "default", "f": 1.5,
                 "g": [1], "*": null, "h": 99999999999999999999}"#,
        )
        .unwrap();
        let named = |name: &str| changes.iter().find(|(n, _)| n == name).map(|(_, set_to)| set_to);
        assert_eq!(named("a"), Some(&SetTo::Value(-5)));
        assert_eq!(named("b"), Some(&SetTo::Value(1)));
        assert_eq!(named("c"), Some(&SetTo::Item("50 Hz".into())));
        assert_eq!((named("d"), named("e")), (Some(&SetTo::Default), Some(&SetTo::Default)));
        assert_eq!(named(ALL), Some(&SetTo::Default));
        assert_eq!(errors.keys().collect::<Vec<_>>(), ["f", "g", "h"]);
        assert!(
            errors["f"]["error"]
                .as_str()
                .unwrap()
                .starts_with("1.5 is no value; use a whole number")
        );
        assert!(read(br#"{"*": 5}"#).unwrap().1.contains_key(ALL));
    }

    #[test]
    fn what_is_no_object_or_too_large_is_refused() {
        for body in [&b""[..], b"[]", b"5", b"{", b"{\"a\": 1} x", b"\xff"] {
            assert!(read(body).is_err(), "{body:?}");
        }
        let many: Map<String, Value> = (0..257).map(|n| (n.to_string(), json!(1))).collect();
        assert!(read(Value::Object(many).to_string().as_bytes()).is_err());
    }
}
