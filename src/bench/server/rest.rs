//! Size of the binary, memory, and the activity of the daemon without viewers.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::children::daemon;
use crate::pictures::Pictures;
use crate::receivers::Receivers;
use crate::shared::numbers::micros;
use crate::shared::process::{DAEMON, Server};
use crate::shared::procfs::{n_open_in, resident, usage};
use crate::shared::settings::Settings;
use crate::shared::table::{Row, Table};

const MB: f64 = 1e6;
const KB: f64 = 1024.0;
const BINARY_MB: f64 = 3.0;
const IDLE_MB: f64 = 4.0;
const VIEWER_KB: f64 = 16.0;
const IDLE_PERCENT: f64 = 0.1;
const MANY: usize = 100;
/// Until the threads have started.
const A_MOMENT: Duration = Duration::from_secs(1);
const A_WHILE: Duration = Duration::from_secs(3);
/// Idle workers and threads of the HTTP library end after 10 s.
const SETTLED: Duration = Duration::from_secs(12);

pub(crate) fn measure(pictures: &Pictures, settings: &Settings, table: &mut Table) -> Result<()> {
    let binary = fs::metadata(&*DAEMON)?.len();
    table.at_most("binary, stripped", binary as f64 / MB, BINARY_MB, "MB", "");
    let server = daemon(pictures, &["--idle-timeout", "1s"])?;
    thread::sleep(A_MOMENT);
    memory(table, "resident after start", &server, IDLE_MB)?;
    idle(table, "never watched", &server, pictures, settings.idle)?;
    let viewer = Receivers::connect(server.address, 1, pictures.part)?;
    thread::sleep(A_WHILE);
    drop(viewer);
    wait_for_sleep(&server)?;
    thread::sleep(SETTLED);
    memory(table, "resident after a viewer left", &server, IDLE_MB)?;
    idle(table, "watched and left", &server, pictures, settings.idle)?;
    drop(server);
    viewers(table, pictures)
}

fn wait_for_sleep(server: &Server) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while usage(server.pid())?.threads.iter().any(|name| name == "capture") {
        ensure!(Instant::now() < deadline, "the capture thread does not end");
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn memory(table: &mut Table, what: &str, server: &Server, goal: f64) -> Result<()> {
    table.at_most(what, resident(server.pid())? as f64 / MB, goal, "MB", "");
    Ok(())
}

/// Measures the daemon while nobody watches.
fn idle(
    table: &mut Table,
    when: &str,
    server: &Server,
    pictures: &Pictures,
    time: Duration,
) -> Result<()> {
    let before = usage(server.pid())?;
    thread::sleep(time);
    let after = usage(server.pid())?;
    let percent = 100.0 * micros(after.cpu.saturating_sub(before.cpu)) / micros(time);
    table.at_most(&format!("{when}: CPU"), percent, IDLE_PERCENT, "%", &format!("{time:?}"));
    let n_wakeups = after.n_wakeups.saturating_sub(before.n_wakeups);
    table.at_most(&format!("{when}: wake-ups"), n_wakeups as f64, 0.0, "", "");
    let names = after.threads.join(" ");
    table.add(Row {
        what: format!("{when}: threads"),
        mjpegd: after.threads.len().to_string(),
        goal: "no capture".into(),
        holds: Some(!after.threads.iter().any(|name| name == "capture")),
        remark: names,
        ..Row::default()
    });
    let n_open = n_open_in(server.pid(), &pictures.dir);
    table.at_most(&format!("{when}: camera descriptors"), n_open as f64, 0.0, "", "");
    Ok(())
}

/// Memory per viewer.
fn viewers(table: &mut Table, pictures: &Pictures) -> Result<()> {
    let server = daemon(pictures, &["--threads", "110"])?;
    thread::sleep(A_MOMENT);
    let none = resident(server.pid())?;
    let one = Receivers::connect(server.address, 1, pictures.part)?;
    thread::sleep(A_WHILE);
    let with_one = resident(server.pid())?;
    let many = Receivers::one_by_one(server.address, MANY - 1, pictures.part)?;
    thread::sleep(A_WHILE);
    let with_many = resident(server.pid())?;
    drop((one, many));
    let mut row = |what: &str, grown: u64, n: usize, remark: &str| {
        table.at_most(what, grown as f64 / KB / n as f64, VIEWER_KB, "kB", remark);
    };
    let remark = format!("{none} to {with_many} bytes");
    row("memory per viewer of 100", with_many.saturating_sub(none), MANY, &remark);
    let grown = with_many.saturating_sub(with_one);
    row("  of the 2nd to the 100th", grown, MANY - 1, "without the camera's buffers");
    drop(server);
    let server = daemon(pictures, &["--threads", "110"])?;
    thread::sleep(A_MOMENT);
    let none = resident(server.pid())?;
    let burst = Receivers::connect(server.address, MANY, pictures.part)?;
    thread::sleep(A_WHILE);
    let grown = resident(server.pid())?.saturating_sub(none);
    drop(burst);
    row("  all 100 in one burst", grown, MANY, "with the threads that the HTTP library keeps");
    Ok(())
}
