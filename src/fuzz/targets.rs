//! The targets, each with what must hold for all bytes.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::Target;
use super::mutate::Rng;
use crate::capture::normalize::normalize;
use crate::config::file::File;
use crate::frame::{DELIMITER, FrameBuf, Meta, SHORT_HEADERS, STREAM_TYPE, Timestamp};
use crate::http::query::Query;
use crate::http::routes;
use crate::http::time::When;
use crate::jpeg::{self, Fault, Splitter, Walk, Walked};
use crate::multipart::{Error, Next, Parser, Part};
use crate::url::{self, Url};

/// Of a picture, in all targets: small, so that it is often too large.
const MAX: usize = 1000;

fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// Only the begin of a text: not each other number is something new.
fn shape(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).take(40).collect()
}

/// Bytes cut into pieces, most of them small.
fn cut<'a>(mut bytes: &'a [u8], rng: &mut Rng) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let most = [2, 20, 2000][rng.below(3)];
        let piece = bytes.split_off(..bytes.len().min(1 + rng.below(most))).unwrap_or_default();
        pieces.push(piece);
    }
    pieces
}

#[test]
fn request_target_and_query() {
    let words = &[
        "/stream",
        "/snapshot",
        "?action=",
        "stream_1",
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

/// What a target is taken for, and each value of its query.
fn described(target: &str) -> String {
    let target = routes::Target::parse(target);
    let query = Query(&target.query);
    let numbers = (query.number("fps", 0.001..=1000.0), query.number("max_delay", 0..=u32::MAX));
    let words = query.choice("headers", &[("minimal", 1), ("full", 2)]);
    let (times, on) = (query.period(), query.is_on("raw"));
    let (which, path) = (&target.which, &target.path);
    format!("{which:?} {path:?} {numbers:?} {words:?} {times:?} {on} {:?}", query.text("key"))
}

/// What a parser came to: parts with their bodies, and how it ended.
type Parts = (Vec<(Part, Vec<u8>)>, Result<(), Error>);

fn parse(content_type: &str, pieces: &[&[u8]]) -> Parts {
    let parser = Parser::new(content_type, MAX);
    let mut parser = parser.unwrap_or_else(|_| Parser::learning(MAX));
    let (mut parts, mut body) = (Vec::new(), Vec::new());
    for mut piece in pieces.iter().copied() {
        let len = piece.len();
        loop {
            match parser.feed(&mut piece, &mut body) {
                Ok(Next::Part(part)) => parts.push((part, mem::take(&mut body))),
                Ok(Next::More | Next::End) => break,
                Err(e) => return (parts, Err(e)),
            }
        }
        assert!(piece.is_empty(), "More was said with bytes left");
        let held = body.len() + parser.n_bytes_held();
        assert!(held < (200 << 10) + 4 * (MAX + len), "{held} bytes held");
    }
    loop {
        match parser.finish(&mut body) {
            Ok(Some(part)) => parts.push((part, mem::take(&mut body))),
            Ok(None) => return (parts, Ok(())),
            Err(e) => return (parts, Err(e)),
        }
    }
}

#[test]
fn multipart_in_any_pieces() {
    let words = &[
        "\r\n--frame\r\n",
        "--frame--",
        "\r\n",
        "\n",
        "Content-Length: ",
        "Content-Type: image/jpeg\r\n",
        "X-Timestamp: 1.5\r\n",
        "boundary=",
        "--",
        "frame",
        "99999999999999999999",
        "0",
        "7",
        "30",
    ];
    Target { name: "multipart", words, run: multipart }.fuzz();
}

/// The first line is the Content-Type.
fn multipart(input: &[u8], rng: &mut Rng) -> u64 {
    let at = input.iter().position(|b| *b == b'\n').unwrap_or(input.len());
    let content_type = String::from_utf8_lossy(&input[..at]);
    let stream = input.get(at + 1..).unwrap_or_default();
    let whole = parse(&content_type, &[stream]);
    assert!(whole.0.iter().all(|(_, body)| body.len() <= MAX), "a body over the limit");
    let n_bytes: usize = whole.0.iter().map(|(_, body)| body.len()).sum();
    assert!(n_bytes <= stream.len(), "more came out than went in");
    for _ in 0..3 {
        let pieces = cut(stream, rng);
        let parts = parse(&content_type, &pieces);
        assert_eq!((&parts.0, kind(&parts)), (&whole.0, kind(&whole)), "{pieces:?}");
    }
    let lengths: Vec<_> = whole.0.iter().map(|(_, body)| body.len().min(3)).take(8).collect();
    hash((lengths, whole.1.map_err(|e| shape(&e.to_string())).err()))
}

/// How many bytes were seen before an error depends on the pieces.
fn kind(parts: &Parts) -> Option<mem::Discriminant<Error>> {
    parts.1.as_ref().err().map(mem::discriminant)
}

#[test]
fn own_layouts_are_read_back() {
    Target { name: "jpeg", words: &["\r\n--frame\r\n", "--frame"], run: round_trip }.fuzz();
}

/// What the daemon writes is read as it was, in both layouts.
fn round_trip(input: &[u8], rng: &mut Rng) -> u64 {
    let jpeg = [&[0xFF, 0xD8, 0xFF], &input[..input.len().min(MAX - 5)], &[0xFF, 0xD9]].concat();
    let mut buf = FrameBuf::new();
    buf.extend(&jpeg);
    let at = Timestamp::now();
    let frame = buf.finish(Meta { seq: 1, at, width: 1, height: 1, is_status: false });
    let read = |stream: &[u8], rng: &mut Rng| -> Vec<Vec<u8>> {
        let parts = parse(STREAM_TYPE, &cut(stream, rng));
        assert_eq!(parts.1, Ok(()));
        parts.0.into_iter().map(|(_, body)| body).collect()
    };
    let twice = [jpeg.clone(), jpeg.clone()];
    assert_eq!(read(&[DELIMITER, frame.full(), frame.full()].concat(), rng), twice);
    let ends_early = matches!(Walk::default().go_on(&jpeg), Walked::End(end) if end < jpeg.len());
    if !frame.holds_delimiter() && memchr::memmem::find(&jpeg, b"--frame").is_none() && !ends_early
    {
        let advance = [DELIMITER, SHORT_HEADERS, frame.advance(), frame.advance()].concat();
        assert_eq!(read(&advance, rng), twice);
    }
    hash((ends_early, frame.holds_delimiter(), input.len().min(20)))
}

#[test]
fn jpeg_markers() {
    Target { name: "jpeg", words: &[], run: markers }.fuzz();
}

fn markers(input: &[u8], _: &mut Rng) -> u64 {
    let info = match jpeg::check(input) {
        Ok(info) => info,
        Err(fault) => return hash(fault.key()),
    };
    assert!(info.len <= input.len() && input[..info.len].ends_with(&[0xFF, 0xD9]));
    assert!(info.width > 0 && info.height > 0);
    let ends = info.thumbnails.iter().flat_map(|t| [t.start, t.end]).collect::<Vec<_>>();
    assert!(ends.is_sorted() && ends.iter().all(|end| *end <= info.len), "{ends:?}");
    assert!(info.lacks_tables_at.is_none_or(|at| at >= ends.last().copied().unwrap_or(2)));
    assert_eq!(jpeg::check(&input[..info.len]).as_ref(), Ok(&info), "without what is behind it");
    hash((info.thumbnails.len(), info.lacks_tables_at.is_some(), info.len < input.len()))
}

#[test]
fn jpeg_normalized() {
    Target { name: "jpeg", words: &[], run: normalized }.fuzz();
}

/// Padding and thumbnails out, Huffman tables in: once is enough.
fn normalized(input: &[u8], _: &mut Rng) -> u64 {
    let mut buf = FrameBuf::new();
    buf.extend(input);
    let first = match normalize(&mut buf) {
        Ok(info) => info,
        Err(fault) => {
            assert_eq!(buf.jpeg(), input, "what is refused is left alone");
            return hash(fault.key());
        }
    };
    let once = buf.jpeg().to_vec();
    let second = normalize(&mut buf).unwrap();
    assert_eq!(buf.jpeg(), once, "normalized twice");
    assert_eq!((second.width, second.height), (first.width, first.height));
    assert!(second.thumbnails.is_empty() && second.lacks_tables_at.is_none());
    hash((first.thumbnails.len(), first.lacks_tables_at.is_some(), first.len < input.len()))
}

fn split(pieces: &[&[u8]]) -> Vec<Result<Vec<u8>, Fault>> {
    let (mut splitter, mut found) = (Splitter::new(MAX), Vec::new());
    let longest = pieces.iter().map(|piece| piece.len()).max().unwrap_or(0);
    for piece in pieces {
        splitter.push(piece);
        loop {
            match splitter.next_jpeg() {
                Ok(Some(jpeg)) => found.push(Ok(jpeg.to_vec())),
                Ok(None) => break,
                Err(fault) => found.push(Err(fault)),
            }
        }
        assert!(splitter.n_bytes_held() <= MAX + 2 * longest + 2);
    }
    found
}

#[test]
fn jpegs_split_in_any_pieces() {
    Target { name: "jpeg", words: &[], run: splitting }.fuzz();
}

fn splitting(input: &[u8], rng: &mut Rng) -> u64 {
    let whole = split(&[input]);
    for jpeg in whole.iter().flatten() {
        assert!(jpeg.starts_with(&[0xFF, 0xD8, 0xFF]) && jpeg.ends_with(&[0xFF, 0xD9]));
        assert!(jpeg.len() <= MAX);
        assert_eq!(split(&[jpeg]), [Ok(jpeg.clone())], "alone");
    }
    for _ in 0..3 {
        let pieces = cut(input, rng);
        assert_eq!(split(&pieces), whole, "{pieces:?}");
    }
    let faults = whole.iter().filter_map(|f| f.as_ref().err().map(|f| f.key()));
    hash((whole.iter().flatten().count(), faults.take(4).collect::<Vec<_>>()))
}

#[test]
fn configuration() {
    let words = &[
        "[[camera]]\n",
        "[camera]",
        "name = ",
        "source = ",
        "\"demo\"",
        "threads = ",
        "= 1\n",
        "true",
        "[1, 2]",
        "\"\"\"",
        "'",
        "#",
        "\n",
        "{ a = 1 }",
        "1979-05-27",
        "idle-timeout = \"10s\"\n",
        ".",
    ];
    Target { name: "config", words, run: configured }.fuzz();
}

/// The content of a file as text.
fn parse_config(text: &str) -> anyhow::Result<String> {
    File::parse(Path::new("FILE"), text).map(|file| format!("{file:?}"))
}

fn configured(input: &[u8], _: &mut Rng) -> u64 {
    let Ok(text) = std::str::from_utf8(input) else { return 0 };
    match parse_config(text) {
        Ok(file) => {
            let more = parse_config(&format!("{text}\n# a comment\n"));
            assert_eq!(more.unwrap(), file, "a comment changes nothing");
            hash(shape(&file))
        }
        Err(fault) => {
            let said = format!("{fault:#}");
            assert!(!said.contains('\n') && said.contains("FILE"), "{said:?}");
            hash(shape(&said))
        }
    }
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
        Ok(at) if text.starts_with('-') => assert!(at <= 1_795_197_222_000_000, "{at} is to come"),
        Ok(at) => {
            let seconds = format!("{}.{:06}", at / 1_000_000, at % 1_000_000);
            assert_eq!(
                When::parse(&seconds).map(|when| when.resolve(now)),
                Ok(at),
                "written as {seconds}"
            );
        }
        Err(said) => {
            assert!(said.len() < 600 && said.contains("is not a time; use"), "{said}");
            return 0;
        }
    }
    hash(shape(&text))
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
