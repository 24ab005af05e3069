//! Whether the daemon could listen where it is to listen.

use super::report::Report;
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
            Ok(()) => report.ok("@ is free", &[&bind.to_string()]),
            Err(error) => {
                let mut causes = error.chain().map(ToString::to_string);
                let what = causes.next().unwrap_or_default();
                let hint = causes.next().unwrap_or_default();
                report.fault("@\n@", &[&what, &hint]);
            }
        }
    }
}
