//! Text files as editors of any system write them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::args::Args;

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
/// are taken off, and each line ends with LF alone. UTF-16 with its mark, as older
/// editors of Windows write what they call Unicode, is read too.
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

/// Reads the file of an option that holds a key or a password, without the line end that
/// an editor puts behind it.
///
/// # Errors
/// As of [`read_bytes`]; an empty file. No message holds a part of it.
pub(super) fn read_secret(args: &Args, option: &str) -> Result<Option<Vec<u8>>> {
    let Some(path) = args.path_if(option) else { return Ok(None) };
    let shown = path.display();
    let mut secret = read_bytes(&path).with_context(|| format!("--{option} {shown}"))?;
    while secret.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        secret.pop();
    }
    ensure!(!secret.is_empty(), "--{option} {shown}: the file is empty");
    Ok(Some(secret))
}

fn decode(bytes: &[u8], encoding: Encoding) -> Result<String> {
    let from_utf16;
    let bytes = match utf16(bytes) {
        Some(text) => {
            from_utf16 = text.context("this is damaged UTF-16; save it as UTF-8")?;
            from_utf16.as_bytes()
        }
        None => bytes,
    };
    // A text in UTF-16 without its mark, or in UTF-32, has zeroes in every line break.
    ensure!(
        !bytes.contains(&0),
        "this is no text, or none in UTF-8; save it as UTF-8 (in Notepad: Save as, Encoding: UTF-8)"
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

/// The text behind the mark of UTF-16; `None`: the bytes have no such mark.
fn utf16(bytes: &[u8]) -> Option<Result<String>> {
    let from_bytes = match bytes {
        [0xFF, 0xFE, ..] => u16::from_le_bytes,
        [0xFE, 0xFF, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let (units, rest) = bytes[2..].as_chunks::<2>();
    let units = units.iter().map(|unit| from_bytes(*unit));
    let text = char::decode_utf16(units).collect::<Result<String, _>>();
    Some(if rest.is_empty() { text.map_err(Into::into) } else { Err(anyhow!("half a letter")) })
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
            (b"\xFF\xFEa\0\r\0\n\0\xFC\0", "a\n\u{fc}"),
            (b"\xFE\xFF\0a\0\n", "a\n"),
        ] {
            assert_eq!(decode(bytes, Encoding::Utf8).unwrap(), text);
        }
        assert_eq!(decode(b"gr\xFCn", Encoding::Utf8OrLatin1).unwrap(), "gr\u{fc}n");
    }

    #[test]
    fn other_encodings_are_refused_with_what_to_do() {
        let utf16 = "a:secret\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let lone = b"\xFF\xFE\x00\xD8a\0".to_vec();
        for bytes in [utf16, lone, b"\xFE\xFF\0a\0".into()] {
            let error = format!("{:#}", decode(&bytes, Encoding::Utf8OrLatin1).unwrap_err());
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
