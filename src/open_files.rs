//! The limit of open files, and how many connections fit into it.

use anyhow::{Result, ensure};
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
    let n_connections = n_seats + N_SHORT_CONNECTIONS;
    let needed = N_PER_CONNECTION * n_connections as u64 + N_OTHERS;
    ensure!(
        allowed() >= needed,
        "--threads {n_seats} needs {needed} open files, and this system allows {}; \
         use --threads {} or raise the limit (ulimit -n, LimitNOFILE=)",
        allowed(),
        max_connections().saturating_sub(N_SHORT_CONNECTIONS)
    );
    Ok(())
}

/// Lowers the limit of connections to what the limit of open files allows.
pub(crate) fn limit_connections(limits: &mut Limits) {
    let max = max_connections();
    if max < limits.max_connections {
        log::info!("the limit of open files allows {max} connections (ulimit -n, LimitNOFILE=)");
        limits.max_connections = max;
    }
}

/// How many connections fit into the limit.
fn max_connections() -> usize {
    usize::try_from(allowed().saturating_sub(N_OTHERS) / N_PER_CONNECTION).unwrap_or(usize::MAX)
}

/// How many files this process may have open.
fn allowed() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
