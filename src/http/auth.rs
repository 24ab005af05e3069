//! Who may see the camera: Basic authentication (RFC 7617).

use std::hash::{BuildHasher, RandomState};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use parking_lot::Mutex;
use sha_crypt::{PasswordVerifier, ShaCrypt};
use subtle::{Choice, ConstantTimeEq};

use crate::config::{Credentials, Password};

/// What a look at the Authorization header came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    Yes,
    No,
    /// Only a slow hash can tell.
    Slow,
}

/// Checks Authorization headers against the users of the `--auth-file`.
pub(super) struct Auth {
    /// None: anybody may.
    users: Option<Credentials>,
    /// Marks of headers that a slow hash said yes to, so that a viewer who
    /// asks ten times a second is hashed once. A mark is keyed by a secret of
    /// this process: no password is kept, and no mark can be guessed.
    accepted: Mutex<Vec<u64>>,
    key: RandomState,
}

impl Auth {
    pub(super) fn new(users: Option<Credentials>) -> Self {
        Self { users, accepted: Mutex::default(), key: RandomState::new() }
    }

    /// Judges what can be judged at once.
    pub(super) fn check(&self, authorization: Option<&str>) -> Verdict {
        let Some(Credentials(users)) = &self.users else { return Verdict::Yes };
        let Some((user, password)) = authorization.and_then(decode) else { return Verdict::No };
        let mut is_right = Choice::from(0);
        let mut has_hashed = false;
        // All users are looked at, whoever it is: time tells nothing.
        for (name, right) in users {
            match right {
                Password::Plain(right) => {
                    is_right |= name.as_bytes().ct_eq(user.as_bytes())
                        & right.as_bytes().ct_eq(password.as_bytes());
                }
                Password::Bcrypt(_) | Password::ShaCrypt(_) => has_hashed = true,
            }
        }
        let mark = self.mark(&user, &password);
        if bool::from(is_right) || self.accepted.lock().contains(&mark) {
            Verdict::Yes
        } else if has_hashed {
            Verdict::Slow
        } else {
            Verdict::No
        }
    }

    /// Judges by the hashed passwords: takes up to a second on a small board.
    pub(super) fn check_slowly(&self, authorization: Option<&str>) -> bool {
        let Some(Credentials(users)) = &self.users else { return true };
        let Some((user, password)) = authorization.and_then(decode) else { return false };
        let mut hashed = users.iter().filter(|(_, right)| !matches!(right, Password::Plain(_)));
        let is_user = |name: &str| bool::from(name.as_bytes().ct_eq(user.as_bytes()));
        let known: Vec<_> = hashed.clone().filter(|(name, _)| is_user(name)).collect();
        // A stranger is hashed too, in vain, so that names cannot be found out.
        let is_right = if known.is_empty() {
            let _in_vain = hashed.next().map(|(_, right)| verify(right, &password));
            false
        } else {
            known.iter().any(|(_, right)| verify(right, &password))
        };
        if is_right {
            self.accepted.lock().push(self.mark(&user, &password));
        }
        is_right
    }

    fn mark(&self, user: &str, password: &str) -> u64 {
        self.key.hash_one((user, password))
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
    let text = String::from_utf8(BASE64_STANDARD.decode(token.trim()).ok()?).ok()?;
    text.split_once(':').map(|(user, password)| (user.into(), password.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(user: &str, password: &str) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
    }

    fn auth(users: &[(&str, Password)]) -> Auth {
        let users = users.iter().map(|(name, p)| ((*name).to_owned(), p.clone())).collect();
        Auth::new(Some(Credentials(users)))
    }

    #[test]
    fn anybody_may_where_no_users_are() {
        assert_eq!(Auth::new(None).check(None), Verdict::Yes);
    }

    #[test]
    fn only_the_right_password_of_the_right_user_passes() {
        let auth =
            auth(&[("a", Password::Plain("x:y".into())), ("b", Password::Plain("z".into()))]);
        assert_eq!(auth.check(Some(&header("a", "x:y"))), Verdict::Yes);
        assert_eq!(auth.check(Some(&header("b", "z").replace("Basic", "bASIC"))), Verdict::Yes);
        for (user, password) in
            [("a", "z"), ("b", "x:y"), ("a", ""), ("", ""), ("c", "z"), ("a", "x")]
        {
            assert_eq!(auth.check(Some(&header(user, password))), Verdict::No, "{user}:{password}");
        }
        for bad in ["", "Basic", "Basic !!", "Bearer abc", "Basic YWJj", "Basic /////w=="] {
            assert_eq!(auth.check(Some(bad)), Verdict::No, "{bad}");
        }
        assert_eq!(auth.check(None), Verdict::No);
    }

    #[test]
    fn hashed_passwords_are_hashed_once() {
        let bcrypt = bcrypt::hash("geheim", 4).unwrap();
        let auth = auth(&[("a", Password::Bcrypt(bcrypt))]);
        let right = header("a", "geheim");
        assert_eq!(auth.check(Some(&right)), Verdict::Slow);
        assert!(!auth.check_slowly(Some(&header("a", "falsch"))));
        assert!(!auth.check_slowly(Some(&header("b", "geheim"))));
        assert!(auth.check_slowly(Some(&right)));
        assert_eq!(auth.check(Some(&right)), Verdict::Yes);
        assert_eq!(auth.check(Some(&header("a", "falsch"))), Verdict::Slow);
    }

    #[test]
    fn hash_of_openssl_passwd_is_understood() {
        let hash = SHA_OF_GEHEIM;
        let auth = auth(&[("a", Password::ShaCrypt(hash.into()))]);
        assert!(auth.check_slowly(Some(&header("a", "geheim"))));
        assert!(!auth.check_slowly(Some(&header("a", "Geheim"))));
    }

    /// `openssl passwd -6 -salt saltsalt geheim`
    const SHA_OF_GEHEIM: &str = "$6$saltsalt$sfZR6YSW/Dp0uCiyF9fDipa6ORr5LVLOwXNgtzRlXXhkC7xA3w4zy97VIC3vL14AUXGJp3yBjZVztkdiBzJnX1";
}
