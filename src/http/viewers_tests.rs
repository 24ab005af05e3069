use super::*;
use crate::http::transport::Peer;
use crate::http::viewer::{Extras, Layout};

fn info() -> ViewerInfo {
    ViewerInfo {
        peer: Peer::Unix,
        path: "/stream".into(),
        key: "k".into(),
        layout: Layout::Full,
        extras: Extras::default(),
        wish: None,
    }
}

#[test]
fn what_a_viewer_had_stays_in_the_total() {
    let viewers = Arc::new(Viewers::new(8, Events::default()));
    let seat = viewers.enter("camera", None, info()).ok().unwrap();
    seat.viewer.sent(100, 0, Instant::now());
    seat.viewer.sent(100, 3, Instant::now());
    seat.viewer.repeated(50);
    assert_eq!(viewers.present().len(), 1);
    let due = Served { n_sent: 2, n_skipped: 3, n_repeated: 1, n_bytes: 250 };
    viewers.count_refused("other");
    let had = || viewers.tallies(&["camera", "other"]);
    let [camera, other] = had()[..] else { panic!("not two tallies") };
    assert_eq!((camera.n_ever, camera.n_refused, camera.served), (1, 0, due));
    assert_eq!((other.n_ever, other.n_refused, other.served), (0, 1, Served::default()));
    drop(seat);
    assert!(viewers.present().is_empty());
    assert_eq!(had(), [camera, other]);
    assert_eq!(viewers.tallies(&["other"]), [other]);
    assert_eq!(viewers.tallies(&["camera"])[0].n_ever, 0, "it is not forgotten");
    assert_eq!(viewers.seats().refused, 1);
}

#[test]
fn seats_of_the_daemon_and_of_a_camera_are_bounded_and_given_back() {
    let viewers = Arc::new(Viewers::new(3, Events::default()));
    let enter = |camera, n_most| viewers.enter(camera, n_most, info());
    let first = enter("a", Some(2)).ok().unwrap();
    let _second = enter("a", Some(2)).ok().unwrap();
    assert_eq!(enter("a", Some(2)).err(), Some(Full::Camera(2)));
    let _third = enter("b", Some(2)).ok().unwrap();
    assert_eq!(enter("b", Some(2)).err(), Some(Full::Daemon(3)));
    assert_eq!(
        (viewers.n_watching("a"), viewers.n_watching("b"), viewers.seats().taken),
        (2, 1, 3)
    );
    drop(first);
    assert!(enter("a", Some(2)).is_ok());
    assert_eq!(viewers.seats().taken, 2, "a seat that is dropped is free");
}

#[test]
fn line_for_a_seat_is_short() {
    let viewers = Viewers::new(1, Events::default());
    let mut line: Vec<_> = (0..MAX_IN_LINE).map(|_| viewers.stand_in_line().unwrap()).collect();
    assert!(viewers.stand_in_line().is_none());
    line.pop();
    assert!(viewers.stand_in_line().is_some());
}

#[test]
fn last_watched_is_now_while_somebody_watches() {
    let viewers = Arc::new(Viewers::new(1, Events::default()));
    assert_eq!(viewers.last_watched(), None);
    let asked = Instant::now();
    viewers.note_watching(asked);
    assert_eq!(viewers.last_watched(), Some(asked));
    let seat = viewers.enter("a", None, info()).ok().unwrap();
    let before = Instant::now();
    assert!(viewers.last_watched() >= Some(before));
    drop(seat);
    let left = viewers.last_watched();
    assert!(left >= Some(before) && viewers.last_watched() == left);
}
