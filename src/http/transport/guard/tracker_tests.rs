use super::*;

const LIMITS: Limits = Limits {
    head_timeout: Duration::from_secs(10),
    max_head_bytes: 1000,
    max_connections: 100,
    max_leaks: 4,
};

fn observation(cookie: u64) -> Observation {
    Observation { cookie, is_closed: false, n_received: Some(0), n_unread: 0, silent_ms: 0 }
}

/// A tracker and its clock.
struct Test {
    tracker: Tracker,
    now: Instant,
}

impl Test {
    fn new() -> Self {
        Self { tracker: Tracker::default(), now: Instant::now() }
    }

    fn look(&mut self, seen: &[Observation]) -> Round {
        self.look_beside(Answered { n: 0, is_queue_empty: true }, seen)
    }

    fn look_beside(&mut self, answered: Answered, seen: &[Observation]) -> Round {
        self.tracker.look(self.now, seen, answered, &LIMITS)
    }

    fn after(&mut self, ms: u64) -> &mut Self {
        self.now += Duration::from_millis(ms);
        self
    }
}

#[test]
fn nobody_there_needs_no_further_look() {
    let mut test = Test::new();
    assert_eq!(test.look(&[]), Round::default());
    assert_eq!(test.look(&[observation(1)]).next, Some(TICK));
    assert_eq!(test.look(&[]).next, None);
}

#[test]
fn silent_client_is_cut_when_its_time_is_over() {
    let mut test = Test::new();
    assert_eq!(test.look(&[observation(1)]).cuts, []);
    assert_eq!(test.after(9_900).look(&[observation(1), observation(2)]).cuts, []);
    assert_eq!(
        test.after(100).look(&[observation(1), observation(2)]).cuts,
        [(1, Cut::HeadTimeout)]
    );
    assert_eq!(test.after(100).look(&[observation(2)]).cuts, []);
}

#[test]
fn large_head_is_cut_at_sight() {
    let mut test = Test::new();
    let of = |n| Observation { n_received: Some(n), ..observation(1) };
    assert_eq!(test.look(&[of(1000)]).cuts, []);
    let round = test.look(&[of(1001)]);
    assert_eq!((round.cuts, round.next), (vec![(1, Cut::HeadSize)], Some(SHORT_TICK)));
}

#[test]
fn crowd_loses_those_that_waited_longest() {
    let mut test = Test::new();
    let all = |range: std::ops::Range<u64>| range.map(observation).collect::<Vec<_>>();
    assert_eq!(test.look(&all(0..50)).cuts, []);
    test.after(250);
    let answered = Answered { n: 3, is_queue_empty: true };
    let round = test.look_beside(answered, &all(0..100));
    let cut: Vec<u64> = round.cuts.iter().map(|(cookie, _)| *cookie).collect();
    assert_eq!((cut, round.n_waiting), (vec![0, 1, 2], 97));
}

#[test]
fn of_those_that_came_since_the_last_look_the_oldest_are_cut() {
    let mut test = Test::new();
    // Opened in turn, on two processors: their numbers say another order.
    let at = |n: u32| Observation { silent_ms: 110 - n, ..observation(u64::from(n * 37 % 103)) };
    let round = test.look(&(1..=102).map(at).collect::<Vec<_>>());
    let cut: Vec<u64> = round.cuts.iter().map(|(cookie, _)| *cookie).collect();
    assert_eq!(cut, [at(1).cookie, at(2).cookie]);
}

#[test]
fn connection_that_nobody_reads_is_kicked_at_the_second_look() {
    let mut test = Test::new();
    let unread = Observation { n_received: Some(9), n_unread: 9, ..observation(1) };
    assert_eq!(test.look(&[unread]).n_kicks, 0);
    assert_eq!(test.look(&[unread]).n_kicks, 1);
    assert_eq!(test.look(&[observation(1)]).n_kicks, 0);
    let many: Vec<_> = (0..90).map(|cookie| Observation { cookie, ..unread }).collect();
    test.look(&many);
    assert_eq!(test.look(&many).n_kicks, MAX_KICKS);
    let n_ever: usize = (0..20).map(|_| test.look(&[unread]).n_kicks).sum();
    assert!(n_ever < 8, "{n_ever}");
}

#[test]
fn closed_one_that_stays_is_a_leak_once() {
    let mut test = Test::new();
    let closed = Observation { is_closed: true, n_received: Some(9), ..observation(1) };
    assert_eq!(test.look(&[closed]).n_leaked, 0);
    assert!(test.after(2_900).look(&[closed]).n_kicks > 0);
    let round = test.after(100).look(&[closed]);
    assert_eq!((round.n_leaked, round.next), (1, None));
    assert_eq!(test.after(10_000).look(&[closed]), Round::default());
}

#[test]
fn closed_one_that_has_not_had_its_turn_is_no_leak() {
    let mut test = Test::new();
    let closed = Observation { is_closed: true, n_received: Some(9), ..observation(1) };
    let not_read = Observation { n_unread: 9, ..closed };
    let busy = Answered { n: 0, is_queue_empty: false };
    for _ in 0..10 {
        assert_eq!(test.after(3_000).look(&[not_read]).n_leaked, 0);
        assert_eq!(test.after(3_000).look_beside(busy, &[closed]).n_leaked, 0);
    }
    // It is looked at until it is gone, or lost for good.
    let round = test.look(&[not_read]);
    assert_eq!((round.n_leaked, round.next), (0, Some(SHORT_TICK)));
    assert_eq!(test.look(&[closed]).n_leaked, 1);
}

#[test]
fn lost_connection_is_known_by_what_it_left_unread_where_the_kernel_counts_no_bytes() {
    let mut test = Test::new();
    let closed = Observation { is_closed: true, n_received: None, ..observation(1) };
    let unread = Observation { n_unread: 9, ..closed };
    test.look(&[unread]);
    assert_eq!(test.after(3_000).look(&[unread]).n_leaked, 0);
    assert_eq!(test.look(&[closed]).n_leaked, 1);
}
