//! Texts with addresses in them, whose passwords are hidden.

use std::borrow::Cow;

use super::{Userinfo, userinfo};
use crate::secrets::{Known, hide_all, hide_in_address};

/// A text with each `://user:password@` replaced by `://***@`. A command of a
/// camera may hold such addresses, and is shown in logs and on the page. Where
/// it is not clear which part is the password, more is replaced.
pub(crate) fn mask(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        // No address: the names of options and headers are all there is to go by.
        return hide_all(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut pieces = text.split("://");
    masked.extend(pieces.next());
    for piece in pieces {
        masked.push_str("://");
        let end = piece
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\''))
            .unwrap_or(piece.len());
        let at = match userinfo(&piece[..end]) {
            Userinfo::None => None,
            Userinfo::EndsAt(at) => Some(at),
            Userinfo::Unclear => piece[..end].rfind('@'),
        };
        match at {
            Some(at) => masked.extend(["***", &piece[at..]]),
            None => masked.push_str(piece),
        }
    }
    Cow::Owned(hide_all(&masked).into_owned())
}

/// As [`mask`], for an error with what was typed in it. What such errors say of
/// the right form stays readable.
pub(crate) fn mask_error(text: &str) -> String {
    let forms = ["[USER:PASSWORD@]", "USER:PASSWORD@", "user:password@", "[USER@]"];
    let Some((at, form)) = forms.iter().find_map(|form| Some((text.find(form)?, form))) else {
        return mask(text).into_owned();
    };
    let (before, behind) = (&text[..at], &text[at + form.len()..]);
    [&*mask_error(before), form, &*mask_error(behind)].concat()
}

/// As [`mask`], for a source of a camera as it was typed, with its name or
/// without, which may be no address at all.
pub(crate) fn mask_source(text: &str) -> String {
    let source = text
        .split_once('=')
        .map_or(text, |(name, source)| if name.contains([':', '/', '@']) { text } else { source });
    let is_address = source.starts_with("http://") || source.starts_with("https://");
    if is_address { mask(&hide_in_address(text)).into_owned() } else { mask_command(text) }
}

/// As [`mask`], for a command. A secret that stands in it a second time is
/// hidden there too, though nothing says there that it is one.
pub(crate) fn mask_command(text: &str) -> String {
    Known::of(text).hide(&mask(text))
}

#[cfg(test)]
mod tests {
    use super::super::{USAGE, Url};
    use super::*;

    #[test]
    fn queries_and_sources_are_masked() {
        let url = Url::parse("http://me:x@h/v.cgi?user=a&pwd=b&fps=5").unwrap();
        assert_eq!(url.to_string(), "http://***@h/v.cgi?user=***&pwd=***&fps=5");
        assert_eq!(url.as_str(), "http://h/v.cgi?user=a&pwd=b&fps=5");
        for (text, masked) in [
            ("front=http://h/?pwd=SE CR\"ET&x=1", "front=http://h/?pwd=***&x=1"),
            ("http://me:se cr@h/", "http://***@h/"),
            ("http://me:se#cr@h/", "http://***@h/"),
            ("exec:cam -u me:x", "exec:cam -u ***"),
        ] {
            assert_eq!(mask_source(text), masked);
        }
    }

    #[test]
    fn forms_in_errors_stay_readable() {
        let error = format!("--camera http://me:x@h:y/: no port; {USAGE}; http://user:password@h");
        assert_eq!(
            mask_error(&error),
            format!("--camera http://***@h:y/: no port; {USAGE}; http://user:password@h")
        );
        for error in [
            "--auth-file /users, line 1: no colon; write user:password",
            "--auth-file /tmp/users: no user in it; write lines user:password",
            "--auth-file users: no user in it; write lines user:password",
            "--mqtt: use mqtt://[USER@]HOST[:PORT][/PREFIX], such as mqtt://broker.local/garden",
            "--camera exec:: use exec:COMMAND, such as 'exec:rpicam-vid -t 0 --codec mjpeg -o -'",
        ] {
            assert_eq!(mask_error(error), error);
        }
    }

    #[test]
    fn passwords_in_a_text_are_masked() {
        for (text, masked) in [
            ("plain", "plain"),
            ("http://h/a@b", "http://h/a@b"),
            ("x http://me:a@b@h/, rtsp://u@c", "x http://***@h/, rtsp://***@c"),
            ("'http://me:x@h'", "'http://***@h'"),
            ("--camera http://me:a#/?b@h/x: no", "--camera http://***@h/x: no"),
            ("http://me:a@b#c@h/", "http://***@h/"),
            ("-i rtsp://me:a/b@h:554/x -", "-i rtsp://***@h:554/x -"),
        ] {
            assert_eq!(mask(text), masked);
        }
    }
}
