//! `/events/stream`: each event as it happens, as server-sent events.

use std::fmt::Write;
use std::io;
use std::time::{Duration, Instant};

use crossbeam_channel::select;

use crate::events::{Event, Subscription};
use crate::http::context::Context;
use crate::http::event_filter;
use crate::http::reply::{Code, Reply};
use crate::http::request::{Request, TIMEOUT};

/// How many events a client may be behind before its stream ends.
const N_WAITING: usize = 64;
/// How often a client is checked for having left: its place is one of few.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// Without an event a comment is sent this often: proxies end a silent connection.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// # Errors
/// 400 for a value that cannot be.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    let filter = event_filter::filter(request)?;
    // Browsers send it when they connect again, and miss nothing that is in memory.
    let last = request.connection.header("Last-Event-ID").and_then(|id| id.trim().parse().ok());
    let after = last.filter(|id| *id < u64::MAX).unwrap_or(u64::MAX);
    let head = context
        .head(Code::Ok)
        .with("Content-Type", "text/event-stream")
        .with("Cache-Control", "no-store")
        // nginx would hold events back until its buffers are full.
        .with("X-Accel-Buffering", "no")
        .finish();
    if request.is_head() {
        request.send(&head, &[], TIMEOUT);
        return Ok(());
    }
    let (before, subscription) = context.cameras.events().subscribe_after(filter, N_WAITING, after);
    let mut first = String::from("retry: 2000\n\n");
    before.iter().for_each(|event| append(&mut first, event));
    let connection = &request.connection;
    let end = connection
        .write(&head, first.as_bytes(), context.config.write_timeout)
        .and_then(|()| follow(context, request, &subscription));
    request.log_end(end);
    Ok(())
}

/// Sends events until the client leaves or falls behind, or the program stops.
fn follow(context: &Context, request: &Request, subscription: &Subscription) -> io::Result<()> {
    let connection = &request.connection;
    let mut written = Instant::now();
    let mut text = String::new();
    // One that is too slow connects again, and is then sent what is in memory.
    while subscription.n_lost() == 0 {
        select! {
            recv(subscription.queue()) -> event => match event {
                Ok(event) => append(&mut text, &event),
                Err(_) => return Ok(()),
            },
            recv(context.stop.channel()) -> _ => return Ok(()),
            default(CHECK_EVERY) => {
                if connection.has_left() {
                    return Ok(());
                }
                if written.elapsed() >= SIGN_OF_LIFE {
                    text.push_str(":\n\n");
                }
            }
        }
        if !text.is_empty() {
            connection.write(text.as_bytes(), &[], context.config.write_timeout)?;
            written = Instant::now();
            text.clear();
        }
    }
    Ok(())
}

fn append(text: &mut String, event: &Event) {
    let (id, kind, json) = (event.id, event.kind.name(), &event.json);
    // Writing to a String does not fail.
    let _ = write!(text, "id: {id}\nevent: {kind}\ndata: {json}\n\n");
}
