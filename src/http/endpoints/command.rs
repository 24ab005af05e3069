//! `/?action=command`: sets one control, in mjpg-streamer's words.
//!
//! It is a GET that changes something, so the table of routes has a browser
//! prove that a page of this address sends it.

use crate::capture::Capture;
use crate::controls::{Control, SetTo};
use crate::http::context::Context;
use crate::http::query::Query;
use crate::http::reply::{Code, Reply};
use crate::http::request::Request;

/// # Errors
/// 400 for a value that cannot be, 404 where there is no such control, 503
/// where it cannot be reached.
pub(in crate::http) fn answer(context: &Context, request: &mut Request) -> Result<(), Reply> {
    context.check_lock()?;
    let command = Command::parse(request.query())?;
    let reply = command.run(&request.camera.capture)?;
    context.send(request, &reply);
    Ok(())
}

/// Which control, by the number that V4L2 gives it, and its new value.
#[derive(Debug, PartialEq)]
struct Command {
    id: u32,
    value: i64,
}

impl Command {
    fn parse(query: Query<'_>) -> Result<Self, Reply> {
        // The camera's number; it has been looked up by it.
        query.number("plugin", 0..=usize::MAX)?;
        // 1 is an output, 2 the program. The groups behind the controls of V4L2
        // are sizes and qualities, which the options of this program set.
        if query.number("dest", 0..=u32::MAX)?.unwrap_or(0) != 0 {
            return Err(Reply::bad_request("dest: use 0, for controls of a camera"));
        }
        if query.number("group", 0..=u32::MAX)?.unwrap_or(1) > 1 {
            return Err(Reply::bad_request("group: use 1, for controls of the device"));
        }
        let missing = |key: &str, what: &str| Reply::bad_request(&format!("{key}: give {what}"));
        let id = query.number("id", 0..=u32::MAX)?;
        let value = query.number("value", i64::MIN..=i64::MAX)?;
        Ok(Self {
            id: id.ok_or_else(|| missing("id", "the number of a control, see /input.json"))?,
            value: value.ok_or_else(|| missing("value", "a whole number"))?,
        })
    }

    fn run(&self, capture: &Capture) -> Result<Reply, Reply> {
        let away = |why: String| {
            Reply::unavailable(&format!("the camera's controls cannot be reached: {why}"))
        };
        let known = capture.controls().map_err(away)?;
        let name = self.find(&known)?.to_owned();
        let changes = [(name, SetTo::Value(self.value))];
        let results = capture.set_controls(&changes).map_err(away)?;
        match results.into_iter().next() {
            Some((name, Ok(value))) => Ok(Reply::text(Code::Ok, &format!("{name}: {value}"))),
            Some((name, Err(why))) => Err(Reply::bad_request(&format!("{name}: {why}"))),
            None => Err(Reply::bad_request(&format!("{}: was not set", self.id))),
        }
    }

    /// The name of the control.
    fn find<'a>(&self, known: &'a [Control]) -> Result<&'a str, Reply> {
        let found = known.iter().find(|control| control.id == self.id);
        found.map(|control| &*control.name).ok_or_else(|| {
            let text = format!("there is no control {}, see /input.json", self.id);
            Reply::text(Code::NotFound, &text)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::transport::Method;

    #[test]
    fn control_is_named_by_its_number() {
        let parse = |query| Command::parse(Query(query));
        let right = Command { id: 9_963_776, value: -3 };
        for query in [
            "action=command&dest=0&plugin=0&id=9963776&group=1&value=-3",
            "action=command&id=9963776&value=-3",
            "action=command&id=9963776&group=0&value=-3&_=1700000000",
        ] {
            assert_eq!(parse(query).as_ref(), Ok(&right), "{query}");
        }
        for (query, says) in [
            ("id=9963776", "value: give a whole number"),
            ("value=1", "id: give the number of a control"),
            ("id=brightness&value=1", "id: use a number"),
            ("id=1&value=high", "value: use a number"),
            ("id=1&value=1&dest=1", "dest: use 0"),
            ("id=1&value=1&group=2", "group: use 1"),
            ("id=1&value=1&plugin=first", "plugin: use a number"),
        ] {
            let reply = parse(query).unwrap_err();
            let text = String::from_utf8(reply.body(Method::Get).to_vec()).unwrap();
            assert!(text.contains(says), "{query}: {text}");
        }
    }

    #[test]
    fn unknown_number_is_answered_with_where_the_known_ones_are() {
        let reply = Command { id: 5, value: 1 }.find(&[]).unwrap_err();
        assert!(reply.body(Method::Get).starts_with(b"there is no control 5, see /input.json"));
    }
}
