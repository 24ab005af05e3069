//! The options of the MQTT broker that gets events, states and pictures.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::args::Args;
use super::text_file::read_secret;
use crate::trust::Trust;
use crate::url::{Login, Url};

/// The longest prefix: a topic with the name of a camera behind it stays far below the
/// 65,535 bytes of a string of MQTT.
const MAX_PREFIX: usize = 128;
const PASSWORD_FILE: &str = "mqtt-password-file";
const DISCOVERY: &str = "mqtt-discovery";
/// Nothing is announced.
const NONE: &str = "none";

/// The broker, and what it gets.
#[cfg_attr(not(feature = "mqtt"), allow(dead_code, reason = "there is no publisher"))]
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
        let Some(text) = args.text_if("mqtt") else {
            ensure!(!args.is_given(PASSWORD_FILE), "--{PASSWORD_FILE}: use it with --mqtt");
            return Ok(None);
        };
        ensure!(cfg!(feature = "mqtt"), "--mqtt: this program was built without the feature mqtt");
        let url = Url::parse_mqtt(text).context("--mqtt")?;
        let (scheme, host, port, path) = url.parts();
        let (trust, usual_port) = match scheme {
            "mqtts" => (Some(Trust::new(args)?), 8883),
            _ => (None, 1883),
        };
        let path = path.trim_matches('/');
        let prefix = if path.is_empty() { default_prefix() } else { topic("mqtt", path)? };
        let discovery = match args.text(DISCOVERY) {
            NONE => None,
            text => Some(topic(DISCOVERY, text)?),
        };
        let login = login(url.login(), read_secret(args, PASSWORD_FILE)?)?;
        // A string in a packet has a length of 16 bits.
        let is_short = |text: &[u8]| text.len() <= usize::from(u16::MAX);
        ensure!(
            login.iter().all(|login| is_short(&login.user) && is_short(&login.password)),
            "--mqtt: user and password may have 65535 bytes each"
        );
        let every = args.time("mqtt-snapshot")?;
        let right = Duration::from_secs(1)..=Duration::from_secs(86_400);
        ensure!(
            every.is_zero() || right.contains(&every),
            "--mqtt-snapshot {every:?}: use 1s or more, up to 1day, or 0 for motion only"
        );
        Ok(Some(Self {
            host: host.to_owned(),
            port: port.unwrap_or(usual_port),
            trust,
            login,
            prefix,
            discovery,
            snapshot_every: Some(every).filter(|every| !every.is_zero()),
            url,
        }))
    }
}

/// The user of the address, with the password of the file.
fn login(of_url: Option<&Login>, of_file: Option<Vec<u8>>) -> Result<Option<Login>> {
    let Some(password) = of_file else { return Ok(of_url.cloned()) };
    match of_url {
        Some(Login { user, password: typed }) if typed.is_empty() => {
            Ok(Some(Login { user: user.clone(), password }))
        }
        Some(_) => bail!("--{PASSWORD_FILE}: the address of --mqtt has a password too; use one"),
        None => bail!("--{PASSWORD_FILE}: write the user into the address, as in mqtt://USER@HOST"),
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
        "--{option}: {text:?} begins no topic; use up to {MAX_PREFIX} letters, digits, -, _, . and /"
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
        // Some file that is not empty.
        const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/LICENSE");
        for (args, says) in [
            (&["--mqtt", "broker"][..], "use mqtt://"),
            (&["--mqtt", "mqtt://me:SECRET@h/a+b"], "letters, digits"),
            (&["--mqtt", "mqtt://h//a//b"], "letters, digits"),
            (&["--mqtt", "mqtt://h", "--mqtt-discovery", "a/#"], "letters, digits"),
            (&["--mqtt", "mqtt://h", "--mqtt-snapshot", "1ms"], "use 1s or more"),
            (&["--mqtt-password-file", "/x"], "use it with --mqtt"),
            (&["--mqtt", "mqtt://h", "--mqtt-password-file", "/dev/null"], "is empty"),
            (&["--mqtt", "mqtt://h", "--mqtt-password-file", FILE], "mqtt://USER@HOST"),
            (&["--mqtt", "mqtt://u:SECRET@h", "--mqtt-password-file", FILE], "use one"),
        ] {
            let error = format!("{:#}", config(args).unwrap_err());
            assert!(error.contains(says) && !error.contains("SECRET"), "{args:?}: {error}");
        }
        let whole = config(&["--mqtt", "mqtt://me:SECRET@h"]).unwrap();
        assert!(!format!("{whole:?}").contains("SECRET"));
    }
}
