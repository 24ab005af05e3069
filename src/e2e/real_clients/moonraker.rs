//! Moonraker's server, without a printer.

use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use serde_json::{Value, json};

use super::process::{Process, installed};
use crate::support::{Client, TempDir, eventually_is, free_port};

/// A running Moonraker.
pub(super) struct Moonraker {
    _process: Process,
    address: SocketAddr,
    _dir: TempDir,
}

impl Moonraker {
    pub(super) fn start() -> Self {
        let (dir, port) = (TempDir::new(), free_port());
        let socket = dir.path().join("klippy.sock");
        // `dev_mode` takes the announcements from a file, not from the network.
        let config = format!(
            "[server]\nhost: 127.0.0.1\nport: {port}\nklippy_uds_address: {}\n\
             [machine]\nprovider: none\n\
             [announcements]\ndev_mode: True\n\
             [authorization]\ntrusted_clients: 127.0.0.1\n",
            socket.display()
        );
        dir.write("config/moonraker.conf", config);
        let mut command = Command::new(installed("moonraker", "moonraker"));
        command.arg("-d").arg(dir.path());
        let mut process = Process::start(&mut command, dir.path());
        let address = ([127, 0, 0, 1], port).into();
        eventually_is("Moonraker listens", || {
            assert!(process.is_running(), "Moonraker has ended");
            TcpStream::connect(address).is_ok()
        });
        let moonraker = Self { _process: process, address, _dir: dir };
        let version = moonraker.ask("GET", "/server/info", &json!({}))["moonraker_version"].take();
        assert!(version.to_string().contains("0.11.0"), "{version}");
        moonraker
    }

    /// Adds a webcam and lets Moonraker test it. A camera that is woken may be
    /// too late for its limit of one second on a busy machine, so that it gets
    /// several tries where it finds nothing.
    pub(super) fn test_webcam(&self, stream: &str, snapshot: &str) -> Value {
        let webcam = json!({ "name": "front", "stream_url": stream, "snapshot_url": snapshot });
        self.ask("POST", "/server/webcams/item", &webcam);
        let name = json!({ "name": "front" });
        let test = || self.ask("POST", "/server/webcams/test", &name);
        let mut tested = test();
        for _ in 0..4 {
            if tested["snapshot_reachable"] == true {
                break;
            }
            tested = test();
        }
        tested
    }

    fn ask(&self, method: &str, target: &str, body: &Value) -> Value {
        let body = body.to_string();
        let length = format!("Content-Length: {}", body.len());
        let mut client = Client::connect(self.address);
        let json = "Content-Type: application/json";
        client.request(method, target, &[json, &length, "Connection: close"]);
        client.send(body);
        let reply = client.reply(method);
        assert_eq!(reply.code, 200, "{target}: {}", reply.text());
        let mut value: Value = serde_json::from_slice(&reply.body).unwrap();
        value["result"].take()
    }
}
