//! A transport between the connection and ureq that cleans the heads of answers.
//!
//! Bodies pass unchanged, in the buffers of the connection below, without a copy.

use std::fmt;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use parking_lot::Mutex;
use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

use super::head::{Head, HeadError, HeadReader};

/// Wraps each connection.
#[derive(Debug)]
pub(super) struct CleanHeads(pub(super) Arc<Exchange>);

/// State that the fetcher shares with its connection, since ureq has no place for it.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    /// Whether ureq would refuse the chunks of this body. ureq then gets the body as one
    /// endless chunk, and [`super::BodyReader`] removes the real chunks.
    pub(super) has_odd_chunks: AtomicBool,
    /// The value of Authorization, if it has bytes above 127. ureq does not send these,
    /// so it gets question marks, and the connection restores the bytes.
    pub(super) authorization: Mutex<Option<Vec<u8>>>,
}

impl Exchange {
    /// Stores a value of Authorization, and returns the form that ureq accepts.
    pub(super) fn set_authorization(&self, value: Vec<u8>) -> Vec<u8> {
        let text = in_ascii(&value);
        *self.authorization.lock() = (text != value).then_some(value);
        text
    }

    /// Restores the stored value in the bytes of a request.
    fn restore_authorization(&self, request: &mut [u8]) {
        let mut held = self.authorization.lock();
        let Some(value) = &*held else { return };
        if let Some(at) = memchr::memmem::find(request, &in_ascii(value)) {
            // The form for ureq has the same length, so nothing moves.
            request[at..at + value.len()].copy_from_slice(value);
            *held = None;
        }
    }
}

fn in_ascii(value: &[u8]) -> Vec<u8> {
    value.iter().map(|b| if b.is_ascii() { *b } else { b'?' }).collect()
}

impl<In: Transport> Connector<In> for CleanHeads {
    type Out = Cleaned<In>;

    fn connect(
        &self,
        _: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|inner| Cleaned {
            inner,
            stage: Stage::PassThrough,
            ready: Ready::default(),
            exchange: Arc::clone(&self.0),
        }))
    }
}

/// A connection, and which part of an answer comes next.
pub(super) struct Cleaned<T> {
    inner: T,
    stage: Stage,
    /// Bytes that ureq reads before those of the connection.
    ready: Ready,
    exchange: Arc<Exchange>,
}

enum Stage {
    /// The request goes out, or the body comes in.
    PassThrough,
    /// The request is sent, the head is read.
    Head(HeadReader),
    /// ureq reads `ready`; the body follows.
    Ready { is_chunked: bool },
    /// The head announces chunks. Some servers announce them for every answer, so the
    /// first line of the body decides.
    FirstChunk,
}

/// Own bytes, in the form in which ureq reads a connection.
#[derive(Default)]
struct Ready {
    bytes: Vec<u8>,
    n_read: usize,
}

impl<T: Transport> Cleaned<T> {
    fn read_head(&mut self, mut reader: HeadReader, timeout: NextTimeout) -> Result<bool, Error> {
        let mut is_end = false;
        loop {
            let buffers = self.inner.buffers();
            let (n_done, head) = reader.read(buffers.input(), is_end).map_err(refused)?;
            buffers.input_consume(n_done);
            // Some servers never end the head of a redirect, and wait for the next request.
            if let Some(Head { text, is_chunked }) = head.or_else(|| reader.cut_short()) {
                self.ready = Ready { bytes: text, n_read: 0 };
                self.stage = Stage::Ready { is_chunked };
                return Ok(true);
            }
            if is_end {
                self.stage = Stage::PassThrough;
                return Ok(false);
            }
            is_end = match self.inner.await_input(timeout) {
                Ok(has_more) => !has_more,
                // Some servers end the head by closing the connection. With TLS, a close
                // without its alert is an error as well.
                Err(Error::Io(e)) if is_close(e.kind()) && reader.has_begun() => true,
                Err(e) => return Err(e),
            };
        }
    }

    /// Checks whether the body has chunks, as its head says. If it has none, or odd ones,
    /// ureq gets it as one endless chunk.
    fn read_first_chunk(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let kind = loop {
            match ChunkForm::from_input(self.inner.buffers().input()) {
                Some(kind) => break kind,
                None if self.inner.await_input(timeout)? => {}
                None => {
                    self.stage = Stage::PassThrough;
                    return Ok(false);
                }
            }
        };
        self.exchange.has_odd_chunks.store(kind == ChunkForm::Odd, Relaxed);
        self.stage = Stage::PassThrough;
        if kind != ChunkForm::Strict {
            // The largest size that ureq can add to without an overflow. Where that is 2
            // GB, on 32 bits, the stream ends there and is requested again.
            let bytes = format!("{:x}\r\n", usize::MAX >> 1).into_bytes();
            self.ready = Ready { bytes, n_read: 0 };
            self.stage = Stage::Ready { is_chunked: false };
        }
        Ok(true)
    }

    /// Goes on to the body once `ready` was read.
    fn advance(&mut self) {
        if let Stage::Ready { is_chunked } = self.stage
            && self.ready.input().is_empty()
        {
            self.ready = Ready::default();
            self.stage = if is_chunked { Stage::FirstChunk } else { Stage::PassThrough };
        }
    }
}

/// How a body begins that was announced to be chunked.
#[derive(Clone, Copy, PartialEq)]
enum ChunkForm {
    /// A size in a form that ureq accepts.
    Strict,
    /// A size in another form.
    Odd,
    /// No size: the body is not chunked.
    None,
}

impl ChunkForm {
    /// Judges the first bytes of a body; `None` if more are needed.
    fn from_input(input: &[u8]) -> Option<Self> {
        /// The longest line in ureq's parser of chunks, without the line end.
        const MAX_STRICT: usize = 20;
        /// No size with its extensions is longer.
        const MAX_LINE: usize = 4096;
        if !matches!(input.first()?, b' ' | b'\t' | b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') {
            return Some(Self::None);
        }
        match memchr::memchr(b'\n', input) {
            // ureq wants CRLF, and gives up on a longer line.
            Some(at) if at <= MAX_STRICT && input[..at].ends_with(b"\r") => Some(Self::Strict),
            Some(_) => Some(Self::Odd),
            // Hexadecimal digits without an end: text, not a size.
            None => (input.len() > MAX_LINE).then_some(Self::None),
        }
    }
}

fn is_close(kind: ErrorKind) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(kind, ConnectionAborted | ConnectionReset | UnexpectedEof)
}

fn refused(error: HeadError) -> Error {
    Error::Other(Box::new(error))
}

impl<T: Transport> Transport for Cleaned<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.advance();
        match self.stage {
            // Also in the state `Head`: ureq may send the rest of the request.
            Stage::PassThrough | Stage::Head(_) => self.inner.buffers(),
            Stage::Ready { .. } | Stage::FirstChunk => &mut self.ready,
        }
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.exchange.restore_authorization(&mut self.inner.buffers().output()[..amount]);
        self.stage = Stage::Head(HeadReader::default());
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.advance();
        // A wait that ends at its deadline is an error, and the caller tries again. So
        // each stage stays in place until its bytes have come.
        match &mut self.stage {
            Stage::PassThrough => self.inner.await_input(timeout),
            Stage::Head(reader) => {
                let reader = std::mem::take(reader);
                self.read_head(reader, timeout)
            }
            Stage::FirstChunk => self.read_first_chunk(timeout),
            Stage::Ready { .. } => Ok(true),
        }
    }

    /// Whether the connection can be used for another request: this answer was read to
    /// its end. ureq itself checks that no bytes follow.
    fn is_open(&mut self) -> bool {
        self.advance();
        matches!(self.stage, Stage::PassThrough) && self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

impl Buffers for Ready {
    fn output(&mut self) -> &mut [u8] {
        &mut []
    }

    fn input(&self) -> &[u8] {
        &self.bytes[self.n_read..]
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        &mut []
    }

    fn input_appended(&mut self, _: usize) {}

    fn input_consume(&mut self, amount: usize) {
        self.n_read = (self.n_read + amount).min(self.bytes.len());
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        (&mut [], &mut [])
    }

    fn can_use_input(&self) -> bool {
        !self.input().is_empty()
    }
}

impl<T: Transport> fmt::Debug for Cleaned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorization_goes_out_as_the_bytes_that_it_is() {
        let exchange = Exchange::default();
        assert_eq!(exchange.set_authorization(b"Basic x".to_vec()), b"Basic x");
        assert_eq!(
            exchange.set_authorization(b"Digest realm=\"caf\xE9\"".to_vec()),
            b"Digest realm=\"caf?\""
        );
        let mut other = *b"GET / HTTP/1.1\r\n";
        exchange.restore_authorization(&mut other);
        assert_eq!(&other, b"GET / HTTP/1.1\r\n");
        for value in [&b"caf\xE9"[..], b"caf?"] {
            let mut request = b"authorization: Digest realm=\"caf?\"\r\n".to_vec();
            exchange.restore_authorization(&mut request);
            // Only once: the next request may be for another server.
            assert_eq!(request, [b"authorization: Digest realm=\"", value, b"\"\r\n"].concat());
        }
    }

    #[test]
    fn first_line_of_a_body_shows_whether_it_has_chunks() {
        let is = |input: &[u8]| ChunkForm::from_input(input);
        assert!(is(b"").is_none() && is(b"5").is_none() && is(b"5\r").is_none());
        assert!(is(b"1a;x=y\r\n") == Some(ChunkForm::Strict));
        assert!(is(b"5\nhello") == Some(ChunkForm::Odd));
        assert!(is(b"5;a=\"longer than twenty bytes\"\r\n") == Some(ChunkForm::Odd));
        assert!(is(b"--b") == Some(ChunkForm::None) && is(b"\xFF") == Some(ChunkForm::None));
        assert!(is(&[b'5'; 5000]) == Some(ChunkForm::None));
    }
}
