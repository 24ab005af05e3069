//! Who may see and change what.

use super::{Form, OF_SERVER, Opt};

pub(super) const OPTIONS: &[Opt] = &[
    Opt {
        name: "lock-controls",
        env: "MJPEGD_LOCK_CONTROLS",
        form: Form::Switch,
        help: "Refuse to change controls of cameras by HTTP",
        ..OF_SERVER
    },
    Opt {
        name: "auth-file",
        env: "MJPEGD_AUTH_FILE",
        form: Form::Path,
        value: "FILE",
        help: "File with user:password lines, the password plain or hashed; a login is then \
               required for all addresses but /healthz and /readyz",
        ..OF_SERVER
    },
    Opt {
        name: "trusted-proxy",
        env: "MJPEGD_TRUSTED_PROXY",
        form: Form::List(Some(',')),
        value: "CIDR",
        help: "Believe what proxies of this address or network say of their clients \
               (X-Forwarded-For, -Host and -Proto, or Forwarded), or of Unix sockets (unix); may be \
               given several times",
        ..OF_SERVER
    },
    Opt {
        name: "allow-origin",
        env: "MJPEGD_ALLOW_ORIGIN",
        value: "ORIGIN",
        help: "Let scripts of pages of this origin (or * for any) read the camera from a visitor's \
               browser; those of a named origin may also set controls and switch recording",
        ..OF_SERVER
    },
];
