//! Why a picture was not changed.

use std::fmt;

/// Why a picture was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TranscodeError {
    /// A picture of a kind that can only be passed on as it is: progressive, arithmetic
    /// coding, CMYK. The text says which.
    Unsupported(&'static str),
    /// The entropy-coded data or a table is damaged: drop the picture. The text says what
    /// is wrong.
    Damaged(&'static str),
    /// More pixels than the limit, or more than its bytes can hold.
    TooLarge,
}

impl fmt::Display for TranscodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported(what) | Self::Damaged(what) => f.write_str(what),
            Self::TooLarge => f.write_str("too many pixels"),
        }
    }
}

impl std::error::Error for TranscodeError {}
