//! The command line as typed, and the text of `--help`. Each option is also an
//! environment variable, so that a container or a unit can set it.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, CommandFactory, Parser, Subcommand};

use super::http::LostSnapshot;
use super::tools::{GrabArgs, HealthArgs, ProbeArgs};
use super::turn::{Flip, Rotate};

/// A camera server for small boards: shows cameras live, as Motion JPEG
/// over plain HTTP, to browsers and programs.
///
/// A camera is on only while somebody watches.
#[derive(Clone, Debug, Parser)]
#[command(name = "mjpegd", version, max_term_width = 100)]
// An option of the daemon beside a subcommand would have no effect, and nothing would say so.
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    /// What to do instead of serving
    #[command(subcommand)]
    pub(super) command: Option<Command>,

    /// Where the pictures come from; give it several times, each with a name, for several cameras
    // A first start without any option shows something, also where no camera is plugged in.
    #[arg(long = "camera", env = "CAMERA", value_name = "[NAME=]SOURCE", default_value = "demo")]
    #[arg(help_heading = "Camera")]
    pub(super) cameras: Vec<String>,

    /// How many viewers this camera may have at once; as many as there are seats if not given
    #[arg(long, env = "MJPEGD_MAX_VIEWERS", value_name = "N", help_heading = "Camera")]
    pub(super) max_viewers: Option<usize>,

    /// Pictures a second to take or to show; the source's own pace if not given
    #[arg(long, env = "MJPEGD_FPS", value_name = "N", help_heading = "Camera")]
    pub(super) fps: Option<f64>,

    /// Size of the pictures; the device may choose the nearest that it has
    #[arg(long, env = "MJPEGD_RESOLUTION", value_name = "WxH", help_heading = "Device")]
    pub(super) resolution: Option<String>,

    /// Size of snapshots: the device changes to it for each, which stops the stream for a moment
    #[arg(long, env = "MJPEGD_SNAPSHOT_RESOLUTION", value_name = "WxH", help_heading = "Device")]
    pub(super) snapshot_resolution: Option<String>,

    /// Format to ask the device for: auto, MJPG, YUYV or another FourCC
    #[arg(long, env = "MJPEGD_FORMAT", value_name = "FOURCC", default_value = "auto")]
    #[arg(help_heading = "Device")]
    pub(super) format: String,

    /// Input of the device, by its number; `mjpegd devices` lists them
    #[arg(long, env = "MJPEGD_INPUT", value_name = "N", help_heading = "Device")]
    pub(super) input: Option<u32>,

    /// Standard of an analogue signal: PAL, NTSC or SECAM
    #[arg(long, env = "MJPEGD_TV_STANDARD", value_name = "NAME", help_heading = "Device")]
    pub(super) tv_standard: Option<String>,

    /// Take size and rate of a digital signal (HDMI, DVI, SDI) from the signal, and follow it
    #[arg(long, env = "MJPEGD_DV_TIMINGS", value_name = "true|false", help_heading = "Device")]
    pub(super) dv_timings: bool,

    /// Quality of JPEGs that are made from raw pictures, 1 to 100
    #[arg(long, env = "MJPEGD_QUALITY", value_name = "N", default_value_t = 80)]
    #[arg(help_heading = "Device")]
    pub(super) quality: u8,

    /// Who makes them: auto takes the board's hardware encoder where it has one, or software
    #[arg(long, env = "MJPEGD_ENCODER", value_name = "NAME", default_value = "auto")]
    #[arg(help_heading = "Device")]
    pub(super) encoder: String,

    /// A control to set each time the device is opened, such as brightness=40; may be given
    /// several times
    #[arg(long = "control", env = "MJPEGD_CONTROL", value_name = "NAME=VALUE")]
    #[arg(value_delimiter = ',', help_heading = "Device")]
    pub(super) controls: Vec<String>,

    /// Pictures to drop after opening, until the exposure has settled
    #[arg(long, env = "MJPEGD_WARMUP", value_name = "N", default_value_t = 0)]
    #[arg(help_heading = "Device")]
    pub(super) warmup: u32,

    /// After this time without a picture, reopen the device, restart the command or ask the server
    /// again; 5s if not given. A server or command whose pictures come at a slow pace gets longer
    // No default of clap: what was not typed follows the pace of the source.
    #[arg(long, env = "MJPEGD_STALL_TIMEOUT", value_name = "TIME")]
    #[arg(value_parser = humantime::parse_duration, help_heading = "Camera")]
    pub(super) stall_timeout: Option<Duration>,

    /// Accept this certificate of an https camera, or those that it signed: a PEM file, or
    /// sha256:FINGERPRINT; Mozilla's authorities if not given
    #[arg(long, env = "MJPEGD_TLS_CA", value_name = "FILE", help_heading = "Camera")]
    pub(super) tls_ca: Option<String>,

    /// Accept any certificate of an https camera: others in the network can then read pictures and
    /// password
    #[arg(long, env = "MJPEGD_TLS_INSECURE", value_name = "true|false", help_heading = "Camera")]
    pub(super) tls_insecure: bool,

    /// The largest picture to accept; larger ones are dropped
    // Sizes are read by this room and not by clap, so that errors are the same for the file.
    #[arg(long, env = "MJPEGD_MAX_FRAME_SIZE", value_name = "SIZE", default_value = "16MB")]
    #[arg(help_heading = "Camera")]
    pub(super) max_frame_size: String,

    /// Drop pictures that are smaller than this, as some devices give pieces of pictures
    #[arg(long, env = "MJPEGD_MIN_FRAME_SIZE", value_name = "SIZE", default_value = "0")]
    #[arg(help_heading = "Camera")]
    pub(super) min_frame_size: String,

    /// Take one of so many pictures and skip the others
    #[arg(long, env = "MJPEGD_EVERY", value_name = "N", default_value_t = 1)]
    #[arg(help_heading = "Camera")]
    pub(super) every: u32,

    /// Leave out pictures that are the same as the last one, byte by byte, but at most so many in
    /// a row; for a screen or slides, as a webcam never gives the same twice
    #[arg(long, env = "MJPEGD_DROP_SAME_FRAMES", value_name = "N", default_value_t = 0)]
    #[arg(help_heading = "Camera")]
    pub(super) drop_same_frames: u32,

    /// Show pictures that lack their end, also beside whole ones; without this option they are shown
    /// only while no whole one comes
    #[arg(
        long,
        env = "MJPEGD_ALLOW_TRUNCATED",
        value_name = "true|false",
        help_heading = "Camera"
    )]
    pub(super) allow_truncated: bool,

    /// Rotate the pictures clockwise without loss; exif: as each picture says of itself
    #[arg(long, env = "MJPEGD_ROTATE", value_name = "DEGREES", default_value = "0")]
    #[arg(help_heading = "Camera")]
    pub(super) rotate: Rotate,

    /// Flip the pictures without loss, after they were rotated
    #[arg(long, env = "MJPEGD_FLIP", value_name = "HOW", default_value = "none")]
    #[arg(help_heading = "Camera")]
    pub(super) flip: Flip,

    /// Text over the pictures: fields of strftime in local time, such as "%F %T", and {camera} and
    /// {host}; \n begins a new line
    #[arg(long, env = "MJPEGD_OVERLAY", value_name = "TEXT", default_value = "")]
    #[arg(hide_default_value = true, help_heading = "Camera")]
    pub(super) overlay: String,

    /// Where this text lies: top-left, top, top-right, left, center, right, bottom-left, bottom or
    /// bottom-right
    #[arg(long, env = "MJPEGD_OVERLAY_POSITION", value_name = "PLACE")]
    #[arg(default_value = "bottom-left", help_heading = "Camera")]
    pub(super) overlay_position: String,

    /// How large its letters are: small, medium, large, per cent of the picture's height as 5%, or
    /// pixels as 20px
    #[arg(long, env = "MJPEGD_OVERLAY_SIZE", value_name = "SIZE", default_value = "medium")]
    #[arg(help_heading = "Camera")]
    pub(super) overlay_size: String,

    /// Put a dark box behind this text; without this option its letters have a dark edge
    #[arg(long, env = "MJPEGD_OVERLAY_BOX", value_name = "true|false", help_heading = "Camera")]
    pub(super) overlay_box: bool,

    /// With images:DIR, show each file when it is complete, as another program puts it there
    #[arg(long, env = "MJPEGD_WATCH", value_name = "true|false", help_heading = "Camera")]
    pub(super) watch: bool,

    /// With --watch, delete each file once it was read
    #[arg(long, env = "MJPEGD_REMOVE_SHOWN", value_name = "true|false", help_heading = "Camera")]
    pub(super) remove_shown: bool,

    /// How long the camera stays on after the last viewer; 0: always on
    #[arg(long, env = "MJPEGD_IDLE_TIMEOUT", value_name = "TIME", default_value = "10s")]
    #[arg(value_parser = humantime::parse_duration, help_heading = "Camera")]
    pub(super) idle_timeout: Duration,

    /// File with cameras and options; SIGHUP reads it again
    #[arg(long, env = "MJPEGD_CONFIG", value_name = "FILE", help_heading = "Server")]
    pub(super) config: Option<PathBuf>,

    /// Print the options that are given here, in the environment and in the file, as a command line
    /// and as a file for --config, instead of serving
    #[arg(long, env = "MJPEGD_PRINT_CONFIG", value_name = "true|false", help_heading = "Server")]
    pub(super) print_config: bool,

    /// Record into this folder while the daemon runs
    #[arg(long, env = "MJPEGD_RECORD", value_name = "DIR", help_heading = "Recording")]
    pub(crate) record: Option<PathBuf>,

    /// Record at most this many pictures a second; 0.1 is one in ten seconds
    #[arg(long, env = "MJPEGD_RECORD_FPS", value_name = "N", help_heading = "Recording")]
    pub(crate) record_fps: Option<f64>,

    /// How large the recording may get; the oldest minutes are deleted first
    #[arg(long, env = "MJPEGD_RECORD_MAX_SIZE", value_name = "SIZE", default_value = "1GiB")]
    #[arg(help_heading = "Recording")]
    pub(crate) record_max_size: String,

    /// How old a recorded picture may get; 0: no limit but the size
    #[arg(long, env = "MJPEGD_RECORD_MAX_AGE", value_name = "TIME", default_value = "0")]
    #[arg(value_parser = humantime::parse_duration, help_heading = "Recording")]
    pub(crate) record_max_age: Duration,

    /// How often to sync the recording to disk, 1s or less: a power cut costs at most what was
    /// recorded in this time; 0: after each picture
    #[arg(long, env = "MJPEGD_RECORD_SYNC", value_name = "TIME", default_value = "1s")]
    #[arg(value_parser = humantime::parse_duration, help_heading = "Recording")]
    pub(crate) record_sync: Duration,

    /// How long a file of the recording is, 1s to 1h; a minute if not given, longer for few pictures
    #[arg(long, env = "MJPEGD_RECORD_SEGMENT", value_name = "TIME")]
    #[arg(value_parser = humantime::parse_duration, help_heading = "Recording")]
    pub(crate) record_segment: Option<Duration>,

    /// Run this command for each finished file of the recording, one after the other and again until
    /// it succeeds; MJPEGD_SEGMENT has the path. What waits for it is not deleted
    #[arg(long, env = "MJPEGD_ON_SEGMENT", value_name = "COMMAND", help_heading = "Recording")]
    pub(crate) on_segment: Option<String>,

    /// Look for motion; keeps the camera on
    #[arg(long, env = "MJPEGD_MOTION", value_name = "true|false", help_heading = "Motion")]
    pub(super) motion: bool,

    /// How small a difference counts as motion, 1 to 100
    #[arg(long, env = "MJPEGD_MOTION_SENSITIVITY", value_name = "N", default_value_t = 50)]
    #[arg(help_heading = "Motion")]
    pub(super) motion_sensitivity: u8,

    /// Pictures a second to look at
    #[arg(long, env = "MJPEGD_MOTION_FPS", value_name = "N", default_value_t = 5.0)]
    #[arg(help_heading = "Motion")]
    pub(super) motion_fps: f64,

    /// The smallest thing that counts, in percents of the picture's area
    #[arg(long, env = "MJPEGD_MOTION_MIN_SIZE", value_name = "PERCENT", default_value_t = 0.1)]
    #[arg(help_heading = "Motion")]
    pub(super) motion_min_size: f64,

    /// Motion ends after this time without any
    #[arg(long, env = "MJPEGD_MOTION_HOLD", value_name = "TIME", default_value = "5s")]
    #[arg(value_parser = humantime::parse_duration, help_heading = "Motion")]
    pub(super) motion_hold: Duration,

    /// Look in this part of the picture only: corners as X,Y from 0 to 1, such as
    /// "0,0.5 1,0.5 1,1 0,1" for the lower half; may be given several times
    #[arg(long = "motion-zone", env = "MJPEGD_MOTION_ZONE", value_name = "POLYGON")]
    #[arg(value_delimiter = ';', help_heading = "Motion")]
    pub(super) motion_zones: Vec<String>,

    /// Do not look in this part of the picture; as --motion-zone
    #[arg(long = "motion-mask", env = "MJPEGD_MOTION_MASK", value_name = "POLYGON")]
    #[arg(value_delimiter = ';', help_heading = "Motion")]
    pub(super) motion_masks: Vec<String>,

    /// Run a shell command at each event of a type, with what happened in its environment
    /// (MJPEGD_EVENT, MJPEGD_CAMERA, ...); may be given several times
    // No delimiter, as commands have commas.
    #[arg(long, env = "MJPEGD_ON", value_name = "EVENT=COMMAND", help_heading = "Events")]
    pub(super) on: Vec<String>,

    /// How long a command of --on may run before it is ended
    #[arg(long, env = "MJPEGD_ON_TIMEOUT", value_name = "TIME", default_value = "30s")]
    #[arg(value_parser = humantime::parse_duration, help_heading = "Events")]
    pub(super) on_timeout: Duration,

    /// Send each event as JSON to this address, by POST
    #[arg(long, env = "MJPEGD_WEBHOOK", value_name = "URL", help_heading = "Events")]
    pub(super) webhook: Option<String>,

    /// File with a key that signs what --webhook sends (HMAC-SHA256)
    #[arg(long, env = "MJPEGD_WEBHOOK_KEY_FILE", value_name = "FILE", help_heading = "Events")]
    pub(super) webhook_key_file: Option<PathBuf>,

    /// Address and port to listen on: 0.0.0.0:5000 for the whole network, :5000 for IPv6 too, or
    /// unix:PATH for a Unix socket; may be given several times
    // Only this machine by default: nobody should show a room to a whole network by accident.
    #[arg(long, env = "MJPEGD_BIND", value_name = "ADDRESS:PORT", value_delimiter = ',')]
    #[arg(default_value = "127.0.0.1:5000", help_heading = "Server")]
    pub(super) bind: Vec<String>,

    /// Who may connect to Unix sockets: the mode of their files, such as 660
    #[arg(long, env = "MJPEGD_UNIX_MODE", value_name = "MODE", help_heading = "Server")]
    pub(super) unix_mode: Option<String>,

    /// How many viewers there may be at once; further ones are asked to come back later
    #[arg(long, env = "MJPEGD_THREADS", value_name = "N", default_value_t = 16)]
    #[arg(help_heading = "Server")]
    pub(super) threads: usize,

    /// How many variants of pictures, smaller or coarser ones for those who ask, may be made at once;
    /// 0: none
    #[arg(long, env = "MJPEGD_MAX_VARIANTS", value_name = "N", default_value_t = 4)]
    #[arg(help_heading = "Server")]
    pub(super) max_variants: usize,

    /// How long it may take to send one picture to a viewer before the viewer loses its seat
    #[arg(long, env = "MJPEGD_WRITE_TIMEOUT", value_name = "TIME", default_value = "10s")]
    #[arg(value_parser = humantime::parse_duration, help_heading = "Server")]
    pub(super) write_timeout: Duration,

    /// How long a client may take to send its request
    #[arg(long, env = "MJPEGD_HEAD_TIMEOUT", value_name = "TIME", default_value = "10s")]
    #[arg(value_parser = humantime::parse_duration, help_heading = "Limits")]
    pub(crate) head_timeout: Duration,

    /// How many bytes a client may send before its request is complete
    // Cookies are not kept apart by port (RFC 6265, 8.5): a browser sends those of all
    // programs on this host, and they can take many kB.
    #[arg(long, env = "MJPEGD_MAX_HEAD", value_name = "BYTES", default_value_t = 65536)]
    #[arg(help_heading = "Limits")]
    pub(crate) max_head: u64,

    /// How many connections there may be at once; 256 more than viewers if not given, or fewer if
    /// the limit of open files is lower
    #[arg(long, env = "MJPEGD_MAX_CONNECTIONS", value_name = "N", help_heading = "Limits")]
    pub(crate) max_connections: Option<usize>,

    /// How many connections may be lost to faults of the HTTP library before the program restarts
    /// itself; while people watch, it waits until four times as many are lost
    #[arg(long, env = "MJPEGD_MAX_LEAKS", value_name = "N", default_value_t = 64)]
    #[arg(help_heading = "Limits")]
    pub(crate) max_leaks: u64,

    /// End with exit code 1 once a camera has been lost for this time, for supervisors that start
    /// the program again; 0: never
    #[arg(long, env = "MJPEGD_EXIT_ON_LOST", value_name = "TIME", default_value = "0")]
    #[arg(value_parser = humantime::parse_duration, help_heading = "Server")]
    pub(super) exit_on_lost: Duration,

    /// End with exit code 1 as soon as a camera is lost
    #[arg(long, env = "MJPEGD_EXIT_ON_DEVICE_ERROR", value_name = "true|false")]
    #[arg(help_heading = "Server")]
    pub(super) exit_on_device_error: bool,

    /// End with exit code 0 once nobody has asked for a stream or a snapshot for this time; 0: never
    #[arg(long, env = "MJPEGD_EXIT_ON_NO_VIEWERS", value_name = "TIME", default_value = "0")]
    #[arg(value_parser = humantime::parse_duration, help_heading = "Server")]
    pub(super) exit_on_no_viewers: Duration,

    /// At SIGTERM, refuse new viewers and disconnect those who watch one after the other within this
    /// time, then end; 0: end at once. SIGUSR2 does the same without the end
    #[arg(long, env = "MJPEGD_DRAIN_TIMEOUT", value_name = "TIME", default_value = "0")]
    #[arg(value_parser = humantime::parse_duration, help_heading = "Server")]
    pub(super) drain_timeout: Duration,

    /// Folder with the files of the page, instead of those in the program
    #[arg(long, env = "MJPEGD_WWW", value_name = "DIR", help_heading = "Server")]
    pub(super) www: Option<PathBuf>,

    /// What a snapshot of a lost camera is: 503 with the cause, or the drawn picture
    #[arg(long, env = "MJPEGD_LOST_SNAPSHOT", value_name = "503|picture")]
    #[arg(default_value = "503", hide_possible_values = true, help_heading = "Server")]
    pub(super) lost_snapshot: LostSnapshot,

    /// Refuse to change controls of cameras by HTTP
    #[arg(long, env = "MJPEGD_LOCK_CONTROLS", value_name = "true|false")]
    #[arg(help_heading = "Access")]
    pub(super) lock_controls: bool,

    /// Name of this program in /state and in the cookies of its streams, as uStreamer has it
    #[arg(long, env = "MJPEGD_INSTANCE_ID", value_name = "TEXT", default_value = "")]
    #[arg(hide_default_value = true, help_heading = "Server")]
    pub(super) instance_id: String,

    /// File with user:password lines, the password plain or hashed; a login is then required for
    /// all addresses but /healthz and /readyz
    #[arg(long, env = "MJPEGD_AUTH_FILE", value_name = "FILE", help_heading = "Access")]
    pub(super) auth_file: Option<PathBuf>,

    /// Believe what proxies of this address or network say of their clients (X-Forwarded-For, -Host
    /// and -Proto, or Forwarded), or of Unix sockets (unix); may be given several times
    #[arg(long, env = "MJPEGD_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',')]
    #[arg(help_heading = "Access")]
    pub(super) trusted_proxy: Vec<String>,

    /// Let scripts of pages of this origin (or * for any) read the camera from a visitor's browser;
    /// those of a named origin may also set controls and switch recording
    #[arg(long, env = "MJPEGD_ALLOW_ORIGIN", value_name = "ORIGIN", help_heading = "Access")]
    pub(super) allow_origin: Option<String>,
}

/// The subcommands: what the program can do beside serving.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// List the cameras of this machine, their formats, sizes, rates and controls
    Devices {
        /// As JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Check a file for --config, and print its first error
    CheckConfig {
        /// The file; the one in MJPEGD_CONFIG if not given
        file: Option<PathBuf>,
    },
    /// Measure a stream of any server: rate, sizes, age of its pictures
    Probe(ProbeArgs),
    /// Save pictures from a stream of any server as files
    Grab(GrabArgs),
    /// Ask a daemon whether it works: exit code 0, or 1 and why not; for containers
    Health(HealthArgs),
    /// Look for what keeps the daemon from showing pictures here, and say what helps: exit code 0,
    /// or 1 if something is to do
    Doctor {
        /// The options with which the daemon is started
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
        options: Vec<std::ffi::OsString>,
    },
}

/// The value of a switch, for the help.
pub(super) const SWITCH: &str = "true|false";

/// The command line as clap takes it.
pub(super) fn command() -> clap::Command {
    Args::command().mut_args(|arg| {
        let is_switch =
            arg.get_value_names().is_some_and(|names| names.iter().any(|n| n == SWITCH));
        // The help does not show what the environment holds: a camera's address may
        // have a password in it.
        let arg = arg.hide_env_values(true);
        if !is_switch {
            return arg;
        }
        // A value, so that the command line can switch off what the file switches on. It needs
        // an equals sign, or a subcommand behind the option would be taken for its value.
        arg.action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_value("false")
            .default_missing_value("true")
            .hide_default_value(true)
            .value_parser(BoolishValueParser::new())
    })
}

/// What stands below the options in `--help`.
pub(super) fn after_help(sources: &str) -> String {
    format!(
        "\
Cameras:
{sources}
Times are 10s, 500ms, 2m; 0 where a time may be switched off. Sizes are 500kB, 16MB, 4GiB.
mjpegd ustreamer ... and mjpegd mjpg_streamer ... take the command lines of these programs, and
so does a link with their name.
Exit codes: 0 asked to stop, 1 failed while running, 2 bad usage.
RUST_LOG sets the log level: off, error, warn, info (default), debug."
    )
}

#[cfg(test)]
impl Args {
    /// The arguments of a command line that is right.
    pub(super) fn typed<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> Self {
        use clap::FromArgMatches;
        let words = words.into_iter().map(|word| word.as_ref().to_owned());
        Self::from_arg_matches(&command().get_matches_from(words)).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_option_is_also_an_environment_variable() {
        for arg in command().get_arguments() {
            assert!(arg.get_env().is_some(), "--{} has none", arg.get_id());
        }
    }
}
