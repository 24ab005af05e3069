//! The cost of the recorder compared with that of one more viewer, in the
//! daemon and in a bare loop.
//!
//! One viewer watches the daemon all the time. In turn, nothing is added, a
//! second viewer is added, and recording is switched on; the additional CPU
//! times are compared. The bare loop (see `append`) sends to a second viewer
//! and appends to a file in the same folder.

use std::io::Read;
use std::net::{Shutdown, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::append::Cost;
use crate::children::{append, daemon};
use crate::dvr::{Folder, WARM_UP};
use crate::pictures::Pictures;
use crate::receivers::Receivers;
use crate::request::{get, post};
use crate::shared::numbers::{Series, micros};
use crate::shared::process::Server;
use crate::shared::procfs::{self, Times};
use crate::shared::settings::Settings;
use crate::shared::table::{Row, Table};

/// About the size of a 720p picture, and the frame rate.
pub(crate) const PICTURE_BYTES: usize = 110_000;
pub(crate) const FPS: u32 = 30;

/// Goal of issue 5.
const X_VIEWER: f64 = 1.0;

pub(crate) fn measure(pictures: &Pictures, settings: &Settings, table: &mut Table) -> Result<()> {
    let folder = Folder::make()?;
    let (mut bare, mut turns) = (Vec::new(), Vec::new());
    let server = daemon(pictures, &["--record", folder.path()])?;
    switch(server.address, false)?;
    let receivers = Receivers::connect(server.address, 1, pictures.part)?;
    for _ in 0..settings.n_rounds {
        bare.push(append(pictures, folder.path().as_ref(), settings.turn)?);
        turns.push(Turn::measure(&server, &receivers, pictures, settings)?);
    }
    drop(server);
    let series = |figure: fn(&Turn) -> f64| turns.iter().map(figure).collect::<Series>();
    let bare = |figure: fn(&Cost) -> f64| bare.iter().map(figure).collect::<Series>();
    let (viewer, limit_viewer) = (series(|turn| turn.viewer), bare(|cost| cost.send));
    let (recorder, limit) = (series(|turn| turn.recorder), bare(|cost| cost.append + cost.sync));
    let (writing, syncing) = (series(|turn| turn.writing), series(|turn| turn.syncing));
    let (appending, sync) = (bare(|cost| cost.append), bare(|cost| cost.sync));
    for (what, daemons, limits) in [
        ("one more viewer: CPU per picture", viewer.median(), limit_viewer.median()),
        ("recorder: CPU per picture", recorder.median(), limit.median()),
        ("  its thread, writing", writing.median(), appending.median()),
        ("  sync", syncing.median(), sync.median()),
    ] {
        let (mjpegd, limit) = (format!("{daemons:.1} us"), format!("{limits:.1} us"));
        table.add(Row { what: what.into(), mjpegd, limit, ..Row::default() });
    }
    let ratio = |recorder: &Series, viewer: &Series| recorder.median() / viewer.median();
    let ours = ratio(&recorder, &viewer);
    table.add(Row {
        what: "  recorder x viewer".into(),
        mjpegd: format!("{ours:.2} x"),
        limit: format!("{:.2} x", ratio(&limit, &limit_viewer)),
        goal: format!("<= {X_VIEWER} x"),
        holds: Some(ours <= X_VIEWER),
        remark: format!("recorder {}, viewer {} us", recorder.spread(), viewer.spread()),
        ..Row::default()
    });
    Ok(())
}

/// CPU time per picture that was added to that of one viewer, in microseconds.
struct Turn {
    viewer: f64,
    recorder: f64,
    /// Shares of `recorder`: the thread that writes, and the one that syncs.
    writing: f64,
    syncing: f64,
}

impl Turn {
    fn measure(
        server: &Server,
        receivers: &Receivers,
        pictures: &Pictures,
        settings: &Settings,
    ) -> Result<Self> {
        let all = |_: &str| true;
        let alone = Observed::now(server, receivers, settings)?.spent(all);
        let second = Receivers::connect(server.address, 1, pictures.part)?;
        let watched = Observed::now(server, receivers, settings)?.spent(all);
        drop(second);
        switch(server.address, true)?;
        let recorded = Observed::now(server, receivers, settings)?;
        switch(server.address, false)?;
        Ok(Self {
            viewer: watched - alone,
            recorder: recorded.spent(all) - alone,
            writing: recorded.spent(|name| name == "recorder"),
            syncing: recorded.spent(|name| name == "cleaner"),
        })
    }
}

/// CPU times of the daemon's threads before and after one turn.
struct Observed {
    before: Times,
    after: Times,
    n_pictures: f64,
}

impl Observed {
    fn now(server: &Server, receivers: &Receivers, settings: &Settings) -> Result<Self> {
        thread::sleep(WARM_UP);
        receivers.take()?;
        let before = procfs::times(server.pid())?;
        thread::sleep(settings.turn);
        let n_pictures = receivers.take()?[0].ages.len() as f64;
        Ok(Self { before, after: procfs::times(server.pid())?, n_pictures })
    }

    /// CPU time per picture of the threads whose name is wanted.
    fn spent(&self, wanted: impl Fn(&str) -> bool) -> f64 {
        micros(self.after.since(&self.before, wanted)) / self.n_pictures
    }
}

/// Switches recording on or off, and waits until the daemon reports that state.
fn switch(server: SocketAddr, on: bool) -> Result<()> {
    let (path, due) = if on { ("/record/start", "recording") } else { ("/record/stop", "off") };
    read(post(server, path)?)?;
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let reply = read(get(server, "/recordings")?)?;
        if reply["recording"]["state"] == due {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "recording is not {due}: {}", reply["recording"]);
        thread::sleep(Duration::from_millis(20));
    }
}

fn read(mut stream: std::net::TcpStream) -> Result<serde_json::Value> {
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    let _ = stream.shutdown(Shutdown::Both);
    let (_, body) = reply.split_once("\r\n\r\n").context("a reply without a head")?;
    serde_json::from_str(body).with_context(|| format!("the reply is not JSON: {reply}"))
}
