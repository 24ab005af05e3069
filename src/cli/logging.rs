//! The log: what is logged, how a line looks, and where it goes.

use std::io::{Write, stderr};
use std::time::SystemTime;

use env_logger::{Builder, Env, Target};

use crate::http;
use crate::log_queue::LogQueue;

/// Logs to the standard error from now on: time, level and text. `RUST_LOG`
/// chooses what is logged, `level` where it is not set. Returns the queue that carries the log; `None` if
/// the system has no thread for it, then each line is written at once.
pub(super) fn start(level: Option<&str>) -> Option<LogQueue> {
    // A library that logs what a room handles and reports itself is silenced.
    let default = format!("{},{}", level.unwrap_or("info"), http::QUIET);
    let mut builder = Builder::from_env(Env::default().default_filter_or(default));
    builder.format(|out, record| {
        // Milliseconds, because a stall or a lost connection is over in less than a second.
        let time = humantime::format_rfc3339_millis(SystemTime::now());
        writeln!(out, "{time} {:5} {}", record.level(), record.args())
    });
    let queue = LogQueue::start(stderr()).ok();
    if let Some(queue) = &queue {
        builder.target(Target::Pipe(Box::new(queue.clone())));
    }
    builder.init();
    queue
}
