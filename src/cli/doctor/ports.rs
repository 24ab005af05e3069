//! Whether the daemon could listen where it is to listen.

use super::report::{Report, text};
use crate::config::{Bind, HttpConfig};
use crate::http;

/// `running`: where a daemon listens already.
pub(super) fn look(config: &HttpConfig, running: &[Bind], report: &mut Report) {
    report.topic("port");
    for bind in &config.binds {
        if running.contains(bind) {
            continue;
        }
        match http::try_bind(bind, config.unix_mode) {
            Ok(()) => report.ok("@ is free", &[text(bind)]),
            Err(error) => {
                let hint = error.chain().nth(1).map_or("", |cause| text(&cause));
                report.fault("@\n@", &[text(&error), hint]);
            }
        }
    }
}
