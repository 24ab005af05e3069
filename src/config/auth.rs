//! Who may see the camera: the file of `--auth-file`.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::text_file::{self, Encoding};

/// The users of an `--auth-file` and their passwords, at least one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Credentials(pub(crate) Vec<(String, Password)>);

/// A password as the file holds it.
#[derive(Clone, PartialEq)]
pub(crate) enum Password {
    Plain(String),
    /// `$2y$`, `$2b$` or `$2a$`, as `htpasswd -B` makes them.
    Bcrypt(String),
    /// `$5$` or `$6$`, as `openssl passwd -6` makes them.
    ShaCrypt(String),
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Credentials {
    /// Reads `user:password` lines, and skips empty lines and those that begin
    /// with `#`.
    ///
    /// # Errors
    /// The file cannot be read, has no user, or has a bad line; the first one is
    /// named. No message holds a password, as messages go to the log.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let name = path.display();
        let text = text_file::read(path, Encoding::Utf8OrLatin1)
            .with_context(|| format!("--auth-file {name}"))?;
        let mut users = Vec::new();
        for (i, line) in text.lines().enumerate() {
            let line = line.trim_end_matches('\r');
            // As `htpasswd` and Apache read their files.
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let place = || format!("--auth-file {name}, line {}", i + 1);
            let entries = entries(line).with_context(place)?;
            if entries.len() > 1 {
                log::warn!(
                    "{}: a blank ends the line; the login works with and without it",
                    place()
                );
            }
            users.extend(entries);
        }
        ensure!(!users.is_empty(), "--auth-file {name}: no user in it; write lines user:password");
        Ok(Self(users))
    }
}

/// What one line of the file allows. Blanks behind a password are mostly left by
/// an editor, but a password may end in one: both are let in. The log says so,
/// because nobody sees such a blank.
fn entries(line: &str) -> Result<Vec<(String, Password)>> {
    let trimmed = line.trim_end();
    if trimmed.len() == line.len() || trimmed.ends_with(':') {
        return Ok(vec![user(line)?]);
    }
    let without = user(trimmed)?;
    // No hash ends in a blank.
    let is_plain = matches!(without.1, Password::Plain(_));
    Ok(if is_plain { vec![without, user(line)?] } else { vec![without] })
}

/// One line of the file.
fn user(line: &str) -> Result<(String, Password)> {
    // At the first colon: a user cannot have one in Basic logins, and a password can (RFC
    // 7617, 2).
    let (name, password) = line.split_once(':').context("no colon; write user:password")?;
    ensure!(!name.is_empty(), "no user before the colon; write user:password");
    ensure!(!password.is_empty(), "no password behind the colon; write user:password");
    Ok((name.to_owned(), self::password(password)?))
}

fn password(text: &str) -> Result<Password> {
    let is_hash = |prefixes: &[&str]| prefixes.iter().any(|p| text.starts_with(p));
    if is_hash(&["$2y$", "$2b$", "$2a$"]) {
        // Checked now, because a damaged hash would refuse its user for ever
        // without a word in the log.
        text.parse::<bcrypt::HashParts>().ok().context("the bcrypt hash is damaged")?;
        Ok(Password::Bcrypt(text.to_owned()))
    } else if is_hash(&["$5$", "$6$"]) {
        // The digest has 256 or 512 bits, six in a letter.
        let n_letters = if text.starts_with("$5$") { 43 } else { 86 };
        let digest = text.rsplit('$').next().unwrap_or("");
        ensure!(digest.len() == n_letters, "the SHA-crypt hash is damaged");
        Ok(Password::ShaCrypt(text.to_owned()))
    // A hash of an unsupported kind, taken as a plain password, would let in
    // whoever has read the file.
    } else if is_hash(&["$apr1$", "$1$", "{SHA}", "$y$", "$argon2"]) {
        bail!(
            "this kind of hash is not supported; make one with `htpasswd -nB USER` or `openssl passwd -6`"
        )
    } else {
        Ok(Password::Plain(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_and_hashed_passwords_are_distinguished() {
        assert!(
            matches!(user("a:b:c").unwrap(), (n, Password::Plain(p)) if n == "a" && p == "b:c")
        );
        let bcrypt = "u:$2y$05$abcdefghijklmnopqrstuuFlkQx7C9yzXMKnMnsPMPPhvgr6.Zx.2";
        assert!(matches!(user(bcrypt).unwrap().1, Password::Bcrypt(_)));
        let sha = "u:$6$saltsalt$8RWsOfwR6M6PpnoeQiEiWzNTPo1f0HjVYjDnLZhGx16aBFRkeqiHAzfXP/LgrOWMBMXqiU2pLrXsSOHNUyUm91";
        assert!(matches!(user(sha).unwrap().1, Password::ShaCrypt(_)));
    }

    #[test]
    fn blank_behind_a_password_may_belong_to_it_or_not() {
        let passwords = |line: &str| -> Vec<String> {
            let of = |(_, password)| match password {
                Password::Plain(text) => text,
                Password::Bcrypt(hash) | Password::ShaCrypt(hash) => hash,
            };
            entries(line).unwrap().into_iter().map(of).collect()
        };
        assert_eq!(passwords("a:secret"), ["secret"]);
        assert_eq!(passwords("a:secret \t"), ["secret", "secret \t"]);
        assert_eq!(passwords("a: secret"), [" secret"]);
        assert_eq!(passwords("a:  "), ["  "]);
        let bcrypt = "$2y$05$abcdefghijklmnopqrstuuFlkQx7C9yzXMKnMnsPMPPhvgr6.Zx.2";
        assert_eq!(passwords(&format!("u:{bcrypt} ")), [bcrypt]);
    }

    #[test]
    fn bad_lines_are_refused_without_showing_the_password() {
        for (line, says) in [
            ("geheim", "write user:password"),
            (":geheim", "no user"),
            ("user:", "no password"),
            ("user:$2y$05$geheim", "damaged"),
            ("user:$6$geheim", "damaged"),
            ("user:$apr1$geheim", "htpasswd -nB"),
        ] {
            let fault = format!("{:#}", user(line).unwrap_err());
            assert!(fault.contains(says), "{line}: {fault}");
            assert!(!fault.contains("geheim"), "{fault}");
        }
    }
}
