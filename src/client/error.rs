//! Why there is no frame.

use std::fmt;

use crate::fetch::{self, Cause};

/// Why there is no frame, by what the caller can do about it. The text in each
/// variant is for people.
///
/// After every error but [`ClientError::Address`] and [`ClientError::Stopped`]
/// the next call tries again, and may succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError {
    /// The given text is not the address of a stream.
    Address(String),
    /// The host does not exist, runs no server, or has no such page.
    Away(String),
    /// The server asks for a user and password, refuses the given ones, or refuses
    /// everybody (403).
    Denied(String),
    /// The server has no room for another viewer now, or no picture: it is a mjpegd
    /// that has lost its camera.
    Busy(String),
    /// No frame came in time.
    Timeout(String),
    /// The server sends no MJPEG stream, or a frame above the limit.
    Unusable(String),
    /// The connection broke.
    Io(String),
    /// The server ended the stream. All complete frames were returned before.
    Ended(String),
    /// The [`Stopper`](super::Stopper) was dropped.
    Stopped,
}

impl ClientError {
    pub(super) fn from_fetch(error: fetch::Error) -> Self {
        match error {
            fetch::Error::Stopped => Self::Stopped,
            fetch::Error::Failed(cause, why) => match cause {
                Cause::Away => Self::Away(why),
                Cause::Denied => Self::Denied(why),
                // Both pass by themselves, and the caller does the same: wait.
                Cause::Busy | Cause::Upstream => Self::Busy(why),
                Cause::Late => Self::Timeout(why),
                Cause::Unusable => Self::Unusable(why),
                Cause::Io => Self::Io(why),
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
