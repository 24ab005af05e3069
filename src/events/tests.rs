use super::*;

fn ids(events: &[Arc<Event>]) -> Vec<u64> {
    events.iter().map(|event| event.id).collect()
}

#[test]
fn numbers_grow_whatever_the_clock_does() {
    let events = Events::default();
    let last = 1 << 60;
    events.raise_id(last);
    events.raise_id(5);
    (0..3).for_each(|_| events.emit("a", Kind::CameraOn, &[]));
    assert_eq!(ids(&events.recent(&Filter::default())), [last + 1, last + 2, last + 3]);
}

#[test]
fn memory_is_bounded_for_each_type() {
    let events = Events::default();
    events.emit("a", Kind::MotionBegin, &[("cells", 4.into())]);
    (0..2000).for_each(|_| events.emit("a", Kind::FirstViewer, &[]));
    let all = events.recent(&Filter::default());
    assert_eq!(all.len(), N_KEPT + 1);
    assert_eq!((all[0].kind, &all[0].data()["cells"]), (Kind::MotionBegin, &4.into()));
    assert!(all.is_sorted_by_key(|event| event.id));
    assert_eq!(events.counts()[Kind::FirstViewer as usize], (Kind::FirstViewer, 2000));
}

#[test]
fn filter_leaves_out_other_cameras_types_and_times() {
    let events = Events::default();
    events.emit("a", Kind::CameraOn, &[]);
    events.emit("b", Kind::CameraOn, &[]);
    events.emit("a", Kind::CameraOff, &[]);
    let all = events.recent(&Filter::default());
    let of_a = Filter { kinds: vec![Kind::CameraOn], ..Filter::camera("a") };
    assert_eq!(ids(&events.recent(&of_a)), [all[0].id]);
    let later = Filter { from: all[2].at, ..Filter::default() };
    assert!(ids(&events.recent(&later)).contains(&all[2].id));
    assert!(events.recent(&Filter { to: 5, ..Filter::default() }).is_empty());
}

#[test]
fn slow_subscriber_loses_the_oldest_and_holds_nobody_up() {
    let events = Events::default();
    let subscription = events.subscribe(Filter::default(), 2);
    (0..5).for_each(|_| events.emit("a", Kind::CameraOn, &[]));
    assert_eq!(subscription.n_lost(), 3);
    let got: Vec<_> = subscription.queue().try_iter().collect();
    assert_eq!(ids(&got), ids(&events.recent(&Filter::default())[3..]));
}

#[test]
fn subscriber_that_comes_back_misses_nothing() {
    let events = Events::default();
    (0..3).for_each(|_| events.emit("a", Kind::CameraOn, &[]));
    let all = events.recent(&Filter::default());
    let (before, subscription) = events.subscribe_after(Filter::default(), 8, all[0].id);
    assert_eq!(ids(&before), ids(&all[1..]));
    events.emit("a", Kind::CameraOff, &[]);
    assert_eq!(subscription.queue().try_recv().unwrap().kind, Kind::CameraOff);
}

#[test]
fn closed_subscription_gives_what_waits_and_then_its_end() {
    let events = Events::default();
    let subscription = events.subscribe(Filter::default(), 8);
    events.emit("a", Kind::CameraOn, &[]);
    subscription.closer().close();
    events.emit("a", Kind::CameraOff, &[]);
    assert_eq!(subscription.queue().iter().count(), 1);
    assert!(events.0.lock().subscribers.is_empty());
}
