//! Capture with a camera that does as it is told.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::*;
use crate::camera::{Camera, Cause, Error, Mode};
use crate::frame::{FrameBuf, Taken};
use crate::jpeg::Fault;

const JPEG: &[u8] = include_bytes!("../camera/demo/1.jpg");
/// Longer than anything here may take; a test that works never waits for it.
const LONG: Duration = Duration::from_secs(30);

/// What the camera does at the next call.
enum Act {
    Give(&'static [u8]),
    Fail(Error),
    Panic,
}

struct Puppet {
    acts: Receiver<Act>,
    n_open: Arc<AtomicUsize>,
    /// Whether a picture that nobody wants is better not made.
    is_costly: bool,
}

impl Camera for Puppet {
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Taken, Error> {
        match self.acts.try_recv() {
            Ok(Act::Give(jpeg)) => {
                frame.extend(jpeg);
                Ok(Taken::now())
            }
            Ok(Act::Fail(error)) => Err(error),
            Ok(Act::Panic) => panic!("a driver that panics, on purpose"),
            // A device that is read with a short timeout, to look whether
            // anybody still wants a picture.
            Err(_) if stop.wait_for(Duration::from_millis(1)) => Err(Error::Stopped),
            Err(_) => Err(Error::BadFrame(Fault::Empty)),
        }
    }

    fn mode(&self) -> Mode {
        Mode::default()
    }

    fn pass_over(&mut self, stop: &Shutdown) -> Result<bool, Error> {
        if self.is_costly {
            self.next_frame(&mut FrameBuf::new(), stop).map(|_| true)
        } else {
            Ok(false)
        }
    }
}

impl Drop for Puppet {
    fn drop(&mut self) {
        self.n_open.fetch_sub(1, SeqCst);
    }
}

struct Stage {
    capture: Capture,
    acts: Sender<Act>,
    n_open: Arc<AtomicUsize>,
}

/// A camera with its strings in our hands.
fn puppet(
    source: &str,
    idle_timeout: Duration,
    is_costly: bool,
) -> ((Trigger, Setup), Sender<Act>, Arc<AtomicUsize>) {
    let (acts, script) = unbounded();
    let n_open = Arc::new(AtomicUsize::new(0));
    let opened = Arc::clone(&n_open);
    let open = move || -> Result<Box<dyn Camera>, Error> {
        opened.fetch_add(1, SeqCst);
        Ok(Box::new(Puppet { acts: script.clone(), n_open: Arc::clone(&opened), is_costly }))
    };
    let (label, source) = ("camera".into(), source.into());
    let asked = Asked { label, source, format: None, size: None, fps: None };
    let config = CaptureConfig { idle_timeout: Some(idle_timeout), allow_truncated: false };
    (Setup::new(asked, config, Box::new(open), Settings::default()), acts, n_open)
}

impl Stage {
    fn new(idle_timeout: Duration) -> Self {
        Self::with_camera(idle_timeout, false)
    }

    fn with_camera(idle_timeout: Duration, is_costly: bool) -> Self {
        let (setup, acts, n_open) = puppet("puppet", idle_timeout, is_costly);
        Self { capture: Capture::with_setup(setup), acts, n_open }
    }

    fn act(&self, act: Act) {
        self.acts.send(act).unwrap();
    }

    /// The state once it is as wanted.
    fn state_when(&self, is: State) -> Status {
        let deadline = Instant::now() + LONG;
        while Instant::now() < deadline {
            let status = self.capture.status();
            if status.state == is {
                return status;
            }
            thread::yield_now();
        }
        panic!("{:?} and not {is:?}", self.capture.status());
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.capture.close();
        self.capture.stop();
    }
}

/// The sequence number of the next frame, and whether it is a status picture.
fn next(reader: &Reader, seen: u64) -> (u64, bool) {
    match reader.wait_newer(seen, LONG) {
        Newer::Frame { frame, .. } => (frame.meta.seq, frame.meta.is_status),
        other => panic!("no frame but {other:?}"),
    }
}

#[test]
fn camera_is_open_only_while_somebody_reads() {
    let stage = Stage::new(Duration::ZERO);
    assert_eq!(stage.capture.status().state, State::Idle);
    assert!(stage.capture.0.life.lock().thread.is_none());
    let reader = stage.capture.read();
    stage.act(Act::Give(JPEG));
    assert_eq!(next(&reader, 0), (1, false));
    assert_eq!(stage.n_open.load(SeqCst), 1);
    drop(reader);
    let status = stage.state_when(State::Idle);
    assert_eq!(stage.n_open.load(SeqCst), 0);
    assert!(status.latest.is_none(), "a stale picture is kept");
    // And again, with numbers that go on.
    let reader = stage.capture.read();
    stage.act(Act::Give(JPEG));
    assert_eq!(next(&reader, 0), (2, false));
    assert_eq!(stage.capture.status().n_opened, 2);
}

#[test]
fn camera_stays_on_for_the_idle_timeout() {
    let stage = Stage::new(LONG);
    drop(stage.capture.read());
    stage.act(Act::Give(JPEG));
    stage.state_when(State::Live);
    stage.act(Act::Give(JPEG));
    while stage.capture.status().n_captured < 2 {
        thread::yield_now();
    }
    assert_eq!(stage.n_open.load(SeqCst), 1);
}

#[test]
fn lost_camera_is_a_state_and_heals() {
    let stage = Stage::new(LONG);
    let reader = stage.capture.read();
    stage.act(Act::Give(JPEG));
    assert_eq!(next(&reader, 0), (1, false));
    stage.act(Act::Fail(Error::lost(Cause::NoDevice, "the cable is out")));
    assert_eq!(next(&reader, 1), (2, true));
    let status = stage.state_when(State::Lost);
    assert_eq!(status.cause.as_deref(), Some("the cable is out"));
    assert!(status.n_faults.contains(&("no_device", 1)));
    stage.act(Act::Give(JPEG));
    assert_eq!(next(&reader, 2), (3, false));
    assert_eq!(stage.state_when(State::Live).cause, None);
}

#[test]
fn panic_of_a_driver_is_a_fault_like_any_other() {
    let stage = Stage::new(LONG);
    let reader = stage.capture.read();
    stage.act(Act::Panic);
    assert_eq!(next(&reader, 0), (1, true));
    let cause = stage.state_when(State::Lost).cause.unwrap();
    assert!(cause.contains("on purpose"), "{cause}");
    stage.act(Act::Give(JPEG));
    assert_eq!(next(&reader, 1), (2, false));
}

#[test]
fn damaged_pictures_are_dropped_and_counted_by_cause() {
    let stage = Stage::new(LONG);
    let reader = stage.capture.read();
    stage.act(Act::Give(b"no JPEG"));
    stage.act(Act::Give(&JPEG[..100]));
    stage.act(Act::Give(JPEG));
    assert_eq!(next(&reader, 0), (1, false));
    let status = stage.capture.status();
    assert!(status.n_dropped.contains(&("not_jpeg", 1)));
    assert!(status.n_dropped.contains(&("truncated", 1)));
}

#[test]
fn order_to_stop_ends_the_thread_while_people_watch() {
    let stage = Stage::new(LONG);
    let reader = stage.capture.read();
    stage.act(Act::Give(JPEG));
    next(&reader, 0);
    stage.capture.close();
    stage.capture.stop();
    assert_eq!(stage.n_open.load(SeqCst), 0);
    assert!(matches!(reader.wait_newer(1, LONG), Newer::Closed));
    drop(stage.capture.read());
    assert!(stage.capture.0.life.lock().thread.is_none(), "started again after the end");
}

#[test]
fn costly_pictures_that_nobody_wants_are_not_made_and_leave_nothing_stale() {
    let stage = Stage::with_camera(LONG, true);
    let reader = stage.capture.read();
    stage.act(Act::Give(JPEG));
    assert_eq!(next(&reader, 0), (1, false));
    reader.rest(|| {
        stage.act(Act::Give(JPEG));
        while stage.capture.status().n_captured < 2 {
            thread::yield_now();
        }
        assert!(stage.capture.status().latest.is_none(), "a stale picture is kept");
    });
    stage.act(Act::Give(JPEG));
    assert_eq!(next(&reader, 1), (2, false));
}

#[test]
fn costly_camera_that_nobody_wants_is_live_all_the_same() {
    let stage = Stage::with_camera(LONG, true);
    let reader = stage.capture.read();
    reader.rest(|| {
        stage.act(Act::Give(JPEG));
        stage.state_when(State::Live);
        stage.act(Act::Fail(Error::lost(Cause::Io, "the cable is loose")));
        stage.state_when(State::Lost);
        stage.act(Act::Give(JPEG));
        assert_eq!(stage.state_when(State::Live).cause, None);
    });
}

#[test]
fn interval_is_that_of_the_last_pictures() {
    let stage = Stage::new(LONG);
    let reader = stage.capture.read();
    assert_eq!(reader.interval(), None);
    stage.act(Act::Give(JPEG));
    next(&reader, 0);
    stage.act(Act::Give(JPEG));
    next(&reader, 1);
    assert!(reader.interval().is_some_and(|interval| interval < LONG));
}

#[test]
fn pictures_without_their_end_are_shown_if_none_are_better() {
    const CUT: &[u8] = JPEG.split_at(JPEG.len() - 9).0;
    let stage = Stage::new(LONG);
    let reader = stage.capture.read();
    (0..3).for_each(|_| stage.act(Act::Give(CUT)));
    assert_eq!(next(&reader, 0), (1, false));
    let status = stage.state_when(State::Live);
    let jpeg = status.latest.unwrap();
    assert!(jpeg.jpeg() == [CUT, &[0xFF, 0xD9]].concat());
    assert_eq!(status.n_mended, [("truncated", 1), ("length", 0)]);
    assert!(status.n_dropped.contains(&("truncated", 2)));
}

#[test]
fn another_camera_takes_the_place_while_people_watch() {
    let stage = Stage::new(LONG);
    let reader = stage.capture.read();
    stage.act(Act::Give(JPEG));
    assert_eq!(next(&reader, 0), (1, false));
    stage.state_when(State::Live);
    let (setup, acts, n_open) = puppet("other", LONG, false);
    stage.capture.change_setup(setup);
    let starting = stage.state_when(State::Starting);
    assert!(starting.latest.is_none(), "a picture of the camera before is kept");
    acts.send(Act::Give(JPEG)).unwrap();
    assert_eq!(next(&reader, 1), (2, false));
    assert_eq!((stage.n_open.load(SeqCst), n_open.load(SeqCst)), (0, 1));
    assert_eq!(stage.capture.status().asked.source, "other");
}

#[test]
fn another_camera_takes_the_place_of_one_that_is_lost_or_off() {
    let stage = Stage::new(Duration::ZERO);
    let reader = stage.capture.read();
    stage.act(Act::Fail(Error::lost(Cause::Io, "the cable is loose")));
    stage.state_when(State::Lost);
    let (setup, acts, _) = puppet("second", Duration::ZERO, false);
    stage.capture.change_setup(setup);
    acts.send(Act::Give(JPEG)).unwrap();
    stage.state_when(State::Live);
    drop(reader);
    stage.state_when(State::Idle);
    let (setup, acts, _) = puppet("third", Duration::ZERO, false);
    stage.capture.change_setup(setup);
    assert_eq!(stage.capture.status().state, State::Idle);
    acts.send(Act::Give(JPEG)).unwrap();
    let reader = stage.capture.read();
    assert!(!next(&reader, 0).1);
    assert_eq!(stage.capture.status().asked.source, "third");
}
