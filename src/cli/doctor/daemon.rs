//! What a daemon says that runs here already.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use super::report::{Report, text};
use crate::config::{Bind, HttpConfig};
use crate::fetch::{Cause, Error, Fetcher};
use crate::shutdown;
use crate::trust::Trust;
use crate::url::Url;

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// A longer answer is none of a daemon.
const MAX_ANSWER: usize = 4 << 20;

/// Returns where a daemon listens.
pub(super) fn look(config: &HttpConfig, report: &mut Report) -> Vec<Bind> {
    report.topic("daemon");
    let mut running = Vec::new();
    for bind in &config.binds {
        let Bind::Tcp(address) = *bind else { continue };
        let address = local(address);
        match get(address, "healthz") {
            Ok(text) if text == b"ok\n" => {}
            _ => continue,
        }
        running.push(bind.clone());
        let at = text(&address);
        match get(address, "status") {
            Ok(json) => {
                let names = judge(at, &String::from_utf8_lossy(&json), report);
                // Each camera's own status has its recording.
                for name in names {
                    let status = get(address, &[&*name, "/status"].concat());
                    judge_recording(
                        &name,
                        &String::from_utf8_lossy(&status.unwrap_or_default()),
                        report,
                    );
                }
            }
            Err(Error::Failed(Cause::Denied, _)) => {
                report.ok("a daemon runs at http://@/, and asks for a login", &[at]);
            }
            Err(e) => {
                let what = "a daemon runs at http://@/, but has no status: @\n\
                    sudo systemctl restart mjpegd";
                report.fault(what, &[at, text(&e)]);
            }
        }
    }
    if running.is_empty() {
        report.ok("none runs here", &[]);
    }
    running
}

/// Reads its `/status`, which serde wrote: without blanks, and in the order of the fields.
/// Returns the names of its cameras.
fn judge(at: &str, status: &str, report: &mut Report) -> Vec<String> {
    const OWN: &str = env!("CARGO_PKG_VERSION");
    let version = value(status, "version");
    if version == OWN {
        report.ok("a daemon runs at http://@/", &[at]);
    } else {
        let what = "a daemon runs at http://@/, of version @; this program is @\n\
            sudo systemctl restart mjpegd";
        report.fault(what, &[at, version, OWN]);
    }
    let (_, cameras) = status.split_once("\"cameras\":[").unwrap_or_default();
    let (cameras, _) = cameras.split_once("],\"seats\":").unwrap_or((cameras, ""));
    let mut names = Vec::new();
    for camera in cameras.split("{\"name\":").skip(1) {
        let name = camera.split('"').nth(1).unwrap_or_default();
        names.push(name.to_owned());
        if value(camera, "state") == "lost" {
            let what = "its camera @ is lost: @\n\
                see the guide: \"The camera is lost\" in troubleshooting.md";
            report.fault(what, &[name, value(camera, "cause")]);
        }
    }
    names
}

fn judge_recording(camera: &str, status: &str, report: &mut Report) {
    let (_, recording) = status.split_once("\"recording\":{").unwrap_or_default();
    if value(recording, "state") == "failed" {
        let what = "it cannot record camera @: @\ndf -h; ls -ld FOLDER";
        report.fault(what, &[camera, value(recording, "cause")]);
    }
}

/// The text behind the first such key. It is searched and not parsed, which takes less code: a
/// text that looks like a key has backslashes before its quotes.
fn value<'a>(json: &'a str, key: &str) -> &'a str {
    let key = ["\"", key, "\":\""].concat();
    let Some((_, rest)) = json.split_once(&*key) else { return "" };
    let mut is_escaped = false;
    let end = rest.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    &rest[..end.unwrap_or(rest.len())]
}

/// The address at which a program of this machine reaches it.
fn local(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        other => other,
    };
    SocketAddr::new(ip, address.port())
}

fn get(address: SocketAddr, path: &str) -> Result<Vec<u8>, Error> {
    let unusable = |e: String| Error::Failed(Cause::Unusable, e);
    let url = ["http://", text(&address), "/", path].concat();
    let url = Url::parse(&url).map_err(|e| unusable(e.to_string()))?;
    let (_trigger, stop) = shutdown::channel();
    let until = Instant::now() + PATIENCE;
    let mut body = Fetcher::new(url, &Trust::Public, stop).get(until)?.body;
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        match body.read(&mut piece, until) {
            Ok(0) => return Ok(bytes),
            Ok(n) if bytes.len() < MAX_ANSWER => bytes.extend_from_slice(&piece[..n]),
            Ok(_) => return Err(unusable("its answer is too long".into())),
            Err(e) => return Err(unusable(e.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn status_tells_what_is_wrong() {
        let says = |status: &str| {
            let mut report = Report::default();
            for name in judge("x:1", status, &mut report) {
                judge_recording(&name, status, &mut report);
            }
            report.end().0
        };
        let version = env!("CARGO_PKG_VERSION");
        let start = format!("{{\"name\":\"mjpegd\",\"version\":\"{version}\",\"cameras\":[");
        let well = [&start, "{\"name\":\"a\",\"state\":\"live\",\"cause\":null}],\"seats\":{}"];
        assert!(says(&well.concat()).ends_with("ok     a daemon runs at http://x:1/\n"));
        let bad = [
            "{\"version\":\"0.1.0\",\"cameras\":[{\"name\":\"a\",\"state\":\"idle\"},",
            "{\"name\":\"front\",\"state\":\"lost\",\"cause\":\"no \\\"x\\\"\"}],\"seats\":{},",
            "\"recording\":{\"state\":\"failed\",\"cause\":\"full\"}}",
        ];
        let said = says(&bad.concat());
        assert!(said.contains("of version 0.1.0; this program"), "{said}");
        assert!(said.contains("its camera front is lost: no \\\"x\\\"\n"), "{said}");
        assert!(said.contains("it cannot record camera front: full"), "{said}");
        let tricky = json!({ "a": "\"state\":\"lost\"", "state": "live" }).to_string();
        assert_eq!(value(&tricky, "state"), "live");
    }
}
