//! How much a viewer that reads nothing disturbs the others.

use std::net::SocketAddr;
use std::thread;

use anyhow::Result;
use socket2::SockRef;

use crate::children::daemon;
use crate::load::WARM_UP;
use crate::pictures::Pictures;
use crate::receivers::Receivers;
use crate::request::get;
use crate::shared::numbers::{Series, millis};
use crate::shared::procfs::resident;
use crate::shared::settings::Settings;
use crate::shared::table::{Row, Table};

/// Viewers that read everything.
const OTHERS: usize = 9;
/// The write timeout is longer than a turn, so that the stalled viewer keeps
/// its seat.
const ARGS: [&str; 4] = ["--write-timeout", "10m", "--threads", "20"];
const P99: f64 = 1.2;
const FRAMES: f64 = 2.0;

/// Each round has one daemon, first without and then with the stalled viewer.
pub(crate) fn measure(pictures: &Pictures, settings: &Settings, table: &mut Table) -> Result<()> {
    let (mut without, mut with, mut grown) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=settings.n_rounds {
        let server = daemon(pictures, &ARGS)?;
        let others = Receivers::connect(server.address, OTHERS, pictures.part)?;
        let p99 = || -> Result<f64> {
            thread::sleep(WARM_UP);
            others.take()?;
            thread::sleep(settings.turn);
            let ages = others.take()?.into_iter().flat_map(|tally| tally.ages).map(millis);
            Ok(ages.collect::<Series>().percentile(99))
        };
        without.push(p99()?);
        let before = resident(server.pid())?;
        let stalled = stall(server.address)?;
        with.push(p99()?);
        let more = resident(server.pid())?.saturating_sub(before);
        grown.push(more as f64 / pictures.part.n_bytes as f64);
        println!(
            "  stalled viewer, round {round}: p99 {:?} / {:?} ms",
            without.last(),
            with.last()
        );
        drop(stalled);
    }
    let ratios = with.iter().zip(&without).map(|(with, without)| with / without).collect();
    let grown: Series = grown.into_iter().collect();
    let median = |values: Vec<f64>| values.into_iter().collect::<Series>().median();
    table.add(Row {
        what: "1 of 10 viewers stalls: p99 of the others, ms".into(),
        mjpegd: format!("{:.2}", median(with)),
        remark: format!("{:.2} before", median(without)),
        ..Row::default()
    });
    table.ratio("  x before", &ratios, Some(P99));
    table.at_most("  memory, in pictures", grown.median(), FRAMES, "", &grown.spread());
    Ok(())
}

/// A viewer that requests a stream and reads nothing. Only its small socket
/// buffer fills.
fn stall(server: SocketAddr) -> Result<std::net::TcpStream> {
    let stream = get(server, "/stream")?;
    SockRef::from(&stream).set_recv_buffer_size(4096)?;
    Ok(stream)
}
