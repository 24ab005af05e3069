//! What the body of an answer is, and the pictures in it.

use crate::frame::FrameBuf;
use crate::jpeg::{Fault, Splitter};
use crate::multipart::{self, Parser, Part};

/// The forms that servers use.
#[derive(Debug)]
pub(crate) enum Body {
    /// Parts with delimiters between them.
    Parts(Box<Parser>),
    /// JPEGs one after the other.
    Jpegs(Splitter),
    /// One JPEG, as long as the answer.
    Lone { max_frame_bytes: usize },
    /// The type does not tell: the first bytes do.
    Unknown { first: Vec<u8>, max_frame_bytes: usize },
}

/// What came next.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    /// A picture, and what its part says of it.
    Picture(Part),
    /// Something that is no picture, left out.
    Bad(Fault),
    /// More bytes are needed.
    More,
    /// There is nothing behind it.
    End,
}

/// So many bytes tell what they begin.
const N_FIRST: usize = 4;

impl Body {
    /// By the Content-Type of the answer.
    ///
    /// # Errors
    /// What it is instead of pictures.
    pub(crate) fn of(content_type: Option<&str>, max_frame_bytes: usize) -> Result<Self, String> {
        let name = content_type.unwrap_or("").split(';').next().unwrap_or("").trim();
        let name = name.to_ascii_lowercase();
        match name.split_once('/').unwrap_or((&name, "")) {
            ("multipart", _) => {
                let parser = Parser::new(content_type.unwrap_or(""), max_frame_bytes);
                parser.map(|parser| Self::Parts(Box::new(parser))).map_err(|e| e.to_string())
            }
            ("image", "jpeg" | "jpg" | "pjpeg") => Ok(Self::Lone { max_frame_bytes }),
            ("", _) | ("video", _) | ("application", "octet-stream") => {
                Ok(Self::Unknown { first: Vec::new(), max_frame_bytes })
            }
            _ => Err(format!(
                "the server answered with {name}; the address is to be that of an MJPEG stream or \
                 of a JPEG"
            )),
        }
    }

    /// Takes bytes off the front of `input`, all of them for [`Next::More`].
    /// `picture` is empty at the begin of a picture.
    ///
    /// # Errors
    /// Why nothing more can be found.
    pub(crate) fn feed(
        &mut self,
        input: &mut &[u8],
        picture: &mut FrameBuf,
    ) -> Result<Next, String> {
        match self {
            Self::Parts(parser) => loop {
                match parser.feed(input, picture).map_err(|e| e.to_string())? {
                    multipart::Next::More => return Ok(Next::More),
                    multipart::Next::End => return Ok(Next::End),
                    // Some cameras send text between pictures.
                    multipart::Next::Part(part) if is_other(part.content_type.as_deref()) => {
                        picture.truncate(0);
                    }
                    multipart::Next::Part(part) => return Ok(Next::Picture(part)),
                }
            },
            Self::Jpegs(splitter) => {
                splitter.push(std::mem::take(input));
                Ok(next_jpeg(splitter, picture).unwrap_or(Next::More))
            }
            Self::Lone { max_frame_bytes } => {
                picture.extend(std::mem::take(input));
                let n = picture.jpeg().len();
                if n > *max_frame_bytes {
                    return Err(format!(
                        "a picture of {n} bytes or more; {max_frame_bytes} are allowed"
                    ));
                }
                Ok(Next::More)
            }
            Self::Unknown { first, max_frame_bytes } => {
                let n = (N_FIRST - first.len()).min(input.len());
                first.extend_from_slice(&input[..n]);
                *input = &input[n..];
                if first.len() < N_FIRST {
                    return Ok(Next::More);
                }
                let first = std::mem::take(first);
                *self = Self::sniffed(&first, *max_frame_bytes)?;
                // No picture ends in so few bytes.
                self.feed(&mut &*first, picture)?;
                self.feed(input, picture)
            }
        }
    }

    /// By the first bytes.
    fn sniffed(first: &[u8], max_frame_bytes: usize) -> Result<Self, String> {
        match first.trim_ascii_start() {
            [b'-', b'-', ..] => Ok(Self::Parts(Box::new(Parser::learning(max_frame_bytes)))),
            [0xFF, 0xD8, 0xFF, ..] => Ok(Self::Jpegs(Splitter::new(max_frame_bytes))),
            _ => Err("the server's answer is neither parts nor JPEGs".into()),
        }
    }

    /// What is left when the answer ends.
    ///
    /// # Errors
    /// What is missing.
    pub(crate) fn finish(&mut self, picture: &mut FrameBuf) -> Result<Next, String> {
        match self {
            Self::Parts(parser) => match parser.finish(picture) {
                Ok(Some(part)) => Ok(Next::Picture(part)),
                Ok(None) | Err(multipart::Error::Truncated) => Ok(Next::End),
                Err(e) => Err(e.to_string()),
            },
            Self::Lone { .. } if !picture.jpeg().is_empty() => Ok(Next::Picture(Part::default())),
            Self::Jpegs(splitter) => Ok(next_jpeg(splitter, picture).unwrap_or(Next::End)),
            Self::Lone { .. } => Ok(Next::End),
            Self::Unknown { .. } => Err("the server's answer is empty".into()),
        }
    }

    /// Whether an answer with one picture is a lone picture.
    pub(crate) fn may_be_lone(&self) -> bool {
        matches!(self, Self::Lone { .. } | Self::Jpegs(_))
    }
}

/// The next picture that is whole, or bytes that are none.
fn next_jpeg(splitter: &mut Splitter, picture: &mut FrameBuf) -> Option<Next> {
    match splitter.next_jpeg() {
        Ok(jpeg) => {
            picture.extend(jpeg?);
            Some(Next::Picture(Part::default()))
        }
        Err(fault) => Some(Next::Bad(fault)),
    }
}

fn is_other(content_type: Option<&str>) -> bool {
    content_type.is_some_and(|name| !name.to_ascii_lowercase().starts_with("image/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &[u8] = include_bytes!("../camera/demo/1.jpg");
    const B: &[u8] = include_bytes!("../camera/demo/2.jpg");

    /// The pictures in a body that comes in pieces of this size.
    fn pictures(content_type: Option<&str>, bytes: &[u8], size: usize) -> Vec<Vec<u8>> {
        let (mut body, mut found) = (Body::of(content_type, 1 << 20).unwrap(), Vec::new());
        let mut picture = FrameBuf::new();
        let mut pieces = bytes.chunks(size);
        let mut rest: &[u8] = &[];
        let mut is_over = false;
        loop {
            let next = if is_over && rest.is_empty() {
                body.finish(&mut picture).unwrap()
            } else {
                body.feed(&mut rest, &mut picture).unwrap()
            };
            match next {
                Next::Picture(_) => {
                    found.push(picture.jpeg().to_vec());
                    picture.truncate(0);
                }
                Next::More => match pieces.next() {
                    Some(piece) => rest = piece,
                    None => is_over = true,
                },
                Next::Bad(fault) => panic!("{fault}"),
                Next::End => return found,
            }
        }
    }

    #[test]
    fn every_form_is_known_by_its_type_or_its_first_bytes() {
        let part =
            |jpeg: &[u8]| [b"--b\r\nContent-Type: image/jpeg\r\n\r\n", jpeg, b"\r\n"].concat();
        let parts = [part(A), part(B)].concat();
        let raw = "application/octet-stream";
        for size in [1, 2, 3, 5, 1000, 1 << 20] {
            let multipart = Some("multipart/x-mixed-replace;boundary=b");
            assert_eq!(pictures(multipart, &parts, size), [A, B]);
            assert_eq!(pictures(Some(raw), &parts, size), [A, B], "pieces of {size}");
            let after_line = [b"\r\n", &*parts].concat();
            assert_eq!(pictures(Some(raw), &after_line, size), [A, B], "pieces of {size}");
            assert_eq!(pictures(Some(raw), &[A, B, A].concat(), size), [A, B, A]);
            assert_eq!(pictures(None, &[A, B].concat(), size), [A, B]);
            assert_eq!(pictures(Some("Image/JPEG; x=y"), A, size), [A]);
        }
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let refused = |name| Body::of(Some(name), 9).unwrap_err();
        assert!(refused("text/html; charset=x").contains("answered with text/html"));
        assert!(refused("application/json").contains("that of an MJPEG stream"));
        let mut unknown = Body::of(None, 9).unwrap();
        assert_eq!(unknown.feed(&mut &b"GIF"[..], &mut FrameBuf::new()), Ok(Next::More));
        let fault = unknown.feed(&mut &b"89a"[..], &mut FrameBuf::new()).unwrap_err();
        assert!(fault.contains("neither parts nor JPEGs"), "{fault}");
        let mut lone = Body::of(Some("image/jpeg"), 9).unwrap();
        let fault = lone.feed(&mut &A[..10], &mut FrameBuf::new()).unwrap_err();
        assert_eq!(fault, "a picture of 10 bytes or more; 9 are allowed");
    }
}
