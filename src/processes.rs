//! The processes of this machine that have a file or a socket open, as far as `/proc`
//! shows them: those of other users and of other containers are hidden.

use std::fmt;
use std::fs;
use std::path::Path;

/// Where the kernel lists them.
pub(crate) const PROC: &str = "/proc";
/// The state of a listening socket in `/proc/net/tcp` (include/net/tcp_states.h).
const LISTEN: &str = "0A";

/// A process.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) name: String,
}

/// Such as `octoprint (process 612)`.
impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {})", self.name, self.pid)
    }
}

/// Another process that has a device open. `proc` is [`PROC`], but in tests.
pub(crate) fn with_device(proc: &Path, device: &Path) -> Option<Process> {
    let device = device.canonicalize().ok()?;
    find(proc, std::process::id(), &|link| link == device)
}

/// The process that listens at a port.
pub(crate) fn listening(proc: &Path, port: u16) -> Option<Process> {
    let tables = ["net/tcp", "net/tcp6"].map(|table| fs::read_to_string(proc.join(table)));
    let sockets: Vec<_> = tables.iter().flatten().flat_map(|table| sockets(table, port)).collect();
    find(proc, 0, &|link| sockets.iter().any(|socket| link.as_os_str() == socket.as_str()))
}

/// The sockets that listen at a port, in a table of `/proc/net`, as the link of a
/// descriptor names them.
fn sockets(table: &str, port: u16) -> impl Iterator<Item = String> {
    let end = format!(":{port:04X}");
    table.lines().skip(1).filter_map(move |line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let is_it = fields.get(1)?.ends_with(&end) && *fields.get(3)? == LISTEN;
        is_it.then_some(format!("socket:[{}]", fields.get(9)?))
    })
}

/// The first process but `own` with a descriptor whose link `is_it`.
fn find(proc: &Path, own: u32, is_it: &dyn Fn(&Path) -> bool) -> Option<Process> {
    // Looked up by hand, as no call of the system names them. It takes milliseconds.
    let entries = fs::read_dir(proc).ok()?.flatten();
    // `/proc/self` is no process of its own.
    let mut pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let pid = pids.find(|pid| {
        let links = fs::read_dir(proc.join(pid.to_string()).join("fd")).into_iter().flatten();
        let mut links = links.flatten().filter_map(|fd| fs::read_link(fd.path()).ok());
        *pid != own && links.any(|link| is_it(&link))
    })?;
    let name = fs::read_to_string(proc.join(pid.to_string()).join("comm")).unwrap_or_default();
    Some(Process { pid, name: name.trim_end().to_owned() })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn listener_of_a_port_is_found_and_no_other() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let find = || listening(Path::new(PROC), port).map(|process| process.pid);
        // A command that another test starts has all descriptors for a moment.
        assert!((0..1000).any(|_| find() == Some(std::process::id())), "{:?}", find());
        drop(listener);
        assert!((0..1000).any(|_| find().is_none()), "{:?}", find());
    }

    #[test]
    fn only_listeners_of_that_port_are_taken_from_the_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt \
              uid timeout inode\n\
              0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 77 1\n\
              1: 0100007F:1388 0100007F:9999 01 00000000:00000000 00:00000000 00000000 0 0 78 1\n\
              2: 0100007F:1389 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 79 1\n\
              3: short\n";
        assert_eq!(sockets(table, 5000).collect::<Vec<_>>(), ["socket:[77]"]);
    }

    #[test]
    fn holder_of_a_device_is_another_process() {
        let proc = std::env::temp_dir().join(format!("mjpegd-proc-{}", std::process::id()));
        for (pid, name) in [("812", "ffmpeg\n"), ("self", "mjpegd\n"), ("900", "sh\n")] {
            fs::create_dir_all(proc.join(pid).join("fd")).unwrap();
            fs::write(proc.join(pid).join("comm"), name).unwrap();
        }
        for (pid, device) in [("812", "/dev/null"), ("self", "/dev/zero"), ("900", "/dev/full")] {
            std::os::unix::fs::symlink(device, proc.join(pid).join("fd/3")).unwrap();
        }
        let holder = |device: &str| with_device(&proc, Path::new(device)).map(|p| p.to_string());
        let seen = [holder("/dev/null"), holder("/dev/zero"), holder("/dev/tty")];
        fs::remove_dir_all(&proc).unwrap();
        assert_eq!(seen, [Some("ffmpeg (process 812)".into()), None, None]);
    }
}
