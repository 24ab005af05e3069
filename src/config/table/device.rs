//! How a V4L2 device is asked.

use super::{Form, OF_CAMERA, Opt};

pub(super) const OPTIONS: &[Opt] = &[
    Opt {
        name: "resolution",
        env: "MJPEGD_RESOLUTION",
        value: "WxH",
        help: "Size of the pictures; the device may choose the nearest that it has",
        ..OF_CAMERA
    },
    Opt {
        name: "snapshot-resolution",
        env: "MJPEGD_SNAPSHOT_RESOLUTION",
        value: "WxH",
        help: "Size of snapshots: the device changes to it for each, which stops the stream for a \
               moment",
        ..OF_CAMERA
    },
    Opt {
        name: "format",
        env: "MJPEGD_FORMAT",
        value: "FOURCC",
        default: Some("auto"),
        help: "Format to ask the device for: auto, MJPG, YUYV or another FourCC",
        ..OF_CAMERA
    },
    Opt {
        name: "input",
        env: "MJPEGD_INPUT",
        value: "N",
        help: "Input of the device, by its number; `mjpegd devices` lists them",
        ..OF_CAMERA
    },
    Opt {
        name: "tv-standard",
        env: "MJPEGD_TV_STANDARD",
        value: "NAME",
        help: "Standard of an analogue signal: PAL, NTSC or SECAM",
        ..OF_CAMERA
    },
    Opt {
        name: "dv-timings",
        env: "MJPEGD_DV_TIMINGS",
        form: Form::Switch,
        help: "Take size and rate of a digital signal (HDMI, DVI, SDI) from the signal, and follow \
               it",
        ..OF_CAMERA
    },
    Opt {
        name: "quality",
        env: "MJPEGD_QUALITY",
        value: "N",
        default: Some("80"),
        help: "Quality of JPEGs that are made from raw pictures, 1 to 100",
        ..OF_CAMERA
    },
    Opt {
        name: "encoder",
        env: "MJPEGD_ENCODER",
        value: "NAME",
        default: Some("auto"),
        help: "Who makes them: auto takes the board's hardware encoder where it has one, or \
               software",
        ..OF_CAMERA
    },
    Opt {
        name: "control",
        env: "MJPEGD_CONTROL",
        form: Form::List(Some(',')),
        value: "NAME=VALUE",
        help: "A control to set each time the device is opened, such as brightness=40; may be \
               given several times",
        ..OF_CAMERA
    },
    Opt {
        name: "warmup",
        env: "MJPEGD_WARMUP",
        value: "N",
        default: Some("0"),
        help: "Pictures to drop after opening, until the exposure has settled",
        ..OF_CAMERA
    },
];
