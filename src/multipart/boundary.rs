//! The boundary, and the delimiter lines made of it.

use memchr::memmem::Finder;

/// The boundary between parts, without the dashes around it, because servers
/// disagree on how many there are in the header and on the wire.
#[derive(Clone, Debug)]
pub(super) struct Boundary {
    name: Vec<u8>,
    finder: Finder<'static>,
}

/// What follows the name of a boundary.
#[derive(Debug, PartialEq)]
pub(super) enum LineEnd {
    /// Perhaps the rest of a delimiter line; more bytes will decide.
    More,
    Line {
        is_closing: bool,
    },
    /// Something else, so this is no delimiter line.
    No,
}

impl Boundary {
    /// RFC 2046 allows 70 bytes; a few servers use more.
    const MAX_BYTES: usize = 256;
    /// The longest white space behind a delimiter, with its line end.
    const MAX_END_BYTES: usize = 64;

    /// A boundary from the text in a header or a first line, without the dashes before
    /// it; `None` if it is empty or too long.
    pub(super) fn new(text: &[u8]) -> Option<Self> {
        let name = text.trim_ascii();
        // Servers write two dashes more or fewer on the wire than in the header, so all of
        // them are left out on both sides.
        let name = &name[name.iter().take_while(|b| **b == b'-').count()..];
        // A name with a line end would never be found, as it is searched for in one line.
        let is_sound = !name.is_empty() && name.len() <= Self::MAX_BYTES && !name.contains(&b'\n');
        is_sound.then(|| Self { name: name.to_vec(), finder: Finder::new(name).into_owned() })
    }

    /// The boundary in the parameter of a Content-Type.
    pub(super) fn from_content_type(content_type: &str) -> Option<Self> {
        // Parameters have no case (RFC 2045 5.1) and may come in any order.
        let at = content_type.to_ascii_lowercase().find("boundary")?;
        let value = content_type[at + "boundary".len()..].trim_start().strip_prefix('=')?.trim();
        // A quoted value may hold a semicolon. Without quotes, one begins the next
        // parameter.
        let value = match value.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next()?,
            None => value.split(';').next()?,
        };
        Self::new(value.as_bytes())
    }

    pub(super) fn len(&self) -> usize {
        self.name.len()
    }

    /// The name for error texts.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.name == other.name
    }

    /// Whether a line, without white space around it, is the name alone.
    pub(super) fn is_bare_line(&self, line: &[u8]) -> bool {
        self.name == line
    }

    /// Where the name begins in `bytes` for the first time.
    pub(super) fn find(&self, bytes: &[u8]) -> Option<usize> {
        self.finder.find(bytes)
    }

    /// Whether a delimiter line is the closing one; `None` if this line among headers
    /// is no delimiter line.
    pub(super) fn is_line(&self, line: &[u8]) -> Option<bool> {
        let name = line.strip_prefix(b"--")?;
        let name = &name[name.iter().take_while(|b| **b == b'-').count()..];
        match line_end(name.strip_prefix(self.name.as_slice())?) {
            LineEnd::Line { is_closing } => Some(is_closing),
            LineEnd::More | LineEnd::No => None,
        }
    }
}

/// Parses the bytes behind the name: two dashes if it is the closing delimiter, white
/// space, and a line end.
pub(super) fn line_end(bytes: &[u8]) -> LineEnd {
    let (tail, is_closing) = match bytes {
        [b'-'] => return LineEnd::More,
        [b'-', b'-', tail @ ..] => (tail, true),
        tail => (tail, false),
    };
    let n_blanks = tail.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    match &tail[n_blanks..] {
        [b'\r', b'\n'] | [b'\n'] => LineEnd::Line { is_closing },
        [] | [b'\r'] if bytes.len() < Boundary::MAX_END_BYTES => LineEnd::More,
        _ => LineEnd::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(content_type: &str) -> Option<String> {
        Boundary::from_content_type(content_type).map(|b| b.text())
    }

    #[test]
    fn boundary_is_found_however_it_is_written() {
        for content_type in [
            "multipart/x-mixed-replace; boundary=frame",
            "multipart/x-mixed-replace;boundary=frame",
            "multipart/x-mixed-replace; boundary=--frame",
            "multipart/x-mixed-replace; boundary=\"frame\"",
            "multipart/x-mixed-replace; boundary=\"--frame\"; charset=utf-8",
            "Multipart/X-Mixed-Replace; charset=utf-8; BOUNDARY = frame ; x=y",
        ] {
            assert_eq!(named(content_type).as_deref(), Some("frame"), "{content_type}");
        }
        assert_eq!(named("multipart/mixed; boundary=\"a;b c\"").as_deref(), Some("a;b c"));
    }

    #[test]
    fn invalid_boundary_is_refused() {
        for value in ["", "\"\"", "--", "\"--", &"x".repeat(300)] {
            assert_eq!(named(&format!("multipart/mixed; boundary={value}")), None, "{value}");
        }
        assert_eq!(named("multipart/mixed"), None);
    }

    #[test]
    fn rest_of_a_delimiter_line() {
        for (bytes, is) in [
            (&b""[..], LineEnd::More),
            (b"-", LineEnd::More),
            (b"--", LineEnd::More),
            (b" \t\r", LineEnd::More),
            (b"\r\n", LineEnd::Line { is_closing: false }),
            (b" \n", LineEnd::Line { is_closing: false }),
            (b"--\r\n", LineEnd::Line { is_closing: true }),
            (b"-\n", LineEnd::No),
            (b"2", LineEnd::No),
            (b"\r\r", LineEnd::No),
        ] {
            assert_eq!(line_end(bytes), is, "{}", bytes.escape_ascii());
        }
        assert_eq!(line_end(&[b' '; 100]), LineEnd::No);
    }
}
