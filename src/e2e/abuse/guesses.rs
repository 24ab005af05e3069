//! Password guessing: it slows down the guesser and no other client.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::worst_gap;
use crate::support::{Client, Daemon, Growth, Metronome, Over, TempDir, eventually_is};

/// `openssl passwd -6 -salt saltsalt geheim`
const SHA512: &str = "$6$saltsalt$sfZR6YSW/Dp0uCiyF9fDipa6ORr5LVLOwXNgtzRlXXhkC7xA3w4zy97VIC3vL14AUXGJp3yBjZVztkdiBzJnX1";

fn basic(user: &str, password: &str) -> String {
    format!("Authorization: Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

fn ask_from(own: [u8; 4], daemon: &Daemon, header: &str) -> u16 {
    let mut client = Client::connect_from(own.into(), daemon.address());
    client.request("GET", "/status", &[header]);
    client.reply("GET").code
}

#[test]
fn wrong_passwords_at_full_speed_slow_the_guesser_and_nobody_else() {
    let dir = TempDir::new();
    let file = dir.write("users", format!("user:{SHA512}\nplain:pass\n"));
    let args = ["--camera", "pattern:64x48@20", "--auth-file", file.to_str().unwrap()];
    let daemon = Daemon::start(&args);
    let mut viewer = daemon.watch_with("/stream", &[&basic("plain", "pass")]);
    viewer.next();
    let (is_over, n_looked_at, n_refused) =
        (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let (metronome, growth) = (Metronome::start(), Growth::watch(&daemon));
    let begun = Instant::now();
    thread::scope(|scope| {
        let over = Over(&is_over);
        for guesser in 0..4 {
            let (daemon, is_over, n_looked_at, n_refused) =
                (&daemon, &is_over, &n_looked_at, &n_refused);
            scope.spawn(move || {
                for n in 0.. {
                    if is_over.load(Relaxed) {
                        return;
                    }
                    let guess = basic("user", &format!("guess {guesser} {n}"));
                    match ask_from([127, 0, 0, 2], daemon, &guess) {
                        401 => n_looked_at.fetch_add(1, Relaxed),
                        429 => n_refused.fetch_add(1, Relaxed),
                        code => panic!("{code} for a guess"),
                    };
                }
            });
        }
        // Clients with the right password get in all the time, new addresses
        // included.
        let gap = worst_gap(&mut viewer, Duration::from_secs(4));
        let limit = metronome.allow(Duration::from_millis(250));
        for (own, user, password) in
            [([127, 0, 0, 3], "user", "geheim"), ([127, 0, 0, 4], "plain", "pass")]
        {
            assert_eq!(ask_from(own, &daemon, &basic(user, password)), 200);
        }
        eventually_is("the guessers are slowed", || n_refused.load(Relaxed) > 100);
        drop(over);
        assert!(gap < limit, "{gap:?}");
    });
    growth.must_be_small();
    // 20 at once, then one every two seconds, and those that were in the queue.
    let n_allowed = 25 + usize::try_from(begun.elapsed().as_secs()).unwrap() / 2;
    assert!(n_looked_at.load(Relaxed) <= n_allowed, "{n_looked_at:?} of {n_allowed}");
    // Even the right password is not checked. One guess is allowed again every two seconds;
    // it is used up first.
    let is_refused = |n| {
        let guess = basic("user", &format!("guess {n}"));
        ask_from([127, 0, 0, 2], &daemon, &guess);
        ask_from([127, 0, 0, 2], &daemon, &basic("user", "geheim")) == 429
    };
    assert!((0..20).any(is_refused));
    let status = daemon.request("GET", "/status", &[&basic("plain", "pass")]);
    assert!(status.text().contains("slowed_guesses"), "{}", status.text());
}
