//! `/clients.json`: who watches, as mjpg-streamer lists its clients.

use std::time::SystemTime;

use serde_json::{Value, json};

use crate::frame::since_epoch;
use crate::http::context::Context;
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;
use crate::http::transport::Peer;
use crate::http::viewer::Viewer;

/// Never fails: the signature is that of all endpoints.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    let now = SystemTime::now();
    let viewers = context.viewers.present();
    let clients: Vec<_> = viewers.iter().map(|viewer| client(viewer, now)).collect();
    context.send(request, &Reply::json(Code::Ok, &json!({ "clients": clients })));
    Ok(())
}

/// Without the port, as mjpg-streamer has it.
fn address(peer: Peer) -> String {
    match peer {
        Peer::Forwarded(address) => address.to_string(),
        Peer::Tcp(address) => address.ip().to_canonical().to_string(),
        Peer::Unix => peer.to_string(),
    }
}

/// The time is that of its last picture, or of its coming while it had none.
fn client(viewer: &Viewer, now: SystemTime) -> Value {
    let last = viewer.report().last.unwrap_or(viewer.since);
    let at = now.checked_sub(last.elapsed()).unwrap_or(now);
    json!({
        "address": address(viewer.info.peer),
        "timestamp": since_epoch(at).as_secs(),
    })
}
