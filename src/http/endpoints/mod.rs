//! The endpoints: one file an address, or a few that are one thing. They know
//! nothing of each other, nor of the table of routes.

pub(super) mod controls;
pub(super) mod download;
pub(super) mod frames_csv;
pub(super) mod health;
pub(super) mod metrics;
pub(super) mod page;
pub(super) mod record;
pub(super) mod recordings;
pub(super) mod segment;
pub(super) mod snapshot;
pub(super) mod state;
pub(super) mod status;
pub(super) mod stream;
