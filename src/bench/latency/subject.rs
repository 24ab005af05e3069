//! The servers under measurement. Each takes its pictures from the same camera.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::camera::Camera;
use crate::children::{Running, command, find, free_address};
use crate::floor;
use crate::picture::Pictures;
use crate::shared::process::{DAEMON, silent};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Subject {
    Floor,
    /// The daemon's stream in an `<img>`.
    Mjpegd,
    /// The daemon's own page.
    Page,
    UStreamer,
    Flask,
    Motion,
}

/// A server that is ready, and its camera.
pub(crate) struct Served {
    pub(crate) camera: Camera,
    /// The address of its stream, or its page.
    pub(crate) address: SocketAddr,
    _running: Vec<Running>,
}

/// What the servers need.
pub(crate) struct Tools {
    /// The V4L2 device for uStreamer.
    device: Option<PathBuf>,
    has_motion: bool,
    has_flask: bool,
    pub(crate) missing: Vec<String>,
}

const FLASK_APP: &str = include_str!("flask_app.py");
const DEVICE: &str = include_str!("v4l2_device.c");

impl Tools {
    pub(crate) fn find(pictures: &Pictures) -> Result<Self> {
        let mut missing = Vec::new();
        let mut needs = |name: &str, is_there: bool| {
            if !is_there {
                missing.push(format!("{name} is not measured: it is not installed"));
            }
            is_there
        };
        let has_ustreamer = needs("uStreamer", silent(Command::new("ustreamer").arg("--version")));
        let has_motion = needs("motion", find(&["motion"]).is_ok());
        let has_flask = needs(
            "Flask under gunicorn",
            silent(Command::new("/usr/bin/python3").args(["-c", "import flask, gunicorn"])),
        );
        fs::write(pictures.folder.join("flask_app.py"), FLASK_APP)?;
        let device = has_ustreamer.then(|| device(pictures)).transpose()?;
        Ok(Self { device, has_motion, has_flask, missing })
    }

    pub(crate) fn has(&self, subject: Subject) -> bool {
        match subject {
            Subject::Floor | Subject::Mjpegd | Subject::Page => true,
            Subject::UStreamer => self.device.is_some(),
            Subject::Flask => self.has_flask,
            Subject::Motion => self.has_motion,
        }
    }
}

/// Compiles the device.
fn device(pictures: &Pictures) -> Result<PathBuf> {
    let source = pictures.folder.join("v4l2_device.c");
    let library = source.with_extension("so");
    fs::write(&source, DEVICE)?;
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-shared", "-fPIC", "-o"]).args([&library, &source]);
    let output = cc.output().context("cannot run cc")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(library)
}

impl Subject {
    pub(crate) const ALL: [Self; 6] =
        [Self::Floor, Self::Mjpegd, Self::Page, Self::UStreamer, Self::Flask, Self::Motion];

    /// The daemon, and what it is compared with.
    pub(crate) fn is_own(&self) -> bool {
        matches!(self, Self::Floor | Self::Mjpegd | Self::Page)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Mjpegd => "mjpegd",
            Self::Page => "mjpegd's page",
            Self::UStreamer => "uStreamer",
            Self::Flask => "Flask",
            Self::Motion => "motion",
        }
    }

    /// The path of the stream.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Floor => "/stream",
            // Without it, Chromium and WebKit show each picture when the next one begins.
            Self::UStreamer => "/stream?advance_headers=1",
            Self::Mjpegd | Self::Page | Self::Flask => "/video_feed",
            Self::Motion => "/",
        }
    }

    /// What a page shows of it: an element and its address.
    pub(crate) fn shown(self, server: SocketAddr) -> (&'static str, String) {
        match self {
            Self::Page => ("iframe", format!("http://{server}/")),
            _ => ("img", format!("http://{server}{}", self.path())),
        }
    }

    /// Starts it with a camera that needs `start` to its first picture.
    pub(crate) fn start(
        self,
        pictures: &Pictures,
        tools: &Tools,
        (name, rate, start): (&str, u32, Duration),
    ) -> Result<Served> {
        let camera = Camera::new(pictures, name, rate, start)?;
        let address = free_address()?;
        let port = address.port().to_string();
        let log = |who: &str| pictures.folder.join(format!("{who}-{name}.log"));
        let shell = camera.words().join(" ");
        let mut running = Vec::new();
        let mut server = match self {
            Self::Floor => {
                let mut floor = command(std::env::current_exe()?);
                floor.args([floor::ROLE, &port, &pictures.n_bytes.to_string()]);
                floor.args(camera.words());
                floor
            }
            Self::Mjpegd | Self::Page => {
                let mut daemon = command(DAEMON.as_str());
                daemon.args(["--bind", &address.to_string(), "--camera"]);
                daemon.arg(format!("exec:exec {shell}")).env_remove("RUST_LOG");
                if let Some(d) = std::env::var_os("BENCH_WWW") { daemon.arg("--www").arg(d); }
                daemon
            }
            Self::UStreamer => {
                let mut ustreamer = command("ustreamer");
                ustreamer.args(["--device", "/dev/bench-camera", "--format", "MJPEG"]);
                ustreamer.args(["--resolution", "640x480", "--host", "127.0.0.1"]);
                ustreamer.args(["--encoder", "HW", "--port", &port]);
                let device = tools.device.as_ref().context("no device for uStreamer")?;
                ustreamer.env("LD_PRELOAD", device).env("BENCH_CAMERA", format!("exec {shell}"));
                ustreamer.env("BENCH_BYTES", pictures.n_bytes.to_string());
                ustreamer
            }
            Self::Flask => {
                let mut gunicorn = command("/usr/bin/python3");
                gunicorn.args(["-m", "gunicorn", "--workers", "1", "--threads", "5", "--chdir"]);
                gunicorn.arg(&pictures.folder).args(["--bind", &address.to_string()]);
                gunicorn.arg("flask_app:app").env("BENCH_CAMERA", &shell);
                gunicorn.env("BENCH_BYTES", pictures.n_bytes.to_string());
                gunicorn
            }
            Self::Motion => {
                let source = free_address()?;
                let words = camera.with_port(&source.port().to_string());
                let (program, words) = words.split_first().context("a command")?;
                let source_log = log("motion-source");
                running.push(Running::start(command(program).args(words), &source_log)?);
                let config = pictures.folder.join(format!("{name}.conf"));
                fs::write(&config, motion_config(source, &port, rate))?;
                let mut motion = command("motion");
                motion.args(["-n", "-c"]).arg(config);
                motion
            }
        };
        let mut server = Running::start(&mut server, &log(self.name()))?;
        server.wait_for(address).with_context(|| format!("{self:?}"))?;
        running.push(server);
        Ok(Served { camera, address, _running: running })
    }
}

/// It only shows the camera: it saves nothing, and the stream is as fast as the camera.
fn motion_config(source: SocketAddr, port: &str, rate: u32) -> String {
    format!(
        "netcam_url http://{source}/\nwidth 640\nheight 480\nframerate {rate}\nstream_port {port}\n\
         stream_localhost on\nstream_maxrate 100\nstream_quality 80\npicture_output off\n\
         movie_output off\ntext_right\n"
    )
}
