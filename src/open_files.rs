//! How many descriptors the system lets this process have, and how many
//! connections fit into them.

use anyhow::{Result, ensure};
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::config::{Limits, N_SHORT_CONNECTIONS};

/// For the camera, the log, the listener and what a library opens.
const N_OTHERS: u64 = 64;

/// Raises the limit as far as the system allows, and looks whether so many
/// viewers fit in.
///
/// # Errors
/// What is wrong, and what would be right.
pub(crate) fn check(n_seats: usize) -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where it may not be raised, what there is may still be enough.
    let _ = setrlimit(Resource::Nofile, limit);
    let n_connections = n_seats + N_SHORT_CONNECTIONS;
    let needed = 2 * n_connections as u64 + N_OTHERS;
    ensure!(
        allowed() >= needed,
        "--threads {n_seats} needs {needed} open files, and this system allows {}; \
         use --threads {} or raise the limit (ulimit -n, LimitNOFILE=)",
        allowed(),
        fitting().saturating_sub(N_SHORT_CONNECTIONS)
    );
    Ok(())
}

/// Lets there be no more connections than descriptors.
pub(crate) fn fit(limits: &mut Limits) {
    if fitting() < limits.max_connections {
        log::info!("at most {} connections at once, for want of open files", fitting());
        limits.max_connections = fitting();
    }
}

/// Each connection takes two: tiny_http's for its two sides, or one of those
/// and ours.
fn fitting() -> usize {
    usize::try_from(allowed().saturating_sub(N_OTHERS) / 2).unwrap_or(usize::MAX)
}

fn allowed() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
