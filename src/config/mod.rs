//! What the program is to do: the [`CommandLine`] and the file that it names
//! become a [`Config`] that was checked and that the rooms are built from.

mod args;
mod auth;
mod camera;
mod command_line;
mod file;
mod keys;
mod name;
mod plan;
mod record;
mod size;
mod tools;

use std::ffi::OsString;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use args::Args;
pub use args::Command;
use command_line::Layers;
use file::File;

pub(crate) use auth::{Credentials, Password};
pub(crate) use camera::{CameraConfig, DeviceConfig, Source};
pub use command_line::CommandLine;
pub(crate) use name::is_name;
pub(crate) use record::RecordConfig;
pub use tools::{GrabArgs, ProbeArgs};

use crate::url::mask;

/// Everything that was asked for, checked.
#[derive(Debug)]
pub struct Config {
    /// At least one; the first is the one that is meant where none is named.
    pub(crate) cameras: Vec<CameraSection>,
    pub(crate) http: HttpConfig,
    /// The options behind `http`, by name, as they were written.
    pub(crate) server: ServerOptions,
}

/// Options of the server and their values.
pub(crate) type ServerOptions = Vec<(String, Vec<OsString>)>;

/// All that is about one camera.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CameraSection {
    /// As it stands in addresses and in the log.
    pub(crate) name: String,
    /// Where the source was written, for what is wrong with it.
    pub(crate) origin: String,
    pub(crate) camera: CameraConfig,
    pub(crate) capture: CaptureConfig,
    /// How many may watch it at once; `None`: all who have a seat.
    pub(crate) max_viewers: Option<usize>,
    /// Where and how much to record; `None`: nothing.
    pub(crate) record: Option<RecordConfig>,
}

/// When the camera is on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CaptureConfig {
    /// How long capture goes on after the last read; `None`: for ever.
    pub(crate) idle_timeout: Option<Duration>,
}

/// How viewers are served.
#[derive(Debug)]
pub(crate) struct HttpConfig {
    pub(crate) bind: SocketAddr,
    /// Concurrent viewers.
    pub(crate) n_seats: usize,
    /// How long one frame may take to one viewer before its seat is taken.
    pub(crate) write_timeout: Duration,
    pub(crate) limits: Limits,
    /// Value of Access-Control-Allow-Origin, when other sites may read.
    pub(crate) allow_origin: Option<String>,
    /// Who may see the camera; `None`: anybody.
    pub(crate) credentials: Option<Credentials>,
    /// Where the page's files are, instead of those in the binary.
    pub(crate) www: Option<PathBuf>,
}

/// What connections may cost that have not sent a whole request.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// How long a request may take to come.
    pub(crate) head_timeout: Duration,
    /// How many bytes may come before it is whole.
    pub(crate) max_head_bytes: u64,
    /// Connections at once, those of viewers too.
    pub(crate) max_connections: usize,
    /// Connections that may be lost for good before the process starts anew.
    pub(crate) max_leaks: u64,
}

/// Connections beside those of viewers: pages, snapshots, silent clients.
const N_OTHER_CONNECTIONS: usize = 256;
/// The fewest of them with which a page still loads beside silent ones.
pub(crate) const N_SHORT_CONNECTIONS: usize = 16;

impl Config {
    /// Checks what was typed, together with the file.
    ///
    /// # Errors
    /// The first value that cannot be used, with what would be right.
    pub fn read(typed: &CommandLine) -> Result<Self> {
        let file = typed.file().map(|path| File::read(path)).transpose()?;
        let cameras = plan::cameras(typed, file.as_ref())?;
        let cameras =
            cameras.iter().map(|planned| planned.section(typed)).collect::<Result<_>>()?;
        let layers = Layers { file: file.as_ref(), camera: &[] };
        let merged = typed.merge("demo", &layers)?;
        let http = http(&merged.args).map_err(|e| typed.blame(&e, &layers))?;
        Ok(Self { cameras, http, server: merged.server() })
    }
}

/// The cameras, for people.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, section) in self.cameras.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{} ({})", section.name, section.camera.source)?;
        }
        Ok(())
    }
}

impl CameraSection {
    /// How the log calls it: one that was given no name needs none.
    pub(crate) fn label(&self) -> String {
        match self.name.as_str() {
            name::UNNAMED => "camera".into(),
            name => format!("camera {name}"),
        }
    }

    /// The camera and its source, for the log.
    pub(crate) fn told(&self) -> String {
        format!("{}: {}", self.label(), self.camera.source)
    }

    fn new(name: &str, origin: &str, args: &Args) -> Result<Self> {
        let source = Source::parse(args.cameras.first().map_or("", String::as_str));
        let source = source.with_context(|| origin.to_owned())?;
        if let Some(fps) = args.fps {
            ensure!(
                fps.is_finite() && (0.001..=1000.0).contains(&fps),
                "--fps {fps}: use a number of pictures a second from 0.001 to 1000"
            );
        }
        ensure!(args.max_viewers != Some(0), "--max-viewers 0: use 1 or more");
        Ok(Self {
            name: name.to_owned(),
            origin: origin.to_owned(),
            camera: CameraConfig {
                source,
                fps: args.fps,
                max_frame_bytes: max_frame_bytes(&args.max_frame_size)?,
                device: device(args)?,
            },
            capture: CaptureConfig {
                idle_timeout: (!args.idle_timeout.is_zero()).then_some(args.idle_timeout),
            },
            record: record::record(args, name)?,
            max_viewers: args.max_viewers,
        })
    }
}

fn max_frame_bytes(text: &str) -> Result<usize> {
    let n = size::parse_bytes(text).context("--max-frame-size")?;
    ensure!(
        // A thumbnail is larger than the one, and 8192x8192 smaller than the other.
        (10_000..=1 << 28).contains(&n),
        "--max-frame-size {text}: use 10kB to 256MB"
    );
    Ok(usize::try_from(n)?)
}

fn device(args: &Args) -> Result<DeviceConfig> {
    let resolution = args.resolution.as_deref().map(camera::parse_size).transpose();
    let (width, height) = resolution.context("--resolution")?.unzip();
    let format = match args.format.as_str() {
        "auto" => None,
        name => {
            let fourcc = name.to_ascii_uppercase().into_bytes().try_into().ok();
            Some(fourcc.with_context(|| {
                format!("--format {name}: use auto or a code of four letters, such as MJPG or YUYV")
            })?)
        }
    };
    ensure!((1..=100).contains(&args.quality), "--quality {}: use 1 to 100", args.quality);
    ensure!(
        args.stall_timeout >= Duration::from_secs(1),
        "--stall-timeout {:?}: use 1s or more",
        args.stall_timeout
    );
    Ok(DeviceConfig {
        resolution: width.zip(height).map(|(w, h)| (u32::from(w), u32::from(h))),
        format,
        quality: args.quality,
        n_warmup: args.warmup,
        stall_timeout: args.stall_timeout,
        controls: args.controls.iter().map(|text| control(text)).collect::<Result<_>>()?,
    })
}

/// `name=value`, as `mjpegd devices` names it.
fn control(text: &str) -> Result<(String, i64)> {
    let right = || format!("--control {text}: use NAME=NUMBER, such as brightness=40");
    let (name, value) = text.split_once('=').with_context(right)?;
    ensure!(!name.is_empty(), right());
    Ok((name.to_owned(), value.parse().ok().with_context(right)?))
}

fn http(args: &Args) -> Result<HttpConfig> {
    ensure!(
        (1..=10_000).contains(&args.threads),
        "--threads {}: use a number of viewers from 1 to 10000",
        args.threads
    );
    ensure!(
        // Above it a deadline cannot be reckoned: the sum would overflow.
        (Duration::from_millis(100)..=Duration::from_secs(86_400)).contains(&args.write_timeout),
        "--write-timeout {:?}: use 100ms or more, up to 1day",
        args.write_timeout
    );
    let limits = limits(args)?;
    if let Some(dir) = &args.www {
        ensure!(dir.is_dir(), "--www {}: no such folder", dir.display());
    }
    if let Some(origin) = &args.allow_origin {
        let printable = origin.bytes().all(|b| b.is_ascii_graphic());
        ensure!(
            origin == "*" || (origin.contains("://") && printable),
            "--allow-origin {origin:?}: use * or one origin, such as http://printer.local"
        );
    }
    let credentials = args.auth_file.as_deref().map(Credentials::read).transpose()?;
    Ok(HttpConfig {
        bind: bind_address(&args.bind)?,
        n_seats: args.threads,
        write_timeout: args.write_timeout,
        limits,
        allow_origin: args.allow_origin.clone(),
        credentials,
        www: args.www.clone(),
    })
}

fn limits(args: &Args) -> Result<Limits> {
    ensure!(
        (Duration::from_millis(500)..=Duration::from_secs(86_400)).contains(&args.head_timeout),
        "--head-timeout {:?}: use 500ms or more, up to 1day",
        args.head_timeout
    );
    ensure!(args.max_head >= 1024, "--max-head {}: use 1024 or more", args.max_head);
    ensure!(args.max_leaks >= 1, "--max-leaks {}: use 1 or more", args.max_leaks);
    let least = args.threads + N_SHORT_CONNECTIONS;
    let max = args.max_connections.unwrap_or(args.threads + N_OTHER_CONNECTIONS);
    ensure!(
        max >= least,
        "--max-connections {max}: use {least} or more, {N_SHORT_CONNECTIONS} beside --threads"
    );
    Ok(Limits {
        head_timeout: args.head_timeout,
        max_head_bytes: args.max_head,
        max_connections: max,
        max_leaks: args.max_leaks,
    })
}

/// `127.0.0.1:5000`, `[::1]:5000`, `localhost:5000`, or `:5000` for all
/// addresses of this machine.
fn bind_address(text: &str) -> Result<SocketAddr> {
    let right = "use ADDRESS:PORT, such as 0.0.0.0:5000 or [::]:5000";
    let full = if text.starts_with(':') { format!("[::]{text}") } else { text.to_owned() };
    let mut found = full.to_socket_addrs().with_context(|| format!("--bind {text}: {right}"))?;
    match found.next() {
        Some(address) => Ok(address),
        None => bail!("--bind {text}: the name has no address; {right}"),
    }
}

/// What stands in the text of a file, as text.
#[cfg(test)]
pub(crate) fn look_at_file(text: &str) -> Result<String> {
    File::parse(std::path::Path::new("FILE"), text).map(|file| format!("{file:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(args: &[&str]) -> Result<Config> {
        let typed = [&["mjpegd"], args].concat().into_iter().map(OsString::from);
        Config::read(&CommandLine::parse_from(typed).unwrap())
    }

    fn fault(args: &[&str]) -> String {
        format!("{:#}", config(args).unwrap_err())
    }

    #[test]
    fn addresses_of_both_families_and_names() {
        for (typed, bound) in
            [("127.0.0.1:5000", "127.0.0.1:5000"), ("[::1]:80", "[::1]:80"), (":8080", "[::]:8080")]
        {
            assert_eq!(config(&["--bind", typed]).unwrap().http.bind.to_string(), bound);
        }
        assert!(config(&["--bind", "localhost:5000"]).unwrap().http.bind.ip().is_loopback());
        assert!(fault(&["--bind", "5000"]).starts_with("--bind 5000: use ADDRESS:PORT"));
    }

    #[test]
    fn zero_idle_timeout_means_never() {
        assert_eq!(config(&["--idle-timeout", "0"]).unwrap().cameras[0].capture.idle_timeout, None);
        assert_eq!(
            config(&["--idle-timeout", "500ms"]).unwrap().cameras[0].capture.idle_timeout,
            Some(Duration::from_millis(500))
        );
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_can() {
        for (args, says) in [
            (["--threads", "0"], "use a number of viewers from 1"),
            (["--fps", "0"], "use a number of pictures a second"),
            (["--fps", "NaN"], "use a number of pictures a second"),
            (["--write-timeout", "1ms"], "use 100ms or more"),
            (["--write-timeout", "500000000000y"], "use 100ms or more"),
            (["--head-timeout", "0"], "use 500ms or more"),
            (["--max-leaks", "0"], "use 1 or more"),
            (["--max-head", "10"], "use 1024 or more"),
            (["--max-connections", "31"], "use 32 or more, 16 beside --threads"),
            (["--www", "/nowhere/at/all"], "no such folder"),
            (["--allow-origin", "printer"], "use * or one origin"),
            (["--allow-origin", "http://a\r\nSet-Cookie: b"], "use * or one origin"),
            (["--auth-file", "/nowhere/at/all"], "/nowhere/at/all"),
            (["--camera", "webcam"], "use v4l2[:DEVICE], exec:COMMAND"),
            (["--resolution", "640"], "is no size"),
            (["--format", "JPEG2000"], "four letters"),
            (["--quality", "0"], "use 1 to 100"),
            (["--control", "brightness"], "use NAME=NUMBER"),
            (["--control", "brightness=high"], "use NAME=NUMBER"),
            (["--control", "=1"], "use NAME=NUMBER"),
            (["--stall-timeout", "0"], "use 1s or more"),
            (["--max-frame-size", "1"], "use 10kB to 256MB"),
            (["--max-frame-size", "big"], "no size in bytes"),
            (["--camera", "exec:"], "use exec:COMMAND"),
            (["--record-fps", "0"], "use a number of pictures a second"),
            (["--record-max-size", "1 apple"], "no size in bytes"),
            (["--record-max-size", "100kB"], "use 1MiB or more"),
            (["--record-max-age", "1ms"], "use 1s or more"),
        ] {
            let fault = fault(&args);
            assert!(fault.contains(says), "{args:?}: {fault}");
            assert!(!fault.contains('\n'), "{args:?}: one line, not {fault}");
        }
    }
}
