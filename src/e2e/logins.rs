//! Logins at cameras: every form of challenge, and the answer that curl gives.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use sha2::{Sha256, Sha512_256};

use crate::servers::{daemon, lost, pictures, with};
use crate::support::{Asked, Fake, number};

const NONCE: &str = "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"";

/// The value of Authorization in a request.
fn authorization(asked: &Asked) -> Option<&str> {
    let lines = asked.head.lines();
    let mut values = lines.filter_map(|line| line.split_once(": "));
    values.find(|(name, _)| name.eq_ignore_ascii_case("authorization")).map(|(_, value)| value)
}

/// A parameter of Authorization, without its quotes.
fn param<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let mut params = value.split_once(' ')?.1.split(", ").filter_map(|p| p.split_once('='));
    params.find(|(known, _)| *known == name).map(|(_, value)| value.trim_matches('"'))
}

fn hash(algorithm: &str, text: &str) -> String {
    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
    match algorithm.to_ascii_lowercase().trim_end_matches("-sess") {
        "sha-256" => hex(&Sha256::digest(text)),
        "sha-512-256" => hex(&Sha512_256::digest(text)),
        _ => hex(&Md5::digest(text)),
    }
}

/// Whether an answer is that of this user, by RFC 7616 and RFC 7617.
fn is_right(value: &str, target: &str, user: &str, password: &str) -> bool {
    if let Some(login) = value.strip_prefix("Basic ") {
        return login == STANDARD.encode(format!("{user}:{password}"));
    }
    let param = |name| param(value, name).unwrap_or_default();
    let hash = |text: String| hash(param("algorithm"), &text);
    let mut secret = hash(format!("{user}:{}:{password}", param("realm")));
    if param("algorithm").to_ascii_lowercase().ends_with("-sess") {
        secret = hash(format!("{secret}:{}:{}", param("nonce"), param("cnonce")));
    }
    let body =
        if param("qop") == "auth-int" { format!(":{}", hash(String::new())) } else { "".into() };
    let request = hash(format!("GET:{target}{body}"));
    let covered = match param("qop") {
        "" => param("nonce").to_owned(),
        qop => format!("{}:{}:{}:{qop}", param("nonce"), param("nc"), param("cnonce")),
    };
    param("uri") == target && param("response") == hash(format!("{secret}:{covered}:{request}"))
}

/// Whether what an answer repeats of its challenge is the challenge's own.
fn is_of(value: &str, challenges: &[u8]) -> bool {
    let challenges = String::from_utf8_lossy(challenges);
    let is_there = |name: &str, value: &str| {
        [format!("{name}=\"{value}\""), format!("{name}={value}")]
            .iter()
            .any(|p| challenges.contains(p))
    };
    let is_repeated = |name| match param(value, name) {
        // A realm must be in the answer (RFC 7616 3.4), also where there was none.
        None | Some("") => !challenges.contains(&format!("{name}=")) || is_there(name, ""),
        Some(text) => is_there(name, text),
    };
    // Of two challenges only one has this.
    let is_optional = |name| param(value, name).is_none_or(|text| is_there(name, text));
    !value.starts_with("Digest ")
        || ["realm", "nonce"].into_iter().all(is_repeated)
            && ["algorithm", "opaque"].into_iter().all(is_optional)
}

fn refuse(asked: &mut Asked, challenges: impl AsRef<[u8]>) {
    let head = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n";
    asked.send([&head[..], challenges.as_ref(), b"\r\n\r\n"].concat());
}

fn show(asked: &mut Asked) {
    let pictures = pictures();
    asked.send("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n");
    asked.repeat(crate::servers::PAUSE, |n| {
        with("--b\r\nContent-Length: LENGTH\r\n\r\n", &pictures[n % pictures.len()], "\r\n")
    });
    asked.close();
}

/// A camera that asks so, and shows its stream to one user.
fn camera(challenges: impl Into<Vec<u8>>, user: &'static str, password: &'static str) -> Fake {
    let challenges = challenges.into();
    Fake::start(move |asked| {
        let is_right =
            |value| is_right(value, "/video?a=b", user, password) && is_of(value, &challenges);
        if authorization(asked).is_some_and(is_right) {
            show(asked);
        } else {
            refuse(asked, &challenges);
        }
    })
}

fn url(server: &Fake, login: &str) -> String {
    server.url("/video?a=b").replace("://", &format!("://{login}@"))
}

/// What the daemon sends to a camera that asks so, which is right.
fn answer(challenges: impl Into<Vec<u8>>) -> String {
    let server = camera(challenges, "me", "secret");
    let daemon = daemon(&url(&server, "me:secret"), &[]);
    let jpeg = daemon.watch("/stream").next().jpeg;
    assert!(number(&jpeg).is_some(), "{}", daemon.status()["camera"]);
    let requests = server.requests();
    assert_eq!(requests.len(), 2, "one question, one answer: {requests:?}");
    let lines = requests[1].lines();
    let line =
        lines.into_iter().find(|line| line.to_ascii_lowercase().starts_with("authorization"));
    line.unwrap().split_once(": ").unwrap().1.to_owned()
}

#[test]
fn every_challenge_is_answered() {
    let digest = format!("WWW-Authenticate: Digest realm=\"cam\", {NONCE}");
    let more = |more: &str| format!("{digest}{more}");
    for (challenges, says) in [
        ("WWW-Authenticate: Basic".to_owned(), "Basic "),
        ("X: no challenge at all".to_owned(), "Basic "),
        ("WWW-Authenticate: Basic realm=IP Camera".to_owned(), "Basic "),
        ("www-authenticate: bASIC realm='cam'".to_owned(), "Basic "),
        (format!("WWW-Authenticate: Basic realm=IP Camera\r\n{digest}"), "Digest "),
        (more("\r\nWWW-Authenticate: Basic realm=\"cam\""), "Digest "),
        (format!("WWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n{digest}"), "Digest "),
        (digest.replace("Digest", "Basic realm=\"cam\", Digest"), "Digest "),
        (digest.replace("Digest", "dIGEST").replace(',', " "), "Digest "),
        (digest.replace("\"cam\"", "IP Camera"), "realm=\"IP Camera\""),
        (digest.replace(", nonce", ",\r\n nonce"), "Digest "),
        (digest.replace("realm=\"cam\", ", ""), "realm=\"\""),
        (more(""), "Digest "),
        (more(", qop=\"\""), "Digest "),
        (more(", qop=AUTH"), "qop=auth,"),
        (more(", qop=\"auth,auth-int\", stale=FALSE"), "qop=auth,"),
        (more(", qop=\"auth-int, auth\""), "qop=auth,"),
        (more(", qop=\"auth-int\""), "qop=auth-int,"),
        (more(", qop=\"auth\", algorithm=md5"), "algorithm=md5"),
        (more(", qop=\"auth\", algorithm=\"MD5-sess\""), "algorithm=MD5-sess"),
        (more(", algorithm=MD5-sess"), "cnonce="),
        (more(", qop=\"auth\", algorithm=SHA-256-SESS, opaque=\"\""), "opaque=\"\""),
        (
            more(&format!(
                ", algorithm=MD5, qop=\"auth\"\r\n{digest}, algorithm=SHA-256, qop=\"auth\""
            )),
            "algorithm=SHA-256",
        ),
        (more(&format!(", algorithm=SHA-512-256\r\n{digest}")), "algorithm=SHA-512-256"),
        (more(&format!(", algorithm=MD4\r\n{digest}, opaque=\"x\"")), "opaque=\"x\""),
    ] {
        let answer = answer(challenges.as_str());
        assert!(answer.contains(says), "{challenges}: {answer}");
    }
    let latin1 = b"WWW-Authenticate: Basic realm=\"cam\xE9ra\"";
    assert!(answer(&latin1[..]).starts_with("Basic "));
}

#[test]
fn wrong_password_and_unknown_scheme_are_named() {
    let digest = format!("WWW-Authenticate: Digest realm=\"cam\", {NONCE}, qop=\"auth,auth-int\"");
    let stale = format!("{digest}, stale=true");
    for (challenges, says) in [
        ("WWW-Authenticate: Basic realm=\"cam\"", "user and password are wrong (401)"),
        (&digest, "user and password are wrong (401)"),
        (&stale, "user and password are wrong (401)"),
        ("WWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM", "neither Basic nor a Digest"),
        ("WWW-Authenticate: Digest realm=\"cam\"", "neither Basic nor a Digest"),
    ] {
        let server = camera(challenges, "me", "other");
        let (cause, counted) = lost(&daemon(&url(&server, "me:secret"), &[]));
        assert!(cause.contains(says), "{challenges}: {cause}");
        assert_eq!(counted, "denied");
    }
}

#[test]
fn login_is_sent_as_it_was_typed() {
    let digest = format!("WWW-Authenticate: Digest realm=\"cam\", {NONCE}, qop=auth");
    for (login, user, password) in [
        ("me:gr\u{fc}n", "me", "gr\u{fc}n"),
        ("m\u{fc}ller:gr%C3%BCn", "m\u{fc}ller", "gr\u{fc}n"),
        ("me:a#b/c?d@e", "me", "a#b/c?d@e"),
        ("me:a%23b", "me", "a#b"),
        // A percent sign that stands for itself.
        ("me:a%41b", "me", "a%41b"),
        ("me", "me", ""),
    ] {
        let server = camera(&*digest, user, password);
        let daemon = daemon(&url(&server, login), &[]);
        let jpeg = daemon.watch("/stream").next().jpeg;
        assert!(number(&jpeg).is_some(), "{login}: {}", daemon.status()["camera"]);
    }
    let server = Fake::start(|asked| {
        let login = STANDARD.encode(b"me:gr\xFCn");
        if authorization(asked) == Some(&format!("Basic {login}")) {
            show(asked);
        } else {
            refuse(asked, "WWW-Authenticate: Basic");
        }
    });
    let jpeg = daemon(&url(&server, "me:gr%FCn"), &[]).watch("/stream").next().jpeg;
    assert!(number(&jpeg).is_some());
}

#[test]
fn nonce_that_is_too_old_is_exchanged_once() {
    let n_stale = AtomicUsize::new(0);
    let server = Fake::start(move |asked| {
        let nonce =
            authorization(asked).and_then(|value| param(value, "nonce")).unwrap_or_default();
        if nonce == "new" {
            return show(asked);
        }
        let (new, is_stale) = if nonce == "old" {
            ("new", n_stale.fetch_add(1, SeqCst) == 0)
        } else {
            ("old", false)
        };
        refuse(
            asked,
            format!(
                "WWW-Authenticate: Digest realm=a, nonce=\"{new}\", qop=auth, stale={is_stale}"
            ),
        );
    });
    let jpeg = daemon(&url(&server, "me:secret"), &[]).watch("/stream").next().jpeg;
    assert!(number(&jpeg).is_some());
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn next_nonce_is_taken_where_it_is_given() {
    let n_shown = AtomicUsize::new(0);
    let picture = pictures().remove(0);
    let server = Fake::start(move |asked| {
        let n = n_shown.load(SeqCst);
        let value = authorization(asked).unwrap_or_default().to_owned();
        if param(&value, "nonce") != Some(&format!("n{n}"))
            || param(&value, "nc") != Some("00000001")
        {
            return refuse(
                asked,
                format!("WWW-Authenticate: Digest realm=a, nonce=n{n}, qop=auth"),
            );
        }
        n_shown.store(n + 1, SeqCst);
        let head = format!(
            "HTTP/1.1 200 OK\r\nAuthentication-Info: qop=auth, nextnonce=\"n{}\"\r\n\
             Content-Type: image/jpeg\r\nContent-Length: LENGTH\r\n\r\n",
            n + 1
        );
        asked.send(with(&head, &picture, ""));
    });
    let daemon = daemon(&url(&server, "me:secret"), &["--fps", "20"]);
    let mut viewer = daemon.watch("/stream");
    (0..5).for_each(|_| assert!(viewer.next().jpeg == pictures()[0]));
    let n_without = server
        .requests()
        .iter()
        .filter(|head| !head.to_ascii_lowercase().contains("authorization"))
        .count();
    assert_eq!((n_without, daemon.figure("/camera/opened")), (1, 1));
}
