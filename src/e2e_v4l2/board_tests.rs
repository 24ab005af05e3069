//! What recording costs a board, beside one more viewer.

use crate::board::{self, Watching, busy};
use crate::initramfs::PICTURES;
use crate::machine::{Machine, SERVICE_PORT};
use crate::pictures;
use crate::server::Server;
use std::path::PathBuf;
use std::time::Duration;

const SIZE: &str = "1280x720";
const FPS: u32 = 30;
const SPAN: Duration = Duration::from_secs(20);
/// Until what was begun or ended is over, windows have grown, and the disk has what is meant for it.
const SETTLE: &str = "sleep 6";
const DEADLINE: Duration = Duration::from_secs(30);

/// A speed is no test: this prints what the whole board spends on a picture, in thousands of instructions.
#[test]
#[ignore = "a measurement, see `make bench-board`"]
fn recording_beside_one_more_viewer() {
    let board = board::boot(PathBuf::from(env!("CARGO_BIN_EXE_mjpegd"))).unwrap();
    let options = format!("--camera images:{PICTURES}/{SIZE} --fps {FPS} --idle-timeout 0");
    let server = Server::start(
        &board,
        &format!("mjpegd --bind 0.0.0.0:{SERVICE_PORT} {options} --record /card/recording"),
    );
    let n_bytes: usize = pictures::of_size(SIZE).iter().map(Vec::len).sum();
    let mean = n_bytes / pictures::of_size(SIZE).len() / 1000;
    eprintln!("thousands of instructions for a picture of {mean} kB, {FPS} a second:");
    for (offload, cut_by) in [("off", "the processor"), ("on", "the network card")] {
        board.sh(&format!("ethtool -K eth0 tso {offload}"));
        let cost = Cost::measure(&board);
        eprintln!("TCP cut into packets by {cut_by}: {cost:.0?}");
        eprintln!(
            "  recording / a viewer: {:.2} with nobody watching, {:.2} beside one",
            cost.recording / cost.first,
            cost.recording_watched / cost.second
        );
    }
    assert_eq!(server.stop(), 0);
}

/// What a picture costs, and what comes on top of that.
#[derive(Debug)]
struct Cost {
    #[expect(dead_code, reason = "printed")]
    capture: f64,
    first: f64,
    second: f64,
    /// With nobody watching, and beside one viewer.
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
        let mut viewers = vec![Watching::begin(board)];
        let one = spent(board, &viewers);
        record(board, true);
        let recording_watched = spent(board, &viewers) - one;
        record(board, false);
        viewers.push(Watching::begin(board));
        let second = spent(board, &viewers) - one;
        Self { capture, first: one - capture, second, recording, recording_watched }
    }
}

/// Thousands of instructions a picture, which each of these viewers must have had.
fn spent(board: &Machine, viewers: &[Watching]) -> f64 {
    board.sh(SETTLE);
    let before: Vec<u64> = viewers.iter().map(Watching::n_bytes).collect();
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

/// Switches recording, and waits until it is as it is to be.
fn record(board: &Machine, on: bool) {
    let (word, due) = if on { ("start", "recording") } else { ("stop", "off") };
    let at = format!("http://127.0.0.1:{SERVICE_PORT}");
    board.sh(&format!("wget -q -O /dev/null --post-data= {at}/record/{word}"));
    let is_so = format!("wget -q -O - {at}/recordings | grep -q '\"state\":\"{due}\"'");
    board.wait_for("the switch", DEADLINE, &is_so);
}
