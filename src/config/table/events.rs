//! The receivers of events: commands and webhooks.

use super::{Form, OF_SERVER, Opt};

pub(super) const OPTIONS: &[Opt] = &[
    // No delimiter, as commands have commas.
    Opt {
        name: "on",
        env: "MJPEGD_ON",
        form: Form::List(None),
        value: "EVENT=COMMAND",
        help: "Run a shell command at each event of a type, with what happened in its environment \
               (MJPEGD_EVENT, MJPEGD_CAMERA, ...); may be given several times",
        ..OF_SERVER
    },
    Opt {
        name: "on-timeout",
        env: "MJPEGD_ON_TIMEOUT",
        value: "TIME",
        default: Some("30s"),
        help: "How long a command of --on may run before it is ended",
        ..OF_SERVER
    },
    Opt {
        name: "webhook",
        env: "MJPEGD_WEBHOOK",
        value: "URL",
        help: "Send each event as JSON to this address, by POST",
        ..OF_SERVER
    },
    Opt {
        name: "webhook-key-file",
        env: "MJPEGD_WEBHOOK_KEY_FILE",
        form: Form::Path,
        value: "FILE",
        help: "File with a key that signs what --webhook sends (HMAC-SHA256)",
        ..OF_SERVER
    },
    Opt {
        name: "mqtt",
        env: "MJPEGD_MQTT",
        value: "URL",
        help: "Publish events, states and pictures at this MQTT broker, such as \
               mqtt://USER@HOST/PREFIX; topics begin with the prefix",
        ..OF_SERVER
    },
    Opt {
        name: "mqtt-password-file",
        env: "MJPEGD_MQTT_PASSWORD_FILE",
        form: Form::Path,
        value: "FILE",
        help: "File with the password of the user of --mqtt",
        ..OF_SERVER
    },
    Opt {
        name: "mqtt-snapshot",
        env: "MJPEGD_MQTT_SNAPSHOT",
        value: "TIME",
        default: Some("30s"),
        help: "How often --mqtt publishes a picture of a camera that is on anyway; 0: only when \
               something begins to move",
        ..OF_SERVER
    },
    Opt {
        name: "mqtt-discovery",
        env: "MJPEGD_MQTT_DISCOVERY",
        value: "PREFIX",
        default: Some("homeassistant"),
        help: "Where Home Assistant looks for cameras at the broker; none: do not announce them",
        ..OF_SERVER
    },
];
