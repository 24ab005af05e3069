//! How the program serves, and when it ends.

use super::{Form, OF_SERVER, Opt, Scope};

pub(super) const OPTIONS: &[Opt] = &[
    Opt {
        name: "config",
        env: "MJPEGD_CONFIG",
        form: Form::Path,
        value: "FILE",
        scope: Scope::CommandLine,
        help: "File with cameras and options; SIGHUP reads it again",
        ..OF_SERVER
    },
    Opt {
        name: "print-config",
        env: "MJPEGD_PRINT_CONFIG",
        form: Form::Switch,
        scope: Scope::CommandLine,
        help: "Print the options that are given here, in the environment and in the file, as a \
               command line and as a file for --config, instead of serving",
        ..OF_SERVER
    },
    // Only this machine by default: nobody should show a room to a whole network by accident.
    Opt {
        name: "bind",
        env: "MJPEGD_BIND",
        form: Form::List(Some(',')),
        value: "ADDRESS:PORT",
        default: Some("127.0.0.1:5000"),
        help: "Address and port to listen on: 0.0.0.0:5000 for the whole network, :5000 for IPv6 \
               too, or unix:PATH for a Unix socket; may be given several times",
        ..OF_SERVER
    },
    Opt {
        name: "unix-mode",
        env: "MJPEGD_UNIX_MODE",
        value: "MODE",
        help: "Who may connect to Unix sockets: the mode of their files, such as 660",
        ..OF_SERVER
    },
    Opt {
        name: "threads",
        env: "MJPEGD_THREADS",
        value: "N",
        default: Some("16"),
        help: "How many viewers there may be at once; further ones are asked to come back later",
        ..OF_SERVER
    },
    Opt {
        name: "max-variants",
        env: "MJPEGD_MAX_VARIANTS",
        value: "N",
        default: Some("4"),
        help: "How many variants of pictures, smaller or coarser ones for those who ask, may be \
               made at once; 0: none",
        ..OF_SERVER
    },
    Opt {
        name: "write-timeout",
        env: "MJPEGD_WRITE_TIMEOUT",
        value: "TIME",
        default: Some("10s"),
        help: "How long it may take to send one picture to a viewer before the viewer loses its \
               seat",
        ..OF_SERVER
    },
    Opt {
        name: "exit-on-lost",
        env: "MJPEGD_EXIT_ON_LOST",
        value: "TIME",
        default: Some("0"),
        help: "End with exit code 1 once a camera has been lost for this time, for supervisors \
               that start the program again; 0: never",
        ..OF_SERVER
    },
    Opt {
        name: "exit-on-device-error",
        env: "MJPEGD_EXIT_ON_DEVICE_ERROR",
        form: Form::Switch,
        help: "End with exit code 1 as soon as a camera is lost",
        ..OF_SERVER
    },
    Opt {
        name: "exit-on-no-viewers",
        env: "MJPEGD_EXIT_ON_NO_VIEWERS",
        value: "TIME",
        default: Some("0"),
        help: "End with exit code 0 once nobody has asked for a stream or a snapshot for this \
               time; 0: never",
        ..OF_SERVER
    },
    Opt {
        name: "drain-timeout",
        env: "MJPEGD_DRAIN_TIMEOUT",
        value: "TIME",
        default: Some("0"),
        help: "At SIGTERM, refuse new viewers and disconnect those who watch one after the other \
               within this time, then end; 0: end at once. SIGUSR2 does the same without the end",
        ..OF_SERVER
    },
    Opt {
        name: "www",
        env: "MJPEGD_WWW",
        form: Form::Path,
        value: "DIR",
        help: "Folder with the files of the page, instead of those in the program",
        ..OF_SERVER
    },
    Opt {
        name: "lost-snapshot",
        env: "MJPEGD_LOST_SNAPSHOT",
        form: Form::OneOf(&["503", "picture"]),
        value: "WHICH",
        default: Some("503"),
        help: "What a snapshot of a lost camera is: 503 with the cause, or the drawn picture",
        ..OF_SERVER
    },
    Opt {
        name: "instance-id",
        env: "MJPEGD_INSTANCE_ID",
        value: "TEXT",
        help: "Name of this program in /state and in the cookies of its streams, as uStreamer has \
               it",
        ..OF_SERVER
    },
];
