//! Takes everything from the daemon that came after Linux 3.10, so that it runs as on the
//! kernels that vendors of boards ship.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::{Program, TempDir};

/// With this variable set, all daemons of the tests run so.
const ALL: &str = "E2E_OLD_KERNEL";

/// A seccomp filter refuses each system call, socket option and control ioctl that is newer,
/// as the old kernel does. It cannot shorten TCP_INFO, so the function of the C library does.
const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/videodev2.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* sched_setattr came with 3.14, and is the first one after 3.10. */
#define FIRST_NEW_CALL SYS_sched_setattr
#define FIRST_NEW_SOCKET_OPTION 46 /* SO_BUSY_POLL, 3.11 */
#define FIRST_NEW_TCP_OPTION 25 /* TCP_NOTSENT_LOWAT, 3.12 */
#define TCP_INFO_BYTES 104

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF(is, value, yes, no) BPF_JUMP(BPF_JMP | is | BPF_K, value, yes, no)
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)
#define FAIL(error) RETURN(SECCOMP_RET_ERRNO | error)

__attribute__((constructor)) static void forget(void)
{
    struct sock_filter code[] = {
        LOAD(nr),
        IF(BPF_JGE, FIRST_NEW_CALL, 0, 1), FAIL(ENOSYS),
        IF(BPF_JEQ, SYS_ioctl, 0, 3),
            LOAD(args[1]),
            IF(BPF_JEQ, VIDIOC_QUERY_EXT_CTRL, 0, 10), FAIL(ENOTTY),
        IF(BPF_JEQ, SYS_getsockopt, 1, 0),
        IF(BPF_JEQ, SYS_setsockopt, 0, 7),
            LOAD(args[1]),
            IF(BPF_JEQ, SOL_SOCKET, 0, 2),
                LOAD(args[2]),
                IF(BPF_JGE, FIRST_NEW_SOCKET_OPTION, 4, 3),
            IF(BPF_JEQ, IPPROTO_TCP, 0, 2),
                LOAD(args[2]),
                IF(BPF_JGE, FIRST_NEW_TCP_OPTION, 1, 0),
        RETURN(SECCOMP_RET_ALLOW),
        FAIL(ENOPROTOOPT),
    };
    struct sock_fprog filter = { sizeof code / sizeof *code, code };
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        _exit(99);
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
    if (level == IPPROTO_TCP && option == TCP_INFO && *length > TCP_INFO_BYTES)
        *length = TCP_INFO_BYTES;
    return (int)syscall(SYS_getsockopt, fd, level, option, value, length);
}
"#;

/// Lets the program of this command run as on an old kernel.
pub(crate) fn on_old_kernel(command: &mut Command) {
    static BUILT: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, library) = BUILT.get_or_init(|| {
        let dir = TempDir::new();
        let (from, to) = (dir.write("old.c", LIBRARY), dir.path().join("old.so"));
        let compiler = Program::new("cc", "gcc").args(["-shared", "-fPIC", "-O1", "-o"]);
        compiler.args([to.to_str().unwrap(), from.to_str().unwrap()]).output();
        (dir, to)
    });
    command.env("LD_PRELOAD", library);
    // The C library uses it before the filter is there, and then expects it to stay.
    command.env("GLIBC_TUNABLES", "glibc.pthread.rseq=0");
}

/// As [`on_old_kernel`], where all daemons are to run so.
pub(super) fn if_all_are_old(command: &mut Command) {
    if env::var_os(ALL).is_some() {
        on_old_kernel(command);
    }
}

/// Runs other tests of this program again, with all daemons on an old kernel.
pub(crate) fn pass_on_old_kernel(tests: &[&str]) {
    let mut again = Command::new(env::current_exe().unwrap());
    let output = again.env(ALL, "1").args(tests).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(!text.contains("running 0 tests"), "{text}");
}
