//! `mjpegd probe`: what a stream is like.

use std::time::{Duration, Instant};

use anyhow::Context;
use crossbeam_channel::{Receiver, Sender, bounded, select};

use super::output::Progress;
use super::summary::{Measured, Totals};
use super::{Error, signals};
use crate::client::{Client, ClientError, Frames};
use crate::config::ProbeArgs;
use crate::threads;

/// How often to check whether the time is over while no frame comes.
const TICK: Duration = Duration::from_millis(100);
/// Without a picture for this long, it counts an error and connects again.
const STALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads a stream until the time is over or a signal comes, and returns the
/// summary as text for people or as JSON.
///
/// # Errors
/// The address is none, or no picture came, and why.
pub(super) fn run(args: &ProbeArgs) -> Result<String, Error> {
    let client = Client::new(&args.url).map_err(|e| Error::Usage(e.into()))?;
    let client = client.timeout(args.duration.min(STALL_TIMEOUT));
    Ok(probe(&client, args, &signals::stop()?)?)
}

fn probe(client: &Client, args: &ProbeArgs, stop: &Receiver<()>) -> anyhow::Result<String> {
    let (frames, stopper) = client.stoppable_frames();
    let (sender, results) = bounded(16);
    let reader = threads::spawn("probe", move || read(frames, &sender));
    let reader = reader.context("cannot start a thread to read the stream")?;
    let start = Instant::now();
    let totals = collect(&results, stop, start, args.duration);
    drop((stopper, results));
    // If it panicked, the panic has been printed already.
    let _ = reader.join();
    let summary = totals?.summary(start.elapsed());
    if args.json { Ok(serde_json::to_string_pretty(&summary)? + "\n") } else { Ok(summary.text()) }
}

type Reading = Result<Measured, ClientError>;

/// Measures each frame and sends the result on, until the receiver is gone.
/// In a thread of its own, because a read of the stream waits for the server.
fn read(frames: Frames, results: &Sender<Reading>) {
    for frame in frames {
        if results.send(frame.map(|frame| Measured::new(&frame))).is_err() {
            return;
        }
    }
}

fn collect(
    results: &Receiver<Reading>,
    stop: &Receiver<()>,
    start: Instant,
    duration: Duration,
) -> anyhow::Result<Totals> {
    let (mut totals, mut progress) = (Totals::default(), Progress::new());
    let mut last_error = None;
    while start.elapsed() < duration {
        select! {
            recv(results) -> measured => match measured {
                Ok(Ok(frame)) => totals.add(&frame),
                Ok(Err(error)) => {
                    totals.add_error(&error);
                    last_error = Some(error);
                }
                Err(_) => break,
            },
            recv(stop) -> _ => break,
            default(TICK) => {}
        }
        // A stream that fails before its first frame is a wrong address
        // rather than a lost connection: report it now.
        if totals.n_frames() == 0 && last_error.is_some() {
            break;
        }
        progress.show(|| totals.line(start.elapsed()));
    }
    progress.clear();
    match (totals.n_frames(), last_error) {
        (0, Some(error)) => Err(error.into()),
        (0, None) => anyhow::bail!("no picture within {:.1?}", start.elapsed()),
        _ => Ok(totals),
    }
}
