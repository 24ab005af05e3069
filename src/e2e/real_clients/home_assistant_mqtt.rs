//! Home Assistant's integration "MQTT", run by a script beside this file.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::process::{installed, source};

/// A Home Assistant that is connected to a broker.
pub(super) struct WithBroker {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl WithBroker {
    pub(super) fn start(port: u16) -> Self {
        let mut command = Command::new(installed("home_assistant", "python"));
        command.arg(source("home_assistant_mqtt.py")).arg(port.to_string());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, input, output: BufReader::new(output).lines() }
    }

    /// What it knows of its entities, by their names.
    pub(super) fn entities(&mut self) -> Value {
        self.input.write_all(b"\n").unwrap();
        let line = self.output.next().expect("Home Assistant runs").unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for WithBroker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
