//! Why the program ends without having done what was asked.

use std::fmt;
use std::process::ExitCode;

/// Why the program failed, by its exit code: a script, or systemd's
/// `RestartPreventExitStatus=2`, has to know whether another try may help.
#[derive(Debug)]
pub(super) enum Error {
    /// The command line or the configuration is wrong: exit code 2, which clap
    /// uses too. Another try fails in the same way.
    Usage(anyhow::Error),
    /// It failed while running: exit code 1.
    Failed(anyhow::Error),
}

impl Error {
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::FAILURE,
        }
    }
}

/// What `?` makes of an error that has no other code.
impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

/// The error with all its causes, in one line.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Usage(error) | Self::Failed(error)) = self;
        write!(f, "{error:#}")
    }
}
