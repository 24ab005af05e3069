//! Captures with v4l2-ctl, the reference for a driver's behaviour without any server.
//!
//! Called by the tests. It works for any camera.

use crate::machine::Machine;
use std::time::Duration;

/// Files in the guest for the frames and v4l2-ctl's output.
const FRAMES: &str = "/tmp/capture.frames";
const LOG: &str = "/tmp/capture.log";

/// Only a failing test waits as long.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// The parameters of a capture. It ends after `n_frames`, or after `limit`.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) device: &'a str,
    pub(crate) format: &'a str,
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) fps: u32,
    pub(crate) n_frames: usize,
    pub(crate) limit: Duration,
    /// Waits for frames in select, as servers do, and ends after two seconds without one. Otherwise it waits in DQBUF,
    /// which an unplug ends with EINVAL.
    pub(crate) polls: bool,
}

impl<'a> Request<'a> {
    /// Thirty MJPEG frames of 640x480 at 15 fps, within a minute.
    pub(crate) fn mjpeg(device: &'a str) -> Self {
        Self {
            device,
            format: "MJPG",
            width: 640,
            height: 480,
            fps: 15,
            n_frames: 30,
            limit: DEADLINE,
            polls: true,
        }
    }

    /// Holds the camera for two minutes, or until it is dropped, whatever pauses the machine makes.
    pub(crate) fn holder(device: &'a str) -> Self {
        let limit = 2 * DEADLINE;
        Self { n_frames: 100_000, limit, polls: false, ..Self::mjpeg(device) }
    }

    /// The shell command. Frames go to `frames`, messages to `log`. Eight buffers bridge pauses of the emulated
    /// machine.
    pub(super) fn command(&self, frames: &str, log: &str) -> String {
        let Self { device, format, width, height, fps, n_frames, limit, polls } = *self;
        let limit_s = limit.as_secs();
        let mode = format!(
            "--set-fmt-video=width={width},height={height},pixelformat={format} --set-parm={fps}"
        );
        let poll = if polls { "--stream-poll" } else { "" };
        let stream =
            format!("--stream-mmap=8 {poll} --stream-count={n_frames} --stream-to={frames}");
        format!("timeout {limit_s} v4l2-ctl -d {device} {mode} {stream} --verbose >{log} 2>&1")
    }
}

/// The result of a capture.
pub(crate) struct Capture {
    pub(crate) frames: Vec<Vec<u8>>,
    /// The driver's frame numbers. A gap means that the driver lost a frame.
    pub(crate) sequence: Vec<u32>,
    /// The driver's timestamp of each frame.
    pub(crate) timestamps: Vec<Duration>,
    /// The output of v4l2-ctl.
    pub(crate) log: String,
    pub(crate) status: i32,
}

/// Captures, and waits for the end.
pub(crate) fn capture(machine: &Machine, request: &Request) -> Capture {
    let status = machine.run(&format!("rm -f {FRAMES}; {}", request.command(FRAMES, LOG))).status;
    let log = machine.sh(&format!("cat {LOG}"));
    let mut bytes = if machine.run(&format!("[ -s {FRAMES} ]")).status == 0 {
        machine.read(FRAMES)
    } else {
        Vec::new()
    };
    let (mut frames, mut sequence, mut timestamps) = (Vec::new(), Vec::new(), Vec::new());
    // "cap dqbuf: 1 seq:      5 bytesused: 37966 ts: 16.818586 delta: 26.800 ms fps: 20.98 (ts-monotonic, ts-src-soe)"
    for line in log.lines().filter(|line| line.trim_start().starts_with("cap dqbuf")) {
        let mut words = line.split_whitespace();
        let mut after = |label: &str| {
            words.by_ref().skip_while(|word| *word != label).nth(1).unwrap_or("").to_string()
        };
        sequence.push(after("seq:").parse().unwrap());
        let length: usize = after("bytesused:").parse().unwrap();
        timestamps.push(Duration::from_secs_f64(after("ts:").parse().unwrap()));
        // The timeout can come between a frame's line in the log and its bytes.
        let rest = bytes.split_off(length.min(bytes.len()));
        frames.push(std::mem::replace(&mut bytes, rest));
    }
    Capture { frames, sequence, timestamps, log, status }
}

/// Captures until the result is right, at most eight times: while an emulated machine pauses, frames are lost. What the
/// camera or the driver loses is never right.
pub(crate) fn capture_that(
    machine: &Machine,
    request: &Request,
    is_right: impl Fn(&Capture) -> bool,
) -> Capture {
    for n_left in (0..8).rev() {
        let capture = capture(machine, request);
        if is_right(&capture) {
            return capture;
        }
        assert!(n_left > 0, "none of eight captures is right; the last one: {}", capture.log);
    }
    unreachable!("the loop ends at its last try")
}

impl Capture {
    /// Whether this many frames came: the camera's pictures, byte for byte, in order and without a gap. Any other frame
    /// is an error.
    pub(crate) fn is_in_order(&self, n: usize, pictures: &[Vec<u8>]) -> bool {
        let is_of_camera = |frame| pictures.contains(frame);
        assert!(self.frames.iter().all(is_of_camera), "not of the camera: {}", self.log);
        let has_gap = self.sequence.windows(2).any(|pair| pair[1] != pair[0] + 1);
        self.frames.iter().eq(pictures.iter().cycle().take(n)) && !has_gap
    }

    /// Frames per second by the driver's clock: by the median step, which no pause of the machine changes.
    pub(crate) fn fps(&self) -> f64 {
        let times = self.timestamps.windows(2);
        let mut steps: Vec<_> = times.map(|pair| pair[1].saturating_sub(pair[0])).collect();
        steps.sort();
        let median = steps.get(steps.len() / 2).expect("a rate needs two frames");
        median.as_secs_f64().recip()
    }
}
