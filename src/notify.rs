//! What is reported to a supervisor such as systemd, and what it asks for (sd_notify(3)).
//!
//! Without a supervisor all of it does nothing. Own code: a crate for it would hold the
//! same datagram, and much that is not used here.

use std::env;
use std::ffi::OsString;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::{Command, id};
use std::time::Duration;

/// Meant for this process, and not for the commands that it starts.
const VARIABLES: [&str; 6] = [
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_FDNAMES",
];
/// The first descriptor that systemd hands over (`SD_LISTEN_FDS_START`).
const FIRST_LISTENER: i32 = 3;
/// More would be an error in the variable.
const MAX_LISTENERS: i32 = 64;

/// The way to the supervisor.
pub(crate) struct Notifier {
    socket: UnixDatagram,
    to: SocketAddr,
}

impl Notifier {
    /// `None`: no supervisor wants to know.
    pub(crate) fn from_env() -> Option<Self> {
        let to = address(&env::var_os("NOTIFY_SOCKET")?)?;
        let socket = UnixDatagram::unbound().ok()?;
        // A supervisor that does not read must not hold the daemon up.
        socket.set_nonblocking(true).ok()?;
        Some(Self { socket, to })
    }

    /// Sends lines such as `READY=1`. What cannot be sent is lost, as with a log.
    pub(crate) fn send(&self, lines: &str) {
        if let Err(e) = self.socket.send_to_addr(lines.as_bytes(), &self.to) {
            log::debug!("cannot tell the supervisor {lines:?}: {e}");
        }
    }
}

/// A path, or a name of the abstract namespace behind `@`.
fn address(name: &OsString) -> Option<SocketAddr> {
    match name.as_bytes() {
        [b'/', ..] => SocketAddr::from_pathname(name).ok(),
        [b'@', rest @ ..] => SocketAddr::from_abstract_name(rest).ok(),
        _ => None,
    }
}

/// How long the supervisor waits for `WATCHDOG=1` before it kills the program.
pub(crate) fn watchdog() -> Option<Duration> {
    let us: u64 = number("WATCHDOG_USEC").filter(|us| *us > 0)?;
    let is_meant = number("WATCHDOG_PID").is_none_or(|pid: u32| pid == id());
    is_meant.then(|| Duration::from_micros(us))
}

/// The descriptors of the sockets that the supervisor has opened, if it did.
pub(crate) fn listeners() -> Option<Vec<i32>> {
    let n: i32 = number("LISTEN_FDS").filter(|n| (1..=MAX_LISTENERS).contains(n))?;
    let is_meant = number("LISTEN_PID") == Some(id());
    is_meant.then(|| (FIRST_LISTENER..FIRST_LISTENER + n).collect())
}

fn number<T: std::str::FromStr>(variable: &str) -> Option<T> {
    env::var(variable).ok()?.parse().ok()
}

/// Takes all of it out of the environment of a command.
pub(crate) fn hide_from(command: &mut Command) -> &mut Command {
    VARIABLES.iter().fold(command, |command, name| command.env_remove(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn socket_is_a_path_or_an_abstract_name() {
        let path = address(&"/run/systemd/notify".into()).unwrap();
        assert_eq!(path.as_pathname(), Some("/run/systemd/notify".as_ref()));
        let name = address(&"@systemd/notify".into()).unwrap();
        assert_eq!(name.as_abstract_name(), Some(&b"systemd/notify"[..]));
        for other in ["", "vsock:2:1234", "relative"] {
            assert!(address(&other.into()).is_none(), "{other}");
        }
    }
}
