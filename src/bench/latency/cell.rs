//! One server in one browser at one rate.

use std::fmt;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};

use crate::browser::{Desk, Kind};
use crate::picture::Pictures;
use crate::shared::numbers::{Series, millis};
use crate::subject::{Subject, Tools};
use crate::viewer::Viewer;

/// Where the table has a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub(crate) rate: u32,
    pub(crate) browser: Kind,
    pub(crate) subject: Subject,
}

/// Milliseconds of each picture that was seen.
#[derive(Debug, Default)]
pub(crate) struct Ages {
    /// From the capture until it was on the display.
    pub(crate) seen: Series,
    /// From the capture until a client without a browser had its last byte.
    pub(crate) arrived: Series,
    /// From then until it was on the display.
    pub(crate) browser: Series,
    /// Which part of the camera's pictures was seen.
    pub(crate) shown: f64,
}

/// Milliseconds since the click on a camera that was asleep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct First {
    /// Until the camera was started.
    pub(crate) camera: f64,
    /// Until its first picture was on the display.
    pub(crate) seen: f64,
}

/// Until the page is laid out and the browser is at its pace.
const SETTLE: Duration = Duration::from_millis(800);
const PATIENCE: Duration = Duration::from_secs(12);
/// A picture that was captured at the end is seen a little later.
const TAIL: Duration = Duration::from_millis(150);
/// At the lowest rates the time would bring too few pictures.
const LEAST_PICTURES: u32 = 9;
/// How often a sleeping camera is woken, at which rate, and what it needs for
/// its first picture.
pub(crate) const N_FIRST: usize = 3;
pub(crate) const FIRST_RATE: u32 = 30;
pub(crate) const CAMERA_STARTS: Duration = Duration::from_millis(200);

impl Cell {
    /// Measures for some seconds, longer if the camera is slow.
    pub(crate) fn measure(
        &self,
        desk: &Desk,
        pictures: &Pictures,
        tools: &Tools,
        seconds: u64,
    ) -> Result<Ages> {
        desk.page.show("blank", "")?;
        desk.screen.wait_until_blank(PATIENCE)?;
        let name = format!("{:?}", self.browser);
        let served = self.subject.start(pictures, tools, (&name, self.rate, Duration::ZERO))?;
        let viewer = Viewer::watch(served.address, self.subject.path(), PATIENCE)?;
        let (kind, url) = self.subject.shown(served.address);
        desk.page.show(kind, &url)?;
        let (place, _) = desk.screen.find(PATIENCE)?;
        let watch = desk.screen.watch(place)?;
        thread::sleep(SETTLE);
        let least = Duration::from_secs(LEAST_PICTURES.into()) / self.rate;
        let from = SystemTime::now();
        thread::sleep(Duration::from_secs(seconds).max(least));
        let to = SystemTime::now();
        thread::sleep(TAIL);
        let (seen, arrived) = (watch.end()?, viewer.end()?);
        let captured = served.camera.captured()?;
        let times = seen.iter().filter_map(|(number, time)| {
            let captured = captured.of(*number, *time).filter(|at| (from..to).contains(at))?;
            let mut arrived =
                arrived.iter().filter(|(other, at)| other == number && *at >= captured);
            Some((captured, arrived.next().map(|(_, at)| *at), *time))
        });
        let times: Vec<_> = times.collect();
        ensure!(!times.is_empty(), "no picture of the camera was seen, {} numbers", seen.len());
        let with_arrival =
            || times.iter().filter_map(|(at, came, seen)| Some((at, (*came)?, seen)));
        Ok(Ages {
            seen: times.iter().map(|(captured, _, seen)| between(*captured, *seen)).collect(),
            arrived: with_arrival().map(|(captured, came, _)| between(*captured, came)).collect(),
            browser: with_arrival().map(|(_, came, seen)| between(came, *seen)).collect(),
            shown: times.len() as f64 / captured.n_between(from, to) as f64,
        })
    }

    /// The time from the click to the first picture of a camera that was asleep.
    pub(crate) fn first_picture(
        &self,
        desk: &Desk,
        pictures: &Pictures,
        tools: &Tools,
    ) -> Result<First> {
        desk.page.show("blank", "")?;
        desk.screen.wait_until_blank(PATIENCE)?;
        let name = format!("{:?}-first", self.browser);
        let served = self.subject.start(pictures, tools, (&name, self.rate, CAMERA_STARTS))?;
        // What starts with the daemon is over.
        thread::sleep(SETTLE / 2);
        let (kind, url) = self.subject.shown(served.address);
        let (clicked, found) = thread::scope(|scope| {
            let found = scope.spawn(|| desk.screen.find(PATIENCE));
            let clicked = desk.page.show(kind, &url);
            (clicked, found.join())
        });
        let found = found.ok().context("the thread that looks at the display panicked")?;
        let (clicked, seen) = (clicked?, found?.1);
        let captured = served.camera.captured()?.first().context("the camera gave nothing")?;
        Ok(First {
            camera: between(clicked, captured) - millis(CAMERA_STARTS),
            seen: between(clicked, seen),
        })
    }
}

/// Negative if the later one was earlier: a picture that the browser shows before
/// the other viewer has it.
fn between(from: SystemTime, to: SystemTime) -> f64 {
    to.duration_since(from).map_or_else(|e| -millis(e.duration()), millis)
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} fps, {:?}, {}", self.rate, self.browser, self.subject.name())
    }
}

impl fmt::Display for Ages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p50, p99) = (self.seen.median(), self.seen.percentile(99));
        let (arrived, shown) = (self.arrived.median(), self.shown * 100.0);
        write!(f, "{p50:.1} / {p99:.1} ms, {arrived:.2} at a client, {shown:.0} % shown")
    }
}
