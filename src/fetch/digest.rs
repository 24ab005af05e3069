//! Answers challenges of the Digest scheme (RFC 7616) as curl does.
//!
//! The crate http-auth is not used, because it refuses much that cameras send: names
//! in another case, `qop=""`, realms in Latin-1. It also prefers auth-int, which
//! cameras offer but do not implement.

use md5::Md5;
use sha2::{Sha256, Sha512_256};

use super::challenge::Challenge;

/// A challenge that can be answered.
#[derive(Debug)]
pub(super) struct Digest {
    realm: Vec<u8>,
    nonce: Vec<u8>,
    opaque: Option<Vec<u8>>,
    /// Echoed as the server wrote it; `None` if it sent none.
    algorithm: Option<Vec<u8>>,
    hash: Hash,
    /// Whether the secret depends on both nonces.
    is_session: bool,
    /// The quality of protection; `None` for the older form without one (RFC 2069).
    qop: Option<&'static str>,
    is_user_hashed: bool,
    /// Whether the login before was right and only its nonce too old.
    pub(super) is_stale: bool,
    /// How many answers used this nonce.
    n_used: u32,
}

/// The hash functions, the weakest first: the strongest one offered is used.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) enum Hash {
    Md5,
    Sha256,
    Sha512Of256,
}

/// The request and the login that an answer is computed for.
pub(super) struct Request<'a> {
    pub(super) user: &'a [u8],
    pub(super) password: &'a [u8],
    /// Path and query, as in the request line.
    pub(super) target: &'a str,
    /// A random text without quotes.
    pub(super) cnonce: &'a str,
}

impl Digest {
    /// Prepares the answers to a challenge; `None` if it is no Digest challenge or uses
    /// an unknown algorithm.
    pub(super) fn new(challenge: &Challenge) -> Option<Self> {
        if challenge.scheme != "digest" {
            return None;
        }
        let owned = |name| challenge.param(name).map(<[u8]>::to_vec);
        let is = |name, value: &str| {
            challenge.param(name).is_some_and(|v| v.eq_ignore_ascii_case(value.as_bytes()))
        };
        // Some cameras write an empty algorithm and mean the default, MD5 (RFC 7616,
        // section 3.3).
        let algorithm = owned("algorithm").filter(|name| !name.trim_ascii().is_empty());
        let (hash, is_session) = Hash::from_name(algorithm.as_deref().unwrap_or(b"MD5"))?;
        let offers = |qop: &str| {
            let mut words = challenge.param("qop").unwrap_or_default().split(|b| b", ".contains(b));
            words.any(|word| word.eq_ignore_ascii_case(qop.as_bytes()))
        };
        Some(Self {
            realm: owned("realm").unwrap_or_default(),
            // Without a nonce there is nothing to answer; a missing realm counts as an
            // empty one.
            nonce: owned("nonce")?,
            opaque: owned("opaque"),
            algorithm,
            hash,
            is_session,
            // "auth" first: cameras offer "auth-int" without implementing it. Of a GET it
            // would protect an empty body, so nothing is lost.
            qop: ["auth", "auth-int"].into_iter().find(|qop| offers(qop)),
            is_user_hashed: is("userhash", "true"),
            is_stale: is("stale", "true"),
            n_used: 0,
        })
    }

    pub(super) fn hash(&self) -> Hash {
        self.hash
    }

    /// Uses another nonce from now on.
    pub(super) fn set_nonce(&mut self, nonce: Vec<u8>) {
        (self.nonce, self.n_used) = (nonce, 0);
    }

    /// The value of Authorization for one GET.
    pub(super) fn answer(&mut self, request: &Request<'_>) -> Vec<u8> {
        // Servers that check it refuse a count which came before, as a replayed request.
        self.n_used = self.n_used.wrapping_add(1);
        let of = |parts: &[&[u8]]| self.hash.hex(parts);
        let (nonce, cnonce) = (&self.nonce[..], request.cnonce.as_bytes());
        let count = format!("{:08x}", self.n_used);
        let mut secret = of(&[request.user, &self.realm, request.password]);
        if self.is_session {
            secret = of(&[secret.as_bytes(), nonce, cnonce]);
        }
        let target = request.target.as_bytes();
        let method_and_target = match self.qop {
            Some("auth-int") => of(&[b"GET", target, of(&[b""]).as_bytes()]),
            _ => of(&[b"GET", target]),
        };
        let response = match self.qop {
            Some(qop) => of(&[
                secret.as_bytes(),
                nonce,
                count.as_bytes(),
                cnonce,
                qop.as_bytes(),
                method_and_target.as_bytes(),
            ]),
            None => of(&[secret.as_bytes(), nonce, method_and_target.as_bytes()]),
        };
        // Hides the name from those who listen (RFC 7616, section 3.4.4). The secret above
        // is made of the plain one all the same.
        let hashed = of(&[request.user, &self.realm]);
        let user = if self.is_user_hashed { hashed.as_bytes() } else { request.user };
        let mut text = b"Digest ".to_vec();
        add_quoted(&mut text, "username", user);
        add_quoted(&mut text, ", realm", &self.realm);
        add_quoted(&mut text, ", nonce", nonce);
        add_quoted(&mut text, ", uri", target);
        if self.qop.is_some() || self.is_session {
            add_quoted(&mut text, ", cnonce", cnonce);
        }
        if let Some(qop) = self.qop {
            // Without quotes, as in curl: some cameras compare the whole text.
            text.extend_from_slice(format!(", nc={count}, qop={qop}").as_bytes());
        }
        add_quoted(&mut text, ", response", response.as_bytes());
        if let Some(opaque) = &self.opaque {
            add_quoted(&mut text, ", opaque", opaque);
        }
        if let Some(algorithm) = &self.algorithm {
            // Echoed without quotes, whatever the server wrote: RFC 7616, section 3.4, has
            // it so.
            text.extend_from_slice(b", algorithm=");
            text.extend_from_slice(algorithm);
        }
        if self.is_user_hashed {
            text.extend_from_slice(b", userhash=true");
        }
        text
    }
}

impl Hash {
    /// The hash with this name, and whether it is the variant for sessions.
    fn from_name(name: &[u8]) -> Option<(Self, bool)> {
        let name = name.trim_ascii().to_ascii_lowercase();
        let (name, is_session) = match name.strip_suffix(b"-sess") {
            Some(name) => (name, true),
            None => (&name[..], false),
        };
        let hash = match name {
            b"md5" => Self::Md5,
            b"sha-256" | b"sha256" => Self::Sha256,
            b"sha-512-256" => Self::Sha512Of256,
            _ => return None,
        };
        Some((hash, is_session))
    }

    /// The hash of the parts, joined by colons, in hexadecimal digits.
    fn hex(self, parts: &[&[u8]]) -> String {
        match self {
            Self::Md5 => hex_digest::<Md5>(parts),
            Self::Sha256 => hex_digest::<Sha256>(parts),
            Self::Sha512Of256 => hex_digest::<Sha512_256>(parts),
        }
    }
}

fn hex_digest<H: md5::Digest>(parts: &[&[u8]]) -> String {
    hex(&H::digest(parts.join(&b':')))
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn add_quoted(text: &mut Vec<u8>, name: &str, value: &[u8]) {
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b"=\"");
    for b in value {
        if b"\"\\".contains(b) {
            text.push(b'\\');
        }
        text.push(*b);
    }
    text.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(challenge: &str, request: &Request<'_>) -> String {
        let challenge = Challenge::all([challenge.as_bytes()].into_iter()).remove(0);
        let answer = Digest::new(&challenge).unwrap().answer(request);
        String::from_utf8(answer).unwrap()
    }

    /// The challenge and answers of RFC 7616, section 3.9.1.
    #[test]
    fn answers_match_the_examples_of_the_rfc() {
        let request = Request {
            user: b"Mufasa",
            password: b"Circle of Life",
            target: "/dir/index.html",
            cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        };
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let sent = answer(
                &format!(
                    "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
                     algorithm={algorithm}, \
                     nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                     opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
                ),
                &request,
            );
            assert_eq!(
                sent,
                format!(
                    "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", \
                     nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                     uri=\"/dir/index.html\", \
                     cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", nc=00000001, \
                     qop=auth, response=\"{response}\", \
                     opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", \
                     algorithm={algorithm}"
                )
            );
        }
    }

    /// The example of RFC 7616, section 3.9.2. Its hashes are wrong: that of the user
    /// is from erratum 4897, that of the response from Python's hashlib.
    #[test]
    fn user_is_hashed_where_the_server_wants_it() {
        let sent = answer(
            "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, userhash=true, \
             nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", charset=UTF-8",
            &Request {
                user: "J\u{e4}s\u{f8}n Doe".as_bytes(),
                password: b"Secret, or not?",
                target: "/doe.json",
                cnonce: "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm",
            },
        );
        let user = "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b";
        let response = "7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c";
        assert!(sent.starts_with(&format!("Digest username=\"{user}\"")), "{sent}");
        assert!(sent.contains(&format!("response=\"{response}\"")), "{sent}");
        assert!(sent.ends_with("userhash=true"), "{sent}");
    }

    /// The hashes were computed with Python's hashlib.
    #[test]
    fn every_form_of_challenge_has_its_answer() {
        let request = Request { user: b"me", password: b"secret", target: "/x", cnonce: "c" };
        let plain = "2c2de10a2a065d27ba89db995e72d5fb";
        let auth = "6fe7f70b8fc4a026d2447240e5a2c6c0";
        for (more, response) in [
            ("", plain),
            (", qop=\"\"", plain),
            (", qop=\"other\"", plain),
            (", qop=AUTH", auth),
            (", qop=\"auth-int,auth\", algorithm=md5", auth),
            (", qop=auth, algorithm=\"Md5\"", auth),
            (", qop=auth, algorithm=\"\"", auth),
            (", qop=\"auth-int\"", "8d7e3e355c04f85da88c1d2b668ae7ba"),
            (", qop=\"auth\", algorithm=MD5-SESS", "a81cbf0d1e5b9b5045f19b704dca5b2a"),
        ] {
            let sent = answer(&format!("Digest realm=cam, nonce=n{more}"), &request);
            assert!(sent.contains(&format!("response=\"{response}\"")), "{more}: {sent}");
        }
    }

    #[test]
    fn nonce_is_counted_until_there_is_another() {
        let challenge = Challenge::all([&b"Digest nonce=n, qop=auth"[..]].into_iter()).remove(0);
        let mut digest = Digest::new(&challenge).unwrap();
        let sent = |digest: &mut Digest| {
            let request = Request { user: b"a\"b\\", password: b"", target: "/", cnonce: "c" };
            String::from_utf8(digest.answer(&request)).unwrap()
        };
        assert!(sent(&mut digest).contains("nonce=\"n\", uri=\"/\", cnonce=\"c\", nc=00000001"));
        let second = sent(&mut digest);
        assert!(second.contains("nc=00000002") && second.contains(r#"username="a\"b\\""#));
        digest.set_nonce(b"m".to_vec());
        assert!(sent(&mut digest).contains("nonce=\"m\", uri=\"/\", cnonce=\"c\", nc=00000001"));
    }

    #[test]
    fn unknown_challenges_are_not_answered() {
        for value in ["Basic realm=a", "Digest realm=a", "Digest nonce=a, algorithm=MD4"] {
            let challenge = Challenge::all([value.as_bytes()].into_iter()).remove(0);
            assert!(Digest::new(&challenge).is_none(), "{value}");
        }
    }
}
