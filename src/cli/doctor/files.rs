//! Whether there may be enough open files for all viewers.

use super::report::{Report, text};
use crate::config::HttpConfig;
use crate::open_files;

pub(super) fn look(config: &HttpConfig, report: &mut Report) {
    report.topic("files");
    match open_files::check(config.n_seats) {
        Ok(()) => report.ok("enough for @ viewers", &[text(&config.n_seats)]),
        Err(error) => {
            let text = text(&error);
            let (what, act) = text.split_once("; ").unwrap_or((text, ""));
            report.fault("@\n@", &[what, act]);
        }
    }
}
