//! `/readyz`: whether a balancer should send new viewers here. It needs no login.
//!
//! Seats and cameras count only where they are asked for: a balancer that takes a
//! full server out would take its page and snapshots away too, and one with a lost
//! camera shows why.

use crate::http::context::Context;
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;
use crate::http::viewers::DRAINING;

/// 503 and the reason while the program stops or drains; with `seats=1` also while no
/// seat is free, with `cameras=1` while a camera is lost.
///
/// # Errors
/// None.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    let reply = match why_not(context, request) {
        Some(reply) => reply,
        None => Reply::text(Code::Ok, "ready"),
    };
    // Of no camera, as the log would name the first one.
    context.write(&request.connection, None, &reply);
    Ok(())
}

fn why_not(context: &Context, request: &Request) -> Option<Reply> {
    let (query, seats) = (request.query(), context.viewers.seats());
    if context.stop.is_ordered() {
        return Some(Reply::stopping());
    }
    if context.viewers.is_closed() {
        return Some(Reply::unavailable(DRAINING));
    }
    if query.is_on("seats") && seats.taken >= seats.total {
        return Some(Reply::unavailable(&format!("all {} seats are taken", seats.total)));
    }
    if query.is_on("cameras") { context.why_lost() } else { None }
}
