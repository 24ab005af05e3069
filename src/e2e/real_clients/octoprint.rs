//! OctoPrint's server, in which its plugin Classic Webcam has the snapshot URL.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use serde_json::{Value, json};

use super::process::{Process, installed, source};
use crate::support::{Client, Reply, TempDir, free_port};

const KEY: &str = "0123456789ABCDEF0123456789ABCDEF";
/// No questions to a new user, and nothing that asks the network.
const CONFIG: &str = "\
api: {key: KEY}
server:
  firstRun: false
  onlineCheck: {enabled: false}
  pluginBlacklist: {enabled: false}
plugins:
  _disabled: [softwareupdate, pluginmanager, announcements, tracking, errortracking, discovery]
";
const USER: &str = "me";

/// A running OctoPrint.
pub(super) struct OctoPrint {
    _process: Process,
    address: SocketAddr,
    _dir: TempDir,
}

impl OctoPrint {
    pub(super) fn start() -> Self {
        let (dir, port) = (TempDir::new(), free_port());
        dir.write("config.yaml", CONFIG.replace("KEY", KEY));
        let plugin = fs::read(source("octoprint_plugin.py")).unwrap();
        dir.write("plugins/snapshot_taker.py", plugin);
        let mut command = Command::new(installed("octoprint", "octoprint"));
        // It refuses to run as root otherwise.
        command.args(["serve", "--iknowwhatimdoing", "--host", "127.0.0.1"]);
        command.args(["--port", &port.to_string(), "--basedir"]).arg(dir.path());
        let mut process = Process::start(&mut command, dir.path());
        let address = ([127, 0, 0, 1], port).into();
        // Before that, another server answers at this port, with a page to wait at.
        process.wait_for("Listening on http://");
        let version = parse(&ask(address, "GET", "/api/version", ""))["server"].take();
        assert_eq!(version, "1.11.8");
        Self { _process: process, address, _dir: dir }
    }

    /// What the button "Test" beside the snapshot URL finds, with the parameters
    /// that its page sends.
    pub(super) fn test_snapshot(&self, url: &str, password: Option<&str>) -> Value {
        let mut test = json!({
            "command": "url",
            "url": url,
            "method": "GET",
            "response": "bytes",
            "timeout": 5,
            "validSsl": true,
            "content_type_whitelist": ["image/*"],
            "content_type_guess": true,
        });
        if let Some(password) = password {
            test["basicAuth"] = json!({ "username": USER, "password": password });
        }
        let reply = ask(self.address, "POST", "/api/util/test", &test.to_string());
        assert_eq!(reply.code, 200, "{}", reply.text());
        parse(&reply)
    }

    /// Saves the URL as its settings do, and takes a snapshot as for a time-lapse.
    pub(super) fn take_snapshot(&self, url: &str, password: Option<&str>) -> Reply {
        let settings = json!({ "plugins": { "classicwebcam": {
            "snapshot": url,
            "snapshotAuth": if password.is_some() { "basic" } else { "none" },
            "snapshotUsername": USER,
            "snapshotPassword": password.unwrap_or_default(),
        }}});
        let saved = ask(self.address, "POST", "/api/settings", &settings.to_string());
        assert_eq!(saved.code, 200, "{}", saved.text());
        ask(self.address, "GET", "/api/plugin/snapshot_taker", "")
    }
}

fn ask(address: SocketAddr, method: &str, target: &str, body: &str) -> Reply {
    let key = format!("X-Api-Key: {KEY}");
    let length = format!("Content-Length: {}", body.len());
    let mut client = Client::connect(address);
    let json = "Content-Type: application/json";
    client.request(method, target, &[&key, json, &length, "Connection: close"]);
    client.send(body);
    client.reply(method)
}

fn parse(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or_else(|e| panic!("{e}: {}", reply.text()))
}
