//! Addresses of other servers, with their passwords kept apart so that logs,
//! status, page and errors do not show them.

mod mask;

use std::fmt;

use anyhow::{Context, Result, bail, ensure};

use crate::percent;
use crate::secrets::hide;
pub(crate) use mask::{mask, mask_command, mask_error, mask_source};

/// The address of a stream or a picture.
#[derive(Clone, PartialEq)]
pub(crate) struct Url {
    /// Without user, password and fragment.
    text: String,
    login: Option<Login>,
    /// The login with each %XX left as it is; `None` where it has none.
    literal_login: Option<Login>,
}

/// The user and the password for a server.
#[derive(Clone, PartialEq)]
pub(crate) struct Login {
    /// Bytes and not text: %FC is one byte, for cameras that expect Latin-1.
    pub(crate) user: Vec<u8>,
    pub(crate) password: Vec<u8>,
}

const USAGE: &str =
    "use http://[USER:PASSWORD@]HOST[:PORT]/PATH, such as http://camera.local/stream";

const UNCLEAR: &str = "it is not clear where user and password end; in them, write # as %23, \
                       / as %2F, ? as %3F and @ as %40";

/// The error about an `https` address in a build without TLS.
pub(crate) const NO_HTTPS: &str =
    "this program was built without https; build it with: cargo build --release --features https";

/// The addresses of one kind of server.
struct Form {
    plain: &'static str,
    over_tls: &'static str,
    usage: &'static str,
}

const HTTP: Form = Form { plain: "http", over_tls: "https", usage: USAGE };

/// Of webhooks.
const HOOK: Form = Form {
    usage: "use http://[USER:PASSWORD@]HOST[:PORT]/PATH, such as http://nas.local/hook",
    ..HTTP
};

/// Of brokers of MQTT, as their clients write them.
const MQTT: Form = Form {
    plain: "mqtt",
    over_tls: "mqtts",
    usage: "use mqtt://[USER@]HOST[:PORT][/PREFIX], such as mqtt://broker.local/garden",
};

impl Url {
    /// Reads an address. Whether the host exists is found out when it is asked.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        Self::parse_as(text, &HTTP)
    }

    /// Reads the address of a server that takes messages.
    pub(crate) fn parse_hook(text: &str) -> Result<Self> {
        Self::parse_as(text, &HOOK)
    }

    /// Reads the address of an MQTT broker.
    pub(crate) fn parse_mqtt(text: &str) -> Result<Self> {
        Self::parse_as(text, &MQTT)
    }

    fn parse_as(text: &str, form: &Form) -> Result<Self> {
        let usage = form.usage;
        let (scheme, rest) = text.split_once("://").context(usage)?;
        // Schemes have no case (RFC 3986 3.1), and phones write the first letter large.
        let scheme = scheme.to_ascii_lowercase();
        ensure!(scheme == form.plain || scheme == form.over_tls, usage);
        ensure!(scheme != form.over_tls || cfg!(feature = "https"), NO_HTTPS);
        let (userinfo, rest) = match userinfo(rest) {
            Userinfo::None => (None, rest),
            Userinfo::EndsAt(at) => (Some(&rest[..at]), &rest[at + 1..]),
            Userinfo::Unclear => bail!(UNCLEAR),
        };
        // A fragment is for the client alone (RFC 9110 7.1) and is not sent.
        let rest = rest.split('#').next().unwrap_or("");
        let path_at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(path_at);
        // Where the login ends in the wrong place, a part of the password would
        // be taken for the host: then the error does not show it.
        let shown = if userinfo.is_some() { "what stands behind the @" } else { host };
        check_host(host, shown, usage)?;
        let is_plain = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
        ensure!(
            path.bytes().all(is_plain),
            "the path holds a character that has to be written as %XX, such as %20 for a space"
        );
        let slash = if path.starts_with('/') { "" } else { "/" };
        let text = format!("{scheme}://{host}{slash}{path}");
        let login = userinfo.map(|text| Login::parse(text, percent::decode));
        let literal_login = userinfo.map(|text| Login::parse(text, |text| text.into()));
        let literal_login = literal_login.filter(|literal| login.as_ref() != Some(literal));
        Ok(Self { text, login, literal_login })
    }

    /// The scheme, the host and its port, and the path without its slash.
    pub(crate) fn parts(&self) -> (&str, &str, Option<u16>, &str) {
        let (scheme, rest) = self.text.split_once("://").unwrap_or_default();
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = split_port(authority);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        (scheme, host, port.and_then(|port| port.parse().ok()), path)
    }

    /// The address without user and password.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// The login to try when the server refuses [`Url::login`]: the password may
    /// hold a percent sign with two digits behind it that stands for itself.
    pub(crate) fn literal_login(&self) -> Option<&Login> {
        self.literal_login.as_ref()
    }
}

/// Where user and password end in the text behind `://`.
enum Userinfo {
    /// There are none.
    None,
    /// They end in front of the @ at this offset.
    EndsAt(usize),
    /// More than one @ may end them, or none that is followed by a host.
    Unclear,
}

/// Finds user and password. People type passwords as they are, with `#`, `/`, `?`
/// and `@` in them. An address that follows RFC 3986 is read by it; in any other,
/// the login ends at the only @ that has a host behind it.
fn userinfo(rest: &str) -> Userinfo {
    let is_host = |host: &str| check_host(host, "", USAGE).is_ok();
    let (authority, behind) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let at = authority.rfind('@');
    // A fragment right behind the host, with an @ in it, is rather a password.
    let is_cut = behind.starts_with('#') && behind.contains('@');
    if is_host(&authority[at.map_or(0, |at| at + 1)..]) && !is_cut {
        return at.map_or(Userinfo::None, Userinfo::EndsAt);
    }
    let ends = |at: &usize| {
        let behind = &rest[at + 1..];
        let end = behind.find(['/', '?', '#', '@']).unwrap_or(behind.len());
        is_host(&behind[..end]) && !behind[end..].starts_with('@')
    };
    let ats = rest.match_indices('@').map(|(at, _)| at);
    let mut ends = ats.filter(ends);
    match (ends.next(), ends.next(), at) {
        (Some(end), None, _) => Userinfo::EndsAt(end),
        (None, _, Some(at)) => Userinfo::EndsAt(at),
        (None, ..) if !rest.contains('@') => Userinfo::None,
        _ => Userinfo::Unclear,
    }
}

/// Checks a host name or an address, with or without a port. The error names it
/// `shown`.
fn check_host(text: &str, shown: &str, usage: &str) -> Result<()> {
    let (host, port) = split_port(text);
    ensure!(!host.is_empty(), "the host is missing; {usage}");
    let is_v6 = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let is_host = match is_v6 {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)),
    };
    ensure!(is_host, "{shown:?} is no name of a host; {usage}");
    // `parse` alone would take a sign too.
    let is_port = |port: &str| {
        port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|n| n > 0)
    };
    ensure!(port.is_none_or(is_port), "the port is no number from 1 to 65535; {usage}");
    Ok(())
}

/// The host, and the text of the port behind it.
fn split_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    }
}

impl Login {
    /// Reads `user:password`, where special characters may be written as %XX.
    fn parse(text: &str, decode: impl Fn(&str) -> Vec<u8>) -> Self {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        Self { user: decode(user), password: decode(password) }
    }
}

/// Shows that there is a password, but not which.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.login {
            None => f.write_str(&hide(&self.text)),
            Some(_) => f.write_str(&hide(&self.text).replacen("://", "://***@", 1)),
        }
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_are_kept_apart() {
        let url = Url::parse("HTTP://me:se%40cr%3Aet@camera.local:8080/stream?a=b#top").unwrap();
        assert_eq!(url.as_str(), "http://camera.local:8080/stream?a=b");
        assert_eq!(url.to_string(), "http://***@camera.local:8080/stream?a=b");
        assert_eq!(format!("{url:?}"), url.to_string());
        let login = url.login().unwrap();
        assert_eq!((&login.user[..], &login.password[..]), (&b"me"[..], &b"se@cr:et"[..]));
        let plain = Url::parse("http://me:50%@h").unwrap();
        assert_eq!(
            (plain.as_str(), &plain.login().unwrap().password[..]),
            ("http://h/", &b"50%"[..])
        );
        assert_eq!(Url::parse("http://[::1]:80?x=@y").unwrap().as_str(), "http://[::1]:80/?x=@y");
        assert!(Url::parse("http://h").unwrap().login().is_none());
    }

    #[test]
    fn login_with_special_characters_is_read_as_typed() {
        for (text, user, password, address) in [
            ("http://me:se#cret@host/a", "me", "se#cret", "http://host/a"),
            ("http://me:#@host", "me", "#", "http://host/"),
            ("http://me:a/b@host:80/x#top", "me", "a/b", "http://host:80/x"),
            ("http://me:a?b@[::1]/x?y=z", "me", "a?b", "http://[::1]/x?y=z"),
            ("http://me:a/?#@b@host/", "me", "a/?#@b", "http://host/"),
            ("http://me:a@b@host/", "me", "a@b", "http://host/"),
            ("http://me:a%23/@host/", "me", "a#/", "http://host/"),
            ("http://m#e@host/", "m#e", "", "http://host/"),
            ("http://me:a b@host/", "me", "a b", "http://host/"),
            ("http://me:gr\u{fc}n@host/", "me", "gr\u{fc}n", "http://host/"),
            ("http://me:x@h/a@b", "me", "x", "http://h/a@b"),
        ] {
            let url = Url::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            let login = url.login().unwrap();
            assert_eq!(
                (&login.user[..], &login.password[..]),
                (user.as_bytes(), password.as_bytes())
            );
            assert_eq!(url.as_str(), address, "{text}");
        }
        let latin1 = Url::parse("http://me:gr%FCn@host/").unwrap();
        assert_eq!(latin1.login().unwrap().password, b"gr\xFCn");
        assert_eq!(latin1.literal_login().unwrap().password, b"gr%FCn");
        assert!(Url::parse("http://me:50%@h").unwrap().literal_login().is_none());
        for plain in ["http://h/a@b", "http://h:80/a@b", "http://h?a=b@c", "http://h/#a@b"] {
            assert!(Url::parse(plain).unwrap().login().is_none(), "{plain}");
        }
    }

    #[test]
    fn unclear_login_is_refused_without_being_shown() {
        for text in [
            "http://me:se#cret@host/x@y",
            "http://me:x@se#cret@host/",
            "http://me:se#cret@",
            "http://me:x@se!cret/",
            "http://me:se/cret@ho st/",
        ] {
            let error = format!("{:#}", Url::parse(text).unwrap_err());
            assert!(!error.contains("cret"), "{text}: {error}");
        }
        assert_eq!(mask("http://me:x@se#cret@host/"), "http://***@host/");
        assert_eq!(mask("http://me:se#cret@"), "http://***@");
        let error = Url::parse("http://me:x@se#cret@host/").unwrap_err().to_string();
        assert!(error.contains("write # as %23"), "{error}");
    }

    #[test]
    fn malformed_addresses_say_what_would_be_right() {
        for (text, says) in [
            ("http:camera", USAGE),
            ("ftp://h/", USAGE),
            ("see http://h/", USAGE),
            ("http://", "the host is missing"),
            ("http:///stream", "the host is missing"),
            ("http://me:x@/stream", "the host is missing"),
            ("http://a b/", "no name of a host"),
            ("http://[::g]/", "no name of a host"),
            ("http://h:0/", "from 1 to 65535"),
            ("http://h:+80/", "from 1 to 65535"),
            ("http://h:http/", "from 1 to 65535"),
            ("http://h/a b", "%20"),
            ("http://h/\r\nX: y", "%20"),
        ] {
            let fault = format!("{:#}", Url::parse(text).unwrap_err());
            assert!(fault.contains(says), "{text:?}: {fault}");
        }
    }

    #[test]
    fn address_of_a_broker_has_parts() {
        let url = Url::parse_mqtt("mqtt://me:se%40cret@[::1]:1884/home/pi").unwrap();
        assert_eq!(url.parts(), ("mqtt", "::1", Some(1884), "home/pi"));
        assert_eq!(url.login().unwrap().password, b"se@cret");
        assert_eq!(url.to_string(), "mqtt://***@[::1]:1884/home/pi");
        assert_eq!(Url::parse_mqtt("mqtt://h").unwrap().parts(), ("mqtt", "h", None, ""));
        for text in ["http://h", "mqtt:h", "mqtt://", "mqtt://h:x"] {
            let fault = format!("{:#}", Url::parse_mqtt(text).unwrap_err());
            assert!(fault.contains("mqtt://[USER@]HOST"), "{text}: {fault}");
        }
        assert!(Url::parse("mqtt://h").is_err());
    }

    #[test]
    #[cfg(not(feature = "https"))]
    fn https_says_how_to_get_it() {
        for fault in [Url::parse("https://h/"), Url::parse_mqtt("mqtts://h")] {
            let fault = fault.unwrap_err().to_string();
            assert!(fault.contains("--features https"), "{fault}");
        }
    }
}
