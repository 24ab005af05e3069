//! Parses the challenges in WWW-Authenticate, which come with status 401.
//!
//! Cameras do not follow the grammar: they leave out commas or quotes, use Latin-1, or
//! write blanks in unquoted values. So this parser works on bytes and skips what it
//! does not understand, as curl and ffmpeg do.

/// A way to log in that a server offers.
#[derive(Debug, PartialEq)]
pub(super) struct Challenge {
    /// In small letters.
    pub(super) scheme: String,
    params: Vec<(String, Vec<u8>)>,
}

/// Schemes that are recognised behind the first one in a header. There, any other word
/// without a value is taken for garbage, not for a scheme.
const SCHEMES: [&str; 6] = ["basic", "digest", "bearer", "negotiate", "ntlm", "kerberos"];

impl Challenge {
    /// All challenges in these values of the header, in order.
    pub(super) fn all<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<Self> {
        let mut found = Vec::new();
        values.for_each(|value| read(value, &mut found));
        found
    }

    /// A parameter, without its quotes; of several the first.
    pub(super) fn param(&self, name: &str) -> Option<&[u8]> {
        find(&self.params, name)
    }
}

/// A parameter of a header that has no scheme, such as Authentication-Info.
pub(super) fn param(value: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut found = vec![Challenge { scheme: String::new(), params: Vec::new() }];
    read(value, &mut found);
    found.iter().find_map(|challenge| challenge.param(name)).map(<[u8]>::to_vec)
}

fn find<'a>(params: &'a [(String, Vec<u8>)], name: &str) -> Option<&'a [u8]> {
    params.iter().find(|(known, _)| known == name).map(|(_, value)| &value[..])
}

fn read(value: &[u8], found: &mut Vec<Challenge>) {
    let mut rest = value.trim_ascii();
    let mut is_first = true;
    loop {
        let n = rest.iter().take_while(|b| b.is_ascii_whitespace() || b",;".contains(b)).count();
        rest = &rest[n..];
        if rest.is_empty() {
            return;
        }
        let ends = |b: &u8| b.is_ascii_whitespace() || b",;=".contains(b);
        let (word, behind) = rest.split_at(rest.iter().position(ends).unwrap_or(rest.len()));
        // Names have no case (RFC 9110, section 11.1), and no camera keeps to one.
        let word = String::from_utf8_lossy(word).to_ascii_lowercase();
        if let [b'=', value @ ..] = behind.trim_ascii_start() {
            let value = value.trim_ascii_start();
            let (value, behind) =
                if value.first() == Some(&b'"') { quoted(&value[1..]) } else { unquoted(value) };
            if let Some(challenge) = found.last_mut() {
                challenge.params.push((word, value));
            }
            rest = behind;
        } else {
            // A word without a value is a scheme only where one is expected: `stale` alone
            // is seen, too.
            if is_first || SCHEMES.contains(&&*word) {
                found.push(Challenge { scheme: word, params: Vec::new() });
            }
            rest = behind;
        }
        is_first = false;
    }
}

/// The value up to the closing quote, and the bytes behind it.
fn quoted(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let (mut value, mut bytes) = (Vec::new(), text.iter());
    while let Some(b) = bytes.next() {
        match b {
            b'"' => break,
            b'\\' => value.extend(bytes.next()),
            b => value.push(*b),
        }
    }
    (value, bytes.as_slice())
}

/// Splits off an unquoted value. It ends at a comma, or at a blank with the next
/// parameter behind it: a blank alone may belong to the value, as in
/// `realm=IP Camera`.
fn unquoted(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut end = 0;
    // Goes from word to word. A search for the comma first would read the whole rest of
    // the header for each parameter of a server that writes no commas.
    loop {
        let n_blanks = text[end..].iter().take_while(|b| b.is_ascii_whitespace()).count();
        let rest = &text[end + n_blanks..];
        if matches!(rest, [] | [b',', ..]) || (n_blanks > 0 && begins_param(rest)) {
            return (text[..end].to_vec(), rest);
        }
        let is_end = |b: &u8| b.is_ascii_whitespace() || *b == b',';
        end += n_blanks + rest.iter().position(is_end).unwrap_or(rest.len());
    }
}

/// Whether a text begins with a name and an equals sign.
fn begins_param(text: &[u8]) -> bool {
    let n = text.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'-').count();
    n > 0 && text[n..].trim_ascii_start().first() == Some(&b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(values: &[&str]) -> Vec<String> {
        let found = Challenge::all(values.iter().map(|value| value.as_bytes()));
        let text = |(name, value): &(String, Vec<u8>)| {
            format!(" {name}=<{}>", String::from_utf8_lossy(value))
        };
        let params = |challenge: &Challenge| challenge.params.iter().map(text).collect::<String>();
        found.iter().map(|challenge| challenge.scheme.clone() + &params(challenge)).collect()
    }

    #[test]
    fn challenges_of_every_form_are_read() {
        for (value, read) in [
            ("Basic", &["basic"][..]),
            ("", &[]),
            ("Basic realm=\"a, b\"", &["basic realm=<a, b>"]),
            ("Basic realm=IP Camera", &["basic realm=<IP Camera>"]),
            ("Basic realm=IP Camera, charset=x", &["basic realm=<IP Camera> charset=<x>"]),
            ("Digest realm=a b nonce = c", &["digest realm=<a b> nonce=<c>"]),
            ("dIGEST realm=\"a\" nonce=\"b\" qop=\"\"", &["digest realm=<a> nonce=<b> qop=<>"]),
            ("Digest realm=\"a\\\"b\\\\\",", &["digest realm=<a\"b\\>"]),
            ("Digest nonce=YQ==, qop=auth", &["digest nonce=<YQ==> qop=<auth>"]),
            ("Digest realm=\"no end", &["digest realm=<no end>"]),
            ("Digest stale, nonce=a", &["digest nonce=<a>"]),
            (
                "Negotiate, NTLM YQ==, Digest nonce=a",
                &["negotiate", "ntlm yq=<=>", "digest nonce=<a>"],
            ),
            ("Basic realm=\"a\", Digest realm=\"b\"", &["basic realm=<a>", "digest realm=<b>"]),
            ("Basic realm=\"a\" Digest nonce=b", &["basic realm=<a>", "digest nonce=<b>"]),
            ("Odd x=, ==;a", &["odd x=<> =<=;a>"]),
            ("a=b, Digest c=d", &["digest c=<d>"]),
        ] {
            assert_eq!(all(&[value]), read, "{value:?}");
        }
        // With the square of their number, these would take minutes.
        let (blanks, params) = (" ".repeat(300_000), "a=b ".repeat(100_000));
        assert_eq!(all(&[&format!("X a=b{blanks}c")]), [format!("x a=<b{blanks}c>")]);
        assert_eq!(all(&[&format!("X {params}")]), [format!("x{}", " a=<b>".repeat(100_000))]);
        assert_eq!(all(&["Basic", "Digest a=b"]), ["basic", "digest a=<b>"]);
        assert_eq!(param(b"qop=auth, nextnonce=\"a b\"", "nextnonce"), Some(b"a b".to_vec()));
        assert_eq!(param(b"rspauth=a", "nextnonce"), None);
    }
}
