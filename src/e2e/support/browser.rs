//! A real Chromium, driven through chromedriver (W3C WebDriver).

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::client::{Client, code, header};
use super::{Program, TempDir};

/// One window. Closed when dropped.
pub(crate) struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    profile: TempDir,
}

const PACKAGES: &str = "chromium chromium-driver";
const N_TRIES: u32 = 5;

/// Starts chromedriver, and returns it with its port; `None` if it has ended without one.
fn start_driver() -> Option<(Child, u16)> {
    let mut driver = Program::new("chromedriver", PACKAGES).args(["--port=0"]).start_piped();
    let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = lines.map_while(Result::ok).find_map(|line| {
        line.split_once("successfully on port ")?.1.strip_suffix('.')?.parse().ok()
    });
    let Some(port) = port else {
        let _ = driver.wait();
        return None;
    };
    Some((driver, port))
}

impl Browser {
    pub(crate) fn start() -> Self {
        Self::start_with_names("")
    }

    /// As [`Browser::start`], with rules of `--host-resolver-rules` for names of
    /// hosts.
    pub(crate) fn start_with_names(rules: &str) -> Self {
        let profile = TempDir::new();
        // It chooses a free port, and ends if that one is taken by then.
        let started = (0..N_TRIES).find_map(|_| start_driver());
        let (driver, port) = started.expect("chromedriver does not say its port");
        let address = ([127, 0, 0, 1], port).into();
        let mut browser = Self { driver, address, session: String::new(), profile };
        let wanted = capabilities(browser.profile.path().to_str().unwrap(), rules);
        let made = browser.call("POST", "/session", &wanted);
        browser.session = made["sessionId"].as_str().unwrap().to_owned();
        browser
    }

    /// Sends a WebDriver command to chromedriver. Panics with its error.
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let mut client = Client::connect(self.address);
        client.send(format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        ));
        // chromedriver keeps the connection open in spite of the header.
        let head = client.head();
        let length = header(&head, "Content-Length").unwrap().parse().unwrap();
        let mut answer: Value = serde_json::from_slice(&client.take(length)).unwrap();
        assert_eq!(code(&head), 200, "{method} {path}: {answer}; apt install {PACKAGES}?");
        answer["value"].take()
    }

    fn post(&self, command: &str, body: &Value) -> Value {
        self.call("POST", &format!("/session/{}/{command}", self.session), body)
    }

    pub(crate) fn open(&self, url: &str) {
        self.post("url", &json!({ "url": url }));
    }

    /// Runs the body of a JavaScript function, and returns its result.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.post("execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// The text of the element with this id.
    pub(crate) fn text(&self, id: &str) -> String {
        let script = format!("return document.getElementById('{id}').textContent");
        self.run(&script).as_str().unwrap().to_owned()
    }

    /// Clicks as a person does, which is more than a script may do.
    pub(crate) fn click(&self, css: &str) {
        let found = self.post("element", &json!({ "using": "css selector", "value": css }));
        let element = found.as_object().unwrap().values().next().unwrap().as_str().unwrap();
        self.post(&format!("element/{element}/click"), &json!({}));
    }

    /// Sends a command of the DevTools protocol.
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) {
        self.post("goog/cdp/execute", &json!({ "cmd": command, "params": parameters }));
    }

    pub(crate) fn minimize(&self) {
        self.post("window/minimize", &json!({}));
    }

    pub(crate) fn maximize(&self) {
        self.post("window/maximize", &json!({}));
    }

    /// The entries of a log since the last call.
    pub(crate) fn log(&self, kind: &str) -> Vec<Value> {
        self.post("se/log", &json!({ "type": kind })).as_array().unwrap().clone()
    }

    /// The URLs that its pages requested since the last call.
    pub(crate) fn requests(&self) -> BTreeSet<String> {
        let mut asked = BTreeSet::new();
        for entry in self.log("performance") {
            let event: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            let (method, event) = (&event["message"]["method"], &event["message"]["params"]);
            // The first tab loads pages of the browser itself.
            let document = event["documentURL"].as_str().unwrap_or("");
            if method == "Network.requestWillBeSent" && !document.starts_with("chrome:") {
                asked.insert(event["request"]["url"].as_str().unwrap().to_owned());
            }
        }
        asked
    }

    /// Sets the size of the page, as of a screen.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        self.devtools("Emulation.setDeviceMetricsOverride",
            &json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 }));
    }
}

/// Headless, able to run as root, without requests to the Internet, and with
/// its logs readable.
fn capabilities(profile: &str, rules: &str) -> Value {
    json!({ "capabilities": { "alwaysMatch": {
        "browserName": "chrome",
        "goog:chromeOptions": { "args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--window-size=900,800", format!("--user-data-dir={profile}"),
            format!("--host-resolver-rules={rules}"),
        ]},
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
    }}})
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        // Chromium survives its driver. It is found by the profile folder in
        // its command line.
        let profile = self.profile.path().to_str().unwrap().as_bytes().to_vec();
        for process in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
            let name = process.file_name().into_string().ok().and_then(|name| name.parse().ok());
            let Some(pid) = name.and_then(Pid::from_raw) else { continue };
            let command = fs::read(process.path().join("cmdline")).unwrap_or_default();
            if memchr::memmem::find(&command, &profile).is_some() {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}
