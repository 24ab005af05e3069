//! Captures with v4l2-ctl, the reference for a driver's behaviour without any server.
//!
//! Called by the tests. It works for any camera.

use crate::machine::Machine;
use std::time::Duration;

/// Files in the guest for the frames, v4l2-ctl's output and its exit status: for `capture`, and for `Request::start`.
const FRAMES: &str = "/tmp/capture.frames";
const LOG: &str = "/tmp/capture.log";
const BACKGROUND: &str = "/tmp/background";

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
}

impl<'a> Request<'a> {
    /// Thirty MJPEG frames of 640x480 at 15 fps, within ten seconds.
    pub(crate) fn mjpeg(device: &'a str) -> Self {
        let limit = Duration::from_secs(10);
        Self { device, format: "MJPG", width: 640, height: 480, fps: 15, n_frames: 30, limit }
    }

    /// The shell command. Frames go to `frames`, messages to `log`. Eight buffers bridge pauses of the emulated
    /// machine. With --stream-poll, v4l2-ctl waits in poll as servers do. Otherwise it waits in DQBUF, which an unplug
    /// ends with EINVAL.
    fn command(&self, frames: &str, log: &str) -> String {
        let Self { device, format, width, height, fps, n_frames, limit } = *self;
        let limit_s = limit.as_secs();
        let mode = format!(
            "--set-fmt-video=width={width},height={height},pixelformat={format} --set-parm={fps}"
        );
        let stream =
            format!("--stream-mmap=8 --stream-poll --stream-count={n_frames} --stream-to={frames}");
        format!("timeout {limit_s} v4l2-ctl -d {device} {mode} {stream} --verbose >{log} 2>&1")
    }

    /// Starts a capture in the background and waits until frames come. Only one can run at a time.
    pub(crate) fn start(&self, machine: &'a Machine) -> Background<'a> {
        let background = self.start_blindly(machine);
        machine.wait_for(
            "the first frames",
            Duration::from_secs(20),
            &format!("grep 'seq: *5 ' {BACKGROUND}.log"),
        );
        background
    }

    /// As `start`, without the wait, for a camera that sends no frames.
    pub(crate) fn start_blindly(&self, machine: &'a Machine) -> Background<'a> {
        let command = self.command(&format!("{BACKGROUND}.frames"), &format!("{BACKGROUND}.log"));
        let old = format!("{BACKGROUND}.*");
        machine.sh(&format!(
            "rm -f {old}; ({command}; echo $? >{BACKGROUND}.status) >/dev/null 2>&1 &"
        ));
        Background { machine }
    }
}

/// A capture in the background. Ended on drop.
pub(crate) struct Background<'m> {
    machine: &'m Machine,
}

impl Background<'_> {
    fn wait_for_end(&self, deadline: Duration) {
        let status = format!("{BACKGROUND}.status");
        self.machine.wait_for_text("the end of v4l2-ctl", deadline, &status);
    }

    /// Waits for its end, and returns the output of v4l2-ctl.
    pub(crate) fn wait(self, deadline: Duration) -> String {
        self.wait_for_end(deadline);
        self.machine.sh(&format!("cat {BACKGROUND}.log"))
    }

    /// Waits for its end, and returns the bytes of all frames.
    pub(crate) fn wait_for_frames(self, deadline: Duration) -> Vec<u8> {
        self.wait_for_end(deadline);
        self.machine.read(&format!("{BACKGROUND}.frames"))
    }
}

impl Drop for Background<'_> {
    fn drop(&mut self) {
        // Its own `timeout` would end it later, but the next test would find the camera busy. No other v4l2-ctl runs at
        // this point.
        let status = format!("{BACKGROUND}.status");
        let ended = format!(
            "for i in $(seq 250); do [ ! -e {status} ] || exit 0; sleep 0.02; done; exit 1"
        );
        let outcome =
            self.machine.run(&format!("[ -e {status} ] || kill $(pidof v4l2-ctl); {ended}"));
        if outcome.status != 0 {
            eprintln!("a capture goes on: {}", outcome.text);
        }
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

impl Capture {
    /// Frames per second by the driver's clock. Leaves out the first ones, which are slow because QEMU still translates
    /// the code.
    pub(crate) fn fps(&self) -> f64 {
        assert!(self.timestamps.len() > 6, "too few frames for a rate: {}", self.log);
        let times = &self.timestamps[5..];
        let frames = u32::try_from(times.len() - 1).unwrap();
        f64::from(frames) / (times[times.len() - 1] - times[0]).as_secs_f64()
    }
}
