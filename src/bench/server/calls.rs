//! How many system calls write one picture, counted with strace.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::Result;

use crate::children::Subject;
use crate::pictures::Pictures;
use crate::receivers::Receivers;
use crate::shared::process::silent;
use crate::shared::table::{Row, Table};

const VIEWERS: usize = 10;
const WARM_UP: Duration = Duration::from_secs(1);
/// For `timeout`, which ends strace with a signal that it handles.
const SECONDS: &str = "3";
const TRACED: &str = "trace=write,writev,sendto,sendmsg,sendmmsg,pwrite64,sendfile";

pub(crate) fn measure(pictures: &Pictures, table: &mut Table) -> Result<()> {
    let what = "write calls per picture, 10 viewers";
    if !silent(Command::new("strace").arg("--version")) {
        let (what, remark) = (what.into(), "not measured: strace is not installed".into());
        table.add(Row { what, remark, ..Row::default() });
        return Ok(());
    }
    let server = Subject::Mjpegd.start(pictures, VIEWERS)?;
    let receivers = Receivers::connect(server.address, VIEWERS, pictures.part)?;
    thread::sleep(WARM_UP);
    // Beside the folder of pictures, since each file in it would be taken for a
    // picture.
    let log = pictures.dir.with_extension("strace");
    let pid = server.pid().to_string();
    let log_name = log.display().to_string();
    let strace = ["strace", "-f", "-qq", "-s", "0", "-e", TRACED, "-o", &log_name, "-p", &pid];
    silent(Command::new("timeout").args(["-s", "INT", SECONDS]).args(strace));
    drop(receivers);
    let text = fs::read_to_string(&log).unwrap_or_default();
    let _ = fs::remove_file(&log);
    let (n_calls, n_bytes) = count(&text);
    if n_bytes == 0 {
        let (what, remark) = (what.into(), "not measured: strace has no permission".into());
        table.add(Row { what, remark, ..Row::default() });
        return Ok(());
    }
    let n_pictures = n_bytes as f64 / pictures.part.n_bytes as f64;
    let remark = format!("{n_calls} calls, {n_pictures:.1} pictures");
    // The trace may begin or end inside a call and miss one, hence the
    // tolerance.
    table.at_most(what, n_calls as f64 / n_pictures, 1.01, "", &remark);
    Ok(())
}

/// Counts the finished calls in strace's log, without those on standard error,
/// and the bytes they wrote.
fn count(log: &str) -> (usize, u64) {
    let (mut n_calls, mut n_bytes) = (0, 0);
    for line in log.lines().filter(|line| !line.contains("write(2,")) {
        // `12 write(9, ""..., 102400) = 102400`, or `= -1 EAGAIN (...)`; a call
        // that is still running has no result yet.
        if let Some((call, result)) = line.rsplit_once(" = ")
            && call.trim_end().ends_with(')')
        {
            n_calls += 1;
            n_bytes += result.trim().parse::<u64>().unwrap_or(0);
        }
    }
    (n_calls, n_bytes)
}
