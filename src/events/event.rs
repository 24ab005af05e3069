//! One event, and its line of JSON.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::kind::Kind;

/// Microseconds since 1970.
pub(crate) type Micros = u64;

/// What stands before the fields of a line, in this order. The order is fixed, so that
/// a reader of a file of many lines finds the fields without parsing all of JSON.
const ID: &str = "{\"id\":";
const TIME: &str = ",\"time\":";
const TYPE: &str = ",\"type\":\"";
const CAMERA: &str = "\",\"camera\":\"";
const DATA: &str = "\",\"data\":";

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    /// Grows from event to event, also over restarts; none is used twice.
    pub(crate) id: u64,
    pub(crate) at: Micros,
    pub(crate) kind: Kind,
    pub(crate) camera: String,
    /// The whole event as one line of JSON, without its end. Made once, for files,
    /// replies and messages alike.
    pub(crate) json: String,
}

impl Event {
    /// `camera` is a plain name, which needs no escapes. `data` is a JSON object.
    pub(super) fn new(id: u64, at: Micros, kind: Kind, camera: &str, data: &str) -> Self {
        let mut json = String::with_capacity(96 + camera.len() + data.len());
        let (seconds, micros) = (at / 1_000_000, at % 1_000_000);
        write!(
            json,
            "{ID}{id}{TIME}{seconds}.{micros:06}{TYPE}{}{CAMERA}{camera}{DATA}{data}}}",
            kind.name()
        )
        .expect("a String takes all that is written");
        Self { id, at, kind, camera: camera.to_owned(), json }
    }

    /// Reads a line that [`Event::new`] made. `None` for any other line, also for one
    /// whose type only a later version knows.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (id, rest) = line.strip_prefix(ID)?.split_once(TIME)?;
        let (time, rest) = rest.split_once(TYPE)?;
        let (kind, rest) = rest.split_once(CAMERA)?;
        let (camera, data) = rest.split_once(DATA)?;
        let (seconds, micros) = time.split_once('.').filter(|(_, micros)| micros.len() == 6)?;
        let at = seconds.parse::<u64>().ok()?.checked_mul(1_000_000)?;
        let at = at.checked_add(micros.parse().ok()?)?;
        let is_whole = data.starts_with('{') && data.ends_with("}}");
        is_whole.then_some(())?;
        let (id, kind) = (id.parse().ok()?, Kind::parse(kind)?);
        Some(Self { id, at, kind, camera: camera.to_owned(), json: line.to_owned() })
    }

    /// Its figures; empty if the line is damaged.
    pub(crate) fn data(&self) -> Map<String, Value> {
        let data = self.json.split_once(DATA).and_then(|(_, data)| data.strip_suffix('}'));
        data.and_then(|data| serde_json::from_str(data).ok()).unwrap_or_default()
    }

    /// Whether its line is JSON, which a damaged file may not hold.
    pub(crate) fn is_sound(&self) -> bool {
        serde_json::from_str::<Value>(&self.json).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"id":7,"time":1796000000.000250,"type":"camera-lost","camera":"front","data":{"cause":"a \"b\""}}"#;

    #[test]
    fn line_is_json_and_is_read_back() {
        let data = r#"{"cause":"a \"b\""}"#;
        let event = Event::new(7, 1_796_000_000_000_250, Kind::CameraLost, "front", data);
        assert_eq!(event.json, LINE);
        assert_eq!(Event::parse(LINE), Some(event.clone()));
        assert_eq!(event.data()["cause"], "a \"b\"");
        assert!(event.is_sound());
        for cut in 0..LINE.len() {
            assert_eq!(Event::parse(&LINE[..cut]), None, "{cut}");
        }
        assert_eq!(Event::parse(&LINE.replace("camera-lost", "tea-ready")), None);
    }
}
