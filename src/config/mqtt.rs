//! The MQTT broker that is told of events, states and pictures.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::args::Args;
use super::text_file::read_secret;
use crate::trust::Trust;
use crate::url::{Login, Url};

/// The longest prefix: a topic with the name of a camera behind it stays far below the
/// 65,535 bytes of a string of MQTT.
const MAX_PREFIX: usize = 128;
/// Of `--mqtt-discovery`: nothing is announced.
const NONE: &str = "none";

/// The broker, and what it gets.
pub(crate) struct MqttConfig {
    /// For people.
    pub(crate) url: Url,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Which certificates are accepted; `None`: without TLS.
    pub(crate) trust: Option<Trust>,
    pub(crate) login: Option<Login>,
    /// Of all topics, without a slash at its end.
    pub(crate) prefix: String,
    /// Of the topics by which Home Assistant finds the cameras.
    pub(crate) discovery: Option<String>,
    /// How often a picture is sent; `None`: only when something begins to move.
    pub(crate) snapshot_every: Option<Duration>,
}

/// Without the password.
impl std::fmt::Debug for MqttConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("MqttConfig").field(&self.url).finish()
    }
}

impl MqttConfig {
    /// Checks the options of MQTT; `None`: there is no broker.
    ///
    /// # Errors
    /// The first value that cannot be used, with what would be right.
    pub(super) fn new(args: &Args) -> Result<Option<Self>> {
        let Some(text) = &args.mqtt else {
            ensure!(args.mqtt_password_file.is_none(), "--mqtt-password-file: use it with --mqtt");
            return Ok(None);
        };
        ensure!(
            cfg!(feature = "mqtt"),
            "--mqtt: this program was built without mqtt; build it with: cargo build --release"
        );
        let url = Url::parse_mqtt(text).context("--mqtt")?;
        let (scheme, host, port, path) = url.parts();
        let (trust, usual_port) = match scheme {
            "mqtts" => (Some(Trust::new(args)?), 8883),
            _ => (None, 1883),
        };
        let path = path.trim_matches('/');
        let prefix = if path.is_empty() { default_prefix() } else { topic("--mqtt", path)? };
        let discovery = match args.mqtt_discovery.as_str() {
            NONE => None,
            text => Some(topic("--mqtt-discovery", text)?),
        };
        let every = args.mqtt_snapshot;
        ensure!(
            every.is_zero()
                || (Duration::from_secs(1)..=Duration::from_secs(86_400)).contains(&every),
            "--mqtt-snapshot {every:?}: use 1s or more, up to 1day, or 0 for motion only"
        );
        Ok(Some(Self {
            host: host.to_owned(),
            port: port.unwrap_or(usual_port),
            trust,
            login: login(url.login(), args.mqtt_password_file.as_deref())?,
            prefix,
            discovery,
            snapshot_every: Some(every).filter(|every| !every.is_zero()),
            url,
        }))
    }
}

/// The user of the address, with the password of the file.
fn login(of_url: Option<&Login>, file: Option<&Path>) -> Result<Option<Login>> {
    const OPTION: &str = "--mqtt-password-file";
    let Some(file) = file else { return Ok(of_url.cloned()) };
    match of_url {
        Some(Login { user, password }) if password.is_empty() => {
            let password = read_secret(OPTION, file)?;
            // The length of a string in a packet has 16 bits.
            ensure!(password.len() <= 4096, "{OPTION}: use a password of up to 4096 bytes");
            Ok(Some(Login { user: user.clone(), password }))
        }
        Some(_) => bail!("{OPTION}: the address of --mqtt has a password too; use one of them"),
        None => bail!("{OPTION}: write the user into the address, as in mqtt://USER@HOST"),
    }
}

/// With the name of the machine, as two boards with the same prefix would take each other's
/// place at the broker.
fn default_prefix() -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let host: String = host.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    format!("mjpegd/{host}")
}

/// Checks the first part of a topic.
fn topic(option: &str, text: &str) -> Result<String> {
    let is_plain = |level: &str| {
        let is_sign = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        !level.is_empty() && level.bytes().all(is_sign)
    };
    ensure!(
        text.len() <= MAX_PREFIX && text.split('/').all(is_plain),
        "{option}: {text:?} begins no topic; use up to {MAX_PREFIX} letters, digits, -, _, . and /"
    );
    Ok(text.to_owned())
}

#[cfg(all(test, feature = "mqtt"))]
mod tests {
    use super::*;

    fn config(args: &[&str]) -> Result<Option<MqttConfig>> {
        MqttConfig::new(&Args::typed([&["mjpegd"], args].concat()))
    }

    #[test]
    fn address_has_all_that_differs_from_broker_to_broker() {
        assert!(config(&[]).unwrap().is_none());
        let of = |url| config(&["--mqtt", url]).unwrap().unwrap();
        let all = of("mqtt://me:x@broker.local:1884/home/pi/");
        assert_eq!((&*all.host, all.port, &*all.prefix), ("broker.local", 1884, "home/pi"));
        assert_eq!(all.login.unwrap().password, b"x");
        assert_eq!(all.discovery.as_deref(), Some("homeassistant"));
        let least = of("mqtt://h");
        assert_eq!((least.port, least.trust), (1883, None));
        assert!(least.login.is_none() && least.prefix.starts_with("mjpegd/"), "{}", least.prefix);
        let more = ["--mqtt", "mqtt://h", "--mqtt-discovery", "none", "--mqtt-snapshot", "0"];
        let none = config(&more).unwrap().unwrap();
        assert_eq!((none.discovery, none.snapshot_every), (None, None));
    }

    #[test]
    fn value_that_cannot_be_used_is_refused_without_the_password() {
        for (args, says) in [
            (&["--mqtt", "broker"][..], "use mqtt://"),
            (&["--mqtt", "mqtt://me:SECRET@h/a+b"], "letters, digits"),
            (&["--mqtt", "mqtt://h//a//b"], "letters, digits"),
            (&["--mqtt", "mqtt://h", "--mqtt-discovery", "a/#"], "letters, digits"),
            (&["--mqtt", "mqtt://h", "--mqtt-snapshot", "1ms"], "use 1s or more"),
            (&["--mqtt-password-file", "/x"], "use it with --mqtt"),
            (&["--mqtt", "mqtt://h", "--mqtt-password-file", "/x"], "mqtt://USER@HOST"),
            (&["--mqtt", "mqtt://u:SECRET@h", "--mqtt-password-file", "/x"], "one of them"),
            (&["--mqtt", "mqtt://u@h", "--mqtt-password-file", "/dev/null"], "is empty"),
        ] {
            let error = format!("{:#}", config(args).unwrap_err());
            assert!(error.contains(says) && !error.contains("SECRET"), "{args:?}: {error}");
        }
        let whole = config(&["--mqtt", "mqtt://me:SECRET@h"]).unwrap();
        assert!(!format!("{whole:?}").contains("SECRET"));
    }
}
