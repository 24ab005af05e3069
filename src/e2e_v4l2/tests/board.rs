//! On a board: the cost of recording compared with one more viewer, and what a power cut loses of a recording.

use crate::machine::board::{self, COUNTING, Card, QUICK, busy};
use crate::machine::initramfs::PICTURES;
use crate::machine::pictures;
use crate::machine::server::Server;
use crate::machine::tools::find;
use crate::machine::{Machine, SERVICE_PORT};
use crate::results::Results;
use crate::tests::daemon;
use crate::tests::helpers::viewer::{BackgroundViewer, get};
use std::path::PathBuf;
use std::time::Duration;

const SIZE: &str = "1280x720";
const OTHER_SIZE: &str = "640x480";
const FPS: u32 = 30;
/// A frame rate that an emulated machine reaches easily.
const SLOW_FPS: u32 = 10;
const SPAN: Duration = Duration::from_secs(20);
/// Until a change has taken effect, TCP windows have grown, and pending writes are on the disk.
const SETTLE: &str = "sleep 6";
const DEADLINE: Duration = Duration::from_secs(120);

fn daemon() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_mjpegd"))
}

fn recorder<'m>(board: &'m Machine, size: &str, fps: u32, more: &str) -> Server<'m> {
    let camera = format!("--camera images:{PICTURES}/{size} --fps {fps}");
    daemon::start(board, &format!("{camera} --record /card/recording {more}"))
}

#[test]
fn power_cut_costs_what_the_disk_was_not_told_of() {
    /// Five seconds.
    const N_EARLY: u64 = 5 * SLOW_FPS as u64;
    /// The daemon syncs once a second, and the machine may be slow: ten seconds.
    const N_LATE: u64 = 10 * SLOW_FPS as u64;
    let card = Card::make().unwrap();
    let board = board::boot(QUICK, &card, vec![daemon()]).unwrap();
    // Switches off the kernel's periodic writeback, so that only the daemon's syncs reach the disk.
    board.sh("echo 0 >/proc/sys/vm/dirty_writeback_centisecs");
    let server = recorder(&board, SIZE, SLOW_FPS, "");
    let n_due = wait_for_frames(&board, N_EARLY);
    wait_for_frames(&board, n_due + N_LATE);
    server.leave();
    board.cut_power();

    let board = board::boot(QUICK, &card, vec![daemon()]).unwrap();
    let server = recorder(&board, OTHER_SIZE, SLOW_FPS, "");
    // The daemon scans the old recording before it writes a frame.
    wait_for_frames(&board, 1);
    let list = json(&board, "/recordings?segments=1");
    let (mut n_kept, mut n_new) = (0, 0);
    for segment in list["segments"].as_array().expect("the recording has segments") {
        let name = segment["name"].as_str().expect("a segment has a name");
        for jpeg in parts(&get(&board, &format!("/recordings/{name}"))) {
            let is_of = |size| pictures::of_size(size).contains(&jpeg);
            assert!(is_of(SIZE) || is_of(OTHER_SIZE), "no picture of the camera in {name}");
            *(if is_of(SIZE) { &mut n_kept } else { &mut n_new }) += 1;
        }
    }
    assert!(n_new > 0, "{list}");
    assert!(n_kept >= n_due, "{n_kept} of at least {n_due} are there: {}", server.log());
    assert_eq!(server.stop(), 0);
}

/// Waits until at least `n` frames were written, and returns how many.
fn wait_for_frames(board: &Machine, n: u64) -> u64 {
    let status = format!("wget -q -O - http://127.0.0.1:{SERVICE_PORT}/status");
    let written = format!("{status} | sed -n 's/.*\"written\":\\([0-9]*\\).*/\\1/p'");
    let look = format!("n=$({written}) && [ \"$n\" -ge {n} ] && echo $n");
    board.wait_for("the frames", DEADLINE, &look).parse().expect("a number of frames")
}

fn json(board: &Machine, path: &str) -> serde_json::Value {
    serde_json::from_slice(&get(board, path)).expect("a reply is JSON")
}

/// The JPEGs of a segment, which must be intact to its last byte.
fn parts(mut segment: &[u8]) -> Vec<Vec<u8>> {
    let mut jpegs = Vec::new();
    while !segment.is_empty() {
        let end = segment.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head");
        let head = std::str::from_utf8(&segment[..end]).expect("a head is text");
        assert!(head.starts_with("--frame\r\n"), "{head}");
        let length = head.split("Content-Length: ").nth(1).expect("a length");
        let length: usize = length.split("\r\n").next().unwrap().parse().expect("a length");
        let (part, rest) = segment.split_at(end + 4 + length + 2);
        assert!(part.ends_with(b"\xff\xd9\r\n"), "{head}");
        jpegs.push(part[end + 4..part.len() - 2].to_vec());
        segment = rest;
    }
    jpegs
}

/// A measurement without a limit: prints the instructions of the whole board per picture, in thousands.
#[test]
#[ignore = "a measurement, see `make bench-board`"]
fn recording_beside_one_more_viewer() {
    let programs = vec![daemon(), find("ethtool").unwrap()];
    let board = board::boot(COUNTING, &Card::make().unwrap(), programs).unwrap();
    let server = recorder(&board, SIZE, FPS, "--idle-timeout 0");
    let n_bytes: usize = pictures::of_size(SIZE).iter().map(Vec::len).sum();
    let mean = n_bytes / pictures::of_size(SIZE).len() / 1000;
    eprintln!("thousands of instructions for a picture of {mean} kB, {FPS} a second:");
    for (offload, cut_by) in [("off", "the processor"), ("on", "the network card")] {
        board.sh(&format!("ethtool -K eth0 tso {offload}"));
        let cost = Cost::measure(&board);
        let ratio = cost.recording_watched / cost.second;
        let mut results = Results::default();
        results.add(format!("cut by {cut_by}: x one more viewer"), format!("{ratio:.2}"));
        results.add(
            format!("cut by {cut_by}: recording"),
            format!("{:.0},000", cost.recording_watched),
        );
        results.add(format!("cut by {cut_by}: a viewer"), format!("{:.0},000", cost.second));
        results.keep_part("board").unwrap();
        eprintln!("TCP cut into packets by {cut_by}: {cost:.0?}");
        eprintln!(
            "  recording / a viewer: {:.2} with nobody watching, {:.2} beside one",
            cost.recording / cost.first,
            cost.recording_watched / cost.second
        );
    }
    assert_eq!(server.stop(), 0);
}

/// The cost of a picture in thousands of instructions: of the capture, and in addition of each of the others.
#[derive(Debug)]
struct Cost {
    #[expect(dead_code, reason = "printed")]
    capture: f64,
    first: f64,
    second: f64,
    /// Without viewers, and beside one viewer.
    recording: f64,
    recording_watched: f64,
}

impl Cost {
    fn measure(board: &Machine) -> Self {
        record(board, false);
        let capture = spent(board, &[]);
        record(board, true);
        let recording = spent(board, &[]) - capture;
        record(board, false);
        let mut viewers = vec![BackgroundViewer::open(board)];
        let one = spent(board, &viewers);
        record(board, true);
        let recording_watched = spent(board, &viewers) - one;
        record(board, false);
        viewers.push(BackgroundViewer::open(board));
        let second = spent(board, &viewers) - one;
        Self { capture, first: one - capture, second, recording, recording_watched }
    }
}

/// Thousands of instructions per picture. Fails if one of these viewers missed pictures.
fn spent(board: &Machine, viewers: &[BackgroundViewer]) -> f64 {
    board.sh(SETTLE);
    let before: Vec<u64> = viewers.iter().map(BackgroundViewer::n_bytes).collect();
    let busy = busy(board, SPAN);
    let n_pictures = SPAN.as_secs_f64() * f64::from(FPS);
    let n_bytes: usize = pictures::of_size(SIZE).iter().map(Vec::len).sum();
    let due = n_bytes as f64 / pictures::of_size(SIZE).len() as f64 * n_pictures;
    for (viewer, before) in viewers.iter().zip(before) {
        let share = (viewer.n_bytes() - before) as f64 / due;
        assert!(share > 0.97, "a viewer had {share:.2} of the pictures");
    }
    busy.as_secs_f64() * 1e6 / n_pictures
}

/// Switches recording on or off, and waits until the daemon reports that state.
fn record(board: &Machine, on: bool) {
    let (word, due) = if on { ("start", "recording") } else { ("stop", "off") };
    let at = format!("http://127.0.0.1:{SERVICE_PORT}");
    board.sh(&format!("wget -q -O /dev/null --post-data= {at}/record/{word}"));
    let is_so = format!("wget -q -O - {at}/recordings | grep -q '\"state\":\"{due}\"'");
    board.wait_for("the switch", DEADLINE, &is_so);
}
