//! Whether the clock is right: pictures, recordings and logins of cameras have its time.

use std::time::SystemTime;

use super::report::Report;
use super::system::System;

/// Programs that set the clock, by a file that each has while it runs.
const OTHERS: [&str; 4] = ["/run/chrony", "/run/ntpd.pid", "/run/ntpsec", "/run/openntpd.sock"];

/// `built`: when the program came to be, which is before any right time.
pub(super) fn look(system: &System, now: SystemTime, built: SystemTime, report: &mut Report) {
    report.topic("clock");
    if now < built {
        report.fault(
            "the clock is before the day on which mjpegd was built. Recordings are named and \
             deleted by it, and pictures carry its time.\nsudo timedatectl set-ntp true",
            &[],
        );
    } else if system.has("/run/systemd/timesync/synchronized") {
        report.ok("set by the network", &[]);
    } else if system.has("/run/systemd/timesync") {
        let text = "systemd-timesyncd has not reached a time server yet. Recordings are named and \
            deleted by it, and pictures carry its time.\ntimedatectl timesync-status";
        report.fault(text, &[]);
    } else if OTHERS.iter().any(|path| system.has(path)) {
        report.ok("a program for it runs", &[]);
    } else {
        let text = "no program sets it from the network, as far as can be seen\n\
            sudo timedatectl set-ntp true";
        report.note(text, &[]);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::system::Fake;
    use super::*;

    #[test]
    fn clock_is_judged_by_the_program_and_by_who_sets_it() {
        let built = SystemTime::now();
        let later = built + Duration::from_secs(60);
        let says = |files: &[(&str, &str)], now| {
            Fake::new(files).says(|system, report| look(system, now, built, report))
        };
        let timesyncd = [("/run/systemd/timesync/synchronized", "")];
        assert!(says(&timesyncd, built - Duration::from_secs(1)).contains("to do"));
        assert!(says(&timesyncd, later).contains("ok     set by the network"));
        assert!(says(&[("/run/systemd/timesync/x", "")], later).contains("not reached"));
        assert!(says(&[("/run/chrony/chronyd.pid", "7")], later).contains("ok"));
        assert!(says(&[], later).contains("note"));
    }
}
