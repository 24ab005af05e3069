//! One heap for all threads: the settings that glibc reads at the start.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::{Daemon, Dir, eventually};

/// On 64-bit machines, glibc aligns every heap except the main one to this
/// size.
const ALIGNMENT: u64 = 64 << 20;

/// The number of heaps that a process has besides the first.
fn n_further_heaps(daemon: &Daemon) -> usize {
    let maps = fs::read_to_string(format!("/proc/{}/maps", daemon.pid())).unwrap();
    let begins_one = |line: &&str| {
        let mut fields = line.split_whitespace();
        let start = fields.next().unwrap().split('-').next().unwrap();
        let (access, name) = (fields.next().unwrap(), fields.nth(3));
        let start = u64::from_str_radix(start, 16).unwrap();
        start.is_multiple_of(ALIGNMENT) && access == "rw-p" && name.is_none()
    };
    maps.lines().filter(begins_one).count()
}

/// The settings for glibc in the environment of a daemon.
fn tunables(daemon: &Daemon) -> String {
    let environment = fs::read(format!("/proc/{}/environ", daemon.pid())).unwrap();
    let text = String::from_utf8(environment).unwrap();
    text.split('\0').find_map(|line| line.strip_prefix("GLIBC_TUNABLES=")).unwrap().to_owned()
}

#[test]
fn all_threads_share_one_heap() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    let mut viewers: Vec<_> = (0..10).map(|_| daemon.watch("/stream")).collect();
    viewers.iter_mut().for_each(|viewer| drop(viewer.next()));
    assert_eq!(n_further_heaps(&daemon), 0);
}

/// As for a program with file capabilities, from whose environment the loader
/// removes the settings.
#[test]
fn program_starts_itself_only_once_if_the_loader_removes_the_tunables() {
    let shell = "exec env MJPEGD_STARTED_TWICE=$$ \"$@\"";
    let program = Daemon::command(&["--camera", "pattern:64x48@20"]);
    let mut command = Command::new("sh");
    command.env("MJPEGD_BIND", "127.0.0.1:0").stdin(Stdio::null());
    command.args(["-c", shell, "sh"]).arg(program.get_program()).args(program.get_args());
    let daemon = Daemon::spawn(command);
    drop(daemon.watch("/stream").next());
    let environment = fs::read(format!("/proc/{}/environ", daemon.pid())).unwrap();
    assert!(!String::from_utf8_lossy(&environment).contains("GLIBC_TUNABLES"));
}

#[test]
fn process_has_the_name_of_the_program() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    let name = fs::read_to_string(format!("/proc/{}/comm", daemon.pid())).unwrap();
    assert_eq!(name, "mjpegd\n");
}

#[test]
fn tunables_set_by_the_user_are_kept() {
    let mut command = Daemon::command(&["--camera", "pattern:64x48@20"]);
    command.env("GLIBC_TUNABLES", "glibc.malloc.arena_max=8");
    let daemon = Daemon::spawn(command);
    drop(daemon.watch("/stream").next());
    assert_eq!(tunables(&daemon), "glibc.malloc.arena_max=8");
    assert!(n_further_heaps(&daemon) > 0, "the test recognizes no heap");
}

#[test]
fn command_of_a_camera_does_not_inherit_the_tunables() {
    let dir = Dir::numbered(1, 1000);
    let file = dir.path().join("tunables");
    let command =
        format!("exec:echo \"(${{GLIBC_TUNABLES-unset}})\" > {}; sleep 60", file.display());
    let daemon = Daemon::start(&["--camera", &command]);
    assert!(tunables(&daemon).contains("arena_max=1"));
    daemon.get("/snapshot?max_delay=0");
    let text = eventually("the command has written its tunables", || {
        fs::read_to_string(&file).ok().filter(|text| text.ends_with('\n'))
    });
    assert_eq!(text, "(unset)\n");
}
