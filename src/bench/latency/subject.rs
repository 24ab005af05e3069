//! The servers under measurement. Each takes its pictures from the same camera.

use std::borrow::Cow;
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
    /// The page of the folder with this number in [`Tools::pages`].
    PageOf(usize),
    UStreamer,
    Flask,
    Motion,
}

/// A server that is ready, and its camera.
pub(crate) struct Served {
    pub(crate) camera: Camera,
    /// The address of its stream, or its page.
    pub(crate) address: SocketAddr,
    _server: Running,
}

/// What the servers need.
pub(crate) struct Tools {
    /// A V4L2 device for processes that preload this library.
    device: Option<PathBuf>,
    has_ustreamer: bool,
    has_motion: bool,
    has_flask: bool,
    pub(crate) pages: Vec<PathBuf>,
    pub(crate) missing: Vec<String>,
}

const FLASK_APP: &str = include_str!("flask_app.py");
const DEVICE: &str = include_str!("v4l2_device.c");
/// As in its source.
const DEVICE_PATH: &str = "/dev/bench-camera";

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
        let device = (has_ustreamer || has_motion).then(|| device(pictures)).transpose()?;
        let pages = std::env::var_os("BENCH_WWW").unwrap_or_default();
        let pages = std::env::split_paths(&pages).filter(|page| page.is_dir()).collect();
        Ok(Self { device, has_ustreamer, has_motion, has_flask, pages, missing })
    }

    pub(crate) fn has(&self, subject: Subject) -> bool {
        match subject {
            Subject::Floor | Subject::Mjpegd | Subject::Page | Subject::PageOf(_) => true,
            Subject::UStreamer => self.has_ustreamer,
            Subject::Flask => self.has_flask,
            Subject::Motion => self.has_motion,
        }
    }
}

/// Compiles the device. A machine for tests has seldom a camera, and its kernel no module that
/// could play one.
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
        matches!(self, Self::Floor | Self::Mjpegd | Self::Page | Self::PageOf(_))
    }

    pub(crate) fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Floor => "floor",
            Self::Mjpegd => "mjpegd",
            Self::Page => "mjpegd's page",
            Self::PageOf(at) => return Cow::Owned(format!("page {}", at + 1)),
            Self::UStreamer => "uStreamer",
            Self::Flask => "Flask",
            Self::Motion => "motion",
        })
    }

    /// The path of the stream.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Floor => "/stream",
            // Without it, Chromium and WebKit show each picture when the next one begins.
            Self::UStreamer => "/stream?advance_headers=1",
            Self::Mjpegd | Self::Page | Self::PageOf(_) | Self::Flask => "/video_feed",
            Self::Motion => "/",
        }
    }

    /// What a browser shows of it: a picture or a page, and its address.
    pub(crate) fn shown(self, server: SocketAddr) -> (&'static str, String) {
        match self {
            Self::Page | Self::PageOf(_) => ("page", format!("http://{server}/")),
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
        let shell = camera.words.join(" ");
        let mut server = match self {
            Self::Floor => {
                let mut floor = command(std::env::current_exe()?);
                floor.args([floor::ROLE, &port, &pictures.n_bytes.to_string()]);
                floor.args(&camera.words);
                floor
            }
            Self::Mjpegd | Self::Page | Self::PageOf(_) => {
                let mut daemon = command(DAEMON.as_str());
                daemon.args(["--bind", &address.to_string(), "--camera"]);
                daemon.arg(format!("exec:exec {shell}")).env_remove("RUST_LOG");
                if let Self::PageOf(at) = self {
                    daemon.arg("--www").args(tools.pages.get(at));
                }
                daemon
            }
            Self::UStreamer => {
                let mut ustreamer = command("ustreamer");
                ustreamer.args(["--device", DEVICE_PATH, "--format", "MJPEG"]);
                ustreamer.args(["--resolution", "640x480", "--host", "127.0.0.1"]);
                ustreamer.args(["--encoder", "HW", "--port", &port]);
                ustreamer
            }
            Self::Flask => {
                let mut gunicorn = command("/usr/bin/python3");
                gunicorn.args(["-m", "gunicorn", "--workers", "1", "--threads", "5", "--chdir"]);
                gunicorn.arg(&pictures.folder).args(["--bind", &address.to_string()]);
                gunicorn.arg("flask_app:app");
                gunicorn
            }
            Self::Motion => {
                let config = pictures.folder.join(format!("{name}.conf"));
                fs::write(&config, motion_config(&port, rate))?;
                let mut motion = command("motion");
                motion.args(["-n", "-c"]).arg(config);
                motion
            }
        };
        if matches!(self, Self::UStreamer | Self::Motion) {
            let device = tools.device.as_ref().context("no V4L2 device")?;
            server.env("LD_PRELOAD", device);
        }
        server.env("BENCH_CAMERA", format!("exec {shell}"));
        server.env("BENCH_BYTES", pictures.n_bytes.to_string());
        let mut server = Running::start(&mut server, &pictures.folder.join(format!("{name}.log")))?;
        server.wait_for(address).with_context(|| format!("{self:?}"))?;
        Ok(Served { camera, address, _server: server })
    }
}

/// It only shows the camera: it saves nothing, and the stream is as fast as the camera.
fn motion_config(port: &str, rate: u32) -> String {
    format!(
        "video_device {DEVICE_PATH}\nvideo_params palette=8\nwidth 640\nheight 480\n\
         framerate {rate}\nstream_port {port}\nstream_localhost on\nstream_maxrate 100\n\
         stream_quality 80\npicture_output off\nmovie_output off\ntext_right\n"
    )
}
