//! `--tls-ca` and `--tls-insecure`: which certificates of an https camera are
//! accepted.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::args::Args;
use super::text_file;
use crate::trust::Trust;
use crate::url::NO_HTTPS;

/// What stands in front of a fingerprint, in place of the path of a file.
const FINGERPRINT: &str = "sha256:";

impl Trust {
    /// Reads both options.
    ///
    /// # Errors
    /// What is wrong with their values, and what would be right.
    pub(super) fn new(args: &Args) -> Result<Self> {
        let trust = match (args.text_if("tls-ca"), args.is_on("tls-insecure")) {
            (None, false) => return Ok(Self::Public),
            (None, true) => Self::Anything,
            (Some(text), false) => {
                Self::from_ca(text).with_context(|| format!("--tls-ca {text}"))?
            }
            // Whoever types both may believe that the stricter one counts.
            (Some(_), true) => bail!(
                "--tls-insecure accepts any certificate and --tls-ca only some; use one of them"
            ),
        };
        let option = if args.is_on("tls-insecure") { "--tls-insecure" } else { "--tls-ca" };
        ensure!(cfg!(feature = "https"), "{option}: {NO_HTTPS}");
        Ok(trust)
    }

    fn from_ca(text: &str) -> Result<Self> {
        if let Some(digits) = text.strip_prefix(FINGERPRINT) {
            let usage = "a fingerprint is 64 hexadecimal digits, with or without colons";
            return fingerprint(digits).map(Self::Fingerprint).context(usage);
        }
        let bytes = text_file::read_bytes(Path::new(text))?;
        // A certificate in DER begins with a sequence of more than 255 bytes.
        let found = if bytes.starts_with(&[0x30, 0x82]) { vec![bytes] } else { pem(&bytes)? };
        ensure!(
            !found.is_empty(),
            "no certificate in this file; use one with a line -----BEGIN CERTIFICATE-----"
        );
        Ok(Self::Certificates(found))
    }
}

/// Reads a fingerprint as openssl writes it, `AB:CD:...`, or without colons.
fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text.bytes().filter(|b| *b != b':').collect();
    let pairs = digits.chunks(2).map(|pair| {
        let is_hex = pair.len() == 2 && pair.iter().all(u8::is_ascii_hexdigit);
        let text = std::str::from_utf8(pair).ok().filter(|_| is_hex)?;
        u8::from_str_radix(text, 16).ok()
    });
    pairs.collect::<Option<Vec<_>>>()?.try_into().ok()
}

/// The certificates of a file in PEM (RFC 7468); keys in it are skipped.
fn pem(bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let text = String::from_utf8_lossy(bytes);
    let inside = text.split(BEGIN).skip(1).map(|rest| {
        let (inside, _) = rest.split_once(END).context("a certificate in this file has no end")?;
        let digits: String = inside.chars().filter(|c| !c.is_whitespace()).collect();
        STANDARD.decode(digits).context("a certificate in this file is damaged")
    });
    inside.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_in_both_forms() {
        let plain = "ab".repeat(32);
        let colons = vec!["AB"; 32].join(":");
        for text in [&plain, &colons] {
            let read = Trust::from_ca(&format!("sha256:{text}")).unwrap();
            assert_eq!(read, Trust::Fingerprint([0xAB; 32]), "{text}");
        }
        for wrong in ["", "ab", &"+1".repeat(32), &"ab".repeat(33)] {
            let error = Trust::from_ca(&format!("sha256:{wrong}")).unwrap_err().to_string();
            assert!(error.contains("64 hexadecimal digits"), "{wrong}: {error}");
        }
    }

    fn trust(args: &[&str]) -> Result<Trust> {
        Trust::new(&Args::typed([&["mjpegd"], args].concat()))
    }

    #[test]
    fn at_most_one_option_may_be_given() {
        assert_eq!(trust(&[]).unwrap(), Trust::Public);
        assert_eq!(trust(&["--tls-insecure=false"]).unwrap(), Trust::Public);
        let fingerprint = format!("sha256:{}", "ab".repeat(32));
        let error = trust(&["--tls-insecure", "--tls-ca", &fingerprint]).unwrap_err().to_string();
        assert!(error.contains("use one of them"), "{error}");
        let error = format!("{:#}", trust(&["--tls-ca", "/nowhere"]).unwrap_err());
        assert!(error.starts_with("--tls-ca /nowhere: "), "{error}");
        for args in [&["--tls-insecure"][..], &["--tls-ca", &fingerprint]] {
            match trust(args) {
                Ok(trust) => assert!(cfg!(feature = "https") && trust != Trust::Public),
                Err(error) => {
                    let error = error.to_string();
                    assert!(
                        !cfg!(feature = "https") && error.contains("--features https"),
                        "{error}"
                    );
                }
            }
        }
    }

    #[test]
    fn certificates_are_read_from_pem() {
        let text = "a comment\n-----BEGIN CERTIFICATE-----\r\nAQ\r\nID\r\n-----END CERTIFICATE-----\n\
                    -----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n\
                    -----BEGIN CERTIFICATE-----\nBAU=\n-----END CERTIFICATE-----\n";
        assert_eq!(pem(text.as_bytes()).unwrap(), [vec![1, 2, 3], vec![4, 5]]);
        assert!(pem(b"no certificate").unwrap().is_empty());
        for wrong in ["-----BEGIN CERTIFICATE-----\nAQID\n", &text.replace("AQ", "!")] {
            assert!(pem(wrong.as_bytes()).is_err(), "{wrong}");
        }
        let error = Trust::from_ca("Cargo.toml").unwrap_err().to_string();
        assert!(error.contains("-----BEGIN CERTIFICATE-----"), "{error}");
    }
}
