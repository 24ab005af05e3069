//! What counts as motion.

use super::{Form, OF_CAMERA, Opt};

pub(super) const OPTIONS: &[Opt] = &[
    Opt {
        name: "motion",
        env: "MJPEGD_MOTION",
        form: Form::Switch,
        help: "Look for motion; keeps the camera on",
        ..OF_CAMERA
    },
    Opt {
        name: "motion-sensitivity",
        env: "MJPEGD_MOTION_SENSITIVITY",
        value: "N",
        default: Some("50"),
        help: "How small a difference counts as motion, 1 to 100",
        ..OF_CAMERA
    },
    Opt {
        name: "motion-fps",
        env: "MJPEGD_MOTION_FPS",
        value: "N",
        default: Some("5"),
        help: "Pictures a second to look at",
        ..OF_CAMERA
    },
    Opt {
        name: "motion-min-size",
        env: "MJPEGD_MOTION_MIN_SIZE",
        value: "PERCENT",
        default: Some("0.1"),
        help: "The smallest thing that counts, in percents of the picture's area",
        ..OF_CAMERA
    },
    Opt {
        name: "motion-hold",
        env: "MJPEGD_MOTION_HOLD",
        value: "TIME",
        default: Some("5s"),
        help: "Motion ends after this time without any",
        ..OF_CAMERA
    },
    Opt {
        name: "motion-zone",
        env: "MJPEGD_MOTION_ZONE",
        form: Form::List(Some(';')),
        value: "POLYGON",
        help: "Look in this part of the picture only: corners as X,Y from 0 to 1, such as \"0,0.5 \
               1,0.5 1,1 0,1\" for the lower half; may be given several times",
        ..OF_CAMERA
    },
    Opt {
        name: "motion-mask",
        env: "MJPEGD_MOTION_MASK",
        form: Form::List(Some(';')),
        value: "POLYGON",
        help: "Do not look in this part of the picture; as --motion-zone",
        ..OF_CAMERA
    },
    Opt {
        name: "state-dir",
        env: "MJPEGD_STATE_DIR",
        form: Form::Path,
        value: "DIR",
        help: "Keep what is drawn on the page in a folder of the camera's name in DIR; without \
               it, in that of --record",
        ..OF_CAMERA
    },
];
