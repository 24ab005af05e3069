//! Reads chunked bodies that ureq refuses: lines that end with a line feed alone, or
//! long extensions behind a size. curl and ffmpeg accept both.

use std::io;

/// Removes the framing from a chunked body.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// In the line of a size, or in the line end behind the chunk before it.
    Size { n: u64, has_digits: bool, has_extension: bool },
    /// How many bytes of a chunk remain.
    Data(u64),
    /// The last chunk is over. Trailers are ignored.
    End,
}

impl Default for Stage {
    fn default() -> Self {
        Self::Size { n: 0, has_digits: false, has_extension: false }
    }
}

impl Chunks {
    /// Moves the data in `bytes` to the front and returns its length.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] if a size is not a hexadecimal number.
    pub(super) fn strip(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let (mut at, mut n_data) = (0, 0);
        while at < bytes.len() {
            match &mut self.stage {
                Stage::Data(left) => {
                    // A size may exceed what this machine can address. All that is here
                    // belongs to it then.
                    let n = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len() - at);
                    // In place, without a second buffer: the data never overtakes the bytes
                    // that are read.
                    bytes.copy_within(at..at + n, n_data);
                    (at, n_data, *left) = (at + n, n_data + n, *left - n as u64);
                    if *left == 0 {
                        self.stage = Stage::default();
                    }
                }
                Stage::Size { n, has_digits, has_extension } => {
                    let byte = bytes[at];
                    at += 1;
                    match (byte, char::from(byte).to_digit(16)) {
                        // The line end behind the chunk before.
                        (b'\n', _) if !*has_digits => {}
                        (b'\n', _) => {
                            self.stage = if *n == 0 { Stage::End } else { Stage::Data(*n) };
                        }
                        // Overflow is an error and not a wrap: a wrapped size would cut the
                        // stream anywhere.
                        (_, Some(digit)) if !*has_extension => {
                            *n = n.checked_mul(16).ok_or_else(invalid_size)? + u64::from(digit);
                            *has_digits = true;
                        }
                        (b' ' | b'\t' | b'\r', _) => *has_extension = *has_digits,
                        _ if *has_digits => *has_extension = true,
                        _ => return Err(invalid_size()),
                    }
                }
                Stage::End => break,
            }
        }
        Ok(n_data)
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::End)
    }
}

fn invalid_size() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "a chunk of the answer has no valid size")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data in chunks that come in pieces of this size, and whether it ends.
    fn data(text: &str, size: usize) -> Option<(String, bool)> {
        let (mut chunks, mut data) = (Chunks::default(), Vec::new());
        for piece in text.as_bytes().chunks(size) {
            let mut piece = piece.to_vec();
            let n = chunks.strip(&mut piece).ok()?;
            data.extend_from_slice(&piece[..n]);
        }
        Some((String::from_utf8(data).unwrap(), chunks.is_over()))
    }

    #[test]
    fn data_is_extracted_from_every_framing() {
        let read = |text: &str| {
            let whole = data(text, 1000);
            (1..6).for_each(|size| assert_eq!(data(text, size), whole, "{text:?} in {size}"));
            whole
        };
        let hello = |is_over| Some(("hello".to_owned(), is_over));
        for text in [
            "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
            "2\nhe\n3\nllo\n0\n\n",
            "002 ; a=\"b\"; c\nhe\r\n3;0\nllo\n0\nTrailer: x\n\n",
            "5  \r\r\nhello0\r\n",
        ] {
            assert_eq!(read(text), hello(true), "{text:?}");
        }
        assert_eq!(read("A\nhello"), hello(false));
        assert_eq!(read("2\nhe\nx"), None);
        assert_eq!(read("-1\n"), None);
        assert_eq!(read("10000000000000000\n"), None);
    }
}
