//! What clients ask for.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use super::{Rng, Target, hash, shape};
use crate::http::ForwardedHeaders;
use crate::http::query::Query;
use crate::http::routes::{self, Which};
use crate::http::time::When;

#[test]
fn request_target_and_query() {
    let words = &[
        "/stream",
        "/snapshot",
        "?action=",
        "stream_1",
        "/stream1",
        "/take",
        "command&plugin=",
        "&fps=",
        "headers=full",
        "max_delay=",
        "%20",
        "%",
        "http://",
        "/webcam",
        "key=",
        "/../",
        "#",
        "&",
        "=",
        "1e309",
        "-0",
        "/recordings/",
        "from=",
        "to=",
        "2026-11-21T12:00:00Z",
        "duration=",
        "speed=",
        "\u{fffd}",
    ];
    Target { name: "target", words, run: target }.fuzz();
}

fn target(input: &[u8], _: &mut Rng) -> u64 {
    let text = String::from_utf8_lossy(input);
    let asked = described(&text);
    assert!(asked.len() < 1000 + 24 * text.len(), "{asked}");
    // A key that no address reads changes nothing.
    if text.contains('?') && !text.contains('#') {
        assert_eq!(described(&format!("{text}&nobody=1")), asked);
    }
    hash(shape(&asked))
}

/// How a request target is understood, with each value of its query.
fn described(target: &str) -> String {
    let target = routes::Target::parse(target);
    // Only a name that no camera has may stand for something else.
    let address = target.clone().resolve(|_| false);
    assert!(address == target || matches!(target.which, Which::Named(_)), "{target:?}");
    let query = Query(&target.query);
    let numbers = (query.number("fps", 0.001..=1000.0), query.number("max_delay", 0..=u32::MAX));
    let words = query.choice("headers", &[("minimal", 1), ("full", 2)]);
    let (times, on) = ((query.period(), query.wish()), query.is_on("raw"));
    let (which, path) = (&target.which, &target.path);
    format!("{which:?} {path:?} {numbers:?} {words:?} {times:?} {on} {:?}", query.text("key"))
}

#[test]
fn headers_of_proxies() {
    let words = &[
        "for=",
        "For=\"[2001:db8::7]:4711\"",
        "host=",
        "proto=https",
        ";",
        ", ",
        "10.0.0.2",
        "203.0.113.7:80",
        "::ffff:10.0.0.1",
        "unknown",
        "_hidden",
        "[::1",
        "\"",
        "\n",
    ];
    Target { name: "forwarded", words, run: forwarded }.fuzz();
}

/// The lines of one header, in both forms.
fn forwarded(input: &[u8], _: &mut Rng) -> u64 {
    let text = String::from_utf8_lossy(input);
    let lines: Vec<_> = text.lines().collect();
    let is_own = |address: IpAddr| address.to_string().starts_with("10.");
    let old = |x_for: &[&str]| headers(x_for, &[]).client(is_own);
    let new = |forwarded: &[&str]| headers(&[], forwarded).client(is_own);
    let stranger = Some(IpAddr::from([203, 0, 113, 9]));
    // What a client sends of itself stands before the address that the trusted proxy has seen.
    assert_eq!(old(&[&lines[..], &["203.0.113.9, 10.0.0.1"]].concat()), stranger, "{text}");
    assert_eq!(new(&[&lines[..], &["for=203.0.113.9"]].concat()), stranger, "{text}");
    let all = headers(&lines, &lines);
    let host = all.host();
    assert!(host.is_none_or(|host| !host.is_empty() && text.contains(host)), "{host:?}");
    hash(shape(&format!("{:?} {:?} {host:?} {}", old(&lines), new(&lines), all.is_https())))
}

fn headers<'a>(x: &[&'a str], forwarded: &[&'a str]) -> ForwardedHeaders<'a> {
    let (x, forwarded) = (x.to_vec(), forwarded.to_vec());
    ForwardedHeaders { x_for: x.clone(), x_host: x.clone(), x_proto: x, forwarded }
}

#[test]
fn playback_times() {
    let words = &[
        "-",
        "30s",
        "2026-11-21T11:28:35",
        "Z",
        "+01:00",
        ".5",
        "18446744073709.551616",
        "9",
        "y",
    ];
    Target { name: "time", words, run: time }.fuzz();
}

fn time(input: &[u8], _: &mut Rng) -> u64 {
    let text = String::from_utf8_lossy(input);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_197_222);
    match When::parse(&text).map(|when| when.resolve(now)) {
        Ok(at) if text.starts_with('-') => {
            assert!(at <= 1_795_197_222_000_000, "{at} is in the future");
        }
        Ok(at) => {
            let seconds = format!("{}.{:06}", at / 1_000_000, at % 1_000_000);
            assert_eq!(
                When::parse(&seconds).map(|when| when.resolve(now)),
                Ok(at),
                "written as {seconds}"
            );
        }
        Err(why) => {
            assert!(why.len() < 600 && why.contains("is not a time; use"), "{why}");
            return 0;
        }
    }
    hash(shape(&text))
}
