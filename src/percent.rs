//! `%XX` in addresses (RFC 3986 2.1).

/// The byte that the three at the start stand for; `None` if they are no percent
/// sign with two hex digits. `from_str_radix` would take `%+5` too.
pub(crate) fn byte(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|n| u8::try_from(n).ok());
    Some(digit(*high)? << 4 | digit(*low)?)
}

/// Replaces each `%XX`. A percent sign without two hex digits stays, as people type
/// passwords as they are. The result is bytes and not text: %FC is one byte, which
/// is Latin-1 to some cameras.
pub(crate) fn decode(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, behind @ ..] = rest {
        let byte = byte(rest);
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &rest[3..] } else { behind };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_hex_digits_are_replaced() {
        for (text, bytes) in [
            ("a%40b%3a", &b"a@b:"[..]),
            ("%fC", b"\xFC"),
            ("50%", b"50%"),
            ("%4", b"%4"),
            ("%+5%-1% 1%g0", b"%+5%-1% 1%g0"),
            ("%%41", b"%A"),
            ("\u{fc}%\u{fc}", "\u{fc}%\u{fc}".as_bytes()),
        ] {
            assert_eq!(decode(text), bytes, "{text}");
        }
    }
}
