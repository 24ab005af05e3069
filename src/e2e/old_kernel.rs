//! Kernels of 2013, as vendors of boards ship them.

use crate::support::{Daemon, on_old_kernel, pass_on_old_kernel};

fn old(args: &[&str]) -> Daemon {
    let mut command = Daemon::command(args);
    on_old_kernel(&mut command);
    Daemon::spawn(command)
}

#[test]
fn pictures_come_and_the_log_says_what_the_kernel_lacks() {
    let daemon = old(&["--camera", "pattern"]);
    daemon.wait_for_log("this kernel is too old");
    assert_eq!(daemon.get("/snapshot").code, 200);
}

// Those that touch the system most in the least time. By hand, with E2E_OLD_KERNEL=1, any of
// them; some of abuse:: and clients:: test what the guide says an old kernel lacks.
#[test]
fn viewers_recordings_and_logins_at_cameras_work() {
    pass_on_old_kernel(&[
        "download::",
        "frames::",
        "http::",
        "listening::",
        "logins::",
        "reload::",
        "snapshot::",
        "stream::",
    ]);
}
