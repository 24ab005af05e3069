//! Downloaded recordings, opened by the programs that people use.

use std::path::Path;

use serde_json::Value;

use crate::recording::{end, recorder, wait_for_frames};
use crate::support::{
    Client, Daemon, Dir, Program, Recorded, TempDir, all_frames, eventually_is, python, segments,
    write_segment,
};

/// A finished recording, and the daemon that serves it.
fn recorded() -> (Daemon, Vec<Recorded>, TempDir) {
    let to = TempDir::new();
    let to_text = to.path().to_str().unwrap();
    let args = ["--camera", "pattern:320x240@20", "--record", to_text];
    let daemon = Daemon::start(&args);
    wait_for_frames(&daemon, 50);
    daemon.request("POST", "/record/stop", &[]);
    eventually_is("it stopped", || daemon.status()["recording"]["state"] == "off");
    let frames = all_frames(to.path());
    (daemon, frames, to)
}

/// Downloads to a file, as a browser does.
fn download(daemon: &Daemon, target: &str, to: &TempDir, name: &str) -> String {
    let file = to.path().join(name).to_str().unwrap().to_owned();
    let url = daemon.url(target);
    Program::new("curl", "curl").args(["-fsS", "-o", &file, &url]).output();
    file
}

fn probe(file: &str) -> Value {
    let args =
        ["-v", "error", "-of", "json", "-show_format", "-show_streams", "-count_frames", file];
    serde_json::from_slice(&Program::new("ffprobe", "ffmpeg").args(args).output()).unwrap()
}

#[test]
fn avi_has_the_right_duration_and_can_be_sought() {
    let (daemon, frames, to) = recorded();
    let head = daemon.request("HEAD", "/download", &[]);
    assert_eq!(head.header("Content-Type"), Some("video/x-msvideo"));
    assert!(head.header("Content-Disposition").unwrap().ends_with("Z.avi\""), "{}", head.head);
    let file = download(&daemon, "/download", &to, "whole.avi");
    let length = Path::new(&file).metadata().unwrap().len().to_string();
    assert_eq!(head.header("Content-Length"), Some(&*length));
    let probed = probe(&file);
    let stream = &probed["streams"][0];
    assert_eq!(stream["codec_name"], "mjpeg");
    assert_eq!((&stream["width"], &stream["height"]), (&320.into(), &240.into()));
    let n = frames.len().to_string();
    assert_eq!(
        (stream["nb_frames"].as_str(), stream["nb_read_frames"].as_str()),
        (Some(&*n), Some(&*n))
    );
    let due = (frames[frames.len() - 1].time - frames[0].time) * frames.len() as f64
        / (frames.len() - 1) as f64;
    let duration: f64 = probed["format"]["duration"].as_str().unwrap().parse().unwrap();
    assert!((duration - due).abs() < 0.01, "{duration} s, not {due} s");
    let decode = |args: &[&str]| {
        let args = [&["-v", "error"], args, &["-i", &file, "-f", "md5", "-"]].concat();
        Program::new("ffmpeg", "ffmpeg").args(args).text()
    };
    assert_ne!(decode(&[]), decode(&["-ss", "1"]));
    // The frame found by seeking is the one recorded at that time.
    let shown = to.path().join("shown.jpg").to_str().unwrap().to_owned();
    let args = ["-v", "error", "-ss", "1", "-i", &file, "-c", "copy", "-frames:v", "1", &shown];
    Program::new("ffmpeg", "ffmpeg").args(args).output();
    let shown = std::fs::read(&shown).unwrap();
    let place = frames.iter().position(|frame| frame.jpeg == shown).expect("a recorded frame");
    let interval = duration / frames.len() as f64;
    assert!((place as f64 * interval - 1.0).abs() <= interval * 1.5, "frame {place}");
}

#[test]
fn opencv_reads_an_avi() {
    let (daemon, frames, to) = recorded();
    let file = download(&daemon, "/download?format=avi", &to, "whole.avi");
    let script = "import cv2, sys\nc = cv2.VideoCapture(sys.argv[1])\n\
        n = int(c.get(cv2.CAP_PROP_FRAME_COUNT))\nc.set(cv2.CAP_PROP_POS_FRAMES, n - 1)\n\
        print(n, c.read()[0], c.read()[0])";
    let output = python("cv2", "python3-opencv", script, &[&file]);
    assert_eq!(output.trim(), format!("{} True False", frames.len()));
}

#[test]
fn zip_is_sound_and_holds_each_picture() {
    let (daemon, frames, to) = recorded();
    let file = download(&daemon, "/download?format=zip", &to, "whole.zip");
    let script = "import zipfile, sys, zlib\nz = zipfile.ZipFile(sys.argv[1])\n\
        assert z.testzip() is None\nfor i in z.infolist():\n  b = z.read(i)\n  \
        print(len(b), zlib.crc32(b), i.filename, i.date_time[0])";
    let output = python("zipfile", "python3", script, &[&file]);
    assert_eq!(output.lines().count(), frames.len());
    for (line, frame) in output.lines().zip(&frames) {
        let words: Vec<_> = line.split(' ').collect();
        assert_eq!(words[0], frame.jpeg.len().to_string());
        assert!(words[2].ends_with("Z.jpg") && words[2].starts_with("20"), "{line}");
    }
}

#[test]
fn zip_of_too_many_pictures_is_refused_with_what_to_do() {
    const FIRST: u64 = 1_795_260_515_000_000;
    let (dir, to) = (Dir::numbered(5, 0), TempDir::new());
    let times: Vec<_> = (0..16_385).map(|i| FIRST + i * 33_333).collect();
    write_segment(to.path(), 1, &[0xFF, 0xD8, 0xFF, 0xD9], &times);
    let daemon = recorder(&dir, to.path(), &[]);
    wait_for_frames(&daemon, 1);
    let refused = daemon.get("/download?format=zip");
    assert_eq!(refused.code, 400, "{}", refused.text());
    for text in ["16384", "shorter stretch", "format=avi", "format=mjpeg"] {
        assert!(refused.text().contains(text), "{text}: {}", refused.text());
    }
    let last = (FIRST + 16_383 * 33_333) as f64 / 1e6;
    let zip = daemon.get(&format!("/download?format=zip&to={last:.6}")).body;
    assert_eq!(memchr::memmem::find_iter(&zip, b"PK\x01\x02").count(), 16_384);
    for format in ["avi", "mjpeg"] {
        assert_eq!(daemon.get(&format!("/download?format={format}")).code, 200, "{format}");
    }
}

#[test]
fn mjpeg_is_jpeg_after_jpeg_of_the_span_that_was_asked_for() {
    let (daemon, frames, to) = recorded();
    let (from, until) = (frames[10].time, frames[29].time);
    let target = format!("/download?format=mjpeg&from={from}&to={until}");
    let file = download(&daemon, &target, &to, "some.mjpeg");
    let due: Vec<u8> = frames[10..=29].iter().flat_map(|frame| frame.jpeg.clone()).collect();
    assert!(std::fs::read(&file).unwrap() == due);
    assert_eq!(probe(&file)["streams"][0]["nb_read_frames"], "20");
    // The daemon accepts the file as a camera, too.
    let camera = format!("file:{file}");
    let again = Daemon::start(&["--camera", &camera]);
    assert!(again.watch("/stream").next().jpeg.starts_with(&[0xFF, 0xD8]));
}

#[test]
fn segment_can_be_had_whole_and_in_ranges() {
    let (dir, to) = (Dir::numbered(40, 5000), TempDir::new());
    let daemon = recorder(&dir, to.path(), &[]);
    wait_for_frames(&daemon, 10);
    end(daemon);
    let daemon = recorder(&dir, to.path(), &[]);
    wait_for_frames(&daemon, 1);
    let file = segments(to.path())[0].clone();
    let bytes = std::fs::read(&file).unwrap();
    let target = format!("/recordings/{}", file.file_name().unwrap().to_str().unwrap());
    let whole = daemon.get(&target);
    assert_eq!(whole.header("Accept-Ranges"), Some("bytes"));
    assert!(whole.code == 200 && whole.body == bytes);
    let n = bytes.len();
    for (range, from, to) in [
        ("bytes=0-99".to_owned(), 0, 100),
        ("bytes=5000-".into(), 5000, n),
        ("bytes=-77".into(), n - 77, n),
        (format!("bytes=100-{}", n * 2), 100, n),
    ] {
        let part = daemon.request("GET", &target, &[&format!("Range: {range}")]);
        assert_eq!(part.code, 206, "{range}");
        let says = format!("bytes {from}-{}/{n}", to - 1);
        assert_eq!(part.header("Content-Range"), Some(&*says));
        assert!(part.body == bytes[from..to], "{range}");
    }
    let outside = daemon.request("GET", &target, &[&format!("Range: bytes={n}-")]);
    let says = format!("bytes */{n}");
    assert_eq!((outside.code, outside.header("Content-Range")), (416, Some(&*says)));
    assert_eq!(daemon.request("GET", &target, &["Range: bytes=0-1,5-6"]).code, 200);
    assert_eq!(daemon.request("GET", &target, &["Range: bytes=0-1", "If-Range: \"x\""]).code, 200);
    assert_eq!(daemon.request("HEAD", &target, &[]).code, 200);
}

#[test]
fn too_many_downloads_at_once_are_refused_and_counted() {
    let (dir, to) = (Dir::numbered(5, 200_000), TempDir::new());
    let daemon = recorder(&dir, to.path(), &[]);
    // More than the socket buffers hold, so the downloads stay open.
    wait_for_frames(&daemon, 60);
    let clients: Vec<_> = (0..12)
        .map(|_| {
            let mut client = Client::narrow(daemon.address());
            client.request("GET", "/download?format=mjpeg", &[]);
            client
        })
        .collect();
    // Four downloads are served and four wait.
    eventually_is("four are refused", || daemon.figure("/connections/refused") == 4);
    assert!(daemon.get("/metrics").text().contains("\nmjpegd_requests_refused_total 4\n"));
    let reply = daemon.get("/download?format=mjpeg");
    assert_eq!((reply.code, reply.header("Retry-After")), (503, Some("2")));
    assert_eq!(reply.text(), "too many downloads at once\n");
    drop(clients);
    eventually_is("there is room again", || daemon.request("HEAD", "/download", &[]).code == 200);
}
