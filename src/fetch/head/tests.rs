use super::fields::MAX_KEPT;
use super::*;

/// What is made of a head, and the body behind it.
fn read(bytes: &[u8]) -> (String, String) {
    let (n, head) = HeadReader::default().read(bytes, false).unwrap();
    let head = head.unwrap_or_else(|| panic!("{:?} has no end", String::from_utf8_lossy(bytes)));
    let text = String::from_utf8_lossy(&head.text).replace("\r\n", "\n");
    (text.trim_end().to_owned(), String::from_utf8_lossy(&bytes[n..]).into_owned())
}

fn head(bytes: impl AsRef<[u8]>) -> String {
    read(bytes.as_ref()).0
}

const TYPE: &str = "\nContent-Type: multipart/x-mixed-replace;boundary=b";

#[test]
fn lines_that_are_no_headers_are_skipped() {
    for line in [
        "Tue, 12 Jun 2012 01:56:34 GMT",
        "hello",
        ": no name",
        "Caf\u{e9}: au lait",
        "X\0Y: z",
        " folded, but behind nothing",
        "HTTP/1.1 200 OK",
        "Server: \u{1}\u{7f}\u{e9}",
    ] {
        let cleaned = head(format!("HTTP/1.1 200 OK\r\n{line}\r\n{}\r\n\r\n", TYPE.trim()));
        assert_eq!(cleaned, format!("HTTP/1.1 200{TYPE}"), "{line:?}");
    }
}

#[test]
fn headers_are_found_however_they_are_written() {
    for written in [
        "Content-Type : multipart/x-mixed-replace;boundary=b",
        "CONTENT-TYPE\t:\tmultipart/x-mixed-replace;boundary=b  ",
        "content-type:multipart/x-mixed-replace;boundary=b",
        "  Content-Type: multipart/x-mixed-replace;boundary=b",
        "Server: x\r\n\tContent-Type: multipart/x-mixed-replace;boundary=b",
        "Server: x\rContent-Type: multipart/x-mixed-replace;boundary=b",
        "Content-Type: text/html\r\nContent-Type: multipart/x-mixed-replace;boundary=b",
        "Content-Type: multipart/x-mixed-replace;boundary=b\r\nContent-Type: text/html",
        "Content-Type: multipart/x-mixed-replace;boundary=b\r\nContent-Type:",
    ] {
        let cleaned = head(format!("HTTP/1.1 200 OK\r\n{written}\r\n\r\n"));
        assert_eq!(cleaned, format!("HTTP/1.1 200{TYPE}"), "{written:?}");
    }
    for folded in [
        "Content-Type: multipart/x-mixed-replace;\r\n boundary=b",
        "Content-Type:\r\n\tmultipart/x-mixed-replace;\r\n   boundary=b",
    ] {
        let cleaned =
            head(format!("HTTP/1.1 200 OK\r\nServer: x\r\n y\r\n{folded}\r\nX: y\r\n\r\n"));
        assert_eq!(cleaned.replace("; b", ";b"), format!("HTTP/1.1 200{TYPE}"), "{folded:?}");
    }
}

#[test]
fn every_line_end_is_accepted() {
    let lines = ["HTTP/1.1 200 OK", "Server: x", TYPE.trim()];
    for end in ["\r\n", "\n", "\r", "\r\r\n"] {
        let text = [&lines.join(end), end, end, "--b"].concat();
        let cleaned = read(text.as_bytes());
        assert_eq!(cleaned, (format!("HTTP/1.1 200{TYPE}"), "--b".into()), "{end:?}");
    }
    let mixed = ["HTTP/1.1 200 OK\rServer: x\r\n", TYPE.trim(), "\n\n--b"].concat();
    assert_eq!(read(mixed.as_bytes()), (format!("HTTP/1.1 200{TYPE}"), "--b".into()));
}

#[test]
fn status_is_read_from_every_form_of_its_line() {
    for (line, code) in [
        ("HTTP/1.1 200", "1.1 200"),
        ("HTTP/1.1 404 Not Found", "1.1 404"),
        ("HTTP 200 OK", "1.0 200"),
        ("http/1.0 200 ok", "1.0 200"),
        ("HTTP/0.9 200 OK", "1.0 200"),
        ("HTTP/1.2 401 No", "1.1 401"),
        ("HTTP/2 200", "1.1 200"),
        ("HTTP/1.1  \t503\tFull", "1.1 503"),
        ("  HTTP/1.1 200OK", "1.1 200"),
        ("HTTP/1.1 OK", "1.1 200"),
        ("HTTP/1.1", "1.1 200"),
        ("HTTP/1.1 0 OK", "1.1 200"),
        ("HTTP/1.1 99999999999999999999 OK", "1.1 200"),
        ("HTTP/1.1 200 caf\u{e9}", "1.1 200"),
        ("ICY 200 OK", "1.0 200"),
        ("\r\n\r\nHTTP/1.0 200 OK", "1.0 200"),
        ("\u{feff}HTTP/1.1 200 OK", "1.1 200"),
        ("Server: no status line", "1.0 200"),
        ("Status: 404 Not Found", "1.0 404"),
        ("HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 200 OK", "1.1 200"),
        ("HTTP/1.1 102 x\r\n\r\nHTTP/1.1 103 x\r\nLink: y\r\n\r\nHTTP/1.0 404 x", "1.0 404"),
        ("HTTP/1.1 101 Switching", "1.1 101"),
    ] {
        assert_eq!(head(format!("{line}\r\nX: y\r\n\r\n")), format!("HTTP/{code}"), "{line:?}");
    }
}

#[test]
fn bytes_that_are_no_head_are_refused_with_their_start() {
    for line in
        ["SSH-2.0-OpenSSH_9.2", "220 ready", "RTSP/1.0 200 OK", "HTTPS: x y", "<p>", "HTTP/1.1 No"]
    {
        let mut reader = HeadReader::default();
        let end = reader.read(format!("{line}\r\n\r\n").as_bytes(), false);
        match end {
            Err(HeadError::NotHttp(begin)) => assert_eq!(begin, line),
            end => assert_eq!(line, "HTTPS: x y", "{end:?}"),
        }
    }
}

#[test]
fn body_may_come_at_once() {
    for body in ["--b\r\nContent-Type: image/jpeg\r\n", "\r\n--b\r\n", "--"] {
        let rest = body.trim_start();
        assert_eq!(read(body.as_bytes()), ("HTTP/1.0 200".into(), rest.into()));
    }
    let (n, found) = HeadReader::default().read(b"\xFF\xD8\xFF\xE0", false).unwrap();
    assert_eq!((n, &found.unwrap().text[..]), (0, &b"HTTP/1.0 200\r\n\r\n"[..]));
    // Without the blank line between.
    let text = ["HTTP/1.1 200 OK\r\n", TYPE.trim(), "\r\n--b\r\n"].concat();
    assert_eq!(read(text.as_bytes()), (format!("HTTP/1.1 200{TYPE}"), "--b\r\n".into()));
}

#[test]
fn implausible_lengths_are_ignored() {
    for (lengths, lone, parts) in [
        ("500", "500", "500"),
        ("+500", "500", "500"),
        ("500 bytes", "500", "500"),
        ("500, 500", "500", "500"),
        ("500\r\nContent-Length: 500", "500", "500"),
        ("500\r\nContent-Length: 700", "700", ""),
        ("-1\r\nContent-Length: 700", "700", "700"),
        ("0", "0", ""),
        ("1", "1", ""),
        ("-1", "", ""),
        ("", "", ""),
        ("many", "", ""),
        ("99999999999999999999", "", ""),
        ("9999999999", "9999999999", "9999999999"),
    ] {
        for (name, length) in [("image/jpeg", lone), ("multipart/x-mixed-replace", parts)] {
            let cleaned = head(format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {lengths}\r\nContent-Type: {name}\r\n\r\n"
            ));
            let line = format!("\nContent-Length: {length}");
            let line = if length.is_empty() { "" } else { &line };
            assert_eq!(cleaned, format!("HTTP/1.1 200{line}\nContent-Type: {name}"), "{lengths:?}");
        }
    }
}

#[test]
fn chunked_coding_is_recognised_in_any_form() {
    for (coding, chunked) in [
        ("chunked", true),
        ("Chunked", true),
        (" CHUNKED ", true),
        ("identity, chunked", true),
        ("chunked;x=y", true),
        ("identity", false),
        ("", false),
        ("unchunked", false),
    ] {
        let text =
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\nContent-Length: 5\r\n\r\n");
        let line = if chunked { "Transfer-Encoding: chunked" } else { "Content-Length: 5" };
        assert_eq!(head(text), format!("HTTP/1.1 200\n{line}"), "{coding:?}");
    }
    let old = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(head(old), "HTTP/1.1 200\nTransfer-Encoding: chunked\nConnection: close");
}

#[test]
fn redirect_is_not_waited_for() {
    let text = b"HTTP/1.1 302 Found\r\nLocation: /a b\xE9\"\r\n";
    let clean =
        b"HTTP/1.1 302\r\nContent-Length: 0\r\nConnection: close\r\nLocation: /a%20b%E9%22\r\n\r\n";
    let mut reader = HeadReader::default();
    assert_eq!(reader.read(&text[..30], false), Ok((30, None)));
    assert_eq!(reader.cut_short(), None);
    assert_eq!(reader.read(&text[30..], false), Ok((text.len() - 30, None)));
    assert_eq!(reader.cut_short().unwrap().text, clean);
    for (more, is_read) in [
        ("Transfer-Encoding: chunked\r\nContent-Length: 5", false),
        ("Content-Length: 99999", false),
        ("Content-Length: 500", true),
    ] {
        let cleaned = head(format!("HTTP/1.1 302 Found\r\n{more}\r\nLocation: /a\r\n\r\n"));
        assert_eq!(cleaned.contains("Content-Length: 500"), is_read, "{cleaned}");
        assert_eq!(cleaned.contains("Content-Length: 0\nConnection: close"), !is_read, "{cleaned}");
    }
    let whole = String::from_utf8_lossy(clean).replace("\r\n", "\n");
    assert_eq!(head([&text[..], b"\r\n"].concat()), whole.trim_end());
}

#[test]
fn neither_many_headers_nor_long_ones_do_harm() {
    let many: String = (0..5000).map(|n| format!("X-{n}: y\r\n")).collect();
    let long = format!("X-Long: {}\r\n", "y".repeat(100_000));
    let text = ["HTTP/1.1 200 OK\r\n", &many, &long, TYPE.trim(), "\r\n\r\n"].concat();
    assert_eq!(head(text), format!("HTTP/1.1 200{TYPE}"));
    let challenges = "WWW-Authenticate: Basic\r\n".repeat(1000);
    let cleaned = head(["HTTP/1.1 401 No\r\n", &challenges, "\r\n"].concat());
    assert_eq!(cleaned.lines().count(), 1 + MAX_KEPT);
    for endless in
        ["X: y\r\n", "y", "\r", "\n", " ", "HTTP/1.1 100 x\n\n", "WWW-Authenticate:\r\n\t"]
    {
        let (mut reader, text) = (HeadReader::default(), endless.repeat(5000));
        let (mut n, mut end) = (0, Ok((0, None)));
        while end.is_ok() && n < MAX_HEAD_BYTES + 2 * text.len() {
            end = reader.read(text.as_bytes(), false);
            n += text.len();
        }
        let is_refused = matches!(end, Err(HeadError::TooLong | HeadError::NotHttp(_)));
        assert!(is_refused, "{endless:?}: {end:?}");
        let n_held = reader.fields.n_bytes_held();
        assert!(reader.line.len() <= MAX_LINE_BYTES && n_held <= MAX_HEAD_BYTES, "{endless:?}");
    }
}

#[test]
fn end_of_the_connection_ends_a_head() {
    let read = |bytes: &[u8]| {
        let (_, head) = HeadReader::default().read(bytes, true).unwrap();
        head.map(|head| String::from_utf8(head.text).unwrap())
    };
    assert_eq!(read(b""), None);
    assert_eq!(read(b"\r\n"), None);
    let unauthorized = "HTTP/1.1 401\r\nWWW-Authenticate: Basic\r\n\r\n";
    assert_eq!(read(b"HTTP/1.1 401 x\r\nWWW-Authenticate: Basic\r\n").unwrap(), unauthorized);
    assert_eq!(read(b"HTTP/1.1 401 x\r\nWWW-Authenticate: Basic").unwrap(), unauthorized);
    assert_eq!(read(b"HTTP/1.1 404").unwrap(), "HTTP/1.1 404\r\n\r\n");
}
