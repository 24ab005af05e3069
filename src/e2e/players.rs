//! Players: the programs that people watch streams with. A missing one fails
//! its test with the name of its package.

use std::io::Read;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::support::{COLOURS, Daemon, Dir, Program, colour, python};

const WIDTH: u16 = 320;
const HEIGHT: u16 = 240;

/// A camera of six colours, five times a second.
fn coloured() -> (Daemon, Dir) {
    let dir = Dir::flat(WIDTH, HEIGHT);
    (Daemon::start(&["--camera", &dir.camera(), "--fps", "5"]), dir)
}

/// Checks decoded pictures of three bytes a pixel: each has one of the colours,
/// and they follow the order of the files.
fn check_pixels(pixels: &[u8], n_least: usize) {
    let n_bytes = usize::from(WIDTH) * usize::from(HEIGHT) * 3;
    assert_eq!(pixels.len() % n_bytes, 0, "{} bytes", pixels.len());
    let centre = n_bytes / 2 + usize::from(WIDTH) / 2 * 3;
    let shown: Vec<_> = pixels.chunks(n_bytes).map(|p| &p[centre..centre + 3]).collect();
    check_colours(
        &shown.iter().map(|p| [p[0].into(), p[1].into(), p[2].into()]).collect::<Vec<_>>(),
        n_least,
    );
}

fn check_colours(shown: &[[i64; 3]], n_least: usize) {
    assert!(shown.len() >= n_least, "{} pictures", shown.len());
    let places: Vec<_> = shown.iter().map(|rgb| colour(*rgb)).collect();
    assert!(places.iter().all(Option::is_some), "{shown:?}");
    let places: Vec<_> = places.into_iter().flatten().collect();
    for pair in places.windows(2) {
        let step = (pair[1] + COLOURS.len() - pair[0]) % COLOURS.len();
        // A busy machine may skip some, or send one again. A step back would look like five
        // steps forward.
        assert!((0..=4).contains(&step), "not in order: {places:?}");
    }
}

fn ffmpeg(options: &[&str], url: &str) {
    let pixels = Program::new("ffmpeg", "ffmpeg")
        .args(["-v", "error", "-f", "mpjpeg"])
        .args(options.iter().copied())
        .args(["-i", url, "-frames:v", "6", "-vsync", "passthrough"])
        .args(["-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .output();
    check_pixels(&pixels, 6);
}

#[test]
fn ffmpeg_plays_both_layouts() {
    let (daemon, _dir) = coloured();
    for target in ["/stream", "/video_feed", "/?action=stream"] {
        ffmpeg(&[], &daemon.url(target));
    }
}

#[test]
fn ffmpeg_plays_with_a_strict_boundary() {
    let (daemon, _dir) = coloured();
    for target in ["/stream", "/video_feed"] {
        ffmpeg(&["-strict_mime_boundary", "1"], &daemon.url(target));
    }
}

#[test]
fn ffprobe_finds_the_format_by_itself() {
    let (daemon, _dir) = coloured();
    let output = Program::new("ffprobe", "ffmpeg")
        .args(["-v", "error", "-of", "json", "-show_entries"])
        .args(["format=format_name:stream=codec_name,width,height", &daemon.url("/stream")])
        .text();
    let output: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert_eq!(output["format"]["format_name"], "mpjpeg", "{output}");
    let stream = &output["streams"][0];
    assert_eq!(stream["codec_name"], "mjpeg");
    assert_eq!((stream["width"].as_u64(), stream["height"].as_u64()), (Some(320), Some(240)));
}

#[test]
fn opencv_plays_both_layouts() {
    const SCRIPT: &str = "
import cv2, sys
video = cv2.VideoCapture(sys.argv[1])
assert video.isOpened()
for _ in range(6):
    good, picture = video.read()
    assert good and picture.shape == (240, 320, 3)
    print(*reversed(picture[120, 160].tolist()))
";
    let (daemon, _dir) = coloured();
    for target in ["/stream", "/video_feed", "/video_feed?headers=full"] {
        let output = python("cv2", "python3-opencv", SCRIPT, &[&daemon.url(target)]);
        let number = |word: &str| word.parse::<i64>().unwrap();
        let row = |line: &str| line.split(' ').map(number).collect::<Vec<_>>().try_into().unwrap();
        check_colours(&output.lines().map(row).collect::<Vec<_>>(), 6);
    }
}

#[test]
fn gstreamer_plays_both_layouts() {
    let (daemon, _dir) = coloured();
    for target in ["/stream", "/video_feed"] {
        let location = format!("location={}", daemon.url(target));
        let pixels = Program::new("gst-launch-1.0", "gstreamer1.0-tools gstreamer1.0-plugins-good")
            .args(["-q", "souphttpsrc", &location, "!", "multipartdemux", "!", "jpegdec", "!"])
            .args(["videoconvert", "!", "video/x-raw,format=RGB", "!"])
            .args(["identity", "eos-after=6", "!", "fdsink", "fd=1", "sync=false"])
            .output();
        check_pixels(&pixels, 5);
    }
}

#[test]
fn curl_gets_streams_and_snapshots() {
    let (daemon, dir) = coloured();
    for options in [&["-sN"][..], &["-sN", "-0"]] {
        let url = daemon.url("/stream");
        let program = Program::new("curl", "curl").args(options.iter().copied()).args([&*url]);
        let mut child = program.start_piped();
        let mut bytes = vec![0; 3 * dir.pictures[0].len()];
        child.stdout.take().unwrap().read_exact(&mut bytes).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(bytes.starts_with(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: "));
        let holds = |jpeg: &Vec<u8>| memchr::memmem::find(&bytes, jpeg).is_some();
        assert!(dir.pictures.iter().filter(|jpeg| holds(jpeg)).count() >= 2);
    }
    let snapshot = Program::new("curl", "curl").args(["-sf", &daemon.url("/snapshot")]).output();
    assert!(dir.pictures.contains(&snapshot));
}

#[test]
fn parser_of_the_tutorial_reads_video_feed() {
    // This player splits the stream at the exact bytes before and after each
    // JPEG.
    const SCRIPT: &str = r"
import base64, requests, sys
separator = b'\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n'
reply = requests.get(sys.argv[1], stream=True, timeout=20)
data, n = b'\r\n', 0
for chunk in reply.iter_content(1024):
    data += chunk
    *frames, data = data.split(separator)
    for frame in frames:
        if frame:
            print(base64.b64encode(frame).decode())
            n += 1
    if n >= 10:
        break
";
    let (daemon, dir) = coloured();
    let output = python("requests", "python3-requests", SCRIPT, &[&daemon.url("/video_feed")]);
    let frames: Vec<_> = output.lines().map(|line| BASE64_STANDARD.decode(line).unwrap()).collect();
    assert!(frames.len() >= 10);
    let places: Vec<_> = frames
        .iter()
        .map(|frame| {
            dir.pictures.iter().position(|jpeg| jpeg == frame).expect("a frame is not whole")
        })
        .collect();
    let steps = places.windows(2).map(|pair| (pair[1] + 6 - pair[0]) % 6);
    assert!(steps.clone().all(|step| (0..=4).contains(&step)), "{places:?}");
}
