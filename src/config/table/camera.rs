//! What is shown, of any kind of source.

use super::{Form, OF_CAMERA, Opt, Scope};

pub(super) const OPTIONS: &[Opt] = &[
    // A first start without any option shows something, also where no camera is plugged in.
    Opt {
        name: "camera",
        env: "CAMERA",
        form: Form::List(None),
        value: "[NAME=]SOURCE",
        default: Some("demo"),
        scope: Scope::CommandLine,
        help: "Where the pictures come from; give it several times, each with a name, for several \
               cameras",
    },
    Opt {
        name: "max-viewers",
        env: "MJPEGD_MAX_VIEWERS",
        value: "N",
        help: "How many viewers this camera may have at once; as many as there are seats if not \
               given",
        ..OF_CAMERA
    },
    Opt {
        name: "fps",
        env: "MJPEGD_FPS",
        value: "N",
        help: "Pictures a second to take or to show; the source's own pace if not given",
        ..OF_CAMERA
    },
    // No default: what was not typed follows the pace of the source.
    Opt {
        name: "stall-timeout",
        env: "MJPEGD_STALL_TIMEOUT",
        value: "TIME",
        help: "After this time without a picture, reopen the device, restart the command or ask \
               the server again; 5s if not given. A server or command whose pictures come at a slow \
               pace gets longer",
        ..OF_CAMERA
    },
    Opt {
        name: "tls-ca",
        env: "MJPEGD_TLS_CA",
        value: "FILE",
        help: "Accept this certificate of an https camera or mqtts broker, or those that it signed: \
               a PEM file, or sha256:FINGERPRINT; Mozilla's authorities if not given",
        ..OF_CAMERA
    },
    Opt {
        name: "tls-insecure",
        env: "MJPEGD_TLS_INSECURE",
        form: Form::Switch,
        help: "Accept any certificate of an https camera or mqtts broker: others in the network \
               can then read pictures and password",
        ..OF_CAMERA
    },
    Opt {
        name: "max-frame-size",
        env: "MJPEGD_MAX_FRAME_SIZE",
        value: "SIZE",
        default: Some("16MB"),
        help: "The largest picture to accept; larger ones are dropped",
        ..OF_CAMERA
    },
    Opt {
        name: "min-frame-size",
        env: "MJPEGD_MIN_FRAME_SIZE",
        value: "SIZE",
        default: Some("0"),
        help: "Drop pictures that are smaller than this, as some devices give pieces of pictures",
        ..OF_CAMERA
    },
    Opt {
        name: "every",
        env: "MJPEGD_EVERY",
        value: "N",
        default: Some("1"),
        help: "Take one picture of every N and skip the others",
        ..OF_CAMERA
    },
    Opt {
        name: "drop-same-frames",
        env: "MJPEGD_DROP_SAME_FRAMES",
        value: "N",
        default: Some("0"),
        help: "Leave out pictures that are the same as the last one, byte by byte, but at most N \
               in a row; for a screen or slides, as a webcam never gives the same twice",
        ..OF_CAMERA
    },
    Opt {
        name: "allow-truncated",
        env: "MJPEGD_ALLOW_TRUNCATED",
        form: Form::Switch,
        help: "Show pictures that lack their end, also beside whole ones; without this option they \
               are shown only while no whole one comes",
        ..OF_CAMERA
    },
    Opt {
        name: "rotate",
        env: "MJPEGD_ROTATE",
        form: Form::OneOf(&["0", "90", "180", "270", "exif"]),
        value: "DEGREES",
        default: Some("0"),
        help: "Rotate the pictures clockwise without loss; exif: by each picture's own orientation, \
               which browsers follow and other programs do not",
        ..OF_CAMERA
    },
    Opt {
        name: "flip",
        env: "MJPEGD_FLIP",
        form: Form::OneOf(&["none", "horizontal", "vertical", "both"]),
        value: "HOW",
        default: Some("none"),
        help: "Flip the pictures without loss, after they were rotated; horizontal: left becomes right",
        ..OF_CAMERA
    },
    Opt {
        name: "overlay",
        env: "MJPEGD_OVERLAY",
        value: "TEXT",
        help: "Text over the pictures: fields of strftime in local time, such as \"%F %T\", and \
               {camera} and {host}; \\n begins a new line",
        ..OF_CAMERA
    },
    Opt {
        name: "overlay-position",
        env: "MJPEGD_OVERLAY_POSITION",
        value: "PLACE",
        default: Some("bottom-left"),
        help: "Where this text lies: top-left, top, top-right, left, center, right, bottom-left, \
               bottom or bottom-right",
        ..OF_CAMERA
    },
    Opt {
        name: "overlay-size",
        env: "MJPEGD_OVERLAY_SIZE",
        value: "SIZE",
        default: Some("medium"),
        help: "How large its letters are: small, medium, large, per cent of the picture's height \
               as 5%, or pixels as 20px",
        ..OF_CAMERA
    },
    Opt {
        name: "overlay-box",
        env: "MJPEGD_OVERLAY_BOX",
        form: Form::Switch,
        help: "Put a dark box behind this text; without this option its letters have a dark edge",
        ..OF_CAMERA
    },
    Opt {
        name: "watch",
        env: "MJPEGD_WATCH",
        form: Form::Switch,
        help: "With images:DIR, show each file when it is complete, as another program puts it \
               there",
        ..OF_CAMERA
    },
    Opt {
        name: "remove-shown",
        env: "MJPEGD_REMOVE_SHOWN",
        form: Form::Switch,
        help: "With --watch, delete each file once it was read",
        ..OF_CAMERA
    },
    Opt {
        name: "idle-timeout",
        env: "MJPEGD_IDLE_TIMEOUT",
        value: "TIME",
        default: Some("10s"),
        help: "How long the camera stays on after the last viewer; 0: always on",
        ..OF_CAMERA
    },
];
