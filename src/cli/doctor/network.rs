//! Whether other machines can reach the daemon, and at which addresses.

use std::net::IpAddr;

use super::report::{Report, text};
use super::system::System;
use crate::config::Bind;

/// More are the addresses of containers and the like.
const MAX_SHOWN: usize = 4;

pub(super) fn look(system: &System, binds: &[&Bind], report: &mut Report) {
    report.topic("network");
    let tcp = binds.iter().filter_map(|bind| match bind {
        Bind::Tcp(address) => Some(*address),
        Bind::Unix(_) => None,
    });
    let Some(open) = tcp.clone().find(|address| !address.ip().is_loopback()) else {
        if let Some(own) = tcp.clone().next() {
            let what = "only this machine can reach the daemon, or others through a proxy on it\n\
                --bind 0.0.0.0:@";
            report.note(what, &[text(&own.port())]);
        }
        return;
    };
    let port = text(&open.port());
    let mut urls = String::new();
    let mut add = |host: &str| {
        [" http://", host, ":", port, "/"].iter().for_each(|piece| urls += piece);
    };
    if system.has("/run/avahi-daemon")
        && let Some(name) = system.text("/proc/sys/kernel/hostname")
    {
        add(&[name, ".local"].concat());
    }
    match open.ip() {
        IpAddr::V6(ip) if !ip.is_unspecified() => add(&["[", text(&ip), "]"].concat()),
        IpAddr::V4(ip) if !ip.is_unspecified() => add(text(&ip)),
        _ => {
            let tree = system.text("/proc/net/fib_trie").unwrap_or_default();
            own_addresses(tree).iter().for_each(|ip| add(ip));
        }
    }
    if urls.is_empty() {
        let what = "this machine has no address in a network\nip address; nmcli device wifi list";
        report.fault(what, &[]);
    } else {
        report.ok("others reach it at@", &[&urls]);
    }
    firewall(system, port, report);
}

/// The names of firewalls that are on. Their rules are for root's eyes.
fn firewall(system: &System, port: &str, report: &mut Report) {
    let has = |path: &str, text: &str| system.text(path).is_some_and(|file| file.contains(text));
    let what = if has("/etc/ufw/ufw.conf", "ENABLED=yes") {
        "the firewall ufw is on; if it does not let port @ in:\nsudo ufw allow @/tcp"
    } else if system.has("/sys/fs/cgroup/system.slice/firewalld.service") {
        "the firewall firewalld is on; if it does not let port @ in:\n\
         sudo firewall-cmd --permanent --add-port=@/tcp && sudo firewall-cmd --reload"
    } else if has("/etc/nftables.conf", "policy drop") {
        "the firewall nftables is on; if it does not let port @ in:\n\
         sudo nft add rule inet filter input tcp dport @ accept"
    } else {
        return;
    };
    report.note(what, &[port, port]);
}

/// The addresses of this machine that others can use, by the kernel's tree of routes: the
/// line before "host LOCAL" is one.
fn own_addresses(tree: &str) -> Vec<&str> {
    let (mut found, mut before) = (Vec::new(), "");
    for line in tree.lines() {
        let is_new = !before.starts_with("127.") && !found.contains(&before);
        if line.contains("/32 host LOCAL") && is_new && found.len() < MAX_SHOWN {
            found.push(before);
        }
        before = line.trim_start_matches([' ', '|', '-']);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::system::Fake;
    use super::*;
    use crate::cli::doctor::tests::config;

    const TRIE: &str = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 127.0.0.1\n        /32 host LOCAL\n     \
        |-- 192.168.1.5\n        /32 host LOCAL\n     |-- 192.168.1.255\n        /32 link BROADCAST\n\
        Local:\n     |-- 192.168.1.5\n        /32 host LOCAL\n";

    fn says(files: &[(&str, &str)], bind: &str) -> String {
        let config = config(&["--bind", bind]);
        let binds: Vec<_> = config.http.binds.iter().collect();
        Fake::new(files).says(|system, report| look(system, &binds, report))
    }

    #[test]
    fn loopback_is_said_with_what_opens_it() {
        assert!(says(&[], "127.0.0.1:5001").contains("-> --bind 0.0.0.0:5001\n"));
        assert_eq!(says(&[], "unix:/run/x"), "");
    }

    #[test]
    fn addresses_for_others_are_named() {
        let trie = ("/proc/net/fib_trie", TRIE);
        assert!(says(&[trie], "0.0.0.0:80").ends_with("reach it at http://192.168.1.5:80/\n"));
        let avahi = [trie, ("/run/avahi-daemon/pid", ""), ("/proc/sys/kernel/hostname", "pi\n")];
        assert!(says(&avahi, "0.0.0.0:80").contains("http://pi.local:80/ http://192"));
        assert!(says(&[], "0.0.0.0:80").contains("no address in a network"));
        assert!(says(&[], "[2001:db8::1]:80").contains("http://[2001:db8::1]:80/"));
    }

    #[test]
    fn firewall_that_is_on_is_named() {
        for (file, text, act) in [
            ("/etc/ufw/ufw.conf", "ENABLED=yes\n", "sudo ufw allow 80/tcp"),
            (
                "/etc/nftables.conf",
                "policy drop;",
                "sudo nft add rule inet filter input tcp dport 80",
            ),
            ("/sys/fs/cgroup/system.slice/firewalld.service/x", "", "--add-port=80/tcp"),
        ] {
            let said = says(&[(file, text)], "0.0.0.0:80");
            assert!(said.contains(act), "{said}");
            assert!(!says(&[(file, text)], "127.0.0.1:80").contains(act));
        }
        assert!(!says(&[("/etc/ufw/ufw.conf", "ENABLED=no")], "0.0.0.0:80").contains("firewall"));
    }
}
