//! From when to when a request asks for: `from` and `to`, or the `event` of a motion.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::context::Context;
use super::recorded::{nothing, recording};
use super::reply::{Code, Reply};
use super::request::Request;
use crate::config::RecordConfig;
use crate::events::{Event, Filter, Kind};
use crate::recording::{Micros, Recording};

/// What is shown around a motion where `--record-on` sets no times.
const AROUND: Duration = Duration::from_secs(5);

/// A motion, and the stretch of the recording that shows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stretch {
    pub(super) begin: Micros,
    /// `None`: it lasts, or nobody saw its end.
    pub(super) end: Option<Micros>,
    pub(super) from: Micros,
    pub(super) to: Micros,
}

/// The first and the last moment of what a request asks for.
///
/// # Errors
/// 400 for a value that cannot be, 404 for an event that is not known.
pub(super) fn period(context: &Context, request: &Request) -> Result<(Micros, Micros), Reply> {
    match of_event(context, request)? {
        Some(stretch) => Ok((stretch.from, stretch.to)),
        None => request.query().period()?.resolve(SystemTime::now()),
    }
}

/// The stretch of the event that a request names.
///
/// # Errors
/// As of [`period`].
pub(super) fn of_event(context: &Context, request: &Request) -> Result<Option<Stretch>, Reply> {
    let query = request.query();
    let Some(id) = query.number("event", 1..=u64::MAX)? else { return Ok(None) };
    let period = query.period()?;
    if period.from.is_some() || period.to.is_some() {
        return Err(Reply::bad_request("event: use it without from and to"));
    }
    let recording = recording(&request.camera)?;
    let kinds = vec![Kind::MotionBegin, Kind::MotionEnd];
    let filter = Filter { kinds, ..Filter::camera(&request.camera.name) };
    let events = find(context, &filter, usize::MAX);
    let unknown = || {
        let text = format!("there is no event {id} of a motion at this camera, see /events");
        Reply::text(Code::NotFound, &text)
    };
    let events = events.values().filter_map(|line| Event::parse(line));
    let (begin, end) = motion(events, id).ok_or_else(unknown)?;
    stretch(recording, begin, end).map(Some).ok_or_else(|| nothing(recording, "of this event"))
}

/// The newest events that pass, by number. Some are both in memory and on disk.
pub(super) fn find(context: &Context, filter: &Filter, n_most: usize) -> BTreeMap<u64, String> {
    let mut found = BTreeMap::new();
    let is_wanted = |name: &str| filter.camera.as_ref().is_none_or(|wanted| wanted == name);
    let all = context.cameras.all();
    for recording in
        all.iter().filter(|c| is_wanted(&c.name)).filter_map(|camera| camera.recording.as_ref())
    {
        let events = recording.journal().read(filter, n_most);
        found.extend(events.into_iter().map(|event| (event.id, event.json)));
    }
    let recent = context.cameras.events().recent(filter);
    found.extend(recent.into_iter().map(|event| (event.id, event.json.clone())));
    while found.len() > n_most {
        found.pop_first();
    }
    found
}

/// When the motion began and ended of which `id` is the begin or the end.
fn motion(events: impl Iterator<Item = Event>, id: u64) -> Option<(Micros, Option<Micros>)> {
    let mut begun: Option<Event> = None;
    for event in events {
        let is_end = event.kind == Kind::MotionEnd;
        match begun.take().filter(|begun| begun.id == id || is_end && event.id == id) {
            // A program that was killed left no end.
            Some(begun) => return Some((begun.at, is_end.then_some(event.at))),
            // Its begin is not kept any more.
            None if is_end && event.id == id => return Some((event.at, Some(event.at))),
            None => begun = (!is_end).then_some(event),
        }
    }
    begun.filter(|begun| begun.id == id).map(|begun| (begun.at, None))
}

/// `None`: nothing is there of a motion without an end.
fn stretch(recording: &Recording, begin: Micros, end: Option<Micros>) -> Option<Stretch> {
    let (before, after) = around(recording.config());
    let from = begin.saturating_sub(before);
    let to = match end {
        Some(end) => end.saturating_add(after),
        // As long as pictures came without a gap.
        None => {
            let spans = recording.store().spans();
            spans.iter().rev().find(|span| span.start <= begin && begin <= span.end)?.end
        }
    };
    Some(Stretch { begin, end, from, to })
}

fn around(config: &RecordConfig) -> (Micros, Micros) {
    let (before, after) =
        config.on_motion.map_or((AROUND, AROUND), |config| (config.before, config.after));
    let micros = |time: Duration| Micros::try_from(time.as_micros()).unwrap_or(Micros::MAX);
    (micros(before), micros(after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Events;

    #[test]
    fn both_events_of_a_motion_name_the_same_one() {
        let events = Events::default();
        let [begin, end] = [Kind::MotionBegin, Kind::MotionEnd];
        // The end of one that is not kept, a whole one, one that was killed, one that lasts.
        [end, begin, end, begin, begin].iter().for_each(|kind| events.emit("a", *kind, &[]));
        let all: Vec<Event> =
            events.recent(&Filter::default()).iter().map(|event| (**event).clone()).collect();
        let motion = |id| motion(all.iter().cloned(), id);
        let at = |n: usize| all[n].at;
        assert_eq!(motion(all[0].id), Some((at(0), Some(at(0)))));
        assert_eq!(motion(all[1].id), Some((at(1), Some(at(2)))));
        assert_eq!(motion(all[2].id), Some((at(1), Some(at(2)))));
        assert_eq!(motion(all[3].id), Some((at(3), None)));
        assert_eq!(motion(all[4].id), Some((at(4), None)));
        assert_eq!(motion(7), None);
    }
}
