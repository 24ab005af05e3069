//! Text files as editors of any system write them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

/// The largest file to read; one with hundreds of cameras or users is smaller, or
/// with all certificate authorities of a system.
const MAX_BYTES: u64 = 1 << 20;

/// How the lines of a file are encoded.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Encoding {
    Utf8,
    /// UTF-8, or lines in Latin-1, as older editors of Windows write them.
    Utf8OrLatin1,
}

/// Reads a text file. A byte order mark and the Ctrl-Z at the end of a DOS file
/// are taken off, and each line ends with LF alone.
///
/// # Errors
/// What the system says; a file that is too large or in another encoding, and
/// how to save it. No message holds a part of the file.
pub(super) fn read(path: &Path, encoding: Encoding) -> Result<String> {
    decode(&read_bytes(path)?, encoding)
}

/// Reads a file of at most 1 MiB, whatever is in it.
///
/// # Errors
/// What the system says, or that it is too large.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than allowed, so that a longer file shows. The path may
    // name a device that never ends.
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    ensure!(bytes.len() as u64 <= MAX_BYTES, "larger than 1 MiB");
    Ok(bytes)
}

fn decode(bytes: &[u8], encoding: Encoding) -> Result<String> {
    // A text in UTF-16 or UTF-32 has zeroes in every line break.
    let is_utf16 = bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF");
    ensure!(
        !is_utf16 && !bytes.contains(&0),
        "this is UTF-16 or no text; save it as UTF-8 (in Notepad: Save as, Encoding: UTF-8)"
    );
    let bytes = bytes.strip_suffix(b"\x1A").unwrap_or(bytes);
    let mut text = String::with_capacity(bytes.len());
    for (i, line) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
        // At the head of any line, as files with a mark may have been joined.
        let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        let (line, end) = match line.strip_suffix(b"\n") {
            Some(line) => (line.strip_suffix(b"\r").unwrap_or(line), "\n"),
            None => (line, ""),
        };
        text.push_str(&decode_line(line, encoding).with_context(|| format!("line {}", i + 1))?);
        text.push_str(end);
    }
    Ok(text)
}

fn decode_line(line: &[u8], encoding: Encoding) -> Result<String> {
    // Between 80 and 9F Latin-1 has no letters, and code pages of Windows differ.
    let is_latin1 = || !line.iter().any(|b| (0x80..0xA0).contains(b));
    match std::str::from_utf8(line) {
        Ok(line) => Ok(line.to_owned()),
        Err(_) if encoding == Encoding::Utf8OrLatin1 && is_latin1() => {
            Ok(line.iter().copied().map(char::from).collect())
        }
        Err(_) => bail!("a letter is not in UTF-8; save the file as UTF-8"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_windows_are_read() {
        for (bytes, text) in [
            (&b"a\r\nb\r\n"[..], "a\nb\n"),
            (b"\xEF\xBB\xBFa\r\n", "a\n"),
            (b"a\n\xEF\xBB\xBFb", "a\nb"),
            (b"a\r\n\x1A", "a\n"),
            (b"gr\xC3\xBCn\n", "gr\u{fc}n\n"),
            (b"\xEF\xBB\xBF", ""),
            (b"", ""),
        ] {
            assert_eq!(decode(bytes, Encoding::Utf8).unwrap(), text);
        }
        assert_eq!(decode(b"gr\xFCn", Encoding::Utf8OrLatin1).unwrap(), "gr\u{fc}n");
    }

    #[test]
    fn other_encodings_are_refused_with_what_to_do() {
        let utf16 = |mark: &[u8], text: &str| {
            let letters = text.encode_utf16().flat_map(u16::to_le_bytes);
            mark.iter().copied().chain(letters).collect::<Vec<_>>()
        };
        for bytes in
            [utf16(b"\xFF\xFE", "a:secret\r\n"), utf16(b"", "a:secret"), b"\xFE\xFF\0a".into()]
        {
            let error = decode(&bytes, Encoding::Utf8OrLatin1).unwrap_err().to_string();
            assert!(error.contains("save it as UTF-8") && !error.contains("secret"), "{error}");
        }
        for (bytes, encoding) in
            [(&b"\na:secret\xFC"[..], Encoding::Utf8), (b"\na:secret\x80", Encoding::Utf8OrLatin1)]
        {
            let error = format!("{:#}", decode(bytes, encoding).unwrap_err());
            assert_eq!(error, "line 2: a letter is not in UTF-8; save the file as UTF-8");
        }
    }
}
