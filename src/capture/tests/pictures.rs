//! Which pictures are shown, and what is counted of the others.

use std::thread;

use super::*;

#[test]
fn status_picture_from_a_file_is_a_picture() {
    let mark = jpeg::status_mark("the cable was out");
    let marked = [&JPEG[..jpeg::MARK_AT], &mark, &JPEG[jpeg::MARK_AT..]].concat();
    let fixture = Fixture::new(LONG);
    let reader = fixture.capture.read();
    fixture.step(Step::Give(marked.leak()));
    assert_eq!(next(&reader, 0), (1, false));
}

#[test]
fn damaged_pictures_are_dropped_and_counted_by_cause() {
    let fixture = Fixture::new(LONG);
    let reader = fixture.capture.read();
    fixture.step(Step::Give(b"no JPEG"));
    fixture.step(Step::Give(&JPEG[..100]));
    fixture.step(Step::Give(JPEG));
    assert_eq!(next(&reader, 0), (1, false));
    let status = fixture.capture.status();
    assert!(status.n_dropped.contains(&("not_jpeg", 1)));
    assert!(status.n_dropped.contains(&("truncated", 1)));
}

#[test]
fn costly_pictures_that_nobody_wants_are_not_made_and_leave_nothing_stale() {
    let fixture = Fixture::with_driver(LONG, true);
    let reader = fixture.capture.read();
    fixture.step(Step::Give(JPEG));
    assert_eq!(next(&reader, 0), (1, false));
    reader.pause(|| {
        let give_one = || {
            let before = fixture.capture.status().n_captured;
            fixture.step(Step::Give(JPEG));
            while fixture.capture.status().n_captured == before {
                thread::yield_now();
            }
        };
        // Made, if it was waited for before the pause began.
        give_one();
        give_one();
        assert!(fixture.capture.status().latest.is_none(), "a stale picture is kept");
    });
    let seen = fixture.capture.0.slot.last_seq();
    fixture.step(Step::Give(JPEG));
    assert_eq!(next(&reader, seen), (seen + 1, false));
}

#[test]
fn costly_camera_that_nobody_wants_is_live_all_the_same() {
    let fixture = Fixture::with_driver(LONG, true);
    let reader = fixture.capture.read();
    reader.pause(|| {
        fixture.step(Step::Give(JPEG));
        fixture.state_when(State::Live);
        fixture.step(Step::Fail(Error::lost(Cause::Io, "the cable is loose")));
        fixture.state_when(State::Lost);
        fixture.step(Step::Give(JPEG));
        assert_eq!(fixture.state_when(State::Live).cause, None);
    });
}

#[test]
fn interval_is_that_of_the_last_pictures() {
    let fixture = Fixture::new(LONG);
    let reader = fixture.capture.read();
    assert_eq!(reader.interval(), None);
    // So far apart that no silence behind them counts, however late this thread is.
    let steps = [(0, Step::Give(JPEG)), (1, Step::GiveFrom(LONG))];
    let taken = steps.map(|(seen, step)| {
        fixture.step(step);
        match reader.wait_newer(seen, LONG) {
            Newer::Frame { frame, .. } => frame.meta.at.monotonic,
            other => panic!("no frame but {other:?}"),
        }
    });
    let (interval, between) = (reader.interval().unwrap(), taken[1] - taken[0]);
    // It is kept as a rate, which is rounded.
    assert!(interval.abs_diff(between) <= between / 100, "{interval:?} for {between:?}");
}

#[test]
fn pictures_without_their_end_are_shown_if_none_are_better() {
    const CUT: &[u8] = JPEG.split_at(JPEG.len() - 9).0;
    let fixture = Fixture::new(LONG);
    let reader = fixture.capture.read();
    (0..3).for_each(|_| fixture.step(Step::Give(CUT)));
    assert_eq!(next(&reader, 0), (1, false));
    let status = fixture.state_when(State::Live);
    let jpeg = status.latest.unwrap();
    assert!(jpeg.jpeg() == [CUT, &[0xFF, 0xD9]].concat());
    assert_eq!(status.n_repaired, [("truncated", 1), ("length", 0)]);
    assert!(status.n_dropped.contains(&("truncated", 2)));
}

#[test]
fn of_every_three_pictures_one_is_taken() {
    let fixture = Fixture::with_config(|config| config.every = 3);
    let reader = fixture.capture.read();
    for (seen, jpegs) in [(0, &[JPEG][..]), (1, &[b"not looked at", OTHER, JPEG])] {
        jpegs.iter().for_each(|jpeg| fixture.step(Step::Give(jpeg)));
        assert_eq!(next(&reader, seen), (seen + 1, false));
    }
    let status = fixture.capture.status();
    assert_eq!(status.n_captured, 2);
    assert!(status.n_dropped.contains(&("not_jpeg", 0)), "{:?}", status.n_dropped);
    assert!(status.latest.unwrap().jpeg() == JPEG);
}

#[test]
fn same_pictures_are_left_out_up_to_a_number() {
    let fixture = Fixture::with_config(|config| config.max_same = 2);
    let reader = fixture.capture.read();
    let dropped = |n| fixture.capture.status().n_dropped.contains(&("same", n));
    // The third that is the same is shown, and so is another one.
    for (seen, jpegs, n) in
        [(0, &[JPEG][..], 0), (1, &[JPEG, JPEG, JPEG], 2), (2, &[OTHER], 2), (3, &[OTHER, JPEG], 3)]
    {
        jpegs.iter().for_each(|jpeg| fixture.step(Step::Give(jpeg)));
        assert_eq!(next(&reader, seen), (seen + 1, false));
        assert!(dropped(n), "{n}: {:?}", fixture.capture.status().n_dropped);
    }
}

#[test]
fn small_pictures_are_dropped_and_counted() {
    let fixture = Fixture::with_config(|config| config.min_frame_bytes = JPEG.len() + 1);
    let reader = fixture.capture.read();
    fixture.step(Step::Give(JPEG));
    fixture.step(Step::Give(OTHER));
    assert_eq!(next(&reader, 0), (1, false));
    let status = fixture.capture.status();
    assert!(status.n_dropped.contains(&("too_small", 1)), "{:?}", status.n_dropped);
    assert!(status.latest.unwrap().jpeg() == OTHER);
}
