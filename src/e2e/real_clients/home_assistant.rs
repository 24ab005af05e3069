//! Home Assistant's integration "MJPEG IP Camera", run by a script beside this
//! file.

use std::process::Command;

use serde_json::Value;

use super::process::{installed, source};

/// Seconds for all that the script does. Its own limits are 10 seconds each.
const LIMIT: &str = "90";

/// What Home Assistant shows of a new camera; the script says what.
pub(super) fn add_camera(stream: &str, still: &str, password: Option<&str>) -> Value {
    let user = if password.is_some() { "me" } else { "" };
    let mut command = Command::new("timeout");
    command.arg(LIMIT).arg(installed("home_assistant", "python"));
    command.arg(source("home_assistant.py"));
    let output =
        command.args([stream, still, user, password.unwrap_or_default()]).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{errors}", output.status);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}\n{errors}"))
}
