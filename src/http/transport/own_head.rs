//! Requests that are read here and not by `tiny_http`: those of Unix sockets,
//! and those with bytes above 127 (see `high_bytes`).

use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::str::FromStr;

use tiny_http::{Header, Method, Request, TestRequest};

use super::descriptor;

/// Answers to a head that cannot be served, before there is a request.
pub(super) const BAD_REQUEST: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
pub(super) const TOO_LARGE: &[u8] = b"HTTP/1.1 431 Request Header Fields Too Large\r\n\
    Connection: close\r\nContent-Length: 0\r\n\r\n";

/// Who holds the body of a request.
pub(super) enum Body {
    /// `tiny_http`, which has read the head.
    OfLibrary,
    Own(OwnBody),
}

/// A body that is read here.
#[derive(Debug, PartialEq)]
pub(super) struct OwnBody {
    /// What the client announces, in bytes. `None`: it does not say, as the body is chunked.
    pub(super) length: Option<usize>,
    /// What came with the head.
    pub(super) ahead: Vec<u8>,
    /// Whether the client waits for "100 Continue" (RFC 9110 10.1.1).
    pub(super) is_expecting: bool,
}

/// How far a head is.
#[derive(Debug, PartialEq)]
pub(super) enum Progress {
    Partial,
    Whole,
    /// More bytes than a head may have.
    TooLarge,
    /// The client has left.
    Lost,
}

/// Reads what has come, until the head is whole. Does not wait.
pub(super) fn read(socket: impl AsFd, bytes: &mut Vec<u8>, max_bytes: u64) -> Progress {
    let mut piece = [0; 4096];
    loop {
        let n = match descriptor::read_now(&socket, &mut piece) {
            Ok(0) => return Progress::Lost,
            Ok(n) => n,
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Progress::Partial,
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return Progress::Lost,
        };
        // The end may lie across two pieces.
        let from = bytes.len().saturating_sub(3);
        bytes.extend_from_slice(&piece[..n]);
        match memchr::memmem::find(&bytes[from..], b"\r\n\r\n") {
            Some(at) if (from + at) as u64 <= max_bytes => return Progress::Whole,
            None if bytes.len() as u64 <= max_bytes => {}
            _ => return Progress::TooLarge,
        }
    }
}

/// A request without the header lines that have a byte above 127, and its body.
/// `None`: the bytes do not begin with a head.
pub(super) fn parse(bytes: &[u8]) -> Option<(Request, OwnBody)> {
    let end = memchr::memmem::find(bytes, b"\r\n\r\n")?;
    let mut lines = bytes[..end].split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
    let mut words = lines.next()?.split(|b| *b == b' ');
    let method = Method::from_str(std::str::from_utf8(words.next()?).ok()?).ok()?;
    let target = words.next().filter(|target| !target.is_empty()).map(escape)?;
    if !words.next()?.starts_with(b"HTTP/1.") {
        return None;
    }
    let mut request = TestRequest::new().with_method(method).with_path(&target);
    let ahead = bytes[end + 4..].to_vec();
    let mut body = OwnBody { length: Some(0), ahead, is_expecting: false };
    for line in lines.filter(|line| line.is_ascii()) {
        let header = std::str::from_utf8(line).ok()?.parse::<Header>().ok()?;
        let is = |name: &'static str| header.field.equiv(name);
        if is("Content-Length") {
            // Chunked wins over a length (RFC 9112 6.3).
            let length = header.value.as_str().parse().ok()?;
            body.length = body.length.map(|_| length);
        } else if is("Transfer-Encoding") {
            body.length = None;
        } else if is("Expect") {
            body.is_expecting = true;
        } else if !is("Connection") {
            // One request a connection is answered, whatever it says of that.
            request = request.with_header(header);
        }
    }
    Some((request.into(), body))
}

/// A target with the bytes escaped that a URI cannot have (RFC 3986 2.1).
fn escape(target: &[u8]) -> String {
    let one = |b: &u8| match b {
        b if b.is_ascii() => char::from(*b).to_string(),
        b => format!("%{b:02X}"),
    };
    target.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::http::transport::wait_until;

    #[test]
    fn lines_with_high_bytes_are_left_out_and_the_rest_is_kept() {
        let (request, body) = parse(
            "HEAD /stream?key=Zürich HTTP/1.1\r\nHost: cam\r\nCookie: user=Zürich\r\n\
             Authorization: Basic YTpi\r\nConnection: Upgrade\r\nExpect: x\r\n\r\nmore"
                .as_bytes(),
        )
        .unwrap();
        assert_eq!(request.url(), "/stream?key=Z%C3%BCrich");
        assert_eq!(*request.method(), Method::Head);
        let names = request.headers().iter().map(|h| h.field.as_str().as_str());
        assert_eq!(names.collect::<Vec<_>>(), ["Host", "Authorization", "Content-Length"]);
        let ahead = b"more".to_vec();
        assert_eq!(body, OwnBody { length: Some(0), ahead, is_expecting: true });
    }

    #[test]
    fn body_is_as_long_as_the_head_says() {
        let length = |lines: &str| {
            let head = format!("POST / HTTP/1.1\r\n{lines}\r\n\r\n");
            parse(head.as_bytes()).map(|(_, body)| body.length)
        };
        assert_eq!(length("Content-Length: 5"), Some(Some(5)));
        assert_eq!(length("Content-Length: 5\r\nTransfer-Encoding: chunked"), Some(None));
        assert_eq!(length("Transfer-Encoding: chunked\r\nContent-Length: 5"), Some(None));
        assert_eq!(length("Content-Length: -5"), None);
        assert_eq!(length("Content-Length: 99999999999999999999999"), None);
    }

    #[test]
    fn what_is_no_head_is_none() {
        for head in [
            &b"GET / HTTP/1.1\r\nHost: a\r\n"[..],
            b"GET /\r\n\r\n",
            b"GET  HTTP/1.1\r\n\r\n",
            b"GET / HTTP/2.0\r\n\r\n",
            b"G\xff / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
            b"\r\n\r\n",
        ] {
            assert!(parse(head).is_none(), "{}", head.escape_ascii());
        }
    }

    #[test]
    fn head_is_read_in_pieces_and_no_further_than_its_end() {
        let (ours, mut client) = UnixStream::pair().unwrap();
        let mut bytes = Vec::new();
        assert_eq!(read(&ours, &mut bytes, 100), Progress::Partial);
        client.write_all(b"GET / HTTP/1.1\r\n\r").unwrap();
        assert_eq!(read(&ours, &mut bytes, 100), Progress::Partial);
        client.write_all(&[&b"\n"[..], &[b'x'; 5000]].concat()).unwrap();
        assert_eq!(read(&ours, &mut bytes, 100), Progress::Whole);
        let (mut endless, max) = (Vec::new(), 100);
        client.write_all(&[b'x'; 200]).unwrap();
        assert_eq!(read(&ours, &mut endless, max), Progress::TooLarge);
        drop(client);
        // A command that another test starts has it, too, until it becomes another program.
        wait_until("it is lost", || read(&ours, &mut Vec::new(), max) == Progress::Lost);
    }
}
