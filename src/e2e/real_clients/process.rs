//! A client that runs until the test ends.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::support::eventually_is;

/// A running program. Its process group is killed on drop, and its output is
/// printed when the test fails.
pub(super) struct Process {
    child: Child,
    output: PathBuf,
}

impl Process {
    /// Starts it, with its output in a file of this folder.
    pub(super) fn start(command: &mut Command, dir: &Path) -> Self {
        use std::os::unix::process::CommandExt;
        let output = dir.join("output.txt");
        let file = File::create(&output).unwrap();
        command.stdin(Stdio::null()).stderr(file.try_clone().unwrap()).stdout(file);
        let child = command.process_group(0).spawn();
        let child = child.unwrap_or_else(|e| panic!("{command:?}: {e}; make test-clients"));
        Self { child, output }
    }

    /// Waits until its output has this text.
    pub(super) fn wait_for(&mut self, text: &str) {
        eventually_is(&format!("the client says {text:?}"), || {
            assert!(self.is_running(), "the client has ended");
            fs::read_to_string(&self.output).unwrap_or_default().contains(text)
        });
    }

    pub(super) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
        if std::thread::panicking() {
            let output = fs::read_to_string(&self.output).unwrap_or_default();
            eprintln!("--- output of the client\n{output}\n---");
        }
    }
}

/// A program in the Python environment of a client, which `make` has installed.
pub(super) fn installed(client: &str, program: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("target/clients").join(client).join("bin").join(program);
    assert!(path.exists(), "{} is not there: make test-clients", path.display());
    path
}

/// A file beside this one.
pub(super) fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/e2e/real_clients").join(name)
}
