//! The room table in lib.rs, guarded: which room may know which.

use std::fs;
use std::path::{Path, PathBuf};

/// A rule that was broken, as a sentence.
type Broken = String;

/// Rooms that never know another, though it stands above them.
const NEVER: [(&str, &str); 3] = [("camera", "slot"), ("http", "camera"), ("slot", "http")];

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The rows of the table, each with the rooms that stand in it.
fn table() -> Vec<Vec<String>> {
    let text = fs::read_to_string(src().join("lib.rs")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | "));
    let rooms = |row: &str| -> Vec<String> {
        let first = row.split('|').next().unwrap();
        first.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    rows.map(rooms).filter(|rooms| !rooms.is_empty()).collect()
}

/// The Rust files of a room.
fn files(room: &str) -> Vec<PathBuf> {
    let mut found = vec![src().join(format!("{room}.rs"))];
    let mut folders = vec![src().join(room)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let list = if path.is_dir() { &mut folders } else { &mut found };
            list.push(path);
        }
    }
    found.retain(|path| path.extension().is_some_and(|e| e == "rs") && path.exists());
    assert!(!found.is_empty(), "the table names the room {room}, which is not there");
    found
}

/// The rooms that a line of code names.
fn named_in(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split("//").next().unwrap();
    let rest = code.split("crate::").skip(1);
    rest.map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap())
}

/// What a room at this place in the table may not say.
fn rule(table: &[Vec<String>], at: usize, room: &str, other: &str) -> Option<Broken> {
    if other == room {
        return None;
    }
    if NEVER.contains(&(room, other)) {
        return Some(format!("{room} never sees {other}"));
    }
    let above = table[..at].iter().flatten().any(|name| name == other);
    (!above).then(|| format!("{room} knows only the rooms above it, and {other} is none"))
}

#[test]
fn every_room_stands_in_the_table() {
    let table = table();
    let text = fs::read_to_string(src().join("lib.rs")).unwrap();
    let declared = text.lines().filter_map(|line| {
        line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod ")?.strip_suffix(';')
    });
    for room in declared {
        assert!(table.iter().flatten().any(|name| name == room), "{room} is not in the table");
    }
}

#[test]
fn rooms_know_only_the_rooms_above_them() {
    let table = table();
    let mut broken = Vec::new();
    for (at, row) in table.iter().enumerate() {
        for room in row {
            for file in files(room) {
                let text = fs::read_to_string(&file).unwrap();
                for (n, line) in text.lines().enumerate() {
                    let rules = named_in(line).filter_map(|other| rule(&table, at, room, other));
                    broken
                        .extend(rules.map(|rule| format!("{}:{}: {rule}", file.display(), n + 1)));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The rooms of `http`, in the order in which its `mod.rs` declares them.
fn rooms_of_http() -> Vec<String> {
    let text = fs::read_to_string(src().join("http/mod.rs")).unwrap();
    let declared = text.lines().filter_map(|line| {
        let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
        Some(line.strip_prefix("mod ")?.strip_suffix(';')?.to_owned())
    });
    declared.collect()
}

/// The rooms of `http` that a line of a file names: `super` is `http` in the
/// files beside its `mod.rs`.
fn named_in_http(line: &str, is_beside: bool) -> Vec<&str> {
    let code = line.split("//").next().unwrap();
    let by = |prefix: &'static str| code.split(prefix).skip(1);
    let own = is_beside && !code.contains("super::super::");
    let rest = by("crate::http::").chain(by("super::").filter(move |_| own));
    let name =
        |rest: &'_ str| rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    rest.map(|rest| &rest[..name(rest)]).collect()
}

/// What a room of `http` may not say.
fn rule_of_http(rooms: &[String], room: &str, other: &str) -> Option<Broken> {
    let place = |name: &str| rooms.iter().position(|room| room == name);
    // Names that are no room are items of `http` itself, or `*`.
    let (own, theirs) = (place(room)?, place(other)?);
    let late = theirs > own;
    late.then(|| format!("{room} knows only the rooms of http before it, and {other} is none"))
}

#[test]
fn rooms_of_http_know_only_those_before_them() {
    let rooms = rooms_of_http();
    assert!(rooms.len() > 10 && rooms[0] == "transport", "{rooms:?}");
    let mut broken = Vec::new();
    for room in &rooms {
        for file in files(&format!("http/{room}")) {
            let is_beside = file.parent().unwrap().ends_with("http");
            let text = fs::read_to_string(&file).unwrap();
            for (n, line) in text.lines().enumerate() {
                let named = named_in_http(line, is_beside);
                let rules = named.into_iter().filter_map(|other| {
                    let is_sibling = room == "endpoints" && other == "endpoints";
                    let sibling = "endpoints never know each other".to_owned();
                    is_sibling.then_some(sibling).or_else(|| rule_of_http(&rooms, room, other))
                });
                broken.extend(rules.map(|rule| format!("{}:{}: {rule}", file.display(), n + 1)));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    let said = |room, other| rule_of_http(&rooms, room, other).unwrap_or_default();
    assert!(said("transport", "dispatch").contains("only the rooms of http before it"));
    assert_eq!(said("dispatch", "transport"), "");
    assert_eq!(named_in_http("use super::reply::Reply;", true), ["reply"]);
    assert_eq!(named_in_http("use super::wish::Wish;", false), Vec::<&str>::new());
    assert_eq!(named_in_http("use crate::http::query::Query;", false), ["query"]);
}

#[test]
fn rules_can_be_broken() {
    let table = table();
    let at = |room| table.iter().position(|row| row.iter().any(|name| name == room)).unwrap();
    let said = |room, other| rule(&table, at(room), room, other).unwrap_or_default();
    assert_eq!(said("camera", "slot"), "camera never sees slot");
    assert_eq!(said("http", "camera"), "http never sees camera");
    assert!(said("slot", "capture").contains("only the rooms above"));
    assert!(said("frame", "nonsense").contains("only the rooms above"));
    assert_eq!(said("capture", "camera"), "");
    assert_eq!(
        named_in("    use crate::slot::Newer; // crate::http").collect::<Vec<_>>(),
        ["slot"]
    );
    assert_eq!(table.first().unwrap(), &["frame"]);
}
