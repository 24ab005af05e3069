//! Answers of other servers: heads, chunks, logins; and the addresses of servers.

use super::{Rng, Target, cut, hash, shape};
use crate::fetch::tests::doors;
use crate::url::{self, Url};

#[test]
fn heads_of_answers_in_any_pieces() {
    let words = &[
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 302 Found\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "ICY 200",
        "Content-Type: multipart/x-mixed-replace; boundary=b\r\n",
        "Content-Length: ",
        "Transfer-Encoding: chunked\r\n",
        "Location: /a b\r\n",
        "WWW-Authenticate: Digest realm=\"a\"\r\n",
        "Status: 404\r\n",
        "\r\n ",
        "\r\n",
        "\r",
        "\n",
        ":",
        "--b",
    ];
    Target { name: "head", words, run: head }.fuzz();
}

/// Whatever a server sends, a strict parser gets one clean head, and the bytes behind
/// it are not touched.
fn head(input: &[u8], rng: &mut Rng) -> u64 {
    let whole = doors::clean_head(&[input]);
    for _ in 0..3 {
        let pieces = cut(input, rng);
        assert_eq!(doors::clean_head(&pieces), whole, "{pieces:?}");
    }
    let (text, n) = match whole {
        Ok(Some(head)) => head,
        Ok(None) => return 0,
        // Without the quoted start of the input, which differs each time.
        Err(fault) => return hash(fault.split('"').next()),
    };
    assert!(n <= input.len());
    assert!(text.starts_with(b"HTTP/1.") && text.ends_with(b"\r\n\r\n"));
    let lines = String::from_utf8_lossy(&text[..text.len() - 4]).replace("\r\n", "\n");
    assert!(lines.chars().all(|c| c == '\n' || !c.is_ascii_control()), "{lines:?}");
    assert!(lines.lines().skip(1).all(|line| line.contains(": ")), "{lines:?}");
    let again = doors::clean_head(&[&text]);
    assert_eq!(again, Ok(Some((text.clone(), text.len()))), "cleaned twice: {lines:?}");
    // Of the status the version and the first digit.
    let names = lines.lines().map(|line| line.split(": ").next().unwrap_or_default());
    let mut names: Vec<_> = names.map(|name| shape(name.get(..10).unwrap_or(name))).collect();
    names.dedup();
    hash(names)
}

#[test]
fn challenges_of_servers() {
    let words =
        &["Digest ", "Basic", "realm=", "nonce=", "qop=", "algorithm=", "\"", "\\", ",", "="];
    Target { name: "challenge", words, run: challenge }.fuzz();
}

/// The answer to a challenge repeats its realm.
fn challenge(input: &[u8], _: &mut Rng) -> u64 {
    let realms = doors::challenge_realms(input);
    assert!(realms.iter().all(|(sent, answered)| sent == answered), "{realms:?}");
    hash(realms.iter().map(|(sent, _)| sent.len().min(3)).take(4).collect::<Vec<_>>())
}

#[test]
fn chunks_in_any_pieces() {
    let words = &["\n", "\r\n", "5", "a;b=c", " ", "0\r\n\r\n", "ffffffff"];
    Target { name: "chunks", words, run: chunks }.fuzz();
}

fn chunks(input: &[u8], rng: &mut Rng) -> u64 {
    let whole = doors::strip_chunks(&[input]);
    for _ in 0..3 {
        let pieces = cut(input, rng);
        assert_eq!(doors::strip_chunks(&pieces), whole, "{pieces:?}");
    }
    let data = whole.map(|(data, is_over)| (data.len().min(20), is_over));
    assert!(data.is_none_or(|(n, _)| n <= input.len()));
    hash(data)
}

#[test]
fn addresses_of_servers() {
    let words = &[
        "http://",
        "user:password@",
        "[::1]",
        ":80",
        "/",
        "?",
        "%40",
        "@",
        "#",
        "://",
        "&pwd=",
        " -u ",
        "'",
        "\"",
        "Cookie: ",
        "--token=",
        "\\",
    ];
    Target { name: "url", words, run: address }.fuzz();
}

fn address(input: &[u8], _: &mut Rng) -> u64 {
    let text = String::from_utf8_lossy(input);
    let masked = url::mask(&text);
    assert_eq!(url::mask(&masked), masked, "masked twice");
    match Url::parse(&text) {
        Ok(url) => {
            assert!(!url.as_str().contains(|c: char| c.is_whitespace() || c.is_control()), "{url}");
            assert_eq!(Url::parse(url.as_str()).unwrap().as_str(), url.as_str(), "read back");
            hash(url.login().is_some())
        }
        Err(fault) => hash(shape(&format!("{fault:#}"))),
    }
}
