//! What clients may cost.

use super::{OF_SERVER, Opt};

pub(super) const OPTIONS: &[Opt] = &[
    Opt {
        name: "head-timeout",
        env: "MJPEGD_HEAD_TIMEOUT",
        value: "TIME",
        default: Some("10s"),
        help: "How long a client may take to send its request",
        ..OF_SERVER
    },
    // Cookies are not kept apart by port (RFC 6265, 8.5): a browser sends those of all
    // programs on this host, and they can take many kB.
    Opt {
        name: "max-head",
        env: "MJPEGD_MAX_HEAD",
        value: "BYTES",
        default: Some("65536"),
        help: "How many bytes a client may send before its request is complete",
        ..OF_SERVER
    },
    Opt {
        name: "max-connections",
        env: "MJPEGD_MAX_CONNECTIONS",
        value: "N",
        help: "How many connections there may be at once; 256 more than viewers if not given, or \
               fewer if the limit of open files is lower",
        ..OF_SERVER
    },
    Opt {
        name: "max-leaks",
        env: "MJPEGD_MAX_LEAKS",
        value: "N",
        default: Some("64"),
        help: "How many connections may be lost to faults of the HTTP library before the program \
               restarts itself; while people watch, it waits until four times as many are lost",
        ..OF_SERVER
    },
];
