//! Variants of a camera that the tests make.

use std::time::Instant;

use crossbeam_channel::{Receiver, unbounded};

use super::*;
use crate::camera::{Driver, Error};
use crate::frame::{FrameBuf, Timestamp};
use crate::jpeg::Scale;
use crate::mode::Mode;
use crate::shutdown::Shutdown;
use crate::slot::Newer;

const JPEG: &[u8] = include_bytes!("../camera/demo/1.jpg");
/// Longer than anything here takes; a test that passes never waits for it.
const LONG: Duration = Duration::from_secs(30);

/// A camera of a hundred pictures a second, or of as many as the test orders.
struct Source(Option<Receiver<()>>);

impl Driver for Source {
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Timestamp, Error> {
        if stop.wait_for(Duration::from_millis(10)) {
            return Err(Error::Stopped);
        }
        if self.0.as_ref().is_some_and(|orders| orders.try_recv().is_err()) {
            return Err(Error::NotYet);
        }
        frame.extend(JPEG);
        Ok(Timestamp::now())
    }

    fn mode(&self) -> Mode {
        Mode::default()
    }
}

struct Fixture {
    all: Arc<AllVariants>,
    source: Capture,
    variants: Variants,
}

impl Fixture {
    fn new(n_most: usize) -> Self {
        Self::with_orders(n_most, None)
    }

    fn with_orders(n_most: usize, orders: Option<Receiver<()>>) -> Self {
        let all = Arc::new(AllVariants::new(n_most));
        let open = move || Ok(Box::new(Source(orders.clone())) as _);
        let source = Capture::of_variant("s".into(), LONG, Box::new(open));
        let variants = Variants::new(Arc::clone(&all), "camera".into(), source.clone());
        Self { all, source, variants }
    }

    fn n_running(&self) -> usize {
        self.all.list.lock().present.iter().filter(|v| v.capture.is_running()).count()
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.source.close();
        self.variants.close();
        self.source.stop();
    }
}

fn quality(n: u8) -> Wish {
    Wish::new(Size::Scale(Scale::Full), Some(n), false).unwrap()
}

fn picture(reader: &Reader) -> Arc<crate::frame::Frame> {
    match reader.wait_newer(0, LONG) {
        Newer::Frame { frame, .. } => frame,
        other => panic!("no frame but {other:?}"),
    }
}

fn eventually(what: &str, is: impl Fn() -> bool) {
    let deadline = Instant::now() + LONG;
    while !is() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn equal_wishes_share_one_and_nobody_has_none() {
    let fixture = Fixture::new(2);
    let enter = |n| fixture.variants.enter(quality(n)).unwrap().unwrap();
    let (one, same, other) = (enter(40), enter(40), enter(50));
    assert!(Arc::ptr_eq(&one.0, &same.0) && !Arc::ptr_eq(&one.0, &other.0));
    assert_eq!(fixture.n_running(), 0, "a place alone starts nothing");
    let reader = one.read();
    let frame = picture(&reader);
    let shown = fixture.variants.report().0;
    assert_eq!(shown.iter().map(|report| report.n_readers).collect::<Vec<_>>(), [2, 1]);
    assert!(frame.meta.at.monotonic.elapsed() < LONG);
    drop((reader, one, same, other));
    eventually("all have ended", || fixture.variants.report().0.is_empty());
    assert!(fixture.variants.report().1.n_made > 0, "what they cost is not forgotten");
}

#[test]
fn more_than_allowed_are_refused_unless_one_is_idle() {
    let fixture = Fixture::new(2);
    let one = fixture.variants.enter(quality(40)).unwrap().unwrap();
    let past = fixture.variants.enter_past(quality(50)).unwrap();
    assert_eq!(fixture.variants.enter(quality(60)).err(), Some(Refused::Full(2)));
    assert_eq!(fixture.variants.enter_past(quality(40)).err(), Some(Refused::Full(2)));
    assert_eq!(fixture.all.n_refused(), 2);
    assert!(fixture.variants.enter(quality(40)).is_ok(), "one that is there has room for all");
    // A viewer of the past goes live in its own room.
    let live = fixture.variants.go_live(past).unwrap().unwrap();
    assert_eq!(fixture.variants.enter(quality(60)).err(), Some(Refused::Full(2)));
    let reader = one.read();
    picture(&reader);
    let left = Instant::now();
    drop((reader, one));
    let is_early = fixture.n_running() == 0 && left.elapsed() < IDLE_TIMEOUT;
    assert!(!is_early, "it waits for its idle timeout");
    let next = fixture.variants.enter(quality(60)).unwrap();
    assert_eq!(fixture.n_running(), 0, "and gave way");
    drop((live, next));
}

#[test]
fn nothing_is_made_while_readers_pause() {
    let (order, orders) = unbounded();
    let fixture = Fixture::with_orders(1, Some(orders));
    let place = fixture.variants.enter(quality(40)).unwrap().unwrap();
    let reader = place.read();
    // One picture after the other, so that none is missed on a busy machine.
    let status = || fixture.all.list.lock().present[0].capture.status();
    let give_one = || {
        let before = status().n_captured;
        order.send(()).unwrap();
        eventually("it was made or left out", || status().n_captured > before);
    };
    give_one();
    let seen = picture(&reader).meta.seq;
    reader.pause(|| {
        let made = || fixture.variants.report().1.n_made;
        // The one that was waited for when the pause began.
        eventually("it rests", || {
            give_one();
            status().latest.is_none()
        });
        let before = made();
        (0..10).for_each(|_| give_one());
        assert_eq!(made(), before);
    });
    eventually("it is made again", || {
        give_one();
        matches!(reader.wait_newer(seen, Duration::ZERO), Newer::Frame { .. })
    });
    assert_eq!(fixture.variants.report().1.n_skipped, 0, "nobody wanted those");
}

#[test]
fn closed_camera_and_none_at_all_are_refused() {
    let fixture = Fixture::new(1);
    let place = fixture.variants.enter(quality(40)).unwrap().unwrap();
    let reader = place.read();
    fixture.source.close();
    fixture.variants.close();
    assert!(matches!(reader.wait_newer(u64::MAX, LONG), Newer::Closed));
    assert_eq!(fixture.variants.enter(quality(40)).err(), Some(Refused::Closed));
    let off = Fixture::new(0);
    assert_eq!(off.variants.enter(quality(40)).err(), Some(Refused::Off));
    assert_eq!(off.variants.change_once(quality(40), JPEG).err(), Some(Refused::Off));
}
