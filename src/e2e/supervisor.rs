//! What is reported to systemd, and the sockets that it opens, by stand-ins for both.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::thread;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::support::{
    Client, Daemon, Faults, PATIENCE, TempDir, eventually, eventually_is, free_port,
};

/// The socket at which systemd hears of a service.
struct Systemd {
    dir: TempDir,
    socket: UnixDatagram,
}

impl Systemd {
    fn new() -> Self {
        let dir = TempDir::new();
        let socket = UnixDatagram::bind(dir.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { dir, socket }
    }

    /// A command that tells it.
    fn watch(&self, mut command: Command) -> Command {
        command.env("NOTIFY_SOCKET", self.dir.path().join("notify"));
        command
    }

    fn next(&self) -> String {
        let mut bytes = [0; 4096];
        let n = self.socket.recv(&mut bytes).expect("the daemon says nothing more");
        String::from_utf8(bytes[..n].to_vec()).unwrap()
    }

    /// Skips what it hears up to a message that begins so, and returns that.
    fn wait_for(&self, start: &str) -> String {
        eventually(start, || Some(self.next()).filter(|message| message.starts_with(start)))
    }
}

#[test]
fn systemd_hears_of_each_state() {
    let dir = TempDir::new();
    let systemd = Systemd::new();
    let file = dir.write("cameras.toml", "[[camera]]\nname = 'front'\nsource = 'pattern@20'\n");
    let args = ["--config", file.to_str().unwrap()];
    let mut daemon = Daemon::spawn(systemd.watch(Daemon::command(&args)));
    assert_eq!(systemd.next(), "READY=1\nSTATUS=0 viewers; front: idle");
    let viewer = daemon.watch("/stream");
    systemd.wait_for("STATUS=1 viewer; front: live");
    drop(viewer);
    daemon.signal(Signal::HUP);
    let reloading = systemd.wait_for("RELOADING=1");
    let time = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
    assert!(time.parse::<u64>().unwrap() > 0, "{reloading}");
    systemd.wait_for("READY=1");
    daemon.signal(Signal::TERM);
    systemd.wait_for("STOPPING=1");
    assert_eq!(daemon.wait().code(), Some(0));
}

#[test]
fn systemd_hears_of_the_end_before_the_viewers_leave() {
    let systemd = Systemd::new();
    let args = ["--camera", "pattern:64x48@20", "--drain-timeout", "1day"];
    let mut daemon = Daemon::spawn(systemd.watch(Daemon::command(&args)));
    let mut viewers = [daemon.watch("/stream"), daemon.watch("/stream"), daemon.watch("/stream")];
    viewers.iter_mut().for_each(|viewer| drop(viewer.next()));
    daemon.signal(Signal::TERM);
    systemd.wait_for("STOPPING=1");
    assert!(daemon.is_running());
    drop(viewers);
    assert_eq!(daemon.wait().code(), Some(0));
}

#[test]
fn watchdog_is_fed_only_while_connections_are_accepted() {
    let (systemd, faults, dir) = (Systemd::new(), &Faults::new(), TempDir::new());
    let unix = format!("unix:{}", dir.path().join("http.sock").display());
    // The login must not matter.
    let users = dir.write("users", "me:secret\n");
    let args = ["--bind", "127.0.0.1:0", "--bind", &unix, "--auth-file", users.to_str().unwrap()];
    let mut command = systemd.watch(faults.into(Daemon::command(&args)));
    command.env("WATCHDOG_USEC", "900000");
    let daemon = Daemon::spawn(command);
    for _ in 0..3 {
        systemd.wait_for("WATCHDOG=1");
    }
    faults.hold();
    daemon.wait_for_log("the watchdog is not fed: no answer at");
    systemd.wait_for("STATUS=no answer at");
    faults.release();
    systemd.wait_for("WATCHDOG=1");
}

#[test]
fn commands_of_cameras_are_no_part_of_it() {
    let systemd = Systemd::new();
    let camera = "exec:echo socket=$NOTIFY_SOCKET watchdog=$WATCHDOG_USEC >&2; sleep 9";
    let mut command = systemd.watch(Daemon::command(&["--camera", camera]));
    command.env("WATCHDOG_USEC", "9000000");
    let daemon = Daemon::spawn(command);
    let mut viewer = Client::connect(daemon.address());
    viewer.request("GET", "/stream", &[]);
    daemon.wait_for_log("socket= watchdog=");
}

/// Opens a port and a Unix socket as a socket unit does, and becomes the program when the
/// first client connects.
const ACTIVATION: &str = r#"
import os, select, socket, sys
port, path, *program = sys.argv[1:]
tcp, unix = socket.socket(), socket.socket(socket.AF_UNIX)
tcp.bind(("127.0.0.1", int(port)))
unix.bind(path)
sockets = [tcp, unix]
for s in sockets:
    s.listen()
select.select(sockets, [], [])
for fd, high in [(3 + i, os.dup(s.fileno())) for i, s in enumerate(sockets)]:
    os.dup2(high, fd)
os.environ.update(LISTEN_FDS="2", LISTEN_PID=str(os.getpid()))
os.execv(program[0], program)
"#;

/// A daemon that the first request starts, and its port.
fn activated(path: &Path, args: &[&str]) -> (Daemon, SocketAddr) {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let program = Daemon::command(args);
    let mut command = Command::new("/usr/bin/python3");
    command.args(["-c", ACTIVATION, &address.port().to_string()]).arg(path);
    command.arg(program.get_program()).args(program.get_args());
    let daemon = thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let connect = || TcpStream::connect(address).ok();
            let mut first = eventually("the port is open", connect);
            first.write_all(b"GET /snapshot HTTP/1.0\r\n\r\n").unwrap();
            let mut reply = Vec::new();
            first.read_to_end(&mut reply).unwrap();
            assert!(reply.starts_with(b"HTTP/1.1 200"), "{}", reply[..99].escape_ascii());
        });
        let daemon = Daemon::spawn(command);
        asking.join().unwrap();
        daemon
    });
    (daemon, address)
}

#[test]
fn first_request_starts_the_daemon_at_the_sockets_that_are_open() {
    let dir = TempDir::new();
    let path = dir.path().join("http.sock");
    let args = ["--camera", "pattern@20", "--max-leaks", "20", "--head-timeout", "500ms"];
    let (mut daemon, address) = activated(&path, &args);
    assert_eq!(daemon.address(), address);
    daemon.wait_for_log("at the sockets of the supervisor, not at --bind");
    let ask_unix = || {
        let mut stream = UnixStream::connect(&path).unwrap();
        stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        assert!(reply.ends_with("\r\n\r\nok\n"), "{reply}");
    };
    ask_unix();
    // After a restart within the process the sockets have other numbers.
    for _ in 0..30 {
        Client::connect(address).send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    }
    eventually_is("it restarts", || daemon.figure("/connections/restarts") == 1);
    ask_unix();
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.wait().code(), Some(0));
    assert!(path.exists(), "the file belongs to the supervisor");
}

/// The snapshot of a camera that is not there is drawn, as uStreamer's is.
#[test]
fn socket_unit_of_ustreamer_can_stay() {
    let dir = TempDir::new();
    let args = ["ustreamer", "--device", "/dev/nowhere", "--systemd"];
    let (daemon, address) = activated(&dir.path().join("http.sock"), &args);
    assert_eq!(daemon.address(), address);
}

/// Holds a port as a socket unit does, and starts the program whenever it does not run and a
/// client waits. A line on the standard error for each start.
const SOCKET_UNIT: &str = r#"
import os, select, socket, sys
port, *program = sys.argv[1:]
tcp = socket.socket()
tcp.bind(("127.0.0.1", int(port)))
tcp.listen(1024)
while True:
    select.select([tcp], [], [])
    print("starting", file=sys.stderr, flush=True)
    if os.fork() == 0:
        fd = os.dup(tcp.fileno())
        os.dup2(fd, 3)
        os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
        os.execv(program[0], program)
    os.wait()
"#;

#[test]
fn no_request_is_lost_while_the_daemon_ends_and_starts_again() {
    let args = ["--camera", "pattern:64x48@20", "--exit-on-no-viewers", "1s"];
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let program = Daemon::command(&args);
    let mut command = Command::new("/usr/bin/python3");
    command.args(["-c", SOCKET_UNIT, &address.port().to_string()]);
    command.arg(program.get_program()).args(program.get_args());
    command.stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
    let mut unit = command.spawn().unwrap();
    let starts = BufReader::new(unit.stderr.take().unwrap()).lines();
    let is_over = &AtomicBool::new(false);
    let (n_answered, n_lost) = (&AtomicU32::new(0), &AtomicU32::new(0));
    thread::scope(|scope| {
        let ask = move || {
            let connect = || TcpStream::connect(address).ok();
            let mut stream = eventually("the port is open", connect);
            stream.write_all(b"GET /status HTTP/1.0\r\n\r\n").unwrap();
            let mut reply = String::new();
            let _ = stream.read_to_string(&mut reply);
            let is_whole = reply.starts_with("HTTP/1.1 200") && reply.ends_with('}');
            let count = if is_whole { n_answered } else { n_lost };
            count.fetch_add(1, Relaxed);
        };
        // So many that some are on their way at each end.
        for _ in 0..8 {
            scope.spawn(move || {
                while !is_over.load(Relaxed) {
                    ask();
                }
            });
        }
        let lines = starts.map_while(Result::ok).filter(|line| line == "starting");
        assert_eq!(lines.take(4).count(), 4);
        is_over.store(true, Relaxed);
    });
    let _ = kill_process_group(Pid::from_child(&unit), Signal::KILL);
    unit.wait().unwrap();
    assert_eq!(n_lost.load(Relaxed), 0, "of {}", n_answered.load(Relaxed));
    assert!(n_answered.load(Relaxed) > 4);
}

/// The units as they are installed, with the program of this test.
fn units(dir: &TempDir) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/deploy/systemd");
    let program = dir.path().join("mjpegd");
    fs::copy(env!("CARGO_BIN_EXE_mjpegd"), &program).unwrap();
    ["mjpegd.service", "mjpegd.socket"]
        .map(|name| {
            let text = fs::read_to_string(folder.join(name)).unwrap();
            dir.write(name, text.replace("/usr/local/bin/mjpegd", program.to_str().unwrap()))
        })
        .to_vec()
}

#[test]
fn units_are_valid_and_expose_little() {
    let dir = TempDir::new();
    let units = units(&dir);
    let analyze = |args: &[&str], units: &[PathBuf]| {
        let output = Command::new("systemd-analyze").args(args).args(units).output();
        let output = output.expect("systemd-analyze is needed: apt install systemd");
        (output.status, String::from_utf8(output.stderr).unwrap())
    };
    // It succeeds for values that it does not know, and only says so.
    let (status, said) = analyze(&["verify", "--man=no"], &units);
    assert!(status.success() && said.is_empty(), "{status}: {said}");
    let exposure = ["security", "--offline=true", "--threshold=20", "--no-pager"];
    let (status, said) = analyze(&exposure, &units[..1]);
    assert!(status.success(), "its exposure is above 2.0: {status}: {said}");
}
