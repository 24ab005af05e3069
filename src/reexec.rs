//! The same program, started again in this process: it keeps its number, its
//! arguments and the descriptors that are not closed on exec.

use std::env;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// The kernel keeps this many bytes of a name (`TASK_COMM_LEN` without its NUL).
const MAX_NAME_BYTES: usize = 15;

/// The command that replaces this process by a new image of its program, with
/// the same arguments.
pub(crate) fn command() -> Command {
    let mut args = env::args_os();
    // The program's file may have been replaced or moved since the start, and
    // its path may lead to another file by now; this link is the one that runs.
    let mut command = Command::new("/proc/self/exe");
    if let Some(name) = args.next() {
        command.arg0(name);
    }
    command.args(args);
    command
}

/// Gives this process the name under which `ps` and `killall` look for it. The
/// kernel names a new image by the last part of the path that was executed,
/// which is `exe` after [`command`].
pub(crate) fn restore_name() {
    if let Some(name) = env::args_os().next().as_deref().and_then(name) {
        // A process without its name works all the same.
        let _ = rustix::thread::set_name(&name);
    }
}

fn name(program: &OsStr) -> Option<CString> {
    let name = Path::new(program).file_name()?.as_bytes();
    CString::new(&name[..name.len().min(MAX_NAME_BYTES)]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_the_last_part_of_the_path() {
        let name = |path: &str| name(OsStr::new(path));
        assert_eq!(name("/usr/bin/mjpegd").as_deref(), Some(c"mjpegd"));
        assert_eq!(name("a/very-long-name-of-a-program").as_deref(), Some(c"very-long-name-"));
        assert_eq!(name(""), None);
    }
}
