//! A real MQTT broker, Mosquitto, and what comes out of it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Program, TempDir, eventually, eventually_is, free_port};

/// A running Mosquitto on a port of its own, which keeps what it has over a restart.
pub(crate) struct Broker {
    child: Option<Child>,
    dir: TempDir,
    pub(crate) port: u16,
}

/// A message that a subscriber got.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) is_retained: bool,
    pub(crate) qos: u8,
    pub(crate) payload: Vec<u8>,
}

/// Everything that is published below some topics.
pub(crate) struct Subscriber {
    child: Child,
    messages: Arc<Mutex<Vec<Message>>>,
    reader: Option<JoinHandle<()>>,
}

impl Message {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap()
    }

    /// From `TOPIC RETAINED QOS HEX`.
    fn parse(line: &str) -> Self {
        let mut fields = line.split(' ');
        let mut next = || fields.next().unwrap().to_owned();
        let (topic, retained, qos, hex) = (next(), next(), next(), next());
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        let payload = (0..hex.len()).step_by(2).map(byte).collect();
        Self { topic, is_retained: retained == "1", qos: qos.parse().unwrap(), payload }
    }
}

impl Broker {
    /// For everybody.
    pub(crate) fn start() -> Self {
        Self::with("allow_anonymous true\n", &[])
    }

    /// With these lines in its configuration, and these users with their passwords.
    pub(crate) fn with(lines: &str, users: &[(&str, &str)]) -> Self {
        let (dir, port) = (TempDir::new(), free_port());
        let path = dir.path().display().to_string();
        let mut config = format!(
            "listener {port} 127.0.0.1\npersistence true\npersistence_location {path}/\n{lines}"
        );
        // Started by root it would become a user who may not read the folder.
        config += "user root\n";
        if !users.is_empty() {
            config += &format!("password_file {path}/users\n");
            dir.write("users", "");
        }
        for (user, password) in users {
            let args = ["-b", &format!("{path}/users"), user, password].map(str::to_owned);
            let args = args.iter().map(String::as_str);
            Program::new("mosquitto_passwd", "mosquitto").args(args).output();
        }
        dir.write("mosquitto.conf", config);
        let mut broker = Self { child: None, dir, port };
        broker.go_on();
        broker
    }

    /// Starts it, again after [`Broker::stop`].
    pub(crate) fn go_on(&mut self) {
        let log = fs::File::create(self.dir.path().join("log")).unwrap();
        let mut command = Command::new("mosquitto");
        // Debian keeps it where a user's path may not lead.
        command.env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap()));
        command.arg("-c").arg(self.dir.path().join("mosquitto.conf"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        self.child = Some(child.unwrap_or_else(|e| panic!("apt install mosquitto: {e}")));
        eventually_is("the broker listens", || {
            let is_running = self.child.as_mut().unwrap().try_wait().unwrap().is_none();
            assert!(is_running, "{}", fs::read_to_string(self.dir.path().join("log")).unwrap());
            TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
    }

    /// Stops it in good order, so that it writes down what it has.
    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = kill_process(Pid::from_child(&child), Signal::TERM);
            child.wait().unwrap();
        }
    }

    pub(crate) fn url(&self, prefix: &str) -> String {
        format!("mqtt://127.0.0.1:{}/{prefix}", self.port)
    }

    /// Follows what is published at a topic, which may have wildcards. The broker keeps
    /// for this `name` what is published at QoS 1 while it is away.
    pub(crate) fn subscribe(&self, name: &str, topic: &str) -> Subscriber {
        let port = self.port.to_string();
        let args = ["-h", "127.0.0.1", "-p", &port, "-i", name, "-c", "-q", "1", "-t", topic];
        Subscriber::start(&[&args[..], &["-F", "%t %r %q %x"]].concat())
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Subscriber {
    /// Starts `mosquitto_sub` and waits until it is subscribed.
    pub(crate) fn start(args: &[&str]) -> Self {
        // By lines, as otherwise it says only with the first message that it is subscribed.
        let mut command = Command::new("stdbuf");
        command.args(["-oL", "mosquitto_sub", "-d"]).args(args);
        command.stdin(Stdio::null()).stderr(Stdio::null());
        let child = command.stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|e| panic!("apt install mosquitto-clients: {e}"));
        let messages = Arc::new(Mutex::new(Vec::new()));
        let is_subscribed = Arc::new(Mutex::new(false));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (found, subscribed) = (Arc::clone(&messages), Arc::clone(&is_subscribed));
        let reader = thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if line.starts_with("Subscribed ") {
                    *subscribed.lock() = true;
                } else if !line.starts_with("Client ") {
                    found.lock().push(Message::parse(&line));
                }
            }
        });
        let subscriber = Self { child, messages, reader: Some(reader) };
        eventually_is("it is subscribed", || *is_subscribed.lock());
        subscriber
    }

    /// All that came so far.
    pub(crate) fn all(&self) -> Vec<Message> {
        self.messages.lock().clone()
    }

    /// Those of a topic.
    pub(crate) fn at(&self, topic: &str) -> Vec<Message> {
        self.all().into_iter().filter(|message| message.topic == topic).collect()
    }

    /// Waits for a message at a topic for which `is_right` is true.
    pub(crate) fn wait_for(
        &self,
        topic: &str,
        mut is_right: impl FnMut(&Message) -> bool,
    ) -> Message {
        eventually(&format!("a message at {topic}"), || {
            self.at(topic).into_iter().find(|message| is_right(message))
        })
    }

    /// Waits until the last message at a topic is this text.
    pub(crate) fn wait_for_text(&self, topic: &str, text: &str) {
        eventually_is(&format!("{topic} is {text}"), || {
            self.at(topic).last().is_some_and(|message| message.payload == text.as_bytes())
        });
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}
