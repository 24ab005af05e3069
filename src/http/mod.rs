//! HTTP: who asks, what for, and who answers.
//!
//! ```text
//! server (accept) -> connection (claim) -> desk (route, admit) -> office (answer)
//!     by pools: streams (one worker a viewer, at most --threads),
//!     snapshots, short replies, controls, password checks (a few workers each)
//! ```
//! Beside them the guard looks after connections that have sent no request yet.
//! It reads from the slot and sets controls through capture's handle, and sees
//! no driver.

mod auth;
mod body;
mod change;
mod connection;
mod controls;
mod descriptor;
mod desk;
mod direct;
mod download;
mod guard;
mod guesses;
mod listener;
mod methods;
mod metrics;
mod office;
mod page;
mod playback;
mod pool;
mod recorded;
mod recordings;
mod reply;
mod route;
mod sender;
mod server;
mod snapshot;
mod status;
mod stream;
mod target;
mod times;
mod viewers;

pub(crate) use listener::QUIET;
pub(crate) use server::Server;

/// The microsecond since 1970 that a moment in a query stands for.
#[cfg(test)]
pub(crate) fn look_at_time(text: &str, now: std::time::SystemTime) -> Result<u64, String> {
    times::When::parse(text).map(|when| when.resolve(now))
}

/// What a request's target is taken for, as text.
#[cfg(test)]
pub(crate) fn look_at_target(target: &str, accept: Option<&str>) -> String {
    format!("{:?}", target::route(target, accept))
}
