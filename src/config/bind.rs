//! Where to listen: addresses, and Unix sockets by their paths.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

/// What a path of a Unix socket begins with.
const UNIX: &str = "unix:";
/// The longest path that a Unix socket can have, in bytes (`sun_path` of unix(7)
/// has 108, with a zero at the end).
const MAX_PATH: usize = 107;

/// One place to listen at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Bind {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Bind {
    /// Reads what was given with `--bind`.
    ///
    /// # Errors
    /// The first that cannot be used, or is given twice.
    pub(super) fn parse_all<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<Self>> {
        let mut all = Vec::new();
        for text in texts {
            let bind = Self::parse(text)?;
            ensure!(!all.contains(&bind), "--bind {text}: it is given twice");
            all.push(bind);
        }
        Ok(all)
    }

    fn parse(text: &str) -> Result<Self> {
        let Some(path) = text.strip_prefix(UNIX) else { return address(text).map(Self::Tcp) };
        let is_absolute = Path::new(path).is_absolute();
        ensure!(is_absolute, "--bind {text}: use a whole path, such as unix:/run/mjpegd/http.sock");
        ensure!(path.len() <= MAX_PATH, "--bind {text}: use a path of {MAX_PATH} bytes or less");
        Ok(Self::Unix(path.into()))
    }
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

/// Reads `127.0.0.1:5000`, `[::1]:5000`, `localhost:5000`, or `:5000` for all
/// addresses of this machine.
fn address(text: &str) -> Result<SocketAddr> {
    let right = "use ADDRESS:PORT, such as 0.0.0.0:5000 or [::]:5000, or unix:PATH";
    // A socket of IPv6 takes clients of IPv4 too (ipv6(7), IPV6_V6ONLY).
    let full = if text.starts_with(':') { format!("[::]{text}") } else { text.to_owned() };
    let mut found = match full.to_socket_addrs() {
        Ok(found) => found,
        // Without /etc/hosts, as in a container that holds only this program.
        Err(e) => match full.strip_prefix("localhost:").and_then(|port| port.parse().ok()) {
            Some(port) => vec![SocketAddr::from(([127, 0, 0, 1], port))].into_iter(),
            None => return Err(e).with_context(|| format!("--bind {text}: {right}")),
        },
    };
    match found.next() {
        Some(address) => Ok(address),
        None => bail!("--bind {text}: the name has no address; {right}"),
    }
}

/// Reads the mode of Unix sockets: `660`, in octal as chmod takes it.
///
/// # Errors
/// It is none.
pub(super) fn unix_mode(text: &str) -> Result<u32> {
    match u32::from_str_radix(text, 8) {
        Ok(mode) if mode <= 0o777 && !text.starts_with('+') => Ok(mode),
        _ => bail!("--unix-mode {text}: use three octal digits as chmod does, such as 660"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_families_and_names() {
        for (typed, bound) in [
            ("127.0.0.1:5000", "127.0.0.1:5000"),
            ("[::1]:80", "[::1]:80"),
            (":8080", "[::]:8080"),
            ("unix:/run/cam.sock", "unix:/run/cam.sock"),
        ] {
            assert_eq!(Bind::parse(typed).unwrap().to_string(), bound);
        }
        assert!(address("localhost:5000").unwrap().ip().is_loopback());
    }

    #[test]
    fn error_says_what_would_be_right() {
        let twice = ["127.0.0.1:80", "127.0.0.1:80"];
        for (typed, says) in [
            (&["5000"][..], "--bind 5000: use ADDRESS:PORT"),
            (&["unix:cam.sock"], "--bind unix:cam.sock: use a whole path"),
            (&twice, "--bind 127.0.0.1:80: it is given twice"),
        ] {
            let fault = Bind::parse_all(typed.iter().copied()).unwrap_err().to_string();
            assert!(fault.starts_with(says), "{fault}");
        }
        let long = format!("unix:/{}", "x".repeat(MAX_PATH));
        assert!(Bind::parse(&long).unwrap_err().to_string().contains("107 bytes"));
    }

    #[test]
    fn mode_is_octal() {
        assert_eq!(unix_mode("660").unwrap(), 0o660);
        assert_eq!(unix_mode("0600").unwrap(), 0o600);
        for text in ["", "8", "1777", "+7", "rw"] {
            assert!(unix_mode(text).is_err(), "{text}");
        }
    }
}
