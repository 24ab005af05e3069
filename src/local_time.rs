//! Times as people read them, in the time zone of the machine.
//!
//! By the C library, which honours `TZ` and `/etc/localtime`, and is there anyway. A package
//! that reads time zones by itself takes 60 kB and more.

#![allow(unsafe_code, reason = "no safe package calls strftime of the C library")]

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::time::SystemTime;

use crate::frame::since_epoch;

unsafe extern "C" {
    /// Looks up the time zone. POSIX, "tzset": any thread may call it.
    safe fn tzset();
}

/// The longest text of a time, in bytes.
const MAX_BYTES: usize = 4096;

/// The fields of `strftime` with what they are at this time: `%H:%M` becomes `13:37`. Empty if
/// that is longer than [`MAX_BYTES`].
pub(crate) fn format(fields: &str, at: SystemTime) -> String {
    let seconds = since_epoch(at).as_secs();
    // Fails in 2038 on systems whose C library counts 32 bits.
    let (Ok(seconds), Ok(fields)) = (seconds.try_into(), CString::new(fields)) else {
        return String::new();
    };
    // Without this call the time zone would be that of the program's start, and a board may
    // learn its own later.
    tzset();
    let mut time = MaybeUninit::uninit();
    // SAFETY: both pointers are valid for the call.
    if unsafe { libc::localtime_r(&raw const seconds, time.as_mut_ptr()) }.is_null() {
        return String::new();
    }
    let mut text = vec![0u8; MAX_BYTES];
    // SAFETY: `text` has as many bytes as are announced, `fields` ends with a zero, and
    // `localtime_r` has filled in `time`.
    let n = unsafe {
        libc::strftime(text.as_mut_ptr().cast(), text.len(), fields.as_ptr(), time.as_ptr())
    };
    text.truncate(n);
    // Only names of the C locale come, as nobody calls setlocale.
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::process::Command;
    use std::time::Duration;

    use super::*;

    const SECONDS: &str = "SECONDS_OF_A_TEST";

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// The time in a zone, by a process of its own, as the zone is one for the whole process.
    fn in_zone(zone: &str, seconds: u64) -> String {
        let mut test = Command::new(env::current_exe().unwrap());
        test.args(["local_time::tests::prints_its_time", "--exact", "--nocapture", "--ignored"]);
        let output = test.env("TZ", zone).env(SECONDS, seconds.to_string()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
        line.unwrap_or_else(|| panic!("no time: {text}")).0.to_owned()
    }

    #[test]
    #[ignore = "run by the test below"]
    #[allow(clippy::print_stdout, reason = "read by the process that started it")]
    fn prints_its_time() {
        let seconds = env::var(SECONDS).unwrap().parse().unwrap();
        println!("<{}>", format("%Y-%m-%d %H:%M:%S %z %Z", at(seconds)));
    }

    #[test]
    fn times_are_those_of_the_zone_in_summer_and_winter() {
        for (zone, seconds, text) in [
            ("UTC0", 1_774_746_000, "2026-03-29 01:00:00 +0000 UTC"),
            ("Asia/Kolkata", 1_774_746_000, "2026-03-29 06:30:00 +0530 IST"),
            ("Europe/Berlin", 1_774_745_999, "2026-03-29 01:59:59 +0100 CET"),
            ("Europe/Berlin", 1_774_746_000, "2026-03-29 03:00:00 +0200 CEST"),
            ("Europe/Berlin", 1_792_889_999, "2026-10-25 02:59:59 +0200 CEST"),
            ("Europe/Berlin", 1_792_890_000, "2026-10-25 02:00:00 +0100 CET"),
            // Without a file of zones, as in a container.
            ("CET-1CEST,M3.5.0,M10.5.0/3", 1_792_889_999, "2026-10-25 02:59:59 +0200 CEST"),
        ] {
            assert_eq!(in_zone(zone, seconds), text, "{zone}");
        }
    }

    #[test]
    fn whatever_is_no_field_stays() {
        assert_eq!(format("Gate 7, Жук %%", at(0)), "Gate 7, Жук %");
        assert_eq!(format("", at(0)), "");
        assert_eq!(format(&"%c".repeat(1000), at(0)), "");
    }
}
