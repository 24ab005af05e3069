//! Whether the daemon could listen where it is to listen.

use super::report::{Report, text};
use crate::config::{Bind, HttpConfig};
use crate::http;

/// `running`: where a daemon listens already. Returns where one listens or could.
pub(super) fn look<'a>(
    config: &'a HttpConfig,
    running: &[Bind],
    report: &mut Report,
) -> Vec<&'a Bind> {
    report.topic("port");
    let mut could_listen = |bind: &Bind| {
        if running.contains(bind) {
            return true;
        }
        let bound = http::try_bind(bind, config.unix_mode);
        match &bound {
            Ok(()) => report.ok("@ is free", &[text(bind)]),
            Err(error) => {
                let hint = error.chain().nth(1).map_or("", |cause| text(&cause));
                report.fault("@\n@", &[text(error), hint]);
            }
        }
        bound.is_ok()
    };
    config.binds.iter().filter(|bind| could_listen(bind)).collect()
}
