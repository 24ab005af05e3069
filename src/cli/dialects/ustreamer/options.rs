//! Every option of uStreamer 6.62. Ranges are those that the program accepts.

use super::super::table::Meaning::{self, Accepted, Mapped, Prints, Refused};
use super::super::table::Rule::{Camera, Control, Keep, Server};
use super::super::table::Value::{self, Flag, Mode, Number, NumberOr, Seconds, Size, Text, Word};
use super::super::table::{Print, Row};

const FORMATS: [(&str, &str); 11] = [
    ("YUYV", "YUYV"),
    ("YVYU", "YVYU"),
    ("UYVY", "UYVY"),
    ("YUV420", "YUV420"),
    ("YVU420", "YVU420"),
    ("RGB565", "RGB565"),
    ("RGB24", "RGB24"),
    ("BGR24", "BGR24"),
    ("GREY", "GREY"),
    ("MJPEG", "MJPEG"),
    ("JPEG", "JPEG"),
];
const STANDARDS: [(&str, &str); 3] = [("PAL", "PAL"), ("NTSC", "NTSC"), ("SECAM", "SECAM")];
const IO_METHODS: [(&str, &str); 2] = [("MMAP", ""), ("USERPTR", "")];
/// The last two are accepted in silence there, for old scripts.
const ENCODERS: [(&str, &str); 6] = [
    ("CPU", "software"),
    ("HW", "auto"),
    ("M2M-VIDEO", "auto"),
    ("M2M-IMAGE", "auto"),
    ("OMX", "auto"),
    ("NOOP", "auto"),
];
const DEFAULT: &[&str] = &["default"];
const AUTO_OR_DEFAULT: &[&str] = &["auto", "default"];

const SINK: Meaning =
    Refused("mjpegd shares no memory with other programs; they read http://HOST:PORT/stream");
const H264: Meaning = Refused(
    "mjpegd serves JPEGs only; for H.264 let MediaMTX or go2rtc read the camera, or this stream",
);
const GPIO: Meaning = Refused(
    "mjpegd switches no pins; let a script ask /status, where state and viewers are, and set them",
);
const M2M: Meaning = Refused(
    "mjpegd finds an encoder of the board by itself, and encodes itself where there is none",
);

const fn row(name: &'static str, short: &'static str, value: Value, meaning: Meaning) -> Row {
    Row { name, short, value, meaning }
}

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    row("device", "d", Text("PATH"), Mapped("--camera v4l2:PATH", Keep)),
    row("input", "i", Number(0, 128), Mapped("--input N", Camera("input"))),
    row("resolution", "r", Size, Mapped("--resolution WxH; if not given 640x480, or with --dv-timings the size of the signal", Keep)),
    row(
        "format", "m", Word(&FORMATS),
        Mapped("--format FOURCC; auto if not given, which takes JPEG where the device has it", Keep),
    ),
    row("format-swap-rgb", "", Flag, Mapped("--format BGR24 in place of RGB24, and the reverse", Keep)),
    row("tv-standard", "a", Word(&STANDARDS), Mapped("--tv-standard NAME", Camera("tv-standard"))),
    row("io-method", "I", Word(&IO_METHODS), Accepted("buffers are always mapped (MMAP)")),
    // Read together with others: see `read`.
    row("desired-fps", "f", Number(0, 120), Mapped("--fps N; 0 leaves the rate to the device", Keep)),
    row("min-frame-size", "z", Number(1, 8192), Mapped("--min-frame-size SIZE", Camera("min-frame-size"))),
    row("allow-truncated-frames", "T", Flag, Mapped("--allow-truncated", Camera("allow-truncated"))),
    // What this program always does has no option here.
    row("persistent", "n", Flag, Accepted("the server always outlives the loss of its camera")),
    row("dv-timings", "t", Flag, Mapped("--dv-timings", Camera("dv-timings"))),
    row("buffers", "b", Number(1, 32), Accepted("mjpegd chooses the number of buffers itself")),
    row("workers", "w", Number(1, 32), Accepted("mjpegd encodes with as many threads as there are cores")),
    row("quality", "q", Number(1, 100), Mapped("--quality N", Camera("quality"))),
    row(
        "encoder", "c", Word(&ENCODERS),
        Mapped("--encoder software for CPU, else --encoder auto; JPEGs of the device are passed on, --format chooses", Camera("encoder")),
    ),
    row("glitched-resolutions", "g", Text("WxH,..."), Accepted("uStreamer has no use for it either")),
    row("blank", "k", Text("PATH"), Accepted("a lost camera shows a drawn picture with the cause")),
    row(
        "last-as-blank", "K", Number(0, 86400),
        Accepted("a lost camera shows a drawn picture with the cause"),
    ),
    row("slowdown", "l", Flag, Accepted("the camera is closed while nobody watches")),
    row("device-timeout", "", Seconds(1, 60), Mapped("--stall-timeout TIME", Camera("stall-timeout"))),
    row(
        "device-error-delay", "", Number(1, 60),
        Accepted("mjpegd tries again soon at first and then more and more rarely"),
    ),
    row("m2m-device", "", Text("PATH"), M2M),
    row("media-device", "", Text("PATH"), M2M),
    row("media-entity-name", "", Text("NAME"), M2M),
    row("image-default", "", Flag, Mapped("--control NAME=default for each control of an image", Keep)),
    row(
        "brightness", "", NumberOr(AUTO_OR_DEFAULT),
        Mapped("--control brightness=N, --control brightness_automatic=1 for auto", Control("brightness", Some("brightness_automatic"))),
    ),
    row("contrast", "", NumberOr(DEFAULT), Mapped("--control contrast=N", Control("contrast", None))),
    row("saturation", "", NumberOr(DEFAULT), Mapped("--control saturation=N", Control("saturation", None))),
    row(
        "hue", "", NumberOr(AUTO_OR_DEFAULT),
        Mapped("--control hue=N, --control hue_automatic=1 for auto", Control("hue", Some("hue_automatic"))),
    ),
    row("gamma", "", NumberOr(DEFAULT), Mapped("--control gamma=N", Control("gamma", None))),
    row("sharpness", "", NumberOr(DEFAULT), Mapped("--control sharpness=N", Control("sharpness", None))),
    row(
        "backlight-compensation", "", NumberOr(DEFAULT),
        Mapped("--control backlight_compensation=N", Control("backlight_compensation", None)),
    ),
    row(
        "white-balance", "", NumberOr(AUTO_OR_DEFAULT),
        Mapped("--control white_balance_temperature=N with white_balance_automatic=0, --control white_balance_automatic=1 for auto", Keep),
    ),
    row(
        "gain", "", NumberOr(AUTO_OR_DEFAULT),
        Mapped("--control gain=N, --control gain_automatic=1 for auto", Control("gain", Some("gain_automatic"))),
    ),
    row(
        "color-effect", "", NumberOr(DEFAULT),
        Mapped("--control color_effects=N", Control("color_effects", None)),
    ),
    row("rotate", "", NumberOr(DEFAULT), Mapped("--control rotate=N", Control("rotate", None))),
    row(
        "flip-vertical", "", NumberOr(DEFAULT),
        Mapped("--control vertical_flip=N", Control("vertical_flip", None)),
    ),
    row(
        "flip-horizontal", "", NumberOr(DEFAULT),
        Mapped("--control horizontal_flip=N", Control("horizontal_flip", None)),
    ),
    row("host", "s", Text("ADDRESS"), Mapped("--bind ADDRESS:PORT; 127.0.0.1 if not given", Keep)),
    row("port", "p", Number(1, 65535), Mapped("--bind ADDRESS:PORT; 8080 if not given", Keep)),
    row("unix", "U", Text("PATH"), Mapped("--bind unix:PATH", Keep)),
    row("unix-rm", "D", Flag, Accepted("an old socket file is replaced anyway")),
    row("unix-mode", "M", Mode, Mapped("--unix-mode MODE", Keep)),
    row("systemd", "S", Flag, Accepted("sockets that systemd hands over are taken in any case, and not --host and --port")),
    row("user", "", Text("NAME"), Mapped("--auth-file FILE with a line NAME:PASSWORD", Keep)),
    row(
        "passwd", "", Text("PASSWORD"),
        Mapped("--auth-file FILE with a line NAME:PASSWORD; on a command line every user of the machine can read it", Keep),
    ),
    row("static", "", Text("DIR"), Mapped("--www DIR; the page of mjpegd if there is no such folder", Keep)),
    row("drop-same-frames", "e", Number(0, 120), Mapped("--drop-same-frames N", Camera("drop-same-frames"))),
    row("allow-origin", "", Text("ORIGIN"), Mapped("--allow-origin ORIGIN", Keep)),
    row("instance-id", "", Text("TEXT"), Mapped("--instance-id TEXT", Server("instance-id"))),
    row("fake-resolution", "R", Size, Accepted("the state shows the size that the pictures have")),
    row("tcp-nodelay", "", Flag, Accepted("always so")),
    row("server-timeout", "", Seconds(1, 60), Mapped("--head-timeout TIME --write-timeout TIME", Keep)),
    row("jpeg-sink", "", Text("NAME"), SINK),
    row("jpeg-sink-mode", "", Text("MODE"), SINK),
    row("jpeg-sink-rm", "", Flag, SINK),
    row("jpeg-sink-client-ttl", "", Text("SECONDS"), SINK),
    row("jpeg-sink-timeout", "", Text("SECONDS"), SINK),
    row("raw-sink", "", Text("NAME"), SINK),
    row("raw-sink-mode", "", Text("MODE"), SINK),
    row("raw-sink-rm", "", Flag, SINK),
    row("raw-sink-client-ttl", "", Text("SECONDS"), SINK),
    row("raw-sink-timeout", "", Text("SECONDS"), SINK),
    row("h264-sink", "", Text("NAME"), SINK),
    row("h264-sink-mode", "", Text("MODE"), SINK),
    row("h264-sink-rm", "", Flag, SINK),
    row("h264-sink-client-ttl", "", Text("SECONDS"), SINK),
    row("h264-sink-timeout", "", Text("SECONDS"), SINK),
    row("sink", "", Text("NAME"), SINK),
    row("sink-mode", "", Text("MODE"), SINK),
    row("sink-rm", "", Flag, SINK),
    row("sink-client-ttl", "", Text("SECONDS"), SINK),
    row("sink-timeout", "", Text("SECONDS"), SINK),
    row("h264-bitrate", "", Text("KBIT"), H264),
    row("h264-gop", "", Text("N"), H264),
    row("h264-m2m-device", "", Text("PATH"), H264),
    row("h264-boost", "", Flag, H264),
    row(
        "v4p", "", Flag,
        Refused("mjpegd shows nothing on a display of the board; open the stream in a browser or player there"),
    ),
    row("gpio-device", "", Text("PATH"), GPIO),
    row("gpio-consumer-prefix", "", Text("TEXT"), GPIO),
    row("gpio-prog-running", "", Text("PIN"), GPIO),
    row("gpio-stream-online", "", Text("PIN"), GPIO),
    row("gpio-has-http-clients", "", Text("PIN"), GPIO),
    row(
        "exit-on-parent-death", "", Flag,
        Mapped("SIGTERM for mjpegd once the process that started it has ended; only under this name", Keep),
    ),
    row("exit-on-device-error", "", Flag, Mapped("--exit-on-device-error", Server("exit-on-device-error"))),
    row(
        "exit-on-no-clients", "", Seconds(0, 86400),
        Mapped("--exit-on-no-viewers TIME", Server("exit-on-no-viewers")),
    ),
    row(
        "process-name-prefix", "", Text("TEXT"),
        Accepted("mjpegd keeps its own name in the list of processes"),
    ),
    row(
        "notify-parent", "", Flag,
        Accepted("no signal is sent, as SIGUSR2 ends a parent that does not expect it; ask /state"),
    ),
    row("log-level", "", Number(0, 3), Mapped("RUST_LOG=debug for 3", Keep)),
    row("perf", "", Flag, Accepted("/status and /metrics have rates and times")),
    row("verbose", "", Flag, Accepted("the log has what happens; RUST_LOG=debug has each request")),
    row("debug", "", Flag, Mapped("RUST_LOG=debug", Keep)),
    row("force-log-colors", "", Flag, Accepted("the log has no colours")),
    row("no-log-colors", "", Flag, Accepted("the log has no colours")),
    row("help", "h", Flag, Prints("these options, and what they are", Print::Help)),
    row("version", "v", Flag, Prints("6.62", Print::Version)),
    row("features", "", Flag, Prints("which parts of uStreamer are here", Print::Features)),
];
