//! Makes the unmodified daemon panic or hang, or gives it no thread. A preloaded library
//! makes C library calls return what no program expects.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{Daemon, Program, TempDir, eventually_is};

/// Returns a wrong result once for each file `THREAD.CALL`, and removes the
/// file.
const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int is_due(const char *call)
{
    char thread[16] = "", fault[512];
    int before = errno, found;
    prctl(PR_GET_NAME, thread);
    snprintf(fault, sizeof fault, "%s/%s.%s", getenv("FAULTS"), thread, call);
    found = unlink(fault) == 0;
    errno = before;
    return found;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (clock == CLOCK_REALTIME && is_due("clock")) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_clock_gettime, clock, now);
}

ssize_t writev(int fd, const struct iovec *pieces, int n_pieces)
{
    char thread[16] = "", slow[512];
    ssize_t n = syscall(SYS_writev, fd, pieces, n_pieces);
    prctl(PR_GET_NAME, thread);
    snprintf(slow, sizeof slow, "%s/%s.slow", getenv("FAULTS"), thread);
    if (access(slow, F_OK) == 0)
        usleep(40000);
    return is_due("writev") ? n + (1 << 30) : n;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    ssize_t n = syscall(SYS_sendmsg, fd, message, flags);
    return is_due("sendmsg") ? n + (1 << 30) : n;
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    char held[512];
    snprintf(held, sizeof held, "%s/held", getenv("FAULTS"));
    while (access(held, F_OK) == 0)
        usleep(10000);
    return (int)syscall(SYS_accept4, fd, address, length, flags);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                   void *(*run)(void *), void *argument)
{
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (is_due("pthread_create"))
        return EAGAIN;
    create = dlsym(RTLD_NEXT, "pthread_create");
    return create(thread, attributes, run, argument);
}
"#;

/// The call by which a thread panics.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    /// `clock_gettime` fails, as called for the time of a picture.
    Clock,
    /// A write to a file reports more bytes than it was given.
    Writev,
    /// As [`Self::Writev`], to a socket.
    SendMessage,
}

impl Call {
    fn name(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Writev => "writev",
            Self::SendMessage => "sendmsg",
        }
    }
}

/// Makes threads of a daemon panic.
pub(crate) struct Faults {
    dir: TempDir,
}

impl Faults {
    pub(crate) fn new() -> Self {
        let dir = TempDir::new();
        let (from, to) = (dir.write("fault.c", LIBRARY), dir.path().join("fault.so"));
        let compiler = Program::new("cc", "gcc").args(["-shared", "-fPIC", "-O1", "-o"]);
        compiler.args([to.to_str().unwrap(), from.to_str().unwrap()]).output();
        Self { dir }
    }

    /// The library, to be preloaded with a folder in the variable `FAULTS`.
    pub(crate) fn library(&self) -> PathBuf {
        self.dir.path().join("fault.so")
    }

    /// The command of a daemon that can be made to panic.
    pub(crate) fn into(&self, mut command: Command) -> Command {
        command.env("LD_PRELOAD", self.library());
        command.env("FAULTS", self.dir.path());
        command
    }

    /// Lets no thread accept a connection until [`Self::release`], but for the one that
    /// waits for one already.
    pub(crate) fn hold(&self) {
        self.dir.write("held", "");
    }

    pub(crate) fn release(&self) {
        fs::remove_file(self.dir.path().join("held")).unwrap();
    }

    /// Lets each write of a thread to a file take 40 ms.
    pub(crate) fn slow_down(&self, thread: &str) {
        self.dir.write(&format!("{thread}.slow"), "");
    }

    /// Lets the next thread that this one wants to create be refused.
    pub(crate) fn refuse_thread(&self, of: &str) {
        self.dir.write(&format!("{of}.pthread_create"), "");
    }

    /// Makes a thread panic at its next call of this kind.
    pub(crate) fn panic(&self, daemon: &Daemon, thread: &str, call: Call) {
        let n_before = daemon.figure("/connections/panics");
        let fault = self.dir.write(&format!("{thread}.{}", call.name()), "");
        eventually_is(&format!("{thread} does so"), || !fs::exists(&fault).unwrap());
        eventually_is("it panics", || daemon.figure("/connections/panics") == n_before + 1);
    }
}
