//! The options of mjpg-streamer and of its plugins.

use super::super::table::Meaning::{self, Accepted, Mapped, Prints, Refused};
use super::super::table::Rule::{Camera, Control, Keep};
use super::super::table::Value::{
    self, Bool, Flag, NamedSize, Number, NumberOr, Seconds, Text, Word,
};
use super::super::table::{Print, Row};
use super::{Kind, Plugin};

const STANDARDS: [(&str, &str); 3] = [("PAL", "PAL"), ("NTSC", "NTSC"), ("SECAM", "SECAM")];
/// The menu of `V4L2_CID_POWER_LINE_FREQUENCY`.
const POWER_LINE: [(&str, &str); 4] =
    [("disabled", "0"), ("50hz", "1"), ("60hz", "2"), ("auto", "3")];

const fn row(name: &'static str, short: &'static str, value: Value, meaning: Meaning) -> Row {
    Row { name, short, value, meaning }
}

/// The options before those of the plugins.
#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    row(
        "input", "i", Text("'PLUGIN.so ...'"),
        Mapped("--camera NAME=SOURCE; may be given several times", Keep),
    ),
    row(
        "output", "o", Text("'PLUGIN.so ...'"),
        Mapped("--bind ADDRESS:PORT; may be given several times", Keep),
    ),
    row(
        "background", "b", Flag,
        Mapped("a process of its own without a terminal; a service manager makes it unnecessary", Keep),
    ),
    row("help", "h", Flag, Prints("these options, and the plugins", Print::Help)),
    row("version", "v", Flag, Prints("the version", Print::Version)),
];

#[rustfmt::skip]
static DEVICE: &[Row] = &[
    row("device", "d", Text("PATH"), Mapped("--camera v4l2:PATH", Keep)),
    row("resolution", "r", NamedSize, Mapped("--resolution WxH; if not given 640x480, or with --dv-timings the size of the signal", Keep)),
    // -1 leaves it to the device.
    row("fps", "f", Number(-1, 1000), Mapped("--fps N", Keep)),
    row("quality", "q", Number(1, 100), Mapped("--quality N", Camera("quality"))),
    row("minimum_size", "m", Number(0, 1000000), Mapped("--min-frame-size SIZE", Camera("min-frame-size"))),
    row("every_frame", "e", Number(1, 100000), Mapped("--every N", Camera("every"))),
    row("softfps", "", Number(-1, 1000), Mapped("--fps N", Keep)),
    row("yuv", "y", Flag, Mapped("--format YUYV", Keep)),
    row("uyvy", "u", Flag, Mapped("--format UYVY", Keep)),
    row("fourcc", "", Text("CODE"), Mapped("--format FOURCC", Keep)),
    row("tvnorm", "t", Word(&STANDARDS), Mapped("--tv-standard NAME", Camera("tv-standard"))),
    row("dv_timings", "", Flag, Mapped("--dv-timings", Camera("dv-timings"))),
    row("timeout", "", Seconds(1, 86400), Mapped("--stall-timeout TIME", Camera("stall-timeout"))),
    row("no_dynctrl", "n", Flag, Accepted("the controls are those that the driver has")),
    row(
        "led", "l", Text("on|off|blink|auto"),
        Accepted("mjpegd switches no LED; where the device has a control for it, use --control"),
    ),
    row("timestamp", "", Flag, Accepted("each picture has its time")),
    // Controls of the device, by the names that V4L2 gives them.
    row("br", "", NumberOr(&[]), Mapped("--control brightness=N", Control("brightness", None))),
    row("co", "", NumberOr(&[]), Mapped("--control contrast=N", Control("contrast", None))),
    row("sh", "", NumberOr(&[]), Mapped("--control sharpness=N", Control("sharpness", None))),
    row("sa", "", NumberOr(&[]), Mapped("--control saturation=N", Control("saturation", None))),
    row("cb", "", Text("N|auto"), Accepted("no control of the kernel has this name")),
    row(
        "wb", "", NumberOr(&["auto"]),
        Mapped("--control white_balance_temperature=N with white_balance_automatic=0, --control white_balance_automatic=1 for auto", Keep),
    ),
    row(
        "ex", "", NumberOr(&["auto", "shutter-auto", "aperature-auto", "aperture-auto"]),
        Mapped("--control auto_exposure=N and --control exposure_time_absolute=N", Keep),
    ),
    row(
        "bk", "", NumberOr(&[]),
        Mapped("--control backlight_compensation=N", Control("backlight_compensation", None)),
    ),
    row("rot", "", NumberOr(&[]), Mapped("--control rotate=N", Control("rotate", None))),
    row("hf", "", Bool, Mapped("--control horizontal_flip=N", Control("horizontal_flip", None))),
    row("vf", "", Bool, Mapped("--control vertical_flip=N", Control("vertical_flip", None))),
    row(
        "pl", "", Word(&POWER_LINE),
        Mapped("--control power_line_frequency=N", Control("power_line_frequency", None)),
    ),
    row(
        "gain", "", NumberOr(&["auto"]),
        Mapped("--control gain=N, --control gain_automatic=1 for auto", Control("gain", Some("gain_automatic"))),
    ),
    row(
        "cagc", "", NumberOr(&["auto"]),
        Mapped("--control chroma_gain=N, --control chroma_agc=1 for auto", Control("chroma_gain", Some("chroma_agc"))),
    ),
    row("help", "h", Flag, Prints("the options of the plugin", Print::Help)),
];

#[rustfmt::skip]
static RASPICAM: &[Row] = &[
    row("width", "x", Number(32, 8192), Mapped("the option --width of rpicam-vid", Keep)),
    row("height", "y", Number(32, 8192), Mapped("the option --height of rpicam-vid", Keep)),
    row("fps", "", Number(1, 1000), Mapped("the rate of rpicam-vid", Keep)),
    row("framerate", "", Number(1, 1000), Mapped("the rate of rpicam-vid", Keep)),
    row("quality", "", Number(1, 100), Mapped("the option --quality of rpicam-vid", Keep)),
    row("usestills", "", Flag, Accepted("rpicam-vid always takes video")),
    row("preview", "", Flag, Accepted("nothing is shown on a display of the board")),
    row("timestamp", "", Flag, Accepted("each picture has its time")),
    row("sh", "", Number(-100, 100), Mapped("the option --sharpness of rpicam-vid", Keep)),
    row("co", "", Number(-100, 100), Mapped("the option --contrast of rpicam-vid", Keep)),
    row("br", "", Number(0, 100), Mapped("the option --brightness of rpicam-vid", Keep)),
    row("sa", "", Number(-100, 100), Mapped("the option --saturation of rpicam-vid", Keep)),
    row("ISO", "", Number(100, 6400), Mapped("the option --gain of rpicam-vid", Keep)),
    row("ev", "", Number(-25, 25), Mapped("the option --ev of rpicam-vid", Keep)),
    row("ex", "", Text("NAME"), Mapped("the option --exposure of rpicam-vid, where it has the mode", Keep)),
    row("awb", "", Text("NAME"), Mapped("the option --awb of rpicam-vid, where it has the mode", Keep)),
    row("mm", "", Text("NAME"), Mapped("the option --metering of rpicam-vid", Keep)),
    row("rot", "", Number(0, 359), Mapped("the option --rotation of rpicam-vid, for 180", Keep)),
    row("hf", "", Flag, Mapped("the option --hflip of rpicam-vid", Keep)),
    row("vf", "", Flag, Mapped("the option --vflip of rpicam-vid", Keep)),
    row("vs", "", Flag, Accepted("rpicam-vid has no such option")),
    row("ifx", "", Text("NAME"), Accepted("rpicam-vid has no such option")),
    row("cfx", "", Text("U:V"), Accepted("rpicam-vid has no such option")),
    row("drc", "", Text("LEVEL"), Accepted("rpicam-vid has no such option")),
    row("stats", "", Flag, Accepted("rpicam-vid has no such option")),
    row("camsel", "", Text("N"), Mapped("the option --camera of rpicam-vid", Keep)),
    row("shutter", "", Number(1, i64::MAX), Mapped("the option --shutter of rpicam-vid", Keep)),
    row("help", "h", Flag, Prints("the options of the plugin", Print::Help)),
];

#[rustfmt::skip]
static LIBCAMERA: &[Row] = &[
    row("resolution", "r", NamedSize, Mapped("the options --width and --height of rpicam-vid", Keep)),
    row("fps", "f", Number(1, 1000), Mapped("the rate of rpicam-vid", Keep)),
    row("quality", "q", Number(1, 100), Mapped("the option --quality of rpicam-vid", Keep)),
    row("rot", "", Number(0, 359), Mapped("the option --rotation of rpicam-vid, for 180", Keep)),
    row("hf", "", Flag, Mapped("the option --hflip of rpicam-vid", Keep)),
    row("vf", "", Flag, Mapped("the option --vflip of rpicam-vid", Keep)),
    row("camver", "", Text("N"), Accepted("rpicam-vid has no such option")),
    row("buffercount", "", Text("N"), Accepted("rpicam-vid has no such option")),
    row("help", "h", Flag, Prints("the options of the plugin", Print::Help)),
];

#[rustfmt::skip]
static FOLDER: &[Row] = &[
    row("folder", "f", Text("DIR"), Mapped("--camera images:DIR --watch", Keep)),
    row("existing", "e", Flag, Mapped("--camera images:DIR without --watch", Keep)),
    row(
        "delay", "d", Text("SECONDS"),
        Mapped("--fps N, which is 1 / delay, with -e; without it, pictures are shown as they come", Keep),
    ),
    row("remove", "r", Flag, Mapped("--remove-shown", Keep)),
    row("name", "n", Text("FILE"), Accepted("all pictures of the folder are shown, whatever their name")),
    row("help", "h", Flag, Prints("the options of the plugin", Print::Help)),
];

#[rustfmt::skip]
static SERVER: &[Row] = &[
    row("host", "H", Text("HOST"), Mapped("--camera http://HOST:PORT/PATH", Keep)),
    row("port", "p", Number(1, 65535), Mapped("--camera http://HOST:PORT/PATH; 8080 if not given", Keep)),
    row(
        "uri", "u", Text("PATH"),
        Mapped("--camera http://HOST:PORT/PATH; /?action=stream if not given", Keep),
    ),
    row("help", "h", Flag, Prints("the options of the plugin", Print::Help)),
];

#[rustfmt::skip]
static TEST_PICTURE: &[Row] = &[
    row(
        "delay", "d", Number(0, i64::MAX),
        Mapped("--camera pattern:WxH@FPS, in milliseconds a picture", Keep),
    ),
    row("resolution", "r", NamedSize, Mapped("--camera pattern:WxH@FPS", Keep)),
    row("help", "h", Flag, Prints("the options of the plugin", Print::Help)),
];

#[rustfmt::skip]
static LISTENER: &[Row] = &[
    row("port", "p", Number(1, 65535), Mapped("--bind ADDRESS:PORT; 8080 if not given", Keep)),
    row("listen", "l", Text("ADDRESS"), Mapped("--bind ADDRESS:PORT; all addresses if not given", Keep)),
    row(
        "credentials", "c", Text("USER:PASSWORD"),
        Mapped("--auth-file FILE with a line USER:PASSWORD; on a command line every user of the machine can read it", Keep),
    ),
    row("www", "w", Text("DIR"), Mapped("--www DIR; the page of mjpegd if there is no such folder", Keep)),
    row(
        "nocommands", "n", Flag,
        Mapped("--lock-controls", Keep),
    ),
    row("help", "h", Flag, Prints("the options of the plugin", Print::Help)),
];

#[rustfmt::skip]
static FILES: &[Row] = &[
    row("folder", "f", Text("DIR"), Mapped("--record DIR; /tmp if not given", Keep)),
    row("delay", "d", Number(0, i64::MAX), Mapped("--record-fps N, which is 1000 / delay", Keep)),
    row(
        "size", "s", Number(0, i64::MAX),
        Accepted("a recording has a largest size in bytes, --record-max-size"),
    ),
    row(
        "exceed", "e", Number(0, i64::MAX),
        Accepted("a recording has a largest size in bytes, --record-max-size"),
    ),
    row("input", "i", Number(0, i64::MAX), Accepted("all cameras are recorded")),
    row(
        "mjpeg", "m", Text("FILE"),
        Refused("mjpegd writes no endless file; use -f DIR for a recording, whose segments ffmpeg reads"),
    ),
    row(
        "command", "c", Text("COMMAND"),
        Refused("mjpegd runs no command for a picture; call mjpegd grab http://HOST:PORT/stream where one is needed"),
    ),
    row("help", "h", Flag, Prints("the options of the plugin", Print::Help)),
];

/// All plugins that are known, those first that are something here.
#[rustfmt::skip]
pub(super) static PLUGINS: &[Plugin] = &[
    Plugin { name: "input_uvc", rows: DEVICE, kind: Kind::Device },
    Plugin { name: "input_gspcav1", rows: DEVICE, kind: Kind::Device },
    Plugin { name: "input_raspicam", rows: RASPICAM, kind: Kind::Raspicam },
    Plugin { name: "input_libcamera", rows: LIBCAMERA, kind: Kind::Raspicam },
    Plugin { name: "input_file", rows: FOLDER, kind: Kind::Folder },
    Plugin { name: "input_http", rows: SERVER, kind: Kind::Http },
    Plugin { name: "input_testpicture", rows: TEST_PICTURE, kind: Kind::TestPicture },
    Plugin { name: "output_http", rows: LISTENER, kind: Kind::Listener },
    Plugin { name: "output_file", rows: FILES, kind: Kind::Files },
    Plugin { name: "input_opencv", rows: &[], kind: Kind::None("mjpegd runs no filters; use input_uvc, or let the filter write JPEGs and read it with --camera exec:COMMAND") },
    Plugin { name: "input_ptp2", rows: &[], kind: Kind::None("use --camera 'exec:gphoto2 --capture-movie --stdout' of mjpegd") },
    Plugin { name: "input_control", rows: &[], kind: Kind::None("mjpegd moves no camera by itself; controls are set by /controls") },
    Plugin { name: "output_udp", rows: &[], kind: Kind::None("mjpegd serves HTTP only; programs read http://HOST:PORT/snapshot") },
    Plugin { name: "output_rtsp", rows: &[], kind: Kind::None("mjpegd serves HTTP only; for RTSP let MediaMTX or go2rtc read the stream") },
    Plugin { name: "output_ws", rows: &[], kind: Kind::None("mjpegd serves HTTP only; a page reads http://HOST:PORT/stream without WebSocket") },
    Plugin { name: "output_viewer", rows: &[], kind: Kind::None("mjpegd shows nothing on a display; open the stream in a browser or player") },
    Plugin { name: "output_zmqserver", rows: &[], kind: Kind::None("mjpegd serves HTTP only; programs read http://HOST:PORT/stream") },
    Plugin { name: "output_autofocus", rows: &[], kind: Kind::None("mjpegd focuses nothing; the camera's own autofocus is a control, see mjpegd devices") },
];
