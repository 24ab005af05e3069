//! A camera that is always on and that nobody watches, compared with the bare
//! loop that only reads it.

use std::thread;

use anyhow::Result;

use crate::children::{Subject, daemon};
use crate::load::WARM_UP;
use crate::pictures::Pictures;
use crate::shared::numbers::{Series, micros};
use crate::shared::process::Server;
use crate::shared::procfs::usage;
use crate::shared::settings::Settings;
use crate::shared::table::{Row, Table};

const OF_LIMIT: f64 = 1.2;
/// At 30 pictures a second.
const WAKEUPS: f64 = 35.0;

pub(crate) fn measure(pictures: &Pictures, settings: &Settings, table: &mut Table) -> Result<()> {
    let (mut limits, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..settings.n_rounds {
        limits.push(turn(&Subject::Limit.start(pictures, 0)?, settings)?);
        ours.push(turn(&daemon(pictures, &["--idle-timeout", "0"])?, settings)?);
    }
    let cpu = |turns: &[(f64, f64)]| turns.iter().map(|turn| turn.0).collect::<Series>();
    let wakeups = |turns: &[(f64, f64)]| turns.iter().map(|turn| turn.1).collect::<Series>();
    table.add(Row {
        what: format!("always on, nobody watches, {} fps: CPU, us a second", pictures.fps),
        mjpegd: format!("{:.0}", cpu(&ours).median()),
        limit: format!("{:.0}", cpu(&limits).median()),
        remark: cpu(&ours).spread(),
        ..Row::default()
    });
    let ratios = ours.iter().zip(&limits).map(|(ours, limit)| ours.0 / limit.0).collect();
    table.ratio("  x limit", &ratios, Some(OF_LIMIT));
    let (ours, limit) = (wakeups(&ours), wakeups(&limits).median());
    let remark = format!("limit {limit:.1}; {}", ours.spread());
    table.at_most("  wake-ups a second", ours.median(), WAKEUPS, "", &remark);
    Ok(())
}

/// CPU time in microseconds, and wake-ups, both per second.
fn turn(server: &Server, settings: &Settings) -> Result<(f64, f64)> {
    thread::sleep(WARM_UP);
    let before = usage(server.pid())?;
    thread::sleep(settings.turn);
    let after = usage(server.pid())?;
    let seconds = settings.turn.as_secs_f64();
    let n_wakeups = after.n_wakeups.saturating_sub(before.n_wakeups) as f64;
    Ok((micros(after.cpu.saturating_sub(before.cpu)) / seconds, n_wakeups / seconds))
}
