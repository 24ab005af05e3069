//! Why there is no picture.

use std::fmt;

use crate::fetch::{self, Fault};

/// Why there is no picture, by what can be done about it. Each holds a text
/// for people.
///
/// All but [`ClientError::Address`] and [`ClientError::Stopped`] may pass: the
/// next call tries again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError {
    /// What was given is no address of a stream.
    Address(String),
    /// There is no such host, no server on it, or no such page.
    Away(String),
    /// The server asks for user and password, or for others.
    Denied(String),
    /// The server has no room for one more now.
    Busy(String),
    /// No picture came in time.
    Timeout(String),
    /// What the server sends is no MJPEG stream, or larger than is taken.
    Unusable(String),
    /// The connection broke.
    Io(String),
    /// The server ended the stream; all whole pictures were given before.
    Ended(String),
    /// The [`Stopper`](super::Stopper) was dropped.
    Stopped,
}

impl ClientError {
    pub(super) fn of(error: fetch::Error) -> Self {
        match error {
            fetch::Error::Stopped => Self::Stopped,
            fetch::Error::Failed(fault, why) => match fault {
                Fault::Away => Self::Away(why),
                Fault::Denied => Self::Denied(why),
                Fault::Busy => Self::Busy(why),
                Fault::Late => Self::Timeout(why),
                Fault::Unusable => Self::Unusable(why),
                Fault::Io => Self::Io(why),
            },
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(why)
            | Self::Away(why)
            | Self::Denied(why)
            | Self::Busy(why)
            | Self::Timeout(why)
            | Self::Unusable(why)
            | Self::Io(why)
            | Self::Ended(why) => f.write_str(why),
            Self::Stopped => f.write_str("asked to stop"),
        }
    }
}

impl std::error::Error for ClientError {}
