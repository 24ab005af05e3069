//! Who may see the camera: Basic authentication (RFC 7617).

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use parking_lot::Mutex;
use sha_crypt::{PasswordVerifier, ShaCrypt};
use subtle::{Choice, ConstantTimeEq};

use super::login_limit::{LoginLimit, PendingLogin};
use crate::config::{Credentials, Password};

/// What the Authorization header is good for.
pub(in crate::http) enum Login {
    Granted,
    Denied,
    /// Only a slow hash can tell: see [`Auth::check_slowly`].
    Slow(PendingLogin),
    /// This address tries passwords too fast, so this one was not checked.
    Throttled,
}

/// Checks Authorization headers against the users of the `--auth-file`.
pub(in crate::http) struct Auth {
    /// `None`: no login is needed.
    users: Option<Credentials>,
    /// Hashes of logins that were right, so that a client which polls ten times
    /// a second is checked by the slow hash once. They are keyed by a secret of
    /// this process, so that no password is kept and none can be computed. Each
    /// holds for one address, so that it does not help a guesser elsewhere.
    accepted: Mutex<VecDeque<u64>>,
    key: RandomState,
    limit: Arc<LoginLimit>,
}

/// Accepted logins that are kept.
const MAX_ACCEPTED: usize = 1024;

impl Auth {
    pub(in crate::http) fn new(users: Option<Credentials>) -> Self {
        Self { users, accepted: Mutex::default(), key: RandomState::new(), limit: Arc::default() }
    }

    pub(in crate::http) fn is_needed(&self) -> bool {
        self.users.is_some()
    }

    /// Checks what can be checked at once.
    pub(in crate::http) fn check(&self, authorization: Option<&str>, from: IpAddr) -> Login {
        let Some(Credentials(users)) = &self.users else { return Login::Granted };
        let Some((user, password)) = authorization.and_then(decode) else { return Login::Denied };
        let (mark, now) = (self.mark(&user, &password, from), Instant::now());
        if self.accepted.lock().contains(&mark) {
            return Login::Granted;
        }
        // Before the password is compared, or a guesser would still learn.
        if !self.limit.may(from, now) {
            return Login::Throttled;
        }
        let mut is_right = Choice::from(0);
        let mut has_hashed = false;
        // All users are compared, so that the time does not tell which exist.
        for (name, right) in users {
            match right {
                Password::Plain(right) => {
                    is_right |= name.as_bytes().ct_eq(user.as_bytes())
                        & right.as_bytes().ct_eq(password.as_bytes());
                }
                Password::Bcrypt(_) | Password::ShaCrypt(_) => has_hashed = true,
            }
        }
        if bool::from(is_right) {
            self.accept(mark);
            Login::Granted
        } else if has_hashed {
            self.limit.begin(from, now).map_or(Login::Throttled, Login::Slow)
        } else {
            self.limit.wrong(from, now);
            Login::Denied
        }
    }

    /// Checks hashed passwords, which takes up to a second on a small board.
    pub(in crate::http) fn check_slowly(&self, authorization: Option<&str>, from: IpAddr) -> bool {
        let Some(Credentials(users)) = &self.users else { return true };
        let Some((user, password)) = authorization.and_then(decode) else { return false };
        let mut hashed = users.iter().filter(|(_, right)| !matches!(right, Password::Plain(_)));
        let is_user = |name: &str| bool::from(name.as_bytes().ct_eq(user.as_bytes()));
        let known: Vec<_> = hashed.clone().filter(|(name, _)| is_user(name)).collect();
        // Unknown users are hashed too, in vain, so that the time does not tell
        // which names exist.
        let is_right = if known.is_empty() {
            let _in_vain = hashed.next().map(|(_, right)| verify(right, &password));
            false
        } else {
            known.iter().any(|(_, right)| verify(right, &password))
        };
        if is_right {
            self.accept(self.mark(&user, &password, from));
        } else {
            self.limit.wrong(from, Instant::now());
        }
        is_right
    }

    fn accept(&self, mark: u64) {
        let mut accepted = self.accepted.lock();
        accepted.truncate(MAX_ACCEPTED - 1);
        accepted.push_front(mark);
    }

    fn mark(&self, user: &str, password: &str, from: IpAddr) -> u64 {
        self.key.hash_one((user, password, from))
    }
}

fn verify(right: &Password, password: &str) -> bool {
    match right {
        Password::Plain(right) => right.as_bytes().ct_eq(password.as_bytes()).into(),
        Password::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
        Password::ShaCrypt(hash) => {
            ShaCrypt::default().verify_password(password.as_bytes(), hash.as_str()).is_ok()
        }
    }
}

/// User and password of a Basic Authorization header.
fn decode(authorization: &str) -> Option<(String, String)> {
    let (scheme, token) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = BASE64_STANDARD.decode(token.trim()).ok()?;
    // Some clients send Latin-1, which RFC 7617 leaves open.
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|e| e.into_bytes().into_iter().map(char::from).collect());
    text.split_once(':').map(|(user, password)| (user.into(), password.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(user: &str, password: &str) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
    }

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn check(auth: &Auth, authorization: Option<&str>) -> &'static str {
        match auth.check(authorization, HERE) {
            Login::Granted => "yes",
            Login::Denied => "no",
            Login::Slow(_) => "slow",
            Login::Throttled => "too fast",
        }
    }

    fn auth(users: &[(&str, Password)]) -> Auth {
        let users = users.iter().map(|(name, p)| ((*name).to_owned(), p.clone())).collect();
        Auth::new(Some(Credentials(users)))
    }

    #[test]
    fn no_login_is_needed_without_users() {
        assert_eq!(check(&Auth::new(None), None), "yes");
    }

    #[test]
    fn only_the_right_password_of_the_right_user_passes() {
        let auth =
            auth(&[("a", Password::Plain("x:y".into())), ("b", Password::Plain("z".into()))]);
        assert_eq!(check(&auth, Some(&header("a", "x:y"))), "yes");
        assert_eq!(check(&auth, Some(&header("b", "z").replace("Basic", "bASIC"))), "yes");
        for (user, password) in
            [("a", "z"), ("b", "x:y"), ("a", ""), ("", ""), ("c", "z"), ("a", "x")]
        {
            assert_eq!(check(&auth, Some(&header(user, password))), "no", "{user}:{password}");
        }
        for bad in ["", "Basic", "Basic !!", "Bearer abc", "Basic YWJj", "Basic /////w=="] {
            assert_eq!(check(&auth, Some(bad)), "no", "{bad}");
        }
        assert_eq!(check(&auth, None), "no");
    }

    #[test]
    fn hashed_passwords_are_hashed_once() {
        let bcrypt = bcrypt::hash("geheim", 4).unwrap();
        let auth = auth(&[("a", Password::Bcrypt(bcrypt))]);
        let right = header("a", "geheim");
        assert_eq!(check(&auth, Some(&right)), "slow");
        assert!(!auth.check_slowly(Some(&header("a", "falsch")), HERE));
        assert!(!auth.check_slowly(Some(&header("b", "geheim")), HERE));
        assert!(auth.check_slowly(Some(&right), HERE));
        assert_eq!(check(&auth, Some(&right)), "yes");
        assert_eq!(check(&auth, Some(&header("a", "falsch"))), "slow");
    }

    #[test]
    fn guesser_is_told_nothing_and_who_was_right_before_still_is() {
        let auth = auth(&[("a", Password::Plain("x".into())), ("b", Password::Plain("y".into()))]);
        assert_eq!(check(&auth, Some(&header("a", "x"))), "yes");
        while check(&auth, Some(&header("a", "z"))) == "no" {}
        assert_eq!(check(&auth, Some(&header("b", "y"))), "too fast");
        assert_eq!(check(&auth, Some(&header("a", "x"))), "yes");
        let other = "10.0.0.1".parse().unwrap();
        assert!(matches!(auth.check(Some(&header("b", "y")), other), Login::Granted));
    }

    #[test]
    fn umlauts_are_understood_in_both_encodings() {
        let auth = auth(&[("a", Password::Plain("gr\u{fc}n".into()))]);
        for bytes in [&b"a:gr\xC3\xBCn"[..], b"a:gr\xFCn"] {
            let header = format!("Basic {}", BASE64_STANDARD.encode(bytes));
            assert_eq!(check(&auth, Some(&header)), "yes");
        }
    }

    #[test]
    fn hash_of_openssl_passwd_is_understood() {
        let hash = SHA_OF_GEHEIM;
        let auth = auth(&[("a", Password::ShaCrypt(hash.into()))]);
        assert!(auth.check_slowly(Some(&header("a", "geheim")), HERE));
        assert!(!auth.check_slowly(Some(&header("a", "Geheim")), HERE));
    }

    /// `openssl passwd -6 -salt saltsalt geheim`
    const SHA_OF_GEHEIM: &str = "$6$saltsalt$sfZR6YSW/Dp0uCiyF9fDipa6ORr5LVLOwXNgtzRlXXhkC7xA3w4zy97VIC3vL14AUXGJp3yBjZVztkdiBzJnX1";
}
