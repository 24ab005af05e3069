//! HTTP: who asks, what for, and who answers, in the order in which a request
//! passes.
//!
//! ```text
//! transport  ->  dispatch  ->  routes (one table)  ->  endpoints
//! a whole        login,        path, methods,          one file
//! request        camera,       lane, answer            an address
//!                lane
//! ```
//! Beside these four storeys stands what several of them use: `access` (who
//! may), `lanes` (the workers), `viewers` (the book of seats), `drainer`, `query`,
//! `request`, `reply`, `recorded`, `stretch`, `event_filter`, `variant`, `ustreamer` and `context`. The
//! order of the declarations below is the order in which they may know each other, and endpoints never
//! know each other: a test of the layout checks both.
//!
//! HTTP reads from the slot, sets controls through capture's handle, and sees
//! no driver.

// In the order in which they may know each other. The blank lines keep rustfmt
// from sorting them.
mod transport;

mod access;
mod lanes;

mod reply;

pub(crate) mod time;

pub(crate) mod query;
mod request;

mod viewer;

mod viewers;

mod drainer;

mod context;
mod event_filter;
mod recorded;
mod stretch;
mod ustreamer;
mod variant;

// With `endpoints`, a file an address.
pub(crate) mod routes;

mod dispatch;

mod server;

#[cfg(test)]
pub(crate) use access::ForwardedHeaders;
pub(crate) use context::Shown;
pub(crate) use routes::check_camera_name;
pub(crate) use server::Server;
pub(crate) use transport::{Inherited, QUIET, Restart, reachable, try_bind};
