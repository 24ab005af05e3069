//! HTTP: who asks, what for, and who answers, in the order in which a request
//! passes.
//!
//! ```text
//! transport  ->  dispatch  ->  routes (one table)  ->  endpoints
//! a whole        login,        path, methods,          one file
//! request        camera,       lane, answer            an address
//!                lane
//! ```
//! Beside them stand what several use: `access` (who may), `lanes` (the
//! workers), `viewers` (the book of seats), `query`, `request`, `reply`,
//! `recorded` and `context`. A file knows only those before it in this list,
//! and `endpoints` never know each other: a test of the layout checks it.
//!
//! HTTP reads from the slot, sets controls through capture's handle, and sees
//! no driver.

// In the order in which they may know each other.
mod transport;

// A blank line between each two, or rustfmt sorts them.
mod access;

mod lanes;

mod reply;

pub(crate) mod time;

pub(crate) mod query;

mod request;

mod viewers;

mod recorded;

mod context;

mod endpoints;

pub(crate) mod routes;

mod dispatch;

mod server;

pub(crate) use routes::check_camera_name;
pub(crate) use server::Server;
pub(crate) use transport::{Inherited, QUIET, Restart};
