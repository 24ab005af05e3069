//! The bytes of both stream layouts, and which client gets which.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::{Client, Daemon, Dir, Layout, number, with_segment};

/// A daemon that shows numbered pictures, and their folder.
fn numbered(n: usize, fps: &str) -> (Daemon, Dir) {
    let dir = Dir::numbered(n, 5_000);
    (Daemon::start(&["--camera", &dir.camera(), "--fps", fps]), dir)
}

/// The bytes of a stream from its start to the end of its fourth part.
fn body(daemon: &Daemon, target: &str, tail: &[u8]) -> Vec<u8> {
    let mut client = Client::connect(daemon.address());
    client.request("GET", target, &[]);
    client.head();
    (0..5).flat_map(|_| client.take_through(tail).unwrap()).collect()
}

#[test]
fn layout_a_is_exactly_the_bytes_of_the_article() {
    let (daemon, dir) = numbered(4, "20");
    let separator = b"\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n";
    let body = [&b"\r\n"[..], &body(&daemon, "/video_feed", &separator[2..])].concat();
    let mut rest = body.strip_prefix(&separator[..]).unwrap();
    for _ in 0..4 {
        // On a busy machine it may be any of them.
        let jpeg = dir.pictures.iter().find(|jpeg| rest.starts_with(jpeg)).expect("a picture");
        rest = rest[jpeg.len()..].strip_prefix(&separator[..]).expect("the separator");
    }
    assert_eq!(rest, b"");
}

#[test]
fn layout_b_is_exactly_length_time_jpeg_and_delimiter() {
    let (daemon, dir) = numbered(4, "20");
    let body = body(&daemon, "/stream", b"--frame\r\n");
    let mut rest = &body[..];
    let expect = |rest: &mut &[u8], bytes: &[u8]| {
        assert!(rest.starts_with(bytes), "{:?}", String::from_utf8_lossy(&rest[..80]));
        let line_end = memchr::memmem::find(rest, b"\r\n").unwrap_or(0);
        let line = String::from_utf8_lossy(&rest[bytes.len().min(line_end)..line_end]).into_owned();
        *rest = &rest[bytes.len()..];
        line
    };
    expect(&mut rest, b"--frame\r\n");
    for _ in 0..4 {
        expect(&mut rest, b"Content-Type: image/jpeg\r\n");
        expect(&mut rest, format!("Content-Length: {}\r\n", dir.pictures[0].len()).as_bytes());
        let time = expect(&mut rest, b"X-Timestamp: ");
        let (seconds, micros) = time.split_once('.').unwrap();
        assert!(seconds.len() == 10 && micros.len() == 6, "{time}");
        expect(&mut rest, format!("{time}\r\n\r\n").as_bytes());
        let starts = |jpeg: &&Vec<u8>| rest.starts_with(jpeg);
        let jpeg = dir.pictures.iter().find(starts).expect("a picture");
        expect(&mut rest, jpeg);
        expect(&mut rest, b"\r\n--frame\r\n");
    }
    assert_eq!(rest, b"");
}

#[test]
fn head_of_a_stream_is_exactly_what_every_client_accepts() {
    let (daemon, _dir) = numbered(2, "20");
    for target in ["/video_feed", "/stream"] {
        let viewer = daemon.watch(target);
        let mut lines: Vec<&str> = viewer.head.trim_end().split("\r\n").collect();
        assert_eq!(lines.remove(0), "HTTP/1.1 200 OK");
        // Another number in each process.
        lines.retain(|line| !line.starts_with("X-Mjpegd-Instance: "));
        lines.sort_unstable();
        // As uStreamer does, so that a page finds its own client in `/state`.
        let id = if target == "/video_feed" { 1 } else { 2 };
        let cookie = format!("Set-Cookie: stream_client=0/{id:016x}; path=/; max-age=30");
        let due = [
            "Cache-Control: no-store, no-cache, must-revalidate, max-age=0, no-transform",
            "Connection: close",
            "Content-Type: multipart/x-mixed-replace; boundary=frame",
            "Pragma: no-cache",
            &cookie,
            "X-Accel-Buffering: no",
        ];
        assert_eq!(lines, due, "{target}");
    }
}

#[test]
fn head_and_opening_come_before_any_picture() {
    let (daemon, dir) = numbered(1, "0.01");
    dir.remove();
    let mut client = Client::connect(daemon.address());
    client.request("GET", "/video_feed", &[]);
    client.head();
    assert_eq!(client.take(37), b"--frame\r\nContent-Type: image/jpeg\r\n\r\n");
}

#[test]
fn url_accept_and_query_choose_the_layout() {
    use Layout::{Advance, Full};
    let dir = Dir::numbered(3, 0);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "20", "--threads", "100"]);
    let img = "Accept: image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";
    let page = "Accept: text/html,application/xhtml+xml,*/*;q=0.8";
    let any = "Accept: */*";
    for (target, accept, layout) in [
        ("/video_feed", None, Advance),
        ("/video_feed", Some(any), Advance),
        ("/webcam/video_feed", None, Advance),
        ("/video_feed?headers=full", Some(img), Full),
        ("/stream", None, Full),
        ("/stream", Some(any), Full),
        ("/stream", Some(img), Advance),
        ("/stream", Some(page), Advance),
        ("/stream?headers=minimal", None, Advance),
        ("/stream?headers=full", Some(page), Full),
        ("/stream?advance_headers=1", None, Advance),
        ("/webcam/stream", None, Full),
        ("/?action=stream", Some(any), Full),
        ("/?action=stream", Some(img), Advance),
        ("/webcam/?action=stream", None, Full),
        ("/webcam?action=stream", None, Full),
        ("/?action=stream&timestamp=1&cacheBust=2", None, Full),
        ("/stream?nonsense=1&headers=minimal&bypassCache=x%20y", None, Advance),
    ] {
        let mut viewer = daemon.watch_with(target, accept.as_slice());
        assert_eq!(viewer.layout(), layout, "{target} {accept:?}");
    }
}

#[test]
fn http_1_0_without_host_gets_the_same_bytes() {
    let (daemon, dir) = numbered(4, "0.1");
    let head = daemon.watch("/video_feed").head;
    let mut client = Client::connect(daemon.address());
    client.send("GET /video_feed HTTP/1.0\r\n\r\n");
    let old = client.head();
    // The cookie has the number of the viewer.
    let without_cookie = |head: &str| -> Vec<String> {
        let lines = head.lines().filter(|line| !line.starts_with("Set-Cookie: "));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(without_cookie(&old.replace("HTTP/1.0", "HTTP/1.1")), without_cookie(&head));
    assert_eq!(client.take(37), b"--frame\r\nContent-Type: image/jpeg\r\n\r\n");
    assert_eq!(client.take(dir.pictures[0].len()), dir.pictures[0]);
}

#[test]
fn raw_is_layout_b_as_octets() {
    let (daemon, dir) = numbered(3, "20");
    let mut viewer = daemon.watch_with("/video_feed?raw=1", &["Accept: image/*"]);
    assert!(viewer.head.contains("\r\nContent-Type: application/octet-stream\r\n"));
    assert_eq!(viewer.layout(), Layout::Full);
    assert!(dir.pictures.contains(&viewer.next().jpeg));
}

#[test]
fn extra_headers_come_on_request_in_lines_that_ffmpeg_can_hold() {
    let (daemon, dir) = numbered(3, "20");
    let mut viewer = daemon.watch("/stream?extra_headers=1");
    for _ in 0..5 {
        let part = viewer.next();
        assert!(part.head.starts_with("Content-Type: image/jpeg\r\n"), "{}", part.head);
        assert!(part.head.split("\r\n").all(|line| line.len() < 127), "{}", part.head);
        let header = |name| part.header(name).expect(name);
        assert_eq!(header("Content-Length"), part.jpeg.len().to_string());
        assert_eq!(header("X-UStreamer-Online"), "true");
        assert_eq!(
            (header("X-UStreamer-Width"), header("X-UStreamer-Height")),
            ("64".into(), "48".into())
        );
        let age: f64 = header("X-UStreamer-Latency").parse().unwrap();
        assert!((0.0..60.0).contains(&age), "{age}");
        assert!(dir.pictures.contains(&part.jpeg));
    }
    assert!(!daemon.watch("/stream").next().head.contains("UStreamer"));
}

#[test]
fn timestamp_is_the_time_of_capture_by_the_clock_on_the_wall() {
    let (daemon, _dir) = numbered(5, "20");
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let begun = now();
    let mut viewer = daemon.watch("/stream");
    let times: Vec<f64> = (0..10).map(|_| viewer.next().timestamp()).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert!(begun <= times[0] && times[9] <= now(), "{begun} {times:?}");
}

#[test]
fn frame_that_looks_like_a_delimiter_is_left_out_of_layout_a_only() {
    let dir = Dir::numbered(3, 0);
    let trap = with_segment(&dir.pictures[1], 0xFE, b"\r\n--frame\r\n");
    std::fs::write(dir.path().join("000001.jpg"), &trap).unwrap();
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "30"]);
    let mut full = daemon.watch("/stream");
    assert!((0..30).any(|_| full.next().jpeg == trap));
    let mut advance = daemon.watch("/video_feed");
    let numbers: Vec<_> = (0..30).map(|_| number(&advance.next().jpeg)).collect();
    assert!(numbers.iter().all(|n| matches!(n, Some(0 | 2))), "{numbers:?}");
}

#[test]
fn padding_and_thumbnails_are_cut_off() {
    let dir = Dir::numbered(1, 0);
    let thumbnail = [b"Exif\0\0", &dir.pictures[0][..]].concat();
    let camera_s = [&with_segment(&dir.pictures[0], 0xE1, &thumbnail)[..], &[0; 100]].concat();
    dir.overwrite(&camera_s);
    let daemon = Daemon::start(&["--camera", &dir.camera(), "--fps", "20"]);
    assert!(daemon.watch("/stream").next().jpeg == dir.pictures[0]);
    assert!(daemon.get("/snapshot").body == dir.pictures[0]);
}
