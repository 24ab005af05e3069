//! The targets, each with what must hold for all bytes.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::Target;
use super::mutate::Rng;
use crate::capture::normalize::normalize;
use crate::config::file::File;
use crate::fetch;
use crate::frame::{DELIMITER, FrameBuf, Meta, SHORT_HEADERS, STREAM_TYPE, Timestamp};
use crate::http::query::Query;
use crate::http::routes::{self, Which};
use crate::http::time::When;
use crate::jpeg::{self, Encoder, Found, PixelFormat, Range, Raw, Simd, Splitter, Walk, Walked};
use crate::multipart::{Error, Next, Parser, Part};
use crate::url::{self, Url};

/// The largest picture in all targets: small, so that many inputs exceed it.
const MAX: usize = 1000;

fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// The start of a text without its digits, so that another number alone does not count
/// as a new result.
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
    assert_eq!(address.clone().resolve(|_| true), address);
    let query = Query(&target.query);
    let numbers = (query.number("fps", 0.001..=1000.0), query.number("max_delay", 0..=u32::MAX));
    let words = query.choice("headers", &[("minimal", 1), ("full", 2)]);
    let (times, on) = (query.period(), query.is_on("raw"));
    let (which, path) = (&target.which, &target.path);
    format!("{which:?} {path:?} {numbers:?} {words:?} {times:?} {on} {:?}", query.text("key"))
}

/// The result of a parser: parts with their bodies, and how it ended.
type Parts = (Vec<(Part, Vec<u8>)>, Result<(), Error>);

fn parse(content_type: &str, pieces: &[&[u8]]) -> Parts {
    let mut parser = Parser::new(content_type, MAX);
    let (mut parts, mut body) = (Vec::new(), Vec::new());
    for mut piece in pieces.iter().copied() {
        let len = piece.len();
        loop {
            match parser.feed(&mut piece, &mut body) {
                Ok(Next::Part(part)) => parts.push((part, mem::take(&mut body))),
                Ok(Next::More) => break,
                Err(e) => return (parts, Err(e)),
            }
        }
        assert!(piece.is_empty(), "More was returned with bytes left");
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
    let whole = fetch::clean_head(&[input]);
    for _ in 0..3 {
        let pieces = cut(input, rng);
        assert_eq!(fetch::clean_head(&pieces), whole, "{pieces:?}");
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
    let again = fetch::clean_head(&[&text]);
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
    let realms = fetch::challenge_realms(input);
    assert!(realms.iter().all(|(sent, answered)| sent == answered), "{realms:?}");
    hash(realms.iter().map(|(sent, _)| sent.len().min(3)).take(4).collect::<Vec<_>>())
}

#[test]
fn chunks_in_any_pieces() {
    let words = &["\n", "\r\n", "5", "a;b=c", " ", "0\r\n\r\n", "ffffffff"];
    Target { name: "chunks", words, run: chunks }.fuzz();
}

fn chunks(input: &[u8], rng: &mut Rng) -> u64 {
    let whole = fetch::strip_chunks(&[input]);
    for _ in 0..3 {
        let pieces = cut(input, rng);
        assert_eq!(fetch::strip_chunks(&pieces), whole, "{pieces:?}");
    }
    let data = whole.map(|(data, is_over)| (data.len().min(20), is_over));
    assert!(data.is_none_or(|(n, _)| n <= input.len()));
    hash(data)
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

/// The parser reads back the frames that the daemon writes, in both layouts.
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
    let ends_early = matches!(Walk::default().advance(&jpeg), Walked::End(end) if end < jpeg.len());
    if !ends_early {
        assert_eq!(read(&[DELIMITER, frame.full(), frame.full()].concat(), rng), twice);
    }
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
    assert!(info.len <= input.len());
    assert!(!info.has_end || input[..info.len].ends_with(&[0xFF, 0xD9]));
    assert!(info.width > 0 && info.height > 0);
    let ends = info.edits.iter().flat_map(|e| [e.range.start, e.range.end]).collect::<Vec<_>>();
    assert!(ends.is_sorted() && ends.iter().all(|end| *end <= info.len), "{ends:?}");
    assert!(info.edits.iter().all(|edit| edit.by.len() <= edit.range.len()), "more than before");
    assert!(info.lacks_tables_at.is_none_or(|at| at >= ends.last().copied().unwrap_or(2)));
    assert_eq!(jpeg::check(&input[..info.len]).as_ref(), Ok(&info), "without what is behind it");
    if info.has_end {
        assert_eq!(jpeg::check_whole(&input[..info.len]).as_ref(), Ok(&info), "walked before");
    }
    hash((info.edits.len(), info.lacks_tables_at.is_some(), info.len < input.len(), info.has_end))
}

#[test]
fn jpeg_normalized() {
    Target { name: "jpeg", words: &[], run: normalized }.fuzz();
}

/// A second normalization changes nothing.
fn normalized(input: &[u8], _: &mut Rng) -> u64 {
    let mut buf = FrameBuf::new();
    buf.extend(input);
    let first = match normalize(&mut buf, true) {
        Ok(info) => info,
        Err(fault) => {
            return hash(fault.key());
        }
    };
    let once = buf.jpeg().to_vec();
    let second = normalize(&mut buf, false).unwrap();
    assert_eq!(buf.jpeg(), once, "normalized twice");
    assert_eq!((second.width, second.height), (first.width, first.height));
    let is_lost = first.edits.iter().any(|edit| edit.by.is_empty());
    assert!(turned(&second) == turned(&first) || is_lost, "{first:?} {second:?}");
    assert!(second.edits.is_empty() && second.lacks_tables_at.is_none() && second.has_end);
    hash((first.edits.len(), first.lacks_tables_at.is_some(), first.len < input.len()))
}

fn turned(info: &jpeg::Info) -> Option<u8> {
    info.orientation.map(jpeg::Orientation::number).filter(|n| *n > 1)
}

#[test]
fn exif_of_cameras() {
    let words = &["Exif\0\0", "MM\0*\0\0\0\x08", "II*\0\x08\0\0\0", "\0\x01", "\x01\x12\0\x03"];
    Target { name: "exif", words, run: exif }.fuzz();
}

/// An APP1 segment is kept, replaced or removed, and never grows.
fn exif(input: &[u8], _: &mut Rng) -> u64 {
    let content = &input[..input.len().min(60_000)];
    let length = u16::try_from(content.len() + 2).unwrap();
    let sof = [0xFF, 0xC0, 0, 11, 8, 0, 48, 0, 64, 1, 1, 0x11, 0, 0xFF, 0xC4, 0, 2];
    let scan = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x12, 0x34, 0xFF, 0xD9];
    let app1 = [&[0xFF, 0xD8, 0xFF, 0xE1][..], &length.to_be_bytes(), content].concat();
    let jpeg = [&app1[..], &sof, &scan].concat();
    let mut buf = FrameBuf::new();
    buf.extend(&jpeg);
    let info = normalize(&mut buf, false).unwrap();
    let bounds = |marker: u8| memchr::memmem::find_iter(buf.jpeg(), &[0xFF, marker]).count();
    assert_eq!((bounds(0xD8), bounds(0xD9)), (1, 1));
    let again = jpeg::check(buf.jpeg()).unwrap();
    // A shorter one has no room for more than its tag, and none for a thumbnail.
    assert!(turned(&again) == turned(&info) || content.len() < 32);
    assert!(buf.jpeg().len() <= jpeg.len());
    assert!(buf.jpeg() == jpeg || !info.edits.is_empty());
    hash((turned(&info), info.edits.len()))
}

/// The results of a splitter: pictures, with those that break off, and errors.
fn split(pieces: &[&[u8]]) -> Vec<Result<(Vec<u8>, bool), jpeg::Error>> {
    let (mut splitter, mut found) = (Splitter::new(MAX), Vec::new());
    let longest = pieces.iter().map(|piece| piece.len()).max().unwrap_or(0);
    for piece in pieces {
        splitter.push(piece);
        loop {
            match splitter.next_jpeg() {
                Ok(Some(Found { jpeg, is_whole })) => found.push(Ok((jpeg.to_vec(), is_whole))),
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
    for (jpeg, is_whole) in whole.iter().flatten() {
        assert!(jpeg.starts_with(&[0xFF, 0xD8, 0xFF]) && jpeg.len() <= MAX);
        if *is_whole {
            assert!(jpeg.ends_with(&[0xFF, 0xD9]));
            assert_eq!(split(&[jpeg]), [Ok((jpeg.clone(), true))], "alone");
        }
    }
    for _ in 0..3 {
        let pieces = cut(input, rng);
        assert_eq!(split(&pieces), whole, "{pieces:?}");
    }
    let faults = whole.iter().filter_map(|f| f.as_ref().err().map(|f| f.key()));
    hash((whole.iter().flatten().count(), faults.take(4).collect::<Vec<_>>()))
}

#[test]
fn raw_pictures() {
    Target { name: "raw", words: &[], run: raw_picture }.fuzz();
}

/// Six bytes say what the others are a picture of: format, width, height,
/// padding, quality, and the rest bit by bit. Pixels are repeated.
fn raw_picture(input: &[u8], _: &mut Rng) -> u64 {
    let [format, width, height, pad, quality, how, pixels @ ..] = input else { return 0 };
    let format = PixelFormat::ALL[usize::from(*format) % PixelFormat::ALL.len()];
    let size = (usize::from(*width), usize::from(*height) % 80);
    let stride = (format.line_len(size.0) + usize::from(*pad)).saturating_sub(2);
    let n_bytes = if how & 1 == 0 { size.1 * (stride + 1) * 2 } else { pixels.len() };
    let data: Vec<u8> = pixels.iter().copied().cycle().take(n_bytes).collect();
    let range = if how & 2 == 0 { Range::Full } else { Range::Limited };
    let raw = match Raw::new(format, size, stride, range, &data) {
        Ok(raw) => raw,
        Err(fault) => return hash(shape(&fault.to_string())),
    };
    let n_threads = if how & 4 == 0 { 1 } else { 2 };
    let [best, baseline] = [Simd::best(), Simd::baseline()].map(|simd| {
        let (mut encoder, mut out) =
            (Encoder::new(*quality % 100 + 1, n_threads, simd), Vec::new());
        encoder.encode(&raw, &mut out).unwrap();
        out
    });
    assert!(best == baseline, "the instructions change the bytes");
    let info = jpeg::check(&best).unwrap();
    assert_eq!((usize::from(info.width), usize::from(info.height)), size);
    assert_eq!(info.len, best.len());
    let mut decoder = jpeg_decoder::Decoder::new(&best[..]);
    let decoded = decoder.decode().unwrap();
    let n_colours = if format == PixelFormat::Grey { 1 } else { 3 };
    assert_eq!(decoded.len(), size.0 * size.1 * n_colours);
    hash((format.name(), size.0 % 32 / 4, size.1 % 16 / 4))
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
            let text = format!("{fault:#}");
            assert!(!text.contains('\n') && text.contains("FILE"), "{text:?}");
            hash(shape(&text))
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
