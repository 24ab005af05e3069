//! Reads a stream part by part, and fails on any byte that neither of the two
//! layouts has.

use super::client::{Client, code, header};

/// The layout of the bytes around each JPEG.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Layout {
    /// A: without lengths, and with the header of the next part sent right
    /// after each picture.
    Advance,
    /// B: with length and time in each part.
    Full,
}

/// One part of a stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    /// Header lines, joined by CRLF, including the blank line.
    pub(crate) head: String,
    pub(crate) jpeg: Vec<u8>,
}

/// A viewer.
pub(crate) struct Viewer {
    pub(crate) client: Client,
    /// The head of the reply.
    pub(crate) head: String,
    layout: Option<Layout>,
}

const OPENING: &[u8] = b"--frame\r\n";
const ADVANCE_TAIL: &[u8] = b"\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n";
const FULL_TAIL: &[u8] = b"\r\n--frame\r\n";
const SHORT_HEAD: &str = "Content-Type: image/jpeg\r\n\r\n";

impl Viewer {
    /// Reads the head of a stream that was already requested on this
    /// connection.
    pub(crate) fn new(mut client: Client) -> Self {
        let head = client.head();
        assert_eq!(code(&head), 200, "{head}");
        Self { client, head, layout: None }
    }

    /// The layout, found from the bytes of the body.
    pub(crate) fn layout(&mut self) -> Layout {
        if self.layout.is_none() {
            self.next();
        }
        self.layout.unwrap()
    }

    /// The next part.
    pub(crate) fn next(&mut self) -> Part {
        self.next_or_end().expect("the stream ended")
    }

    /// The next part, or `None` when the stream has ended.
    pub(crate) fn next_or_end(&mut self) -> Option<Part> {
        if self.layout == Some(Layout::Advance) {
            return self.advance();
        }
        if self.layout.is_none() {
            assert_eq!(self.client.take(OPENING.len()), OPENING);
        }
        let head = String::from_utf8(self.client.take_through(b"\r\n\r\n")?).unwrap();
        if head == SHORT_HEAD && self.layout.is_none() {
            self.layout = Some(Layout::Advance);
            return self.advance();
        }
        self.layout = Some(Layout::Full);
        let length: usize = header(&format!("\r\n{head}"), "Content-Length")?.parse().unwrap();
        let jpeg = self.client.take(length);
        assert_eq!(self.client.take(FULL_TAIL.len()), FULL_TAIL, "behind a JPEG");
        Some(Part { head, jpeg })
    }

    fn advance(&mut self) -> Option<Part> {
        let mut jpeg = self.client.take_through(ADVANCE_TAIL)?;
        jpeg.truncate(jpeg.len() - ADVANCE_TAIL.len());
        Some(Part { head: SHORT_HEAD.into(), jpeg })
    }
}

impl Part {
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        header(&format!("\r\n{}", self.head), name).map(str::to_owned)
    }

    /// When the picture was captured, in seconds since 1970.
    pub(crate) fn timestamp(&self) -> f64 {
        self.header("X-Timestamp").expect("no X-Timestamp").parse().unwrap()
    }
}
