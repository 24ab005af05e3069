//! Who listens at a port of this machine already, as far as `/proc` shows it.

use std::fs;
use std::path::{Path, PathBuf};

/// The state of a listening socket in `/proc/net/tcp` (include/net/tcp_states.h).
const LISTEN: &str = "0A";

/// The program that listens at a port, such as `octoprint (pid 612)`. `None`
/// where that cannot be seen: it is another user's, or in another container.
pub(super) fn find(port: u16) -> Option<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(fs::read_to_string);
    let inodes: Vec<_> =
        tables.iter().flatten().flat_map(|table| inodes(table, port)).map(target).collect();
    // Looked up by hand, as no call of the system names the owner of a socket. It takes
    // milliseconds, once, when the program is about to end.
    let processes = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    // `/proc/self` is no process of its own.
    let is_process =
        |dir: &PathBuf| dir.file_name().and_then(|n| n.to_str()?.parse::<u32>().ok()).is_some();
    let mut dirs = processes.map(|entry| entry.path()).filter(is_process);
    dirs.find(|dir| holds(dir, &inodes)).and_then(|dir| name(&dir))
}

/// The inodes of the sockets that listen at a port, in a table of `/proc/net`.
fn inodes(table: &str, port: u16) -> impl Iterator<Item = &str> {
    let end = format!(":{port:04X}");
    table.lines().skip(1).filter_map(move |line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let is_it = fields.get(1)?.ends_with(&end) && *fields.get(3)? == LISTEN;
        is_it.then_some(*fields.get(9)?)
    })
}

/// What the link of a descriptor in `/proc/PID/fd` says.
fn target(inode: &str) -> String {
    format!("socket:[{inode}]")
}

/// Whether a process has one of these sockets open.
fn holds(process: &Path, sockets: &[String]) -> bool {
    let fds = fs::read_dir(process.join("fd")).into_iter().flatten().filter_map(Result::ok);
    let mut links = fds.filter_map(|fd| fs::read_link(fd.path()).ok());
    links.any(|link| sockets.iter().any(|socket| link.as_os_str() == socket.as_str()))
}

fn name(process: &Path) -> Option<String> {
    let pid = process.file_name()?.to_str()?;
    let comm = fs::read_to_string(process.join("comm")).ok()?;
    Some(format!("{} (pid {pid})", comm.trim_end()))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn listener_of_a_port_is_found_and_no_other() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let own = format!("(pid {})", std::process::id());
        // A command that another test starts has all descriptors for a moment.
        let is_found = || find(port).is_some_and(|owner| owner.ends_with(&own));
        assert!((0..1000).any(|_| is_found()), "{:?}", find(port));
        drop(listener);
        assert!((0..1000).any(|_| find(port).is_none()), "{:?}", find(port));
    }

    #[test]
    fn only_listeners_of_that_port_are_taken_from_the_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt \
              uid timeout inode\n\
              0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 77 1\n\
              1: 0100007F:1388 0100007F:9999 01 00000000:00000000 00:00000000 00000000 0 0 78 1\n\
              2: 0100007F:1389 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 79 1\n\
              3: short\n";
        assert_eq!(inodes(table, 5000).collect::<Vec<_>>(), ["77"]);
    }
}
