//! `mjpegd probe`: what a stream is like.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, bounded, select};
use mjpegd::client::{Client, ClientError, Frames};
use mjpegd::config::ProbeArgs;

use super::line::Line;
use super::summary::{Measured, Totals};

/// How often to look whether the time is over, when nothing comes.
const TICK: Duration = Duration::from_millis(100);

/// Looks until the time is over or a signal comes, and gives what it saw as
/// text for people or as JSON.
///
/// # Errors
/// No picture came, and why.
pub(crate) fn run(client: &Client, args: &ProbeArgs, signals: &Receiver<()>) -> Result<String> {
    let (frames, stopper) = client.stoppable_frames();
    let (sender, seen) = bounded(16);
    let reader = thread::Builder::new().name("probe".into()).spawn(move || read(frames, &sender));
    let reader = reader.context("no thread to read in")?;
    let begun = Instant::now();
    let looked = look(&seen, signals, begun, args.duration);
    drop((stopper, seen));
    // A panic in it was told by its own message.
    let _ = reader.join();
    let summary = looked?.summary(begun.elapsed());
    if args.json { Ok(serde_json::to_string_pretty(&summary)? + "\n") } else { Ok(summary.text()) }
}

type Seen = Result<Measured, ClientError>;

/// Hands on what is known of each picture, until nobody listens.
fn read(frames: Frames, seen: &Sender<Seen>) {
    for frame in frames {
        if seen.send(frame.map(|frame| Measured::of(&frame))).is_err() {
            return;
        }
    }
}

fn look(
    seen: &Receiver<Seen>,
    signals: &Receiver<()>,
    begun: Instant,
    duration: Duration,
) -> Result<Totals> {
    let (mut totals, mut line) = (Totals::default(), Line::new());
    let mut last_error = None;
    while begun.elapsed() < duration {
        select! {
            recv(seen) -> measured => match measured {
                Ok(Ok(frame)) => totals.add(&frame),
                Ok(Err(error)) => {
                    totals.add_error(&error);
                    last_error = Some(error);
                }
                Err(_) => break,
            },
            recv(signals) -> _ => break,
            default(TICK) => {}
        }
        // What fails at once is wrong, rather than lost.
        if totals.n_frames() == 0 && last_error.is_some() {
            break;
        }
        line.show(|| totals.line(begun.elapsed()));
    }
    line.clear();
    match (totals.n_frames(), last_error) {
        (0, Some(error)) => Err(error.into()),
        (0, None) => anyhow::bail!("no picture within {:.1?}", begun.elapsed()),
        _ => Ok(totals),
    }
}
