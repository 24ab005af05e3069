//! For whom a proxy asks, by the headers that it adds. Only those of a trusted proxy
//! may be passed here: anybody can send them.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The values of the headers of these names, a line each, in their order.
pub(crate) struct ForwardedHeaders<'a> {
    /// `X-Forwarded-For`.
    pub(crate) x_for: Vec<&'a str>,
    /// `X-Forwarded-Host`.
    pub(crate) x_host: Vec<&'a str>,
    /// `X-Forwarded-Proto`.
    pub(crate) x_proto: Vec<&'a str>,
    /// `Forwarded` (RFC 7239), which counts where the others are missing.
    pub(crate) forwarded: Vec<&'a str>,
}

impl<'a> ForwardedHeaders<'a> {
    /// The client; `None`: the headers do not say. Each proxy adds the address that it
    /// sees behind those that it was sent, so only what a trusted one has added counts:
    /// from the right, up to the first that is not trusted or cannot be read.
    pub(crate) fn client(&self, is_trusted: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
        let is_old = !self.x_for.is_empty();
        let lines = if is_old { &self.x_for } else { &self.forwarded };
        let mut client = None;
        for element in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            let node = if is_old { Some(element) } else { pair(element, "for") };
            let Some(address) = node.and_then(address) else { break };
            client = Some(address);
            if !is_trusted(address) {
                break;
            }
        }
        client
    }

    /// The host that the client has asked, with its port.
    pub(crate) fn host(&self) -> Option<&'a str> {
        self.last(&self.x_host, "host")
    }

    /// Whether the client has asked by https.
    pub(crate) fn is_https(&self) -> bool {
        self.last(&self.x_proto, "proto").is_some_and(|proto| proto.eq_ignore_ascii_case("https"))
    }

    /// What the nearest proxy says.
    fn last(&self, lines: &[&'a str], key: &str) -> Option<&'a str> {
        let last = |lines: &[&'a str]| lines.last().and_then(|line| line.rsplit(',').next());
        let found = last(lines).or_else(|| pair(last(&self.forwarded)?, key));
        found.map(|text| unquoted(text.trim())).filter(|text| !text.is_empty())
    }
}

/// The value of a key in `for=192.0.2.43;proto=https`.
fn pair<'a>(element: &'a str, key: &str) -> Option<&'a str> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case(key)).map(|(_, value)| value)
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// An address, also with a port or in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = unquoted(text.trim());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let found = text.parse().ok().or_else(with_port).or_else(|| in_brackets().map(IpAddr::V6));
    found.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers<'a>(x_for: &[&'a str], forwarded: &[&'a str]) -> ForwardedHeaders<'a> {
        let (x_for, forwarded) = (x_for.to_vec(), forwarded.to_vec());
        ForwardedHeaders { x_for, x_host: vec![], x_proto: vec![], forwarded }
    }

    /// The client, where proxies of 10.0.0.0/8 are trusted.
    fn client(x_for: &[&str], forwarded: &[&str]) -> Option<String> {
        let is_trusted = |address: IpAddr| address.to_string().starts_with("10.");
        headers(x_for, forwarded).client(is_trusted).map(|address| address.to_string())
    }

    #[test]
    fn client_is_the_first_from_the_right_that_is_not_trusted() {
        for (line, is) in [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7, 10.0.0.2", "203.0.113.7"),
            ("127.0.0.1, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
            ("10.0.0.9, 10.0.0.2", "10.0.0.9"),
            ("203.0.113.7:4711,10.0.0.2:80", "203.0.113.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]:80 , 10.0.0.2", "2001:db8::7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            // Junk ends the chain: what stands before it may be anybody's invention.
            ("203.0.113.7, , 10.0.0.2", "10.0.0.2"),
            ("203.0.113.7, unknown, 10.0.0.2", "10.0.0.2"),
            ("203.0.113.7 10.0.0.2, 10.0.0.3", "10.0.0.3"),
        ] {
            assert_eq!(client(&[line], &[]).as_deref(), Some(is), "{line}");
        }
        for junk in ["", "unknown", "203.0.113.7,", "203.0.113.7, <script>", "1.2.3.4.5", "[::1"] {
            assert_eq!(client(&[junk], &[]), None, "{junk}");
        }
        // Lines of one name are one list (RFC 9110 5.3).
        assert_eq!(client(&["198.51.100.1, 203.0.113.7", "10.0.0.2"], &[]).unwrap(), "203.0.113.7");
    }

    #[test]
    fn forwarded_counts_where_the_other_is_missing() {
        for (line, is) in [
            ("for=203.0.113.7;proto=https;by=10.0.0.1", "203.0.113.7"),
            ("For=\"[2001:db8::7]:4711\", for=10.0.0.2", "2001:db8::7"),
            ("proto=http; for=\"203.0.113.7:80\"", "203.0.113.7"),
            ("for=203.0.113.7, for=_hidden, for=10.0.0.2", "10.0.0.2"),
            ("for=203.0.113.7, proto=http, for=10.0.0.2", "10.0.0.2"),
        ] {
            assert_eq!(client(&[], &[line]).as_deref(), Some(is), "{line}");
        }
        assert_eq!(client(&["198.51.100.1"], &["for=203.0.113.7"]).unwrap(), "198.51.100.1");
        assert_eq!(client(&["junk"], &["for=203.0.113.7"]), None);
    }

    #[test]
    fn host_and_scheme_are_those_of_the_nearest_proxy() {
        let mut all = headers(&[], &["host=a;proto=http, host=\"cam.example:8443\";proto=HTTPS"]);
        assert_eq!((all.host(), all.is_https()), (Some("cam.example:8443"), true));
        all.x_host = vec!["evil.example, real.example"];
        all.x_proto = vec!["https", "http"];
        assert_eq!((all.host(), all.is_https()), (Some("real.example"), false));
        let none = headers(&["203.0.113.7"], &[]);
        assert_eq!((none.host(), none.is_https()), (None, false));
    }
}
