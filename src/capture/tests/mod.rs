//! Capture with a driver that the tests control.

mod pictures;
mod stills;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crossbeam_channel::{Receiver, Sender, unbounded};

use std::thread;

use super::*;
use crate::camera::{Cause, Driver, Error, Still};
use crate::frame::{Frame, FrameBuf, Timestamp};
use crate::jpeg;
use crate::mode::Mode;
use crate::rate::Pace;
use crate::slot::{Newer, Sink};

const JPEG: &[u8] = include_bytes!("../../camera/demo/1.jpg");
/// Another picture, which is larger.
const OTHER: &[u8] = include_bytes!("../../camera/demo/3.jpg");
/// Longer than anything here takes; a test that passes never waits for it.
const LONG: Duration = Duration::from_secs(30);

/// What the driver does at the next call.
enum Step {
    Give(&'static [u8]),
    /// A picture that is taken later than it comes.
    GiveFrom(Duration),
    Fail(Error),
    Panic,
}

struct FakeDriver {
    steps: Receiver<Step>,
    n_open: Arc<AtomicUsize>,
    /// Whether `skip_frame` saves work.
    is_costly: bool,
    n_stills: u32,
}

impl Driver for FakeDriver {
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Timestamp, Error> {
        match self.steps.try_recv() {
            Ok(Step::Give(jpeg)) => {
                frame.extend(jpeg);
                Ok(Timestamp::now())
            }
            Ok(Step::GiveFrom(later)) => {
                frame.extend(JPEG);
                let Timestamp { wall, monotonic } = Timestamp::now();
                Ok(Timestamp { wall, monotonic: monotonic + later })
            }
            Ok(Step::Fail(error)) => Err(error),
            Ok(Step::Panic) => panic!("a driver that panics, on purpose"),
            // As a device that is read with a short timeout, so that capture can
            // check whether a frame is still wanted.
            Err(_) if stop.wait_for(Duration::from_millis(1)) => Err(Error::Stopped),
            Err(_) => Err(Error::NotYet),
        }
    }

    fn mode(&self) -> Mode {
        Mode::default()
    }

    fn still(&mut self, frame: &mut FrameBuf, _stop: &Shutdown) -> Result<Still, Error> {
        if self.is_costly {
            return Ok(Still::Unable("no other size".into()));
        }
        // The first one is damaged.
        self.n_stills += 1;
        frame.extend(if self.n_stills == 1 { &OTHER[..99] } else { OTHER });
        Ok(Still::Taken(Timestamp::now()))
    }

    fn skip_frame(&mut self, stop: &Shutdown) -> Result<bool, Error> {
        if self.is_costly {
            self.next_frame(&mut FrameBuf::new(), stop).map(|_| true)
        } else {
            Ok(false)
        }
    }
}

impl Drop for FakeDriver {
    fn drop(&mut self) {
        self.n_open.fetch_sub(1, SeqCst);
    }
}

struct Fixture {
    capture: Capture,
    steps: Sender<Step>,
    n_open: Arc<AtomicUsize>,
}

/// A setup whose driver does what is sent to the returned channel, and the
/// number of drivers that are open.
fn fake_setup(
    source: &str,
    idle_timeout: Duration,
    is_costly: bool,
) -> ((Trigger, Setup), Sender<Step>, Arc<AtomicUsize>) {
    let (steps, received) = unbounded();
    let n_open = Arc::new(AtomicUsize::new(0));
    let opened = Arc::clone(&n_open);
    let open = move || -> Result<Box<dyn Driver>, Error> {
        opened.fetch_add(1, SeqCst);
        let (steps, n_open) = (received.clone(), Arc::clone(&opened));
        Ok(Box::new(FakeDriver { steps, n_open, is_costly, n_stills: 0 }))
    };
    let (label, source) = ("camera".into(), source.into());
    let asked = Asked { label, source, format: None, size: None, fps: None, still_size: None };
    let config = CaptureConfig {
        idle_timeout: Some(idle_timeout),
        allow_truncated: false,
        min_frame_bytes: 0,
        every: 1,
        max_same: 0,
        turn: Turn::default(),
        overlay: None,
    };
    (Setup::new(asked, config, Box::new(open), None), steps, n_open)
}

impl Fixture {
    fn new(idle_timeout: Duration) -> Self {
        Self::with_driver(idle_timeout, false)
    }

    /// With what `change` makes of the usual configuration.
    fn with_config(change: impl FnOnce(&mut CaptureConfig)) -> Self {
        let ((trigger, mut setup), steps, n_open) = fake_setup("first", LONG, false);
        change(&mut setup.config);
        Self { capture: Capture::with_setup((trigger, setup), Source::default()), steps, n_open }
    }

    fn with_driver(idle_timeout: Duration, is_costly: bool) -> Self {
        let (setup, steps, n_open) = fake_setup("first", idle_timeout, is_costly);
        Self { capture: Capture::with_setup(setup, Source::default()), steps, n_open }
    }

    fn step(&self, step: Step) {
        self.steps.send(step).unwrap();
    }

    /// Waits for a state, and returns the status in it.
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

impl Drop for Fixture {
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
fn frame_nearest_to_its_moment_is_waited_for_and_otherwise_the_last_one_is_taken() {
    let (fixture, interval) = (Fixture::new(LONG), Duration::from_secs(10));
    let reader = fixture.capture.read();
    let mut pace = Pace::new(Some(1.0 / interval.as_secs_f64()));
    let mut paced = |seen, timeout| match reader.wait_newer_at(&pace, seen, timeout) {
        Newer::Frame { frame, .. } => {
            pace.sent(frame.meta.at.monotonic);
            (frame.meta.seq, reader.wait_at(&pace).is_some())
        }
        other => panic!("no frame but {other:?}"),
    };
    fixture.step(Step::Give(JPEG));
    assert_eq!(paced(0, LONG), (1, true));
    fixture.step(Step::Give(JPEG));
    assert_eq!(next(&reader, 1), (2, false));
    thread::scope(|scope| {
        // Usually while that one is waited for.
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(20));
            fixture.step(Step::GiveFrom(interval));
        });
        assert_eq!(paced(1, LONG), (3, true));
    });
    fixture.step(Step::Give(JPEG));
    assert_eq!(next(&reader, 3), (4, false));
    assert_eq!(paced(3, Duration::from_millis(1)), (4, true));
}

#[test]
fn camera_is_open_only_while_somebody_reads() {
    let fixture = Fixture::new(Duration::ZERO);
    assert_eq!(fixture.capture.status().state, State::Idle);
    assert!(fixture.capture.0.life.lock().thread.is_none());
    let reader = fixture.capture.read();
    fixture.step(Step::Give(JPEG));
    assert_eq!(next(&reader, 0), (1, false));
    assert_eq!(fixture.n_open.load(SeqCst), 1);
    drop(reader);
    let status = fixture.state_when(State::Idle);
    assert_eq!(fixture.n_open.load(SeqCst), 0);
    assert!(status.latest.is_none(), "a stale picture is kept");
    // The second opening continues the sequence numbers.
    let reader = fixture.capture.read();
    fixture.step(Step::Give(JPEG));
    assert_eq!(next(&reader, 0), (2, false));
    assert_eq!(fixture.capture.status().n_opened, 2);
}

#[test]
fn camera_stays_on_for_the_idle_timeout() {
    let fixture = Fixture::new(LONG);
    drop(fixture.capture.read());
    fixture.step(Step::Give(JPEG));
    fixture.state_when(State::Live);
    fixture.step(Step::Give(JPEG));
    while fixture.capture.status().n_captured < 2 {
        thread::yield_now();
    }
    assert_eq!(fixture.n_open.load(SeqCst), 1);
}

#[test]
fn lost_camera_is_a_state_and_heals() {
    let fixture = Fixture::new(LONG);
    let reader = fixture.capture.read();
    fixture.step(Step::Give(JPEG));
    assert_eq!(next(&reader, 0), (1, false));
    fixture.step(Step::Fail(Error::lost(Cause::NoDevice, "the cable is out")));
    assert_eq!(next(&reader, 1), (2, true));
    let status = fixture.state_when(State::Lost);
    assert_eq!(status.cause.as_deref(), Some("the cable is out"));
    assert!(status.n_faults.contains(&("no_device", 1)));
    fixture.step(Step::Give(JPEG));
    assert_eq!(next(&reader, 2), (3, false));
    assert_eq!(fixture.state_when(State::Live).cause, None);
}

#[test]
fn camera_whose_pictures_change_is_opened_again_and_not_lost() {
    let fixture = Fixture::new(LONG);
    let reader = fixture.capture.read();
    fixture.step(Step::Give(JPEG));
    assert_eq!(next(&reader, 0), (1, false));
    fixture.step(Step::Fail(Error::Reopen("another signal comes in".into())));
    fixture.step(Step::Give(OTHER));
    assert_eq!(next(&reader, 1), (2, false), "no status picture");
    let status = fixture.state_when(State::Live);
    assert_eq!(status.n_opened, 2);
    assert!(status.n_faults.iter().all(|(_, n)| *n == 0), "{:?}", status.n_faults);
}

#[test]
fn panic_of_a_driver_is_a_fault_like_any_other() {
    let fixture = Fixture::new(LONG);
    let reader = fixture.capture.read();
    fixture.step(Step::Panic);
    assert_eq!(next(&reader, 0), (1, true));
    let cause = fixture.state_when(State::Lost).cause.unwrap();
    assert!(cause.contains("on purpose"), "{cause}");
    fixture.step(Step::Give(JPEG));
    assert_eq!(next(&reader, 1), (2, false));
}

/// A viewer to whom frames are sent, until a status picture makes it panic.
struct Panicking(Arc<AtomicUsize>);

impl Sink for Panicking {
    fn try_send(&self, frame: &Frame, _: u64) -> Option<usize> {
        assert!(!frame.meta.is_status, "a sink that panics, on purpose");
        self.0.fetch_add(1, SeqCst);
        None
    }
}

#[test]
fn panic_while_a_loss_is_shown_does_not_end_capture() {
    let fixture = Fixture::new(LONG);
    let reader = fixture.capture.read();
    let n_sent = Arc::<AtomicUsize>::default();
    let subscription = reader.subscribe(Box::new(Panicking(Arc::clone(&n_sent))));
    thread::scope(|scope| {
        let viewer = scope.spawn(|| while !matches!(subscription.wait(LONG), Newer::Closed) {});
        // From then on the capture thread sends to it.
        while n_sent.load(SeqCst) == 0 {
            fixture.step(Step::Give(JPEG));
            thread::sleep(Duration::from_millis(1));
        }
        fixture.step(Step::Fail(Error::lost(Cause::Io, "the cable is loose")));
        viewer.join().unwrap();
    });
    fixture.state_when(State::Lost);
    fixture.step(Step::Give(JPEG));
    fixture.state_when(State::Live);
}

#[test]
fn pause_ends_with_a_panic_too() {
    let fixture = Fixture::new(LONG);
    let reader = fixture.capture.read();
    let pause = || reader.pause(|| panic!("a wait that panics, on purpose"));
    assert!(catch_unwind(AssertUnwindSafe(pause)).is_err());
    assert_eq!(fixture.capture.0.n_wanting.load(SeqCst), 1);
}

#[test]
fn order_to_stop_ends_the_thread_while_people_watch() {
    let fixture = Fixture::new(LONG);
    let reader = fixture.capture.read();
    fixture.step(Step::Give(JPEG));
    next(&reader, 0);
    fixture.capture.close();
    fixture.capture.stop();
    assert_eq!(fixture.n_open.load(SeqCst), 0);
    assert!(matches!(reader.wait_newer(1, LONG), Newer::Closed));
    drop(fixture.capture.read());
    assert!(fixture.capture.0.life.lock().thread.is_none(), "started again after the end");
}

#[test]
fn another_camera_takes_the_place_while_people_watch() {
    let fixture = Fixture::new(LONG);
    let reader = fixture.capture.read();
    fixture.step(Step::Give(JPEG));
    assert_eq!(next(&reader, 0), (1, false));
    fixture.state_when(State::Live);
    let (setup, steps, n_open) = fake_setup("other", LONG, false);
    fixture.capture.change_setup(setup);
    let starting = fixture.state_when(State::Starting);
    assert!(starting.latest.is_none(), "a picture of the camera before is kept");
    steps.send(Step::Give(JPEG)).unwrap();
    assert_eq!(next(&reader, 1), (2, false));
    assert_eq!((fixture.n_open.load(SeqCst), n_open.load(SeqCst)), (0, 1));
    assert_eq!(fixture.capture.status().asked.source, "other");
}

#[test]
fn another_camera_takes_the_place_of_one_that_is_lost_or_off() {
    let fixture = Fixture::new(Duration::ZERO);
    let reader = fixture.capture.read();
    fixture.step(Step::Fail(Error::lost(Cause::Io, "the cable is loose")));
    fixture.state_when(State::Lost);
    let (setup, steps, _) = fake_setup("second", Duration::ZERO, false);
    fixture.capture.change_setup(setup);
    steps.send(Step::Give(JPEG)).unwrap();
    fixture.state_when(State::Live);
    drop(reader);
    fixture.state_when(State::Idle);
    let (setup, steps, _) = fake_setup("third", Duration::ZERO, false);
    fixture.capture.change_setup(setup);
    assert_eq!(fixture.capture.status().state, State::Idle);
    steps.send(Step::Give(JPEG)).unwrap();
    let reader = fixture.capture.read();
    assert!(!next(&reader, 0).1);
    assert_eq!(fixture.capture.status().asked.source, "third");
}
