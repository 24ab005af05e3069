//! Command lines from published scripts and units, with neutral paths, and what
//! they are as command lines of this program.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::table::{Meaning, Rule};
use super::*;
use crate::config::print_config;

/// A command line as a script has it, and the same in this program's words.
const LINES: &[(&str, &str)] = &[
    // Defaults.
    ("ustreamer", "v4l2:/dev/video0 --resolution 640x480 --bind 127.0.0.1:8080"),
    ("mjpg_streamer", "v4l2:/dev/video0 --fps 5 --resolution 640x480 --bind :8080"),
    // crowsnest.
    (
        "ustreamer --host 127.0.0.1 --port 8080 --resolution 640x480 --desired-fps 15 \
         --allow-origin * --static resources/ustreamer-www \
         --device /dev/v4l/by-id/usb-cam-video-index0 --device-timeout 2",
        "v4l2:/dev/v4l/by-id/usb-cam-video-index0 --fps 15 --resolution 640x480 \
         --stall-timeout 2s --bind 127.0.0.1:8080 --allow-origin '*'",
    ),
    (
        "/home/user/crowsnest/bin/ustreamer/ustreamer.bin --host 127.0.0.1 --port 8081 \
         --resolution 1280x720 --desired-fps 30 --allow-origin * --static resources/ustreamer-www \
         --device /dev/video2 --device-timeout 2 --format MJPEG --encoder HW",
        "v4l2:/dev/video2 --fps 30 --resolution 1280x720 --format MJPEG --stall-timeout 2s \
         --bind 127.0.0.1:8081 --allow-origin '*'",
    ),
    // Units for printers, on boards of several makers.
    (
        "/opt/ustreamer/ustreamer --device /dev/video0 --host=0.0.0.0 --port=8001 \
         --device-timeout 8 --device-error-delay 8 --buffers=3 --workers=3 --drop-same-frame=30 \
         --format=YUYV -r 640x480 -f 0",
        "v4l2:/dev/video0 --resolution 640x480 --format YUYV --stall-timeout 8s \
         --drop-same-frames 30 --bind 0.0.0.0:8001",
    ),
    ("ustreamer -f 15 -s 0", "v4l2:/dev/video0 --fps 15 --resolution 640x480 --bind 0.0.0.0:8080"),
    (
        "ustreamer -r 1920x1080 -s :: -p 8080",
        "v4l2:/dev/video0 --resolution 1920x1080 --bind '[::]:8080'",
    ),
    (
        "ustreamer --device=/dev/video0 --slowdown -e 30 -K 0 -r 1920x1080 -m MJPEG \
         --host 0.0.0.0 --port 8888 --device-timeout 2 --device-error-delay 1",
        "v4l2:/dev/video0 --resolution 1920x1080 --format MJPEG --stall-timeout 2s \
         --drop-same-frames 30 --bind 0.0.0.0:8888",
    ),
    (
        "ustreamer --device /dev/video0 --format=JPEG --encoder=HW --workers=3 --desired-fps=15 \
         --quality 60 --flip-vertical 1 --flip-horizontal 1 --host=0.0.0.0 --port=12345",
        "v4l2:/dev/video0 --fps 15 --resolution 640x480 --format JPEG --quality 60 \
         --control vertical_flip=1 --control horizontal_flip=1 --bind 0.0.0.0:12345",
    ),
    // Robots, classes, containers.
    (
        "ustreamer --device=/dev/video0 -r 1080x720 --flip-vertical=1 --host=192.0.2.7 --port=8080",
        "v4l2:/dev/video0 --resolution 1080x720 --control vertical_flip=1 --bind 192.0.2.7:8080",
    ),
    (
        "ustreamer --device=/dev/video0 --host=0.0.0.0 --port=80",
        "v4l2:/dev/video0 --resolution 640x480 --bind 0.0.0.0:80",
    ),
    (
        "ustreamer --host=0.0.0.0 --port=8080 -r 640x480 -f 30",
        "v4l2:/dev/video0 --fps 30 --resolution 640x480 --bind 0.0.0.0:8080",
    ),
    (
        "ustreamer --host :: -m jpeg --device-timeout=5 --buffers=3 -r 2592x1944",
        "v4l2:/dev/video0 --resolution 2592x1944 --format JPEG --stall-timeout 5s \
         --bind '[::]:8080'",
    ),
    (
        "ustreamer --host :: --encoder=m2m-image",
        "v4l2:/dev/video0 --resolution 640x480 --bind '[::]:8080'",
    ),
    (
        "ustreamer --device=/dev/video1 --host=0.0.0.0 --port=8082 --resolution=1280x720 \
         --desired-fps=10 --format=MJPEG --drop-same-frames=30 --slowdown --device-timeout=2 \
         --device-error-delay=3",
        "v4l2:/dev/video1 --fps 10 --resolution 1280x720 --format MJPEG --stall-timeout 2s \
         --drop-same-frames 30 --bind 0.0.0.0:8082",
    ),
    // Supervisors.
    (
        "ustreamer --exit-on-parent-death --notify-parent --no-log-colors \
         --process-name-prefix name --exit-on-no-clients 30 --exit-on-device-error \
         --user admin --passwd SECRET --server-timeout 20 --tcp-nodelay",
        "v4l2:/dev/video0 --resolution 640x480 --bind 127.0.0.1:8080 --write-timeout 20s \
         --head-timeout 20s --exit-on-device-error=true --exit-on-no-viewers 30s --auth-file FILE",
    ),
    // Spellings that getopt takes.
    (
        "ustreamer -nlr320x240 -z 0x400 -Tq60 --log-level 3 word -- --nonsense",
        "v4l2:/dev/video0 --resolution 320x240 --quality 60 --min-frame-size 1024 \
         --allow-truncated=true --bind 127.0.0.1:8080",
    ),
    (
        "mjpegd ustreamer --white-balance 4000 --gain auto --contrast default -m RGB24 \
         --format-swap-rgb --allow-origin printer",
        "v4l2:/dev/video0 --resolution 640x480 --format BGR24 --control gain_automatic=1 \
         --control contrast=default --control white_balance_automatic=0 \
         --control white_balance_temperature=4000 --bind 127.0.0.1:8080",
    ),
    // OctoPi's webcamd.
    (
        "./mjpg_streamer -o 'output_http.so -w ./www-octopi -n --listen 127.0.0.1' \
         -i 'input_uvc.so -r 640x480 -f 10 -d /dev/video0'",
        "v4l2:/dev/video0 --fps 10 --resolution 640x480 --bind 127.0.0.1:8080",
    ),
    (
        "./mjpg_streamer -o 'output_http.so -w ./www-octopi -n --listen 127.0.0.1' \
         -i 'input_raspicam.so -fps 10'",
        "'exec:rpicam-vid -t 0 -n --codec mjpeg --width 640 --height 480 --framerate 10 \
         --quality 85 -o -' --bind 127.0.0.1:8080",
    ),
    // Robots, classes, init scripts, Flask apps.
    (
        "mjpg_streamer -i '/usr/local/lib/mjpg-streamer/input_uvc.so -d /dev/video0 -n' \
         -o '/usr/local/lib/mjpg-streamer/output_http.so -w /nowhere/www -p 8090'",
        "v4l2:/dev/video0 --resolution 640x480 --bind :8090",
    ),
    (
        "mjpg_streamer -i './input_uvc.so -y YUV' -o './output_http.so -w /nowhere/www'",
        "v4l2:/dev/video0 --resolution 640x480 --format YUYV --bind :8080",
    ),
    (
        "mjpg_streamer -i 'input_uvc.so -hf true -vf true  -d /dev/video1 ' \
         -o 'output_http.so -p 8085 -w /nowhere/stream.html'",
        "v4l2:/dev/video1 --resolution 640x480 --control horizontal_flip=1 \
         --control vertical_flip=1 --bind :8085",
    ),
    (
        "mjpg_streamer -i 'input_uvc.so -d /dev/video0 -r 320x240 -f 15 -n -y' \
         -o 'output_http.so -w /nowhere/www -p 5001'",
        "v4l2:/dev/video0 --fps 15 --resolution 320x240 --format YUYV --bind :5001",
    ),
    (
        "mjpg_streamer -b -i 'input_uvc.so -r 640*480 -d /dev/video0  -f 10' \
         -o 'output_http.so -n -p 46666'",
        "v4l2:/dev/video0 --fps 10 --resolution 640x480 --bind :46666",
    ),
    (
        "mjpg_streamer -b -i 'input_uvc.so -d /dev/video0 -f 30 -r 320x240' \
         -o 'output_http.so -p 8080 -w /nowhere/html -n -c user:SECRET'",
        "v4l2:/dev/video0 --fps 30 --resolution 320x240 --bind :8080 --auth-file FILE",
    ),
    (
        "mjpg_streamer --input 'input_uvc.so --device /dev/video0 --fps 5 --resolution 640x480' \
         --output 'output_http.so --www /nowhere/www --port 8080'",
        "v4l2:/dev/video0 --fps 5 --resolution 640x480 --bind :8080",
    ),
    (
        "mjpg_streamer -i 'input_uvc.so -n -r VGA -d /dev/video0 -q 60 -pl 60hz --every_frame 2' \
         -o 'output_http.so -p 8080'",
        "v4l2:/dev/video0 --resolution 640x480 --quality 60 --control power_line_frequency=2 \
         --every 2 --bind :8080",
    ),
    (
        "mjpg_streamer -i 'input_uvc.so -ex 200 -wb 4000 -br -10 -gain auto -timeout 10 \
         -softfps 5 -fourcc RGBP -m 2000 -l off' -o output_http",
        "v4l2:/dev/video0 --fps 5 --resolution 640x480 --format RGBP \
         --control brightness=-10 --control gain_automatic=1 --control auto_exposure=1 \
         --control exposure_time_absolute=200 --control white_balance_automatic=0 \
         --control white_balance_temperature=4000 --stall-timeout 10s --min-frame-size 2000 \
         --bind :8080",
    ),
    // The camera of a Raspberry Pi.
    (
        "mjpg_streamer -o 'output_http.so -p 9000 -c user:SECRET' -i 'input_raspicam.so -q 30 \
         -x 640 -y 360 -fps 8 -ex night -br 55 -sh 50 -ev 10'",
        "'exec:rpicam-vid -t 0 -n --codec mjpeg --width 640 --height 360 --framerate 8 \
         --quality 30 --sharpness 1.5 --brightness 0.1 --ev 1.667 --exposure long -o -' \
         --bind :9000 --auth-file FILE",
    ),
    (
        "./mjpg_streamer -i './input_raspicam.so -fps 15 -q 50 -x 640 -y 480' \
         -o './output_http.so -p 9000 -w /nowhere/www' /bin/bash",
        "'exec:rpicam-vid -t 0 -n --codec mjpeg --width 640 --height 480 --framerate 15 \
         --quality 50 -o -' --bind :9000",
    ),
    (
        "mjpg_streamer -o 'output_http.so' -i 'input_raspicam.so -x 1280 -y 720 -fps 10 -sh 0 \
         -co 0 -br 50 -sa 0 -vf -hf -rot 180 -awb sun'",
        "'exec:rpicam-vid -t 0 -n --codec mjpeg --width 1280 --height 720 --framerate 10 \
         --quality 85 --sharpness 1 --contrast 1 --brightness 0 --saturation 1 --awb daylight \
         --hflip --vflip --rotation 180 -o -' --bind :8080",
    ),
    // Files, other servers, and recordings.
    (
        "mjpg_streamer -i 'input_file.so -e -f /srv/pictures -d 2' -o 'output_http.so -p 8080'",
        "images:/srv/pictures --fps 0.5 --bind :8080",
    ),
    (
        "mjpg_streamer -i 'input_http.so -p 4081' -o 'output_http.so -l 0.0.0.0 -p 8090'",
        "'http://localhost:4081/?action=stream' --bind 0.0.0.0:8090",
    ),
    (
        "mjpg_streamer -i 'input_http.so -H camera.local -p 8081 -u /img' -o output_http.so",
        "http://camera.local:8081/img --bind :8080",
    ),
    (
        "mjpg_streamer -o 'output_http.so -c user:SECRET -p 8090' \
         -o 'output_file.so -f /srv/pictures -d 500 -s 8' -i 'input_uvc.so -fps 10 -r 300x300 -y'",
        "v4l2:/dev/video0 --fps 10 --resolution 300x300 --format YUYV --record /srv/pictures \
         --record-fps 2 --bind :8090 --auth-file FILE",
    ),
    (
        "mjpg_streamer -i 'input_testpicture.so -r QVGA -d 500' -o output_http.so",
        "pattern:320x240@2 --bind :8080",
    ),
];

/// Command lines that cannot be had, and what is said of them.
const REFUSED: &[(&str, &str)] = &[
    ("ustreamer --host :: -e m2m-image", "-e m2m-image: use a number from 0 to 120"),
    ("ustreamer --jpeg-sink=kvmd::ustreamer::jpeg", "--jpeg-sink: mjpegd shares no memory"),
    ("ustreamer --h264-bitrate 5000", "--h264-bitrate: mjpegd serves JPEGs only"),
    ("ustreamer --gpio-prog-running 5", "let a script ask /status"),
    ("ustreamer -S", "name the address with --host and --port"),
    ("ustreamer --host=", "--host: the address is empty"),
    ("ustreamer --prot 8080", "there is no --prot; did you mean --port?"),
    ("ustreamer --nonsense", "mjpegd ustreamer --help lists the options"),
    ("mjpg_streamer -i 'input_memfd.so -t 0'", "there are: input_uvc,"),
    ("mjpg_streamer -i output_http.so", "there is no plugin \"output_http.so\""),
    ("mjpg_streamer -o 'output_file.so -f /tmp -c ./x.sh'", "call mjpegd grab"),
    ("mjpg_streamer -o output_rtsp.so", "output_rtsp: mjpegd serves HTTP only"),
    ("mjpg_streamer -i 'input_uvc.so -r big'", "input_uvc: -resolution big: use"),
    ("mjpg_streamer -o 'output_http.so -c SECRET'", "-c: use USER:PASSWORD"),
    ("mjpg_streamer -i 'input_file.so -e'", "name the folder with -f DIR"),
];

fn start(line: &str) -> Result<Start, String> {
    let words: Vec<_> = getopt::split(line).into_iter().map(OsString::from).collect();
    let (dialect, rest) = find(&words).unwrap_or_else(|| panic!("{line}: no dialect"));
    dialect.start(rest)
}

fn run(line: &str) -> (CommandLine, Started) {
    match start(line) {
        Ok(Start::Run(run)) => *run,
        Ok(Start::Print(text)) => panic!("{line}: {text}"),
        Err(e) => panic!("{line}: {e}"),
    }
}

fn printed(line: &str) -> String {
    match start(line) {
        Ok(Start::Print(text)) => text,
        _ => panic!("{line}: it prints nothing"),
    }
}

#[test]
fn published_command_lines_mean_the_same_here() {
    assert!(LINES.len() >= 30);
    for (line, due) in LINES {
        let (command_line, started) = run(line);
        let text = print_config(&command_line).unwrap_or_else(|e| panic!("{line}: {e:#}"));
        let first = text.lines().next().unwrap();
        assert_eq!(first, format!("# mjpegd --camera {due}"), "{line}");
        assert!(!text.contains("SECRET") && !started.notes.concat().contains("SECRET"), "{line}");
        assert_eq!(text.contains("auth-file"), line.contains("SECRET"), "{line}");
    }
}

#[test]
fn what_cannot_be_had_is_refused_with_what_to_do() {
    for (line, says) in REFUSED {
        let Err(error) = start(line) else { panic!("{line} is accepted") };
        assert!(error.contains(says) && !error.contains('\n'), "{line}: {error}");
        assert!(!error.contains("SECRET"), "{line}: {error}");
        assert!(
            error.starts_with("ustreamer: ") || error.starts_with("mjpg_streamer: "),
            "{error}"
        );
    }
}

#[test]
fn several_inputs_are_cameras_with_options_of_their_own() {
    let (command_line, _) =
        run("mjpg_streamer -i 'input_uvc.so -d /dev/video5 -q 50 -r 1920x1080 -f 30' \
         -i 'input_uvc.so -d /dev/video4' -o 'output_http.so -p 8080'");
    let text = print_config(&command_line).unwrap();
    assert!(
        text.ends_with(
            "bind = \":8080\"\n\n\
             [[camera]]\nname = \"camera\"\nsource = \"v4l2:/dev/video5\"\nfps = 30\n\
             resolution = \"1920x1080\"\nquality = 50\n\n\
             [[camera]]\nname = \"camera2\"\nsource = \"v4l2:/dev/video4\"\n\
             resolution = \"640x480\"\n"
        ),
        "{text}"
    );
}

#[test]
fn name_of_the_program_or_first_word_chooses_the_dialect() {
    let found = |words: &[&str]| {
        let words: Vec<_> = words.iter().map(OsString::from).collect();
        find(&words).map(|(dialect, rest)| (dialect.program, rest.len()))
    };
    assert_eq!(found(&["ustreamer", "-h"]), Some(("ustreamer", 1)));
    assert_eq!(found(&["/a/b/ustreamer.bin"]), Some(("ustreamer", 0)));
    assert_eq!(found(&["./mjpg_streamer", "-b"]), Some(("mjpg_streamer", 1)));
    assert_eq!(found(&["mjpegd", "mjpg_streamer", "-b", "-h"]), Some(("mjpg_streamer", 2)));
    for own in
        [&["mjpegd"][..], &["mjpegd", "probe", "ustreamer"], &["mjpegd", "/bin/ustreamer"], &[]]
    {
        assert_eq!(found(own), None, "{own:?}");
    }
}

#[test]
fn version_help_and_features_are_printed_as_scripts_expect() {
    assert_eq!(printed("ustreamer --version"), "6.62\n");
    assert_eq!(printed("ustreamer -nv"), "6.62\n");
    let features = printed("ustreamer --features");
    assert!(features.contains("- WITH_GPIO\n") && features.contains("+ HAS_PDEATHSIG\n"));
    let help = printed("ustreamer --help");
    for option in ["-d, --device PATH", "--exit-on-no-clients SECONDS", "--print-config"] {
        assert!(help.contains(option), "{help}");
    }
    assert!(printed("mjpg_streamer -v").starts_with("MJPG Streamer Version: mjpegd "));
    assert!(printed("mjpg_streamer --help").contains("output_http.so"));
    assert!(printed("mjpg_streamer -i 'input_uvc.so --help'").contains("-r, -resolution WxH"));
}

#[test]
fn what_has_no_meaning_here_and_what_is_risky_is_said_once() {
    let (_, started) = run("ustreamer -w 3 -w 4 --slowdown --user a --passwd SECRET --log-level 3");
    let says = |text: &str| started.notes.iter().filter(|note| note.contains(text)).count();
    assert_eq!([says("--workers: "), says("--slowdown: "), says("--passwd: ")], [1, 1, 1]);
    assert_eq!(started.log_level, Some("debug"));
    let (_, started) = run("mjpg_streamer -b -o 'output_http.so -c a:SECRET -n'");
    assert!(started.background.is_some() && started.notes.concat().contains("list of processes"));
}

#[test]
fn print_config_works_in_each_dialect() {
    for line in ["ustreamer -f 5 --print-config", "mjpegd mjpg_streamer --print-config"] {
        assert!(run(line).0.is_to_print(), "{line}");
    }
    assert!(!run("ustreamer -f 5").0.is_to_print());
}

/// Options of this program that the tables name and other work will add.
const SOON: [&str; 6] =
    ["input", "tv-standard", "dv-timings", "unix-mode", "watch", "remove-after-reading"];

#[test]
fn tables_have_all_options_and_name_only_options_that_there_are() {
    let all = ustreamer::rows();
    assert_eq!(all.len(), 98);
    for rows in mjpg_streamer::all_rows().chain([all]) {
        let names: BTreeSet<_> = rows.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), rows.len());
        let shorts: Vec<_> = rows.iter().map(|row| row.short).filter(|s| !s.is_empty()).collect();
        assert_eq!(shorts.iter().collect::<BTreeSet<_>>().len(), shorts.len(), "{shorts:?}");
        for row in rows {
            if let Meaning::Mapped(to, Rule::Server(key) | Rule::Camera(key)) = &row.meaning {
                let is_known = crate::config::has_option(key) || SOON.contains(key);
                assert!(is_known && to.starts_with(&format!("--{key}")), "{}: {to}", row.name);
            }
            if row.meaning.is_missing() {
                let Meaning::Mapped(to, _) = &row.meaning else { continue };
                let is_soon = |name: &&str| to.starts_with(&format!("--{name}"));
                assert!(SOON.iter().any(is_soon) || to.contains("unix:"), "{to}");
            }
        }
    }
}

/// The chapter of the guide, where the tables stand between marks. With
/// `WRITE_GUIDE=1` in the environment this test writes them.
#[test]
fn chapter_of_the_guide_has_the_tables_of_the_parsers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/guide/drop-in.md");
    let text = fs::read_to_string(&path).unwrap();
    let mut due = text.clone();
    for dialect in &DIALECTS {
        let (begin, end) = (
            format!("<!-- {} -->\n", dialect.program),
            format!("<!-- end of {} -->\n", dialect.program),
        );
        let (before, rest) = due.split_once(&begin).expect(&begin);
        let (_, behind) = rest.split_once(&end).expect(&end);
        due = format!("{before}{begin}\n{}\n{end}{behind}", (dialect.table)());
    }
    if std::env::var_os("WRITE_GUIDE").is_some() {
        fs::write(&path, &due).unwrap();
    }
    let is_same = text == due || std::env::var_os("WRITE_GUIDE").is_some();
    assert!(is_same, "write the tables with: WRITE_GUIDE=1 cargo test --lib chapter_of_the_guide");
}
