//! Why a stream cannot be read any further.

use std::fmt;

/// Each error ends the stream: the caller has to connect again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Error {
    /// No delimiter came where one was expected. `boundary` is the one that was searched
    /// for, if the server named one.
    NoDelimiter { boundary: Option<String>, n_bytes: usize },
    /// A part has more bytes of headers than any server needs.
    LongHeaders { max: usize },
    /// A part is larger than the limit, or its headers say so.
    TooLarge { n_bytes: u64, max: usize },
    /// The stream ended inside a picture.
    Truncated,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDelimiter { boundary: Some(boundary), n_bytes } => {
                write!(f, "no delimiter line with {boundary:?} in {n_bytes} bytes")
            }
            Self::NoDelimiter { boundary: None, n_bytes } => {
                write!(f, "no line that begins with -- in {n_bytes} bytes")
            }
            Self::LongHeaders { max } => write!(f, "a part with more than {max} bytes of headers"),
            Self::TooLarge { n_bytes, max } => {
                write!(f, "a part of {n_bytes} bytes or more; {max} are allowed")
            }
            Self::Truncated => write!(f, "the stream ended inside a picture"),
        }
    }
}
