//! Whether a web page may change something here, by what the browser says of
//! the page that sent the request.
//!
//! Any page can make a visitor's browser send a request, with the visitor's
//! password (cross-site request forgery), so every request that changes
//! something is checked.

use std::fs;
use std::net::IpAddr;

/// Suffixes under which nobody has a name in the public DNS: RFC 6761, 6762
/// and 8375; `internal` and `home` are kept free by ICANN, `lan` by custom.
const PRIVATE: [&str; 6] = [".localhost", ".local", ".home.arpa", ".internal", ".home", ".lan"];

/// Which pages may change something.
#[derive(Clone, Copy)]
pub(in crate::http) struct OriginPolicy<'a> {
    /// As `--allow-origin` has it.
    pub(in crate::http) allow_origin: Option<&'a str>,
    /// Whether a login is needed. A browser sends it only to names at which the
    /// user has typed it.
    pub(in crate::http) has_password: bool,
}

/// What a browser says of the page that sent a request, in the headers of these
/// names. A program sends none but `Host`.
pub(in crate::http) struct Origin<'a> {
    /// `Sec-Fetch-Site`.
    pub(in crate::http) site: Option<&'a str>,
    pub(in crate::http) origin: Option<&'a str>,
    pub(in crate::http) referer: Option<&'a str>,
    pub(in crate::http) host: Option<&'a str>,
    /// Whether the browser has asked a proxy with TLS, as that says.
    pub(in crate::http) is_https: bool,
    /// Whether something else of the request says that it is a browser's.
    pub(in crate::http) is_browser: bool,
}

impl Origin<'_> {
    /// # Errors
    /// Why the page may not change anything, and what would help.
    pub(in crate::http) fn check(&self, is_get: bool, policy: OriginPolicy) -> Result<(), String> {
        if is_get { self.check_get(policy) } else { self.check_post(policy) }
    }

    /// A link or an `<img>` of any page sends a GET without `Origin`, over plain
    /// HTTP without `Sec-Fetch-Site`, and where the page wants it so without
    /// `Referer`: a browser has to prove where the request comes from.
    fn check_get(&self, policy: OriginPolicy) -> Result<(), String> {
        let is_silent = self.site.is_none() && self.origin.is_none() && self.referer.is_none();
        if is_silent && self.is_browser {
            return Err("a browser must say by Sec-Fetch-Site or Referer that a page of this \
                        address asks for a change; use that page, or a program"
                .into());
        }
        // A page whose host leads here by DNS rebinding can look like a program, as
        // some browsers let it choose `User-Agent`: then the host has to be ours.
        let of_host = self.host.filter(|_| self.site.is_none());
        let scheme = if self.is_https { "https" } else { "http" };
        let of_host = of_host.map(|host| format!("{scheme}://{}", host.trim()));
        let of_page = self.origin.or_else(|| self.referer.map(origin_of));
        Origin { origin: of_page.or(of_host.as_deref()), ..*self }.check_post(policy)
    }

    fn check_post(&self, policy: OriginPolicy) -> Result<(), String> {
        // `*` lets all pages read. To change something a page must be named.
        let is_named = self.origin.is_some_and(|o| o != "*" && policy.allow_origin == Some(o));
        let is_own = match (self.site, self.origin) {
            // Browsers leave Sec-Fetch-Site out where the page came by plain
            // HTTP from another machine, but send Origin with each POST.
            (Some(site), _) => matches!(site, "same-origin" | "none"),
            (None, Some(origin)) => is_same(origin, self.host),
            // Not from a page: a program, or an address bar.
            (None, None) => true,
        };
        if is_named {
            return Ok(());
        }
        if !is_own {
            let origin = self.origin.unwrap_or("another site");
            return Err(format!(
                "a page of {origin} may not change anything here; to allow it, start mjpegd with \
                 --allow-origin {}",
                self.origin.filter(|o| o.contains("://")).unwrap_or("ORIGIN")
            ));
        }
        match self.origin {
            Some(origin) if !policy.has_password && may_be_foreign(origin) => Err(format!(
                "a page of {origin} may not change anything here, as any site can point a name \
                 of its own to this machine (DNS rebinding); use this machine's address, https or \
                 a password, or start mjpegd with --allow-origin {origin}"
            )),
            _ => Ok(()),
        }
    }
}

/// The origin of an address.
fn origin_of(url: &str) -> &str {
    let path = |(scheme, rest): (&str, &str)| {
        rest.find(['/', '?', '#']).map(|at| scheme.len() + "://".len() + at)
    };
    url.split_once("://").and_then(path).map_or(url, |at| &url[..at])
}

/// Whether an origin is the host that the request was sent to. The scheme is
/// not compared, as it differs behind a proxy with TLS.
fn is_same(origin: &str, host: Option<&str>) -> bool {
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority.zip(host).is_some_and(|(ours, host)| ours.eq_ignore_ascii_case(host.trim()))
}

/// Whether a foreign site can own this name and have pointed it to this machine
/// after its page was loaded (DNS rebinding). With https it cannot, as this
/// machine has no certificate for its name.
fn may_be_foreign(origin: &str) -> bool {
    let Some(("http", authority)) = origin.split_once("://") else { return false };
    if authority.starts_with('[') {
        // An IPv6 address.
        return false;
    }
    let name = authority.split(':').next().unwrap_or_default();
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let is_private = !name.contains('.') || PRIVATE.iter().any(|suffix| name.ends_with(suffix));
    !is_private && name.parse::<IpAddr>().is_err() && own_name() != name
}

/// The host name of this machine, or an empty string.
fn own_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILENT: Origin = Origin {
        site: None,
        origin: None,
        referer: None,
        host: None,
        is_https: false,
        is_browser: false,
    };

    fn may(site: Option<&str>, origin: Option<&str>, allow_origin: Option<&str>) -> bool {
        let policy = OriginPolicy { allow_origin, has_password: false };
        let asked = Origin { site, origin, host: Some("camera:5000"), ..SILENT };
        // A GET is let in where a POST is.
        assert_eq!(asked.check(true, policy), asked.check(false, policy));
        asked.check(false, policy).is_ok()
    }

    /// Whether a GET of a browser may change something.
    fn may_get(site: Option<&str>, referer: Option<&str>, allow_origin: Option<&str>) -> bool {
        let policy = OriginPolicy { allow_origin, has_password: false };
        let host = Some("camera:5000");
        Origin { site, referer, host, is_browser: true, ..SILENT }.check(true, policy).is_ok()
    }

    #[test]
    fn browser_proves_that_a_link_is_of_an_own_page() {
        for (site, referer) in [
            (None, Some("http://camera:5000/control.htm")),
            (None, Some("http://Camera:5000")),
            (None, Some("https://camera:5000/?x=http://evil/")),
            (Some("same-origin"), None),
            (Some("none"), None),
        ] {
            assert!(may_get(site, referer, None), "{site:?} {referer:?}");
        }
        for (site, referer) in [
            (None, None),
            (None, Some("")),
            (None, Some("about:blank")),
            (None, Some("http://evil/http://camera:5000/")),
            (None, Some("http://camera:5000@evil/")),
            (None, Some("http://camera:5000.evil/")),
            (None, Some("http://camera/")),
            (Some("cross-site"), None),
            (Some("cross-site"), Some("http://camera:5000/")),
            (Some("same-site"), None),
        ] {
            for allowed in [None, Some("*")] {
                assert!(!may_get(site, referer, allowed), "{site:?} {referer:?} {allowed:?}");
            }
        }
        let named = "http://printer:7125";
        assert!(may_get(None, Some("http://printer:7125/a"), Some(named)));
        assert!(!may_get(None, Some("http://printer:7126/a"), Some(named)));
        assert!(!may_get(None, None, Some(named)));
        assert_eq!(
            SILENT.check(true, OriginPolicy { allow_origin: None, has_password: false }),
            Ok(())
        );
    }

    #[test]
    fn program_gives_commands_to_a_host_that_is_ours() {
        let check = |host, allow_origin, has_password| {
            let asked = Origin { host: Some(host), ..SILENT };
            asked.check(true, OriginPolicy { allow_origin, has_password })
        };
        for ours in ["192.168.1.20:5000", "octopi.local", "localhost:5000", "[::1]:80", "cam"] {
            assert_eq!(check(ours, None, false), Ok(()), "{ours}");
        }
        let anybodys = "cam.example.org";
        assert!(check(anybodys, None, false).unwrap_err().contains("DNS rebinding"));
        assert_eq!(check(anybodys, None, true), Ok(()));
        let by_https = Origin { host: Some(anybodys), is_https: true, ..SILENT };
        let policy = OriginPolicy { allow_origin: None, has_password: false };
        assert_eq!(by_https.check(true, policy), Ok(()), "nobody else has its certificate");
        assert_eq!(check(anybodys, Some("http://cam.example.org"), false), Ok(()));
    }

    #[test]
    fn name_that_anybody_may_have_is_not_ours_in_a_link_either() {
        let asked = Origin {
            referer: Some("http://cam.example.org/a"),
            host: Some("cam.example.org"),
            is_browser: true,
            ..SILENT
        };
        let check =
            |has_password| asked.check(true, OriginPolicy { allow_origin: None, has_password });
        assert!(check(false).is_err() && check(true).is_ok());
    }

    #[test]
    fn own_page_and_programs_may_change() {
        for (site, origin) in [
            (None, None),
            (Some("none"), None),
            (Some("same-origin"), Some("http://camera:5000")),
            // Behind a proxy, whose name is not ours.
            (Some("same-origin"), Some("https://garden.example")),
            (None, Some("http://camera:5000")),
            (None, Some("https://Camera:5000")),
        ] {
            assert!(may(site, origin, None), "{site:?} {origin:?}");
        }
    }

    #[test]
    fn other_pages_may_not_unless_they_are_named() {
        let named = "http://printer:7125";
        for (site, origin) in [
            (Some("cross-site"), Some(named)),
            (Some("same-site"), Some(named)),
            (Some("nonsense"), None),
            (Some(""), None),
            (Some("cross-site"), Some("http://camera:5000")),
            (None, Some(named)),
            (None, Some("null")),
            (None, Some("")),
            (None, Some("*")),
            (None, Some("camera:5000")),
            (None, Some("http://camera")),
            (None, Some("http://camera:5000.evil.example")),
        ] {
            for allowed in [None, Some("*"), Some("http://printer"), Some("http://printer:71250")] {
                assert!(!may(site, origin, allowed), "{site:?} {origin:?} {allowed:?}");
            }
            assert_eq!(
                may(site, origin, Some(named)),
                origin == Some(named),
                "{site:?} {origin:?}"
            );
        }
        let policy = OriginPolicy { allow_origin: None, has_password: true };
        assert!(Origin { origin: Some("http://a"), ..SILENT }.check(false, policy).is_err());
    }

    #[test]
    fn name_that_anybody_may_have_is_not_ours_by_leading_here() {
        let check = |origin: &str, allow_origin, has_password| {
            let (_, host) = origin.split_once("://").unwrap();
            let asked = Origin { origin: Some(origin), host: Some(host), ..SILENT };
            asked.check(false, OriginPolicy { allow_origin, has_password })
        };
        for ours in [
            "http://localhost:5000",
            "http://127.0.0.1:5000",
            "http://192.168.1.20",
            "http://[::1]:5000",
            "http://[fe80::1]",
            "http://octopi",
            "http://octopi.local:5000",
            "http://Printer.Local.",
            "http://cam.lan",
            "http://cam.home.arpa",
            "https://cam.example.org",
        ] {
            assert_eq!(check(ours, None, false), Ok(()), "{ours}");
        }
        for anybodys in [
            "http://cam.example.org",
            "http://cam.example.org.:5000",
            "http://192.168.1.20.example.org",
            "http://local.example.org:5000",
            "http://notlocal.org",
            "http://a.localhost.example",
            "http://1.2.3.4.5",
        ] {
            let why = check(anybodys, None, false).unwrap_err();
            assert!(why.ends_with(&format!("--allow-origin {anybodys}")), "{why}");
            assert!(check(anybodys, Some("*"), false).is_err(), "{anybodys}");
            assert_eq!(check(anybodys, Some(anybodys), false), Ok(()), "{anybodys}");
            assert_eq!(check(anybodys, None, true), Ok(()), "{anybodys}");
        }
    }

    #[test]
    fn refusal_says_what_would_help() {
        let policy = OriginPolicy { allow_origin: None, has_password: false };
        let asked = Origin { origin: Some("http://a:1"), host: Some("b"), ..SILENT };
        let why = asked.check(false, policy).unwrap_err();
        assert!(why.ends_with("--allow-origin http://a:1"), "{why}");
    }
}
