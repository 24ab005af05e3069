//! The subcommands that read a stream, as any program could by
//! [`mjpegd::client`].

pub(crate) mod grab;
mod line;
pub(crate) mod probe;
mod summary;
