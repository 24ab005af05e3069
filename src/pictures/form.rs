//! Detects the form of an answer's body, and finds the pictures in it.
//!
//! The bytes decide, not the Content-Type: cameras send parts as `text/plain` or as
//! `image/jpeg`, label plain JPEGs as multipart, or leave the type out.

use std::borrow::Cow;

use crate::frame::FrameBuf;
use crate::jpeg::{self, Found, Splitter};
use crate::multipart::{self, Parser, Part};

/// The forms that servers use.
#[derive(Debug)]
pub(crate) enum Form {
    /// Parts with delimiters between them.
    Parts { parser: Box<Parser>, others: Others },
    /// JPEGs one after the other, or a lone one.
    Jpegs { splitter: Splitter, is_lone: bool, n_found: u64 },
    /// The first bytes have not come yet.
    Unknown {
        first: Vec<u8>,
        content_type: Option<String>,
        max_frame_bytes: usize,
        trusts_lengths: bool,
    },
}

/// Parts that are no pictures.
#[derive(Debug, Default)]
pub(crate) struct Others {
    /// How many came since the start, or since the last picture.
    n: u64,
    has_picture: bool,
    content_type: Option<Cow<'static, str>>,
}

/// What came next.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    /// A picture, and the headers of its part.
    Picture(Part),
    /// A picture that lacks its end.
    Cut,
    /// Bytes that are no valid picture. They were skipped.
    Bad(jpeg::Error),
    /// More bytes are needed.
    More,
    /// The body has ended.
    End,
}

/// How many bytes are needed to detect the form. No picture is this short.
const N_FIRST: usize = 8;
/// The most white space before them. No camera sends more.
const MAX_BLANKS: usize = 1 << 10;
/// After this number of parts without a picture, the stream is given up.
const MAX_OTHERS: u64 = 3;

impl Form {
    /// The body of an answer with this Content-Type.
    pub(crate) fn new(content_type: Option<&str>, max_frame_bytes: usize) -> Self {
        let content_type = content_type.map(str::to_owned);
        Self::Unknown { first: Vec::new(), content_type, max_frame_bytes, trusts_lengths: false }
    }

    /// As [`Parser::trust_lengths`], if the body turns out to have parts. Call it before
    /// the first bytes come.
    pub(crate) fn trust_lengths(&mut self) {
        if let Self::Unknown { trusts_lengths, .. } = self {
            *trusts_lengths = true;
        }
    }

    /// Takes bytes off the front of `input`; all were taken if it returns
    /// [`Next::More`]. Pass an empty `picture` at the start of a picture.
    ///
    /// # Errors
    /// Why the rest of the body cannot be read.
    pub(crate) fn feed(
        &mut self,
        input: &mut &[u8],
        picture: &mut FrameBuf,
    ) -> Result<Next, String> {
        match self {
            Self::Parts { parser, others } => loop {
                match parser.feed(input, picture).map_err(|e| e.to_string())? {
                    multipart::Next::More => return Ok(Next::More),
                    // Some cameras send text between pictures.
                    multipart::Next::Part(part) if is_other(&part, picture.jpeg()) => {
                        picture.truncate(0);
                        others.add(part)?;
                    }
                    multipart::Next::Part(part) => {
                        others.has_picture = true;
                        others.n = 0;
                        return Ok(Next::Picture(part));
                    }
                }
            },
            Self::Jpegs { splitter, is_lone, n_found } => {
                splitter.push(std::mem::take(input));
                match splitter.next_jpeg() {
                    Ok(None) => Ok(Next::More),
                    Ok(Some(Found { jpeg, is_whole })) => {
                        *n_found += 1;
                        picture.extend(jpeg);
                        // Marked as walked only if whole: what lacks its end must be looked
                        // at again.
                        if !is_whole {
                            return Ok(Next::Cut);
                        }
                        picture.mark_walked();
                        Ok(Next::Picture(Part::default()))
                    }
                    Err(jpeg::Error::TooLarge) if *is_lone && *n_found == 0 => Err(format!(
                        "a picture of more than {} bytes; no more are allowed",
                        splitter.max_bytes()
                    )),
                    Err(fault) => Ok(Next::Bad(fault)),
                }
            }
            Self::Unknown { .. } => self.feed_first(input, picture),
        }
    }

    /// Collects the first bytes until they show the form.
    fn feed_first(&mut self, input: &mut &[u8], picture: &mut FrameBuf) -> Result<Next, String> {
        let Self::Unknown { first, content_type, max_frame_bytes, trusts_lengths } = self else {
            return Ok(Next::More);
        };
        let n_blanks = first.len() - first.trim_ascii_start().len();
        let n_missing = (n_blanks + N_FIRST).saturating_sub(first.len());
        let (taken, rest) = input.split_at(n_missing.min(input.len()));
        first.extend_from_slice(taken);
        *input = rest;
        if first.trim_ascii_start().len() < N_FIRST {
            if first.len() > MAX_BLANKS {
                return Err(no_pictures(content_type.as_deref()));
            }
            return if input.is_empty() { Ok(Next::More) } else { self.feed(input, picture) };
        }
        let (first, trusts_lengths) = (std::mem::take(first), *trusts_lengths);
        *self = Self::by_bytes(&first, content_type.as_deref(), *max_frame_bytes)?;
        if let Self::Parts { parser, .. } = self
            && trusts_lengths
        {
            parser.trust_lengths();
        }
        // So few bytes hold no picture, so this never finds one, and its result is not
        // needed.
        self.feed(&mut &*first, picture)?;
        self.feed(input, picture)
    }

    /// Decides by the first bytes. The type only says which boundary to search for
    /// behind a preamble.
    fn by_bytes(
        first: &[u8],
        content_type: Option<&str>,
        max_frame_bytes: usize,
    ) -> Result<Self, String> {
        let parts = |parser| Self::Parts { parser: Box::new(parser), others: Others::default() };
        let name = content_type.unwrap_or("").to_ascii_lowercase();
        let text = first.trim_ascii_start();
        // Some servers leave out the first delimiter, so the body begins with the headers
        // of a part.
        let is_header = text.len() >= 8 && text[..8].eq_ignore_ascii_case(b"Content-");
        if text.starts_with(&jpeg::START) && text.get(2) == Some(&0xFF) {
            // A lone picture that is too large is an error to report. In a stream it is
            // skipped.
            let is_lone = name.starts_with("image/");
            Ok(Self::Jpegs { splitter: Splitter::new(max_frame_bytes), is_lone, n_found: 0 })
        } else if name.contains("boundary") || name.contains("multipart") || name.contains("mixed")
        {
            Ok(parts(Parser::new(content_type.unwrap_or(""), max_frame_bytes)))
        } else if text.starts_with(b"--") || is_header {
            Ok(parts(Parser::learning(max_frame_bytes)))
        } else {
            Err(no_pictures(content_type))
        }
    }

    /// Returns the rest when the answer has ended.
    ///
    /// # Errors
    /// The body has no form that this program can read, or breaks off.
    pub(crate) fn finish(&mut self, picture: &mut FrameBuf) -> Result<Next, String> {
        match self {
            Self::Parts { parser, .. } => match parser.finish(picture) {
                Ok(Some(part)) if is_other(&part, picture.jpeg()) => {
                    picture.truncate(0);
                    Ok(Next::End)
                }
                Ok(Some(part)) => Ok(Next::Picture(part)),
                Ok(None) | Err(multipart::Error::Truncated) => Ok(Next::End),
                Err(e) => Err(e.to_string()),
            },
            Self::Jpegs { splitter, .. } => match splitter.take_rest() {
                Some(cut) => {
                    picture.extend(cut);
                    Ok(Next::Cut)
                }
                None => Ok(Next::End),
            },
            Self::Unknown { first, .. } if first.trim_ascii().is_empty() => Ok(Next::End),
            Self::Unknown { content_type, .. } => Err(no_pictures(content_type.as_deref())),
        }
    }

    /// Whether the body may have ended here although the connection is open: behind a
    /// complete JPEG without parts, or behind a closing delimiter.
    pub(crate) fn may_be_done(&self) -> bool {
        match self {
            Self::Jpegs { splitter, .. } => !splitter.is_inside(),
            Self::Parts { parser, .. } => parser.is_closed(),
            Self::Unknown { .. } => false,
        }
    }

    /// Whether a picture has begun and is not complete.
    pub(crate) fn is_inside(&self, picture: &FrameBuf) -> bool {
        match self {
            Self::Jpegs { splitter, .. } => splitter.is_inside(),
            Self::Parts { .. } => picture.jpeg().starts_with(&jpeg::START),
            Self::Unknown { .. } => false,
        }
    }

    /// The type of the parts, while none of them is a picture.
    pub(crate) fn other_type(&self) -> Option<&str> {
        match self {
            Self::Parts { others, .. } if others.n > 0 => others.content_type.as_deref(),
            _ => None,
        }
    }

    /// As [`Parser::take_n_wrong_lengths`].
    pub(crate) fn take_n_wrong_lengths(&mut self) -> u64 {
        match self {
            Self::Parts { parser, .. } => parser.take_n_wrong_lengths(),
            _ => 0,
        }
    }
}

impl Others {
    /// Counts a part that is no picture.
    ///
    /// # Errors
    /// The stream seems to consist of such parts only.
    fn add(&mut self, part: Part) -> Result<(), String> {
        self.n += 1;
        self.content_type = part.content_type;
        // A stream that had pictures may pause with texts for as long as it likes.
        if self.has_picture || self.n < MAX_OTHERS {
            return Ok(());
        }
        let name = self.content_type.as_deref().unwrap_or("without a type");
        Err(format!("the parts of the stream are {name} and not JPEGs; {USAGE}"))
    }
}

const USAGE: &str = "use the address of an MJPEG stream or of a JPEG";

fn no_pictures(content_type: Option<&str>) -> String {
    let name = content_type.unwrap_or("").split(';').next().unwrap_or("").trim();
    // The type goes into a log and onto a page, and comes from outside.
    let name: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    let answered = match name.as_str() {
        "" => "without a Content-Type".to_owned(),
        name => format!("with {}", name.to_ascii_lowercase()),
    };
    format!("the server answered {answered}, and the bytes are neither parts nor JPEGs; {USAGE}")
}

/// Whether a part is no picture. Its first bytes decide; if they are damaged, its type
/// does. An empty part with an image type counts as a missing picture.
fn is_other(part: &Part, bytes: &[u8]) -> bool {
    if bytes.starts_with(&jpeg::START) {
        return false;
    }
    let name = part.content_type.as_deref().unwrap_or("image/jpeg").to_ascii_lowercase();
    let name = name.split(';').next().unwrap_or("").trim();
    let is_jpeg = matches!(name, "image/jpeg" | "image/jpg" | "image/pjpeg" | "image/jfif");
    // Cameras send such a part while their sensor starts.
    let is_missing = bytes.is_empty() && name.starts_with("image/");
    !is_jpeg && !is_missing
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
