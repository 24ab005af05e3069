//! The configuration: the [`CommandLine`] and the file that it names become a
//! checked [`Config`], from which the other rooms are built.

mod args;
mod auth;
mod bind;
mod camera;
mod camera_list;
mod camera_options;
mod command_line;
mod definition;
mod device;
mod exit;
pub(crate) mod file;
mod hooks;
mod http;
mod key;
mod motion;
mod mqtt;
mod name;
mod overlay;
mod print;
mod proxy;
mod record;
mod size;
mod table;
mod text_file;
mod tls;
mod tools;
mod translated;
mod turn;

use std::ffi::OsString;
use std::fmt;

use anyhow::Result;

use command_line::Layers;
use file::File;

pub(crate) use auth::{Credentials, Password};
pub(crate) use bind::Bind;
pub(crate) use camera::{CameraConfig, Source, Watch};
pub(crate) use camera_options::{CameraOptions, CaptureConfig, MAX_FRAME_BYTES};
pub(crate) use command_line::CommandLine;
pub(crate) use definition::Command;
pub(crate) use device::{DeviceConfig, InputConfig, TvStandard};
pub(crate) use exit::ExitConfig;
pub(crate) use hooks::{HooksConfig, WebhookConfig};
pub(crate) use http::{HttpConfig, Limits, LostSnapshot, N_SHORT_CONNECTIONS};
pub(crate) use motion::{MAX_CORNERS, MAX_POLYGONS, MotionConfig};
pub(crate) use mqtt::MqttConfig;
pub(crate) use name::is_plain_name;
pub(crate) use overlay::{OverlayConfig, Place};
#[cfg(test)]
pub(crate) use overlay::{Position, TextSize};
pub(crate) use print::print_config;
pub(crate) use record::{OnMotion, RecordConfig};
pub(crate) use size::parse_size;
pub(crate) use tools::{GrabArgs, HealthArgs, ProbeArgs};
pub(crate) use translated::{Translated, TranslatedCamera, has_option};
pub(crate) use turn::{Flip, Rotate, Turn};

/// The whole configuration, checked.
#[derive(Debug)]
pub(crate) struct Config {
    /// At least one. A request that names no camera means the first.
    pub(crate) cameras: Vec<CameraOptions>,
    pub(crate) http: HttpConfig,
    pub(crate) exit: ExitConfig,
    pub(crate) hooks: HooksConfig,
    pub(crate) mqtt: Option<MqttConfig>,
    /// The options behind `http`, by name, as they were given.
    pub(crate) server: ServerOptionValues,
}

/// The options of the server with the texts of their values.
pub(crate) type ServerOptionValues = Vec<(String, Vec<OsString>)>;

impl Config {
    /// Checks the command line together with the file.
    ///
    /// # Errors
    /// The first value that cannot be used, with what would be right.
    pub(crate) fn read(typed: &CommandLine) -> Result<Self> {
        let file = typed.file().map(|path| File::read(&path)).transpose()?;
        let cameras = camera_list::cameras(typed, file.as_ref())?;
        let cameras = cameras.iter().map(|camera| camera.check(typed)).collect::<Result<_>>()?;
        // The options of the server need some camera to be a whole command line.
        let layers = Layers { file: file.as_ref(), ..Layers::default() };
        let merged = typed.merge("demo", &layers)?;
        let http = HttpConfig::new(&merged).map_err(|e| typed.locate_error(&e, &layers))?;
        let credentials = typed.credentials().cloned().or(http.credentials);
        let http = HttpConfig { credentials, ..http };
        let exit = ExitConfig::new(&merged).map_err(|e| typed.locate_error(&e, &layers))?;
        let hooks = HooksConfig::new(&merged).map_err(|e| typed.locate_error(&e, &layers))?;
        let mqtt = MqttConfig::new(&merged).map_err(|e| typed.locate_error(&e, &layers))?;
        Ok(Self { cameras, http, exit, hooks, mqtt, server: merged.server() })
    }
}

/// The cameras with their sources, for people.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, section) in self.cameras.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{} ({})", section.name, section.camera.source)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn config(args: &[&str]) -> Result<Config> {
        let typed = [&["mjpegd"], args].concat().into_iter().map(OsString::from);
        Config::read(&CommandLine::parse_from(typed, "").unwrap())
    }

    fn error(args: &[&str]) -> String {
        format!("{:#}", config(args).unwrap_err())
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
    fn zero_record_sync_means_each_picture() {
        let sync = |args: &[&str]| {
            let config = config(&[&["--record", "/tmp"], args].concat()).unwrap();
            config.cameras[0].record.as_ref().unwrap().sync
        };
        assert_eq!(sync(&[]), Duration::from_secs(1));
        assert_eq!(sync(&["--record-sync", "0"]), Duration::ZERO);
        assert_eq!(sync(&["--record-sync", "200ms"]), Duration::from_millis(200));
    }

    #[test]
    fn value_that_cannot_be_used_is_refused_with_what_would_be_right() {
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
            (["--exit-on-lost", "10ms"], "use 1s or more"),
            (["--exit-on-no-viewers", "1ms"], "use 1s or more"),
            (["--drain-timeout", "2days"], "use up to 1day"),
            (["--trusted-proxy", "nginx"], "use an address or a network"),
            (["--www", "/nowhere/at/all"], "no such folder"),
            (["--allow-origin", "printer"], "use * or one origin"),
            (["--allow-origin", "http://a\r\nSet-Cookie: b"], "use * or one origin"),
            (["--auth-file", "/nowhere/at/all"], "/nowhere/at/all"),
            (["--instance-id", "a b"], "use up to 64 letters, digits"),
            (["--resolution", "640"], "is no size"),
            (["--format", "JPEG2000"], "four letters"),
            (["--quality", "0"], "use 1 to 100"),
            (["--control", "brightness"], "use NAME=NUMBER"),
            (["--control", "brightness=high"], "use NAME=NUMBER"),
            (["--control", "=1"], "use NAME=NUMBER"),
            (["--stall-timeout", "0"], "use 1s or more"),
            (["--stall-timeout", "500000000000y"], "use 1s or more, up to 1day"),
            (["--max-frame-size", "1"], "use 10kB to 256MB"),
            (["--max-frame-size", "big"], "no size in bytes"),
            (["--min-frame-size", "small"], "no size in bytes"),
            (["--min-frame-size", "17MB"], "use less than --max-frame-size"),
            (["--every", "0"], "use 1 for each picture"),
            (["--record-fps", "0"], "use a number of pictures a second"),
            (["--record-max-size", "1 apple"], "no size in bytes"),
            (["--record-max-size", "100kB"], "use 1MiB or more"),
            (["--record-max-age", "1ms"], "use 1s or more"),
            (["--record-sync", "5s"], "use 1s or less"),
            (["--record-segment", "2h"], "use 1s to 1h"),
            (["--on-segment", " "], "use a command"),
            (["--motion-sensitivity", "0"], "use 1 to 100"),
            (["--motion-fps", "NaN"], "from 0.5 to 30"),
            (["--motion-min-size", "60"], "from 0 to 50"),
            (["--motion-hold", "0"], "use 200ms or more"),
            (["--motion-zone", "0,0 1,1"], "use 3 to 64 corners"),
            (["--motion-mask", "0,0 1,1 2,2"], "as X,Y from 0 to 1"),
            (["--on", "beep"], "use EVENT=COMMAND, such as motion-begin="),
            (["--on", "tea=beep"], "use one of camera-on, camera-off"),
            (["--on", "camera-on= "], "the command is missing"),
            (["--on-timeout", "0"], "use 100ms or more"),
            (["--webhook", "lamp.local"], "use http://"),
            (["--webhook-key-file", "/dev/null"], "the file is empty"),
            (["--webhook-key-file", "/nowhere/at/all"], "/nowhere/at/all"),
        ] {
            let error = error(&args);
            assert!(error.contains(says), "{args:?}: {error}");
            assert!(!error.contains('\n'), "{args:?}: one line, not {error}");
        }
    }
}
