//! The daemon as a user starts it: the real executable, on a port of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, fs};

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;

use super::{Client, Metronome, Reply, Viewer, eventually, eventually_is, old_kernel};

/// How long it may take to stop after SIGTERM, before it is killed. Some
/// daemons are frozen or traced.
const GRACE: Duration = Duration::from_secs(3);

/// With this variable set, all daemons of the tests are this program: an emulator with its
/// options and the program for a board, in words without blanks.
const OTHER: &str = "E2E_DAEMON";

pub(super) fn is_other() -> bool {
    env::var_os(OTHER).is_some()
}

/// The program, without its options.
pub(crate) fn program() -> Command {
    let other = env::var(OTHER).unwrap_or_default();
    let mut words = other.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or(env!("CARGO_BIN_EXE_mjpegd")));
    command.args(words);
    command
}

/// A running daemon. Stopped on drop. Its log is printed when the test fails.
pub(crate) struct Daemon {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
    is_deaf: Arc<AtomicBool>,
}

impl Daemon {
    /// Starts it with these arguments, on a free port unless they have --bind.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::spawn(Self::command(args))
    }

    /// The command, without options from the environment.
    pub(crate) fn command(args: &[&str]) -> Command {
        let mut command = program();
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if text == "CAMERA" || text == "RUST_LOG" || text.starts_with("MJPEGD_") {
                command.env_remove(&name);
            }
        }
        if !args.contains(&"--bind") {
            command.env("MJPEGD_BIND", "127.0.0.1:0");
        }
        old_kernel::if_all_are_old(&mut command);
        command.args(args).stdin(Stdio::null());
        command
    }

    /// Runs the program to its end, for errors before it listens.
    pub(crate) fn run(args: &[&str]) -> (Option<i32>, String, String) {
        let output = Self::command(args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    /// Starts a command and waits until it listens.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let is_deaf = Arc::<AtomicBool>::default();
        let stderr = child.stderr.take().unwrap();
        let reader = Some(follow(stderr, Arc::clone(&log), Arc::clone(&is_deaf)));
        let address = ([127, 0, 0, 1], 0).into();
        let mut daemon = Self { child, address, log, reader, is_deaf };
        daemon.address = eventually("it says where it listens", || {
            assert!(daemon.child.try_wait().unwrap().is_none(), "it ended instead of listening");
            address_in(&daemon.log.lock())
        });
        daemon
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All lines of its log so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().clone()
    }

    /// Waits for a log line that contains this text.
    pub(crate) fn wait_for_log(&self, text: &str) -> String {
        eventually(&format!("a line of the log with {text:?}"), || {
            self.log.lock().iter().find(|line| line.contains(text)).cloned()
        })
    }

    /// Stops reading its log, like a stopped terminal, or starts again.
    pub(crate) fn be_deaf(&self, is_deaf: bool) {
        self.is_deaf.store(is_deaf, Relaxed);
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Stops all its threads (SIGSTOP) until SIGCONT.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
        eventually_is("it is frozen", || {
            let tasks = fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap();
            let status = |task: fs::DirEntry| fs::read_to_string(task.path().join("status")).ok();
            let mut all = tasks.filter_map(|task| status(task.ok()?));
            all.all(|status| status.contains("\nState:\tT"))
        });
    }

    /// Waits for its end, and for its last lines unless nobody reads them.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let status = eventually("it ends", || self.child.try_wait().unwrap());
        if !self.is_deaf.load(Relaxed)
            && let Some(reader) = self.reader.take()
        {
            reader.join().unwrap();
        }
        status
    }

    /// Sends a signal and waits for its end, which takes less than `limit` unless the
    /// machine is busy.
    pub(crate) fn end_within(&mut self, limit: Duration, signal: Signal) -> ExitStatus {
        let (metronome, begun) = (Metronome::start(), Instant::now());
        self.signal(signal);
        let status = self.wait();
        let (took, limit) = (begun.elapsed(), metronome.allow(limit));
        assert!(took < limit, "it took {took:?}, and {limit:?} would be right");
        status
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// A GET without further headers.
    pub(crate) fn get(&self, target: &str) -> Reply {
        self.request("GET", target, &[])
    }

    /// A GET that must be answered within `limit`. A busy machine may need
    /// several tries; a blocked daemon never succeeds.
    pub(crate) fn get_within(&self, limit: Duration, target: &str) -> Reply {
        let mut took = Vec::new();
        for _ in 0..20 {
            let begun = Instant::now();
            let reply = self.get(target);
            took.push(begun.elapsed());
            if took.last() < Some(&limit) {
                return reply;
            }
        }
        panic!("{target} is never answered within {limit:?}, but after {took:?}");
    }

    /// A request with additional header lines.
    pub(crate) fn request(&self, method: &str, target: &str, headers: &[&str]) -> Reply {
        let mut client = Client::connect(self.address);
        client.request(method, target, headers);
        client.reply(method)
    }

    /// Starts to watch a stream.
    pub(crate) fn watch(&self, target: &str) -> Viewer {
        self.watch_with(target, &[])
    }

    /// Starts to watch a stream, with additional header lines.
    pub(crate) fn watch_with(&self, target: &str, headers: &[&str]) -> Viewer {
        let mut client = Client::connect(self.address);
        client.request("GET", target, headers);
        Viewer::new(client)
    }

    /// The reply of `/status`.
    pub(crate) fn status(&self) -> Value {
        let reply = self.get("/status");
        assert_eq!(reply.code, 200, "{}", reply.text());
        serde_json::from_slice(&reply.body).unwrap()
    }

    /// The figure at a path in `/status`, such as `/seats/taken`.
    pub(crate) fn figure(&self, pointer: &str) -> u64 {
        let status = self.status();
        status.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| {
            panic!("no figure at {pointer} in {status}");
        })
    }

    /// Waits until `n` seats are taken.
    pub(crate) fn wait_for_seats(&self, n: u64) {
        eventually_is(&format!("{n} seats are taken"), || self.figure("/seats/taken") == n);
    }

    /// Waits until the camera is in this state.
    pub(crate) fn wait_for_state(&self, state: &str) {
        eventually_is(&format!("the camera is {state}"), || {
            self.status()["camera"]["state"] == state
        });
    }

    /// The names of its threads.
    pub(crate) fn threads(&self) -> Vec<String> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap();
        // A thread may end while the list is read.
        let name = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm")).ok();
        tasks.filter_map(|task| Some(name(task.ok()?)?.trim_end().to_owned())).collect()
    }

    /// How often threads of this name have gone to sleep, which is the number
    /// of their wake-ups.
    pub(crate) fn sleeps_of(&self, name: &str) -> u64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap();
        let sleeps = |task: fs::DirEntry| {
            let status = fs::read_to_string(task.path().join("status")).ok()?;
            let is_it = status.starts_with(&format!("Name:\t{name}\n"));
            is_it.then(|| number_in(&status, "voluntary_ctxt_switches:"))
        };
        tasks.filter_map(|task| sleeps(task.ok()?)).sum()
    }

    /// Its resident memory.
    pub(crate) fn resident_kb(&self) -> u64 {
        resident_kb(self.pid())
    }

    /// The targets of its open descriptors.
    pub(crate) fn open_files(&self) -> Vec<String> {
        let fds = fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap();
        let target = |fd: fs::DirEntry| fs::read_link(fd.path()).ok();
        fds.filter_map(|fd| Some(target(fd.ok()?)?.to_string_lossy().into_owned())).collect()
    }
}

impl Daemon {
    /// Stops it with SIGTERM, so that it can end the commands it runs. Kills it
    /// if it does not stop.
    fn end(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::TERM);
        }
        let deadline = Instant::now() + GRACE;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        // The commands of one that has to be killed would run on, some for minutes.
        let commands =
            if matches!(self.child.try_wait(), Ok(None)) { self.groups() } else { vec![] };
        let _ = self.child.kill();
        let _ = self.child.wait();
        for group in commands {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// The process groups of its commands, which lead one each.
    fn groups(&self) -> Vec<Pid> {
        let own = self.pid().to_string();
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        let stats = all.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
        let leader = |stat: String| {
            // proc_pid_stat(5): the name in brackets, state, parent, group.
            let (pid, fields) = (stat.split_once(' ')?.0, stat.rsplit_once(") ")?.1);
            let fields: Vec<_> = fields.split(' ').collect();
            let is_its = fields[1] == own && fields[2] == pid;
            Pid::from_raw(pid.parse().ok().filter(|_| is_its)?)
        };
        stats.filter_map(leader).collect()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.end();
        self.be_deaf(false);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        if thread::panicking() {
            eprintln!("--- log of the daemon\n{}\n---", self.log.lock().join("\n"));
        }
    }
}

/// Collects the log lines as they come, except while reading is paused.
fn follow(
    from: impl Read + Send + 'static,
    log: Arc<Mutex<Vec<String>>>,
    is_deaf: Arc<AtomicBool>,
) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            log.lock().push(line);
            while is_deaf.load(Relaxed) {
                thread::sleep(Duration::from_millis(10));
            }
        }
    })
}

/// The resident memory of a process; 0 if it has ended.
pub(super) fn resident_kb(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    if status.contains("VmRSS:") { number_in(&status, "VmRSS:") } else { 0 }
}

/// The number after a name in a file of `/proc`.
fn number_in(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect(name);
    line.split_whitespace().next().unwrap().parse().unwrap()
}

fn address_in(log: &[String]) -> Option<SocketAddr> {
    let line = log.iter().find_map(|line| line.split_once("listening on http://"))?;
    let address = line.1.trim_end_matches('/').replace("localhost", "127.0.0.1");
    Some(address.parse().unwrap())
}
