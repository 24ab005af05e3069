//! Pictures of another size than the stream's.

use super::*;

fn fixture(is_able: bool) -> Fixture {
    let ((trigger, mut setup), steps, n_open) = fake_setup("first", LONG, !is_able);
    setup.asked.still_size = Some((1920, 1080));
    Fixture { capture: Capture::with_setup((trigger, setup), Source::default()), steps, n_open }
}

fn ask(reader: &Reader) -> Option<Arc<Frame>> {
    let now = Instant::now();
    reader.still(now, now + LONG)
}

#[test]
fn stream_goes_on_behind_one_and_its_pause_is_told() {
    let fixture = fixture(true);
    let reader = fixture.capture.read();
    let still = ask(&reader).unwrap();
    assert_eq!(still.jpeg(), OTHER);
    assert!(fixture.capture.status().latest.is_none(), "it is none of the stream");
    fixture.step(Step::Give(JPEG));
    let Newer::Frame { frame, .. } = reader.wait_newer(0, LONG) else { panic!("no frame") };
    assert_eq!(frame.jpeg(), JPEG);
    let deadline = Instant::now() + LONG;
    while fixture.capture.status().stills.last_pause.is_none() {
        assert!(Instant::now() < deadline, "{:?}", fixture.capture.status());
    }
    let counts = fixture.capture.status().stills;
    assert_eq!((counts.n_taken, counts.n_failed), (1, 0));
}

#[test]
fn it_is_turned_as_the_stream_is() {
    let ((trigger, mut setup), _steps, _) = fake_setup("first", LONG, false);
    setup.asked.still_size = Some((1920, 1080));
    setup.turn.get_mut().rotate = crate::config::Rotate::By90;
    let capture = Capture::with_setup((trigger, setup), Source::default());
    let still = ask(&capture.read()).unwrap();
    let upright = jpeg::check(OTHER).unwrap();
    assert_eq!((still.meta.width, still.meta.height), (upright.height, upright.width));
    capture.close();
    capture.stop();
}

#[test]
fn camera_that_cannot_is_not_tried_again_and_again() {
    let fixture = fixture(false);
    let reader = fixture.capture.read();
    assert!((0..3).all(|_| ask(&reader).is_none()));
    let counts = fixture.capture.status().stills;
    assert_eq!((counts.n_taken, counts.n_failed, counts.last_pause), (0, 1, None));
}

#[test]
fn nobody_waits_for_a_camera_that_is_lost_or_without_the_option() {
    let lost = fixture(true);
    let reader = lost.capture.read();
    lost.step(Step::Fail(Error::lost(Cause::Io, "gone")));
    lost.state_when(State::Lost);
    assert!(ask(&reader).is_none());
    let without = Fixture::new(LONG);
    assert!(ask(&without.capture.read()).is_none());
    assert_eq!(without.capture.status().stills.n_failed, 0);
}
