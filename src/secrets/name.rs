//! Which names say that a value is secret.

use crate::percent;

/// Names that hold one of these, in any case and with any signs between.
const PARTS: [&str; 19] = [
    "pass",
    "pwd",
    "psw",
    "kennwort",
    "secret",
    "token",
    "auth",
    "apikey",
    "signature",
    "credential",
    "sess",
    "login",
    "user",
    "usr",
    "cookie",
    "bearer",
    "jwt",
    "hmac",
    "accesskey",
];
/// Names that end in one of these.
const ENDS: [&str; 6] = ["key", "pw", "sid", "sig", "pin", "otp"];

/// Whether the value of a key of a query, an option, a variable or a header
/// should not be shown.
pub(super) fn is_secret(name: &str) -> bool {
    let name = plain(name);
    // Rather one word too many is hidden than a password shown. A user agent is none, and the name of a file is not what is in it.
    !["useragent", "file", "path"].iter().any(|end| name.ends_with(end))
        && (PARTS.iter().any(|part| name.contains(part)) || ENDS.iter().any(|e| name.ends_with(e)))
}

/// Names that mean user and password in the queries of some cameras, and
/// anything elsewhere.
pub(super) fn is_query_name(name: &str) -> bool {
    matches!(plain(name).as_str(), "u" | "p")
}

/// Names behind which texts for people have a colon, too.
pub(super) fn is_identity(name: &str) -> bool {
    let name = plain(name);
    ["user", "usr", "login"].iter().any(|who| name.contains(who)) && !name.contains("pass")
}

/// Headers of HTTP whose whole line is secret.
pub(super) fn is_header(name: &str) -> bool {
    let name = plain(name);
    name.ends_with("authorization") || name.ends_with("cookie")
}

/// In small letters, without signs, each %XX replaced.
fn plain(name: &str) -> String {
    // `p%61ss` and `API-Key` are the names that a server reads, too.
    let mut letters = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        let (c, n) = match percent::byte(rest.as_bytes()) {
            Some(byte) => (char::from(byte), 3),
            None => (c, c.len_utf8()),
        };
        letters.extend(c.to_lowercase().filter(|c| c.is_alphanumeric()));
        rest = &rest[n..];
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_spelling_are_known() {
        for name in [
            "pwd",
            "pass",
            "passwd",
            "Password",
            "passphrase",
            "token",
            "access_token",
            "key",
            "api_key",
            "apikey",
            "X-API-Key",
            "auth",
            "user",
            "usr",
            "username",
            "login",
            "secret",
            "sig",
            "Signature",
            "session",
            "sid",
            "_sid",
            "loginuse",
            "rtsp-pwd",
            "CAM_PW",
            "p%61ss",
            "PHPSESSID",
            "Proxy-Authorization",
            "user-id",
            "client_secret",
            "Cookie",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["fps", "channel", "action", "x", "", "resolution", "user-agent", "stream"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
