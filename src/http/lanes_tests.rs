use crossbeam_channel::bounded;

use std::thread;

use super::*;

fn limit(n_running: usize, n_waiting: usize) -> impl Fn(Lane) -> Limit {
    move |_| Limit { n_running, n_waiting }
}

fn n_running(lanes: &Lanes<u32>, lane: Lane) -> usize {
    lanes.0.state.lock().n_running[lane as usize]
}

#[test]
fn full_lane_returns_the_job_and_takes_one_again_when_free() {
    let (release, gate) = bounded::<()>(0);
    let (done, ends) = bounded(10);
    let lanes = Lanes::new(limit(2, 1), move |_, n: u32| {
        let _ = gate.recv();
        let _ = done.send(n);
    });
    let submit = |n| lanes.submit(Lane::Snapshot, n);
    assert_eq!(
        (1..=4).map(submit).collect::<Vec<_>>(),
        [Ok(()), Ok(()), Ok(()), Err((4, NotTaken::Full))]
    );
    (0..3).for_each(|_| release.send(()).unwrap());
    let mut finished: Vec<u32> = (0..3).map(|_| ends.recv().unwrap()).collect();
    finished.sort_unstable();
    assert_eq!(finished, [1, 2, 3]);
    while n_running(&lanes, Lane::Snapshot) > 0 {
        thread::yield_now();
    }
    assert_eq!(submit(5), Ok(()));
    release.send(()).unwrap();
    assert_eq!(ends.recv(), Ok(5));
    lanes.stop();
    assert_eq!(submit(6), Err((6, NotTaken::Stopped)));
}

#[test]
fn full_lane_does_not_hold_up_another() {
    let (release, gate) = bounded::<()>(0);
    let (done, ends) = bounded(10);
    let lanes = Lanes::new(limit(1, 5), move |_, n: u32| {
        if n < 10 {
            let _ = gate.recv();
        }
        let _ = done.send(n);
    });
    (1..=3).for_each(|n| lanes.submit(Lane::Control, n).unwrap());
    (10..13).for_each(|n| {
        lanes.submit(Lane::Short, n).unwrap();
        assert_eq!(ends.recv(), Ok(n));
    });
    (0..3).for_each(|_| release.send(()).unwrap());
    assert_eq!((0..3).map(|_| ends.recv().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
    lanes.stop();
}

#[test]
fn panic_costs_no_thread_and_no_place() {
    let (done, ends) = bounded(1);
    let lanes = Lanes::new(limit(1, 0), move |_, n: u32| {
        assert!(n != 0, "a job that panics, on purpose");
        done.send(n).unwrap();
    });
    for _ in 0..100 {
        while lanes.submit(Lane::Short, 0).is_err() {
            thread::yield_now();
        }
    }
    while lanes.submit(Lane::Short, 7).is_err() {
        thread::yield_now();
    }
    assert_eq!(ends.recv(), Ok(7));
    // A job may be submitted in the moment in which the only worker, done with
    // the one before, is about to wait: then a second thread is created.
    assert!(lanes.0.state.lock().threads.len() <= 2);
    lanes.stop();
}

#[test]
fn no_job_is_lost_in_a_crowd() {
    let (done, ends) = bounded(1000);
    let lanes = Lanes::new(limit(4, 996), move |_, n: u32| done.send(n).unwrap());
    (0..1000).for_each(|n| assert_eq!(lanes.submit(Lane::ALL[n as usize % 7], n), Ok(())));
    let mut finished: Vec<u32> = ends.iter().take(1000).collect();
    finished.sort_unstable();
    assert!(finished.into_iter().eq(0..1000));
    lanes.stop();
}

#[test]
fn idle_worker_is_used_again() {
    let (done, ends) = bounded(1);
    let lanes = Lanes::new(limit(8, 8), move |_, n: u32| done.send(n).unwrap());
    for n in 0..50 {
        lanes.submit(Lane::ALL[n as usize % 7], n).unwrap();
        assert_eq!(ends.recv(), Ok(n));
        while lanes.0.state.lock().n_idle == 0 {
            thread::yield_now();
        }
    }
    assert_eq!(lanes.0.state.lock().threads.len(), 1);
    lanes.stop();
}

#[test]
fn busy_is_what_ends_by_itself() {
    let (release, gate) = bounded::<()>(0);
    let lanes = Lanes::new(limit(1, 1), move |_, ()| {
        let _ = gate.recv();
    });
    lanes.submit(Lane::Viewer, ()).unwrap();
    lanes.submit(Lane::Events, ()).unwrap();
    assert!(!lanes.is_busy());
    lanes.submit(Lane::Snapshot, ()).unwrap();
    assert!(lanes.is_busy());
    drop(release);
    while lanes.is_busy() {
        thread::yield_now();
    }
    lanes.stop();
}

#[test]
fn jobs_that_wait_are_dropped_by_the_end() {
    let (release, gate) = bounded::<()>(0);
    let (started, starts) = bounded(5);
    let job = Arc::new(());
    let lanes = Lanes::new(limit(1, 5), move |_, _job: Arc<()>| {
        started.send(()).unwrap();
        let _ = gate.recv();
    });
    (0..4).for_each(|_| lanes.submit(Lane::Login, Arc::clone(&job)).unwrap());
    starts.recv().unwrap();
    let end = thread::spawn(move || lanes.stop());
    while Arc::strong_count(&job) > 2 {
        thread::yield_now();
    }
    release.send(()).unwrap();
    end.join().unwrap();
    assert_eq!(Arc::strong_count(&job), 1);
}
