//! A command as a camera: how its output is read, and how the command is
//! stopped.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, test_kill_process};

use crate::support::{Daemon, Dir, Program, eventually, eventually_is, flat, number, with_segment};

/// A daemon with this command as its camera, and a short idle timeout.
fn daemon(command: &str, more: &[&str]) -> Daemon {
    let camera = format!("exec:{command}");
    Daemon::start(&[&["--camera", &camera, "--idle-timeout", "300ms"], more].concat())
}

/// A command line that writes the pictures of a folder in an endless loop.
fn writes(dir: &Dir) -> String {
    format!("while cat {}/0*.jpg; do sleep 0.05; done", dir.path().display())
}

/// Waits for the process id that a command writes to a file.
fn pid(file: &Path) -> Pid {
    eventually("a process wrote its number", || {
        let text = fs::read_to_string(file).ok()?;
        Pid::from_raw(text.strip_suffix('\n')?.parse().ok()?)
    })
}

fn is_alive(pid: Pid) -> bool {
    test_kill_process(pid).is_ok()
}

#[test]
fn command_inherits_no_blocked_signal() {
    let dir = Dir::numbered(1, 1000);
    let file = dir.path().join("signals");
    let daemon =
        daemon(&format!("grep SigBlk /proc/self/status > {}; sleep 60", file.display()), &[]);
    daemon.get("/snapshot?max_delay=0");
    let line = eventually("the command has written its signals", || {
        fs::read_to_string(&file).ok().filter(|text| text.ends_with('\n'))
    });
    assert_eq!(line, "SigBlk:\t0000000000000000\n");
}

#[test]
fn no_command_outlives_a_program_that_cannot_listen() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    // A number that no other process here sleeps for.
    let seconds = format!("sleep 86400.{}", std::process::id());
    let camera = format!("exec:{seconds}");
    let args = ["--camera", &camera, "--idle-timeout", "0", "--bind", &address];
    let (code, _, error) = Daemon::run(&args);
    assert_eq!(code, Some(1), "{error}");
    let commands = fs::read_dir("/proc").unwrap().filter_map(|process| {
        let text = fs::read(process.ok()?.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&text).replace('\0', " "))
    });
    let left: Vec<_> = commands.filter(|command| command.contains(&seconds)).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Waits until the camera is lost, and returns the cause.
fn cause(daemon: &Daemon) -> String {
    eventually("the camera is lost", || {
        Some(daemon.status()["camera"]["cause"].as_str()?.to_owned())
    })
}

#[test]
fn pictures_are_those_of_the_command_byte_by_byte() {
    let dir = Dir::numbered(100, 20_000);
    let one_by_one = format!(
        "while :; do for f in {}/0*.jpg; do cat $f; sleep 0.03; done; done",
        dir.path().display()
    );
    let in_pieces = format!("({one_by_one}) | dd bs=997 status=none");
    for command in [one_by_one, in_pieces] {
        let daemon = daemon(&command, &[]);
        let mut viewer = daemon.watch("/stream");
        let mut parts: Vec<_> = (0..12).map(|_| viewer.next()).collect();
        // The last one comes again, with its time, where there is none for a while.
        parts.dedup();
        let shown = parts.iter().map(|part| {
            let now = number(&part.jpeg).expect("a picture of the command");
            assert!(part.jpeg == dir.pictures[now], "{command}");
            now
        });
        let shown: Vec<_> = shown.collect();
        assert!(shown.windows(2).all(|pair| pair[0] != pair[1]), "twice: {command}: {shown:?}");
    }
}

#[test]
fn thumbnail_in_a_segment_does_not_end_a_picture() {
    let picture = flat(64, 48, [20, 220, 20]);
    let thumbnail = [&b"Exif\0\0"[..], &flat(16, 16, [220, 20, 20])].concat();
    let dir = Dir::new(vec![with_segment(&picture, 0xE1, &thumbnail)]);
    let daemon = daemon(&writes(&dir), &[]);
    let mut viewer = daemon.watch("/stream");
    (0..3).for_each(|_| assert!(viewer.next().jpeg == picture));
}

#[test]
fn what_lay_in_the_pipe_beside_a_newer_picture_is_counted() {
    let dir = Dir::numbered(5, 0);
    let daemon = daemon(&writes(&dir), &[]);
    let mut viewer = daemon.watch("/stream");
    eventually_is("stale pictures are counted", || {
        assert!(number(&viewer.next().jpeg).is_some());
        daemon.figure("/camera/frames/dropped/stale") >= 5
    });
}

#[test]
fn picture_that_is_too_large_is_dropped_and_counted() {
    let dir = Dir::new(vec![crate::support::numbered(0, 30_000), crate::support::numbered(1, 0)]);
    let daemon = daemon(&writes(&dir), &["--max-frame-size", "20kB"]);
    let mut viewer = daemon.watch("/stream");
    (0..3).for_each(|_| assert_eq!(number(&viewer.next().jpeg), Some(1)));
    eventually_is("it is counted", || daemon.figure("/camera/frames/dropped/too_large") >= 1);
}

#[test]
fn whole_group_runs_only_while_somebody_watches() {
    let dir = Dir::numbered(2, 0);
    let [shell, child] = ["shell", "child"].map(|name| dir.path().join(name));
    let [shell_path, child_path] = [&shell, &child].map(|path| path.display());
    let command =
        format!("echo $$ >{shell_path}; sleep 600 & echo $! >{child_path}; {}", writes(&dir));
    let daemon = daemon(&command, &[]);
    daemon.get("/status");
    assert!(!shell.exists(), "it ran while nobody watched");
    for n_opened in 1..=2 {
        let mut viewer = daemon.watch("/stream");
        assert!(number(&viewer.next().jpeg).is_some());
        let group = [pid(&shell), pid(&child)];
        assert!(group.iter().all(|pid| is_alive(*pid)));
        drop(viewer);
        daemon.wait_for_state("idle");
        assert!(!is_alive(group[0]), "not reaped");
        // Orphans are reaped by another process of this system, which may take
        // a moment.
        eventually_is("the shell's child is gone", || is_gone(group[1]));
        assert_eq!(daemon.figure("/camera/opened"), n_opened);
        [&shell, &child].into_iter().for_each(|file| fs::remove_file(file).unwrap());
    }
}

/// Whether a process has ended, or is a zombie.
fn is_gone(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.map_or(true, |stat| stat.rsplit(')').next().unwrap().trim_start().starts_with('Z'))
}

#[test]
fn end_of_a_command_is_a_fault_with_its_status_and_last_words() {
    let daemon = daemon("echo no camera today >&2; exit 3", &[]);
    let mut viewer = daemon.watch("/stream");
    assert_eq!(cause(&daemon), "the command ended with status 3: no camera today");
    eventually_is("it is started again", || daemon.figure("/camera/faults/ended") >= 2);
    assert_eq!(number(&viewer.next().jpeg), None, "a status picture");
    daemon.wait_for_log("the command says: no camera today");
}

#[test]
fn viewer_sees_pictures_again_when_the_command_is_back() {
    let dir = Dir::numbered(3, 0);
    let command = format!("cat {}/000000.jpg; {}", dir.path().display(), writes(&dir));
    let daemon = daemon(&command, &[]);
    let mut viewer = daemon.watch("/stream");
    eventually("a picture", || number(&viewer.next().jpeg));
    dir.remove();
    let why = cause(&daemon);
    assert!(why.contains("ended with status") && why.contains("No such file"), "{why}");
    eventually_is("a status picture", || number(&viewer.next().jpeg).is_none());
    dir.restore();
    eventually("a picture again", || number(&viewer.next().jpeg));
}

#[test]
fn command_that_is_not_there_is_named() {
    let daemon = daemon("/no/such/camera --fast", &[]);
    let _viewer = daemon.watch("/stream");
    let why = cause(&daemon);
    assert!(why.starts_with("the command ended with status 127: "), "{why}");
    assert!(why.contains("/no/such/camera"), "{why}");
    assert!(daemon.figure("/camera/faults/no_device") >= 1);
}

#[test]
fn signal_that_ended_it_is_named() {
    let daemon = daemon("kill -9 $$", &[]);
    let _viewer = daemon.watch("/stream");
    assert_eq!(cause(&daemon), "the command was ended by signal 9");
}

#[test]
fn command_that_stalls_is_started_anew() {
    let dir = Dir::numbered(1, 0);
    let file = dir.path().join("pid");
    let command =
        format!("echo $$ >{}; cat {}/0*.jpg; sleep 600", file.display(), dir.path().display());
    let daemon = daemon(&command, &["--stall-timeout", "4s"]);
    let mut viewer = daemon.watch("/stream");
    assert_eq!(number(&viewer.next().jpeg), Some(0));
    let first = pid(&file);
    assert_eq!(cause(&daemon), "the command stalled, no picture for 4s");
    eventually_is("it is started again", || daemon.figure("/camera/opened") >= 2);
    assert!(is_gone(first));
}

/// A command that ignores SIGTERM, and the file with its process id.
fn stubborn(dir: &Dir) -> (String, PathBuf) {
    let file = dir.path().join("pid");
    let loop_of = format!("while :; do cat {}/0*.jpg; sleep 0.05; done", dir.path().display());
    (format!("trap '' TERM; echo $$ >{}; {loop_of}", file.display()), file)
}

#[test]
fn command_that_ignores_sigterm_is_killed() {
    let dir = Dir::numbered(2, 0);
    let (command, file) = stubborn(&dir);
    let daemon = daemon(&command, &[]);
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    let pid = pid(&file);
    drop(viewer);
    daemon.wait_for_state("idle");
    assert!(!is_alive(pid));
    daemon.wait_for_log("does not end at SIGTERM; killing it");
}

#[test]
fn command_that_ignores_sigterm_does_not_hold_up_the_end_of_the_daemon() {
    let dir = Dir::numbered(2, 0);
    let (command, file) = stubborn(&dir);
    let mut daemon = daemon(&command, &[]);
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    let pid = pid(&file);
    assert_eq!(daemon.end_within(Duration::from_secs(2), Signal::TERM).code(), Some(0));
    eventually_is("the command is gone", || is_gone(pid));
}

#[test]
fn command_ends_at_its_next_picture_when_the_daemon_is_killed() {
    let dir = Dir::numbered(2, 0);
    let file = dir.path().join("pid");
    let daemon = daemon(&format!("echo $$ >{}; {}", file.display(), writes(&dir)), &[]);
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    let pid = pid(&file);
    daemon.signal(Signal::KILL);
    eventually_is("the command is gone", || is_gone(pid));
}

#[test]
fn command_that_talks_without_end_neither_stops_pictures_nor_fills_the_log() {
    let dir = Dir::numbered(3, 0);
    let noise = "(i=0; while :; do i=$((i+1)); echo noise $i >&2; done) &";
    let daemon = daemon(&format!("{noise} {}", writes(&dir)), &[]);
    let mut viewer = daemon.watch("/stream");
    (0..20).for_each(|_| assert!(number(&viewer.next().jpeg).is_some()));
    let n_lines = daemon.log().iter().filter(|line| line.contains("noise")).count();
    assert!((1..=60).contains(&n_lines), "{n_lines} lines");
}

/// The open descriptors of a shell with number and target, listed by a child of
/// it.
const LIST: &str = "(ls -l /proc/$$/fd)";

fn descriptors(list: &str) -> Vec<(u32, &str)> {
    let links = list.lines().filter_map(|line| line.split_once(" -> "));
    let number = |left: &str| left.rsplit(' ').next().unwrap().parse().unwrap();
    let mut found: Vec<_> = links.map(|(left, target)| (number(left), target)).collect();
    found.sort_unstable();
    found
}

#[test]
fn command_has_three_descriptors_and_none_of_ours() {
    let dir = Dir::numbered(2, 0);
    let file = dir.path().join("list");
    let command = format!("{LIST} >{}; {}", file.display(), writes(&dir));
    let daemon = daemon(&command, &[]);
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    let list = fs::read_to_string(&file).unwrap();
    let found = descriptors(&list);
    assert_eq!(found[0], (0, "/dev/null"), "{list}");
    assert!(found[2].1.starts_with("pipe:"), "{list}");
    // Descriptors that the test runner leaves open to all its children do not
    // come from the daemon, so they do not count.
    let plain = Program::new("sh", "dash").args(["-c", &format!("{LIST}; true")]).text();
    let numbers = |list| descriptors(list).into_iter().map(|(n, _)| n).collect::<Vec<_>>();
    assert_eq!(numbers(&list), numbers(&plain), "{list}");
}

#[test]
fn passwords_in_a_command_are_shown_nowhere() {
    let dir = Dir::numbered(2, 0);
    let command = format!("echo at rtsp://me:secret@camera/ >&2; {}", writes(&dir));
    let daemon = daemon(&command, &[]);
    let mut viewer = daemon.watch("/stream");
    viewer.next();
    daemon.wait_for_log("at rtsp://***@camera/");
    for target in ["/", "/status", "/state", "/metrics"] {
        assert!(!daemon.get(target).text().contains("secret"), "{target}");
    }
    assert!(!daemon.log().join("\n").contains("secret"));
}

#[test]
fn ffmpeg_is_a_camera() {
    let command = "ffmpeg -v error -f lavfi -i testsrc=size=320x240:rate=20 -f mjpeg -";
    let daemon = daemon(command, &[]);
    let mut viewer = daemon.watch("/stream");
    (0..5).for_each(|_| assert_eq!(crate::support::size(&viewer.next().jpeg), (320, 240)));
    daemon.wait_for_state("live");
}
