//! The limit of open files, and how many connections fit into it.

use anyhow::{Result, bail};
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::config::{Limits, N_SHORT_CONNECTIONS};

/// Descriptors for all else: camera, log, listener and what libraries open.
const N_OTHERS: u64 = 64;
/// Descriptors of a connection: two while the HTTP library has it, one for each
/// direction; then the library's and that of the worker.
const N_PER_CONNECTION: u64 = 2;

/// Raises the limit as far as the system allows, and checks that `n_seats`
/// viewers fit into it.
///
/// # Errors
/// Too few files may be open: how many are needed, and how many seats fit.
pub(crate) fn check(n_seats: usize) -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where the limit must not be raised, the present one may be enough.
    let _ = setrlimit(Resource::Nofile, limit);
    check_allowed(n_seats, allowed())
}

fn check_allowed(n_seats: usize, allowed: u64) -> Result<()> {
    let needed = needed(n_seats);
    if allowed >= needed {
        return Ok(());
    }
    let advice = match max_connections(allowed).saturating_sub(N_SHORT_CONNECTIONS) {
        // Not even one seat fits, so a lower --threads alone is no help.
        0 => format!("raise the limit to {needed} (ulimit -n {needed}, LimitNOFILE={needed})"),
        n => format!("use --threads {n} or raise the limit (ulimit -n {needed}, LimitNOFILE=)"),
    };
    bail!(
        "--threads {n_seats} needs {needed} open files, and this system allows {allowed}; {advice}"
    )
}

/// How many files `n_seats` viewers need, with all else.
fn needed(n_seats: usize) -> u64 {
    N_PER_CONNECTION * (n_seats + N_SHORT_CONNECTIONS) as u64 + N_OTHERS
}

/// Lowers the limit of connections to what the limit of open files allows.
pub(crate) fn limit_connections(limits: &mut Limits) {
    let max = max_connections(allowed());
    if max < limits.max_connections {
        log::info!("the limit of open files allows {max} connections (ulimit -n, LimitNOFILE=)");
        limits.max_connections = max;
    }
}

/// How many connections fit into a limit of open files.
fn max_connections(allowed: u64) -> usize {
    usize::try_from(allowed.saturating_sub(N_OTHERS) / N_PER_CONNECTION).unwrap_or(usize::MAX)
}

/// How many files this process may have open.
fn allowed() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_followed_with_success() {
        for allowed in [0, 20, 64, 97, 98, 99, 100, 127] {
            let error = check_allowed(16, allowed).unwrap_err().to_string();
            assert!(!error.contains("--threads 0"), "{allowed}: {error}");
            let number = |text: &str| -> Option<u64> {
                error.split_once(text)?.1.split([' ', ',', ')']).next()?.parse().ok()
            };
            let limit = number("ulimit -n ").unwrap();
            check_allowed(16, limit).unwrap();
            if let Some(n) = number("use --threads ") {
                check_allowed(usize::try_from(n).unwrap(), allowed).unwrap();
            }
        }
        check_allowed(16, 128).unwrap();
    }
}
