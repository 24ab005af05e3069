//! Other programs that the tests run, such as players.

use std::io::{ErrorKind, Read};
use std::process::{Child, Command, Output, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::PATIENCE;

/// A program that a test runs to its end.
pub(crate) struct Program {
    name: &'static str,
    package: &'static str,
    command: Command,
}

impl Program {
    pub(crate) fn new(name: &'static str, package: &'static str) -> Self {
        let mut command = Command::new(name);
        command.stdin(Stdio::null());
        Self { name, package, command }
    }

    pub(crate) fn args<'a>(mut self, args: impl IntoIterator<Item = &'a str>) -> Self {
        self.command.args(args);
        self
    }

    /// Starts it. A missing program fails the test.
    pub(crate) fn start(mut self) -> Child {
        self.command.spawn().unwrap_or_else(|e| {
            if e.kind() == ErrorKind::NotFound {
                panic!("{} is needed: apt install {}", self.name, self.package);
            }
            panic!("{}: {e}", self.name)
        })
    }

    /// Starts it with its output in pipes.
    pub(crate) fn start_piped(mut self) -> Child {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        self.start()
    }

    /// Runs it, and returns its standard output.
    pub(crate) fn output(self) -> Vec<u8> {
        let name = self.name;
        let output = finish(self.start_piped());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {}\n{errors}", output.status);
        output.stdout
    }

    pub(crate) fn text(self) -> String {
        String::from_utf8(self.output()).unwrap()
    }
}

/// Waits for the end of a program. A program that hangs is killed and fails the
/// test.
fn finish(mut child: Child) -> Output {
    let stdout = collect(child.stdout.take().unwrap());
    let stderr = collect(child.stderr.take().unwrap());
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if Instant::now() >= deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        thread::sleep(Duration::from_millis(20));
    };
    let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
    let Some(status) = status else {
        panic!("no end within {PATIENCE:?}:\n{}", String::from_utf8_lossy(&stderr));
    };
    Output { status, stdout, stderr }
}

/// Reads a pipe to its end in a thread of its own.
fn collect(mut from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        bytes
    })
}

/// Runs a script with the system's Python, which has the packages that apt
/// installs, and returns its output.
pub(crate) fn python(module: &str, package: &str, script: &str, args: &[&str]) -> String {
    let check = format!("import importlib.util as u; print(u.find_spec({module:?}) is not None)");
    let there = Program::new("/usr/bin/python3", "python3").args(["-c", &check]).text();
    assert_eq!(there.trim(), "True", "{module} is needed: apt install {package}");
    let program = Program::new("/usr/bin/python3", "python3");
    program.args(["-c", script].into_iter().chain(args.iter().copied())).text()
}
