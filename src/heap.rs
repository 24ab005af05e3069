//! One heap for all threads.
//!
//! glibc gives threads up to eight heaps a core, each of which keeps what it
//! once grew to, and every thread a store of freed pieces. That is for
//! programs whose threads are busy with memory; here each client has a thread
//! and hardly one ever asks for any. What glibc is told of it, it reads at the
//! start of a program and never again ("Memory Allocation Tunables" in its
//! manual): so the program starts itself once more.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::{env, io};

const VARIABLE: &str = "GLIBC_TUNABLES";
const VALUE: &str = "glibc.malloc.arena_max=1:glibc.malloc.tcache_count=0";

/// Becomes a new image of this program, with one heap. Returns when it is
/// that already, or when somebody else has told glibc something.
///
/// # Errors
/// Why that cannot be: the program runs as well, and takes some MB more.
pub(crate) fn become_one() -> io::Result<()> {
    if cfg!(not(target_env = "gnu")) || env::var_os(VARIABLE).is_some() {
        return Ok(());
    }
    let mut args = env::args_os();
    let mut command = Command::new(env::current_exe()?);
    if let Some(name) = args.next() {
        command.arg0(name);
    }
    Err(command.args(args).env(VARIABLE, VALUE).exec())
}

/// Takes it out of what another program is given, which is to have its own.
pub(crate) fn take_from(command: &mut Command) -> &mut Command {
    let is_ours = env::var_os(VARIABLE).is_some_and(|value| value == VALUE);
    if is_ours { command.env_remove(VARIABLE) } else { command }
}
