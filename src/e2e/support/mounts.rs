//! A mount namespace, in which a test may mount.

use std::process::Command;

use rustix::process::geteuid;

/// The command `unshare` with all arguments for such a namespace; what is to run in it comes
/// behind them.
///
/// # Errors
/// Why there is none here, and what would help.
pub(crate) fn unshare() -> Result<Command, String> {
    let mut args = vec!["--mount", "--propagation", "private"];
    // Root needs no user namespace. In a chroot nobody may make one.
    if !geteuid().is_root() {
        args.extend(["--user", "--map-root-user"]);
    }
    let tried = Command::new("unshare").args(&args).arg("true").output();
    let tried = tried.map_err(|e| format!("unshare is needed (apt install util-linux): {e}"))?;
    if !tried.status.success() {
        return Err(explain(&String::from_utf8_lossy(&tried.stderr)));
    }
    let mut command = Command::new("unshare");
    command.args(args);
    Ok(command)
}

/// What `unshare` says, with what helps.
fn explain(said: &str) -> String {
    let help = if said.contains("root filesystem propagation") {
        // Mounts would be seen outside otherwise, and stay there.
        "the root of a chroot has to be a mount point: mount --bind DIR DIR before chroot DIR"
    } else {
        "run it as root, or allow unprivileged user namespaces"
    };
    format!("no mount namespace: {}; {help}", said.trim())
}

#[test]
fn what_lacks_is_said() {
    let chroot = explain("unshare: cannot change root filesystem propagation: Invalid argument\n");
    assert!(chroot.ends_with("mount --bind DIR DIR before chroot DIR"), "{chroot}");
    let denied = explain("unshare: unshare failed: Operation not permitted\n");
    assert!(denied.ends_with("allow unprivileged user namespaces"), "{denied}");
}
