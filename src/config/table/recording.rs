//! Where a camera is recorded, and for how long.

use super::{Form, OF_CAMERA, Opt};

pub(super) const OPTIONS: &[Opt] = &[
    Opt {
        name: "record",
        env: "MJPEGD_RECORD",
        form: Form::Path,
        value: "DIR",
        help: "Record into this folder while the daemon runs",
        ..OF_CAMERA
    },
    Opt {
        name: "record-fps",
        env: "MJPEGD_RECORD_FPS",
        value: "N",
        help: "Record at most this many pictures a second; 0.1 is one in ten seconds",
        ..OF_CAMERA
    },
    Opt {
        name: "record-max-size",
        env: "MJPEGD_RECORD_MAX_SIZE",
        value: "SIZE",
        default: Some("1GiB"),
        help: "How large the recording may get; the oldest minutes are deleted first",
        ..OF_CAMERA
    },
    Opt {
        name: "record-max-age",
        env: "MJPEGD_RECORD_MAX_AGE",
        value: "TIME",
        default: Some("0"),
        help: "How old a recorded picture may get; 0: no limit but the size",
        ..OF_CAMERA
    },
    Opt {
        name: "record-sync",
        env: "MJPEGD_RECORD_SYNC",
        value: "TIME",
        default: Some("1s"),
        help: "How often to sync the recording to disk, 1s or less: a power cut costs at most what \
               was recorded in this time; 0: after each picture",
        ..OF_CAMERA
    },
    Opt {
        name: "record-segment",
        env: "MJPEGD_RECORD_SEGMENT",
        value: "TIME",
        help: "How long a file of the recording is, 1s to 1h; a minute if not given, longer for \
               few pictures",
        ..OF_CAMERA
    },
    Opt {
        name: "record-on",
        env: "MJPEGD_RECORD_ON",
        form: Form::OneOf(&["always", "motion"]),
        value: "WHEN",
        default: Some("always"),
        help: "Record always, or only around what moves, which --motion finds",
        ..OF_CAMERA
    },
    Opt {
        name: "record-before",
        env: "MJPEGD_RECORD_BEFORE",
        value: "TIME",
        default: Some("5s"),
        help: "With --record-on motion: how long before a motion the record begins, from memory",
        ..OF_CAMERA
    },
    Opt {
        name: "record-before-size",
        env: "MJPEGD_RECORD_BEFORE_SIZE",
        value: "SIZE",
        default: Some("32MiB"),
        help: "How much memory that may take",
        ..OF_CAMERA
    },
    Opt {
        name: "record-after",
        env: "MJPEGD_RECORD_AFTER",
        value: "TIME",
        default: Some("5s"),
        help: "With --record-on motion: how long to go on behind the end of a motion",
        ..OF_CAMERA
    },
    Opt {
        name: "on-segment",
        env: "MJPEGD_ON_SEGMENT",
        value: "COMMAND",
        help: "Run this command for each finished file of the recording, one after the other and \
               again until it succeeds; MJPEGD_SEGMENT has the path. What waits for it is not \
               deleted",
        ..OF_CAMERA
    },
];
