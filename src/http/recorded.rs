//! Requests for what was recorded: from path and query to a [`Recorded`], and
//! to who answers it.

use std::time::Duration;

use super::connection::Connection;
use super::recordings::{self, MAX_STEP};
use super::reply::Reply;
use super::route::Play;
use super::target::value;
use super::times::{Period, When};
use super::{download, recordings::of};
use crate::cameras::Camera;
use crate::recording::Format;

/// What is asked of a recording.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Recorded {
    /// To be on or off.
    Switch(bool),
    List {
        period: Period,
        has_segments: bool,
    },
    /// All frames, as CSV.
    Frames(Period),
    /// A file of the folder, by its name.
    Segment(String),
    Download(Period, Format),
    /// The picture of a moment, or one so many frames away from it.
    Picture(When, i64),
}

impl Recorded {
    /// Finds what an address asks for. `None`: nothing of a recording.
    ///
    /// # Errors
    /// What is wrong with a value, and what would be right.
    pub(super) fn parse(path: &str, query: &str) -> Option<Result<Self, String>> {
        Some(match path {
            "/record/start" => Ok(Self::Switch(true)),
            "/record/stop" => Ok(Self::Switch(false)),
            "/recordings" => period(query).map(|period| Self::List {
                period,
                has_segments: value(query, "segments").is_some_and(|v| v != "0"),
            }),
            "/recordings/frames.csv" => period(query).map(Self::Frames),
            "/download" => format(query)
                .and_then(|format| period(query).map(|period| Self::Download(period, format))),
            _ => Ok(Self::Segment(path.strip_prefix("/recordings/")?.to_owned())),
        })
    }

    /// The picture that `/snapshot` is to show, when it is asked for a moment.
    ///
    /// # Errors
    /// As [`Recorded::parse`].
    pub(super) fn picture(query: &str) -> Option<Result<Self, String>> {
        let at = when(query, "at").transpose()?;
        let step = value(query, "step").map_or(Ok(0), |step| {
            let step = step.parse().ok().filter(|step| (-MAX_STEP..=MAX_STEP).contains(step));
            step.ok_or(format!("step is to be a number of frames from -{MAX_STEP} to {MAX_STEP}"))
        });
        Some(at.and_then(|at| Ok(Self::Picture(at, step?))))
    }

    /// Whether it takes long to receive.
    pub(super) fn is_long(&self) -> bool {
        matches!(self, Self::Frames(_) | Self::Segment(_) | Self::Download(..))
    }

    /// Answers, or says what the reply is to be.
    pub(super) fn answer(
        &self,
        unit: &Camera,
        client: &Connection,
        to: (Option<&str>, Duration),
    ) -> Option<Reply> {
        let recording = match of(unit) {
            Ok(recording) => recording,
            Err(reply) => return Some(reply),
        };
        let origin = to.0;
        let sent = match self {
            Self::Switch(on) => Err(recordings::switch(recording, *on)),
            Self::List { period, has_segments } => {
                Err(recordings::list(recording, *period, *has_segments).unwrap_or_else(|no| no))
            }
            Self::Frames(period) => recordings::frames_csv(recording, *period, client, origin),
            Self::Segment(name) => download::segment(recording, name, client, to),
            Self::Download(period, format) => {
                download::stretch(recording, (*period, *format), client, to)
            }
            Self::Picture(at, step) => recordings::picture(recording, (*at, *step), client, origin),
        };
        sent.err()
    }
}

/// How a stream is to be played, when it is asked for a moment.
///
/// # Errors
/// As [`Recorded::parse`].
pub(super) fn play(query: &str) -> Result<Option<Play>, String> {
    let Period { from, to } = period(query)?;
    let speed = value(query, "speed").map_or(Ok(1.0), |speed| {
        let speed = speed.parse::<f64>().ok().filter(|speed| (0.1..=100.0).contains(speed));
        speed.ok_or("speed is to be a number from 0.1 to 100")
    })?;
    match (from, to) {
        (Some(from), to) => Ok(Some(Play { from, to, speed })),
        (None, Some(_)) => Err("to needs a from".into()),
        (None, None) => Ok(None),
    }
}

fn period(query: &str) -> Result<Period, String> {
    Ok(Period { from: when(query, "from")?, to: when(query, "to")? })
}

fn when(query: &str, key: &str) -> Result<Option<When>, String> {
    value(query, key).map(|text| When::parse(&text)).transpose().map_err(|e| format!("{key}: {e}"))
}

fn format(query: &str) -> Result<Format, String> {
    let name = value(query, "format");
    Format::parse(name.as_deref().unwrap_or("avi"))
        .ok_or_else(|| "format is to be avi, mjpeg or zip".to_owned())
}
