//! The room table in lib.rs, guarded: which room may know which. And which
//! packages the library needs without the server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A rule that was broken, as a sentence.
type Broken = String;

/// Rooms that never know another, although it stands above them. Only capture and variants know
/// drivers.
const NEVER: [(&str, &str); 6] = [
    ("camera", "slot"),
    ("recording", "camera"),
    ("cameras", "camera"),
    ("http", "camera"),
    ("client", "camera"),
    ("slot", "http"),
];

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The rows of the table, each with the rooms that stand in it.
fn table() -> Vec<Vec<String>> {
    let text = fs::read_to_string(src().join("lib.rs")).unwrap();
    let lines = text.lines().skip_while(|line| !line.starts_with("//! | room |"));
    let rows = lines.map_while(|line| line.strip_prefix("//! | "));
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

/// Whether a line makes what stands in `camera` visible under the name of another room.
fn re_exports_drivers(line: &str) -> bool {
    let path = line.trim_start().strip_prefix("pub").and_then(|rest| rest.split_once(" use "));
    path.is_some_and(|(_, path)| path.starts_with("crate::camera::"))
}

#[test]
fn drivers_are_seen_through_no_other_room() {
    for room in table().iter().flatten() {
        for file in files(room) {
            let text = fs::read_to_string(&file).unwrap();
            let line = text.lines().find(|line| re_exports_drivers(line));
            assert_eq!(line, None, "{} re-exports a driver's type", file.display());
        }
    }
}

/// The product code of a file: no comments, and nothing from its tests on.
fn product_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(n, line)| (n + 1, line.trim_start()));
    let product = lines.take_while(|(_, line)| !line.starts_with("mod tests {"));
    product.filter(|(_, line)| !line.starts_with("//"))
}

/// Whether a line spells a string of the wire.
fn spells_the_wire(line: &str) -> bool {
    ["--frame", "boundary=", "X-Timestamp", "Content-Type: image/jpeg"]
        .iter()
        .any(|wire| line.contains(wire))
}

#[test]
fn strings_of_the_wire_are_spelt_in_frame_only() {
    let is_test = |path: &Path| {
        let name = path.file_stem().unwrap().to_str().unwrap();
        name.ends_with("tests") || path.parent().is_some_and(|folder| folder.ends_with("tests"))
    };
    let rooms = table().into_iter().flatten().filter(|room| !["frame", "fuzz"].contains(&&**room));
    let mut broken = Vec::new();
    for file in rooms.flat_map(|room| files(&room)).filter(|file| !is_test(file)) {
        let text = fs::read_to_string(&file).unwrap();
        let found = product_lines(&text).filter(|(_, line)| spells_the_wire(line));
        broken.extend(found.map(|(n, line)| format!("{}:{n}: {line}", file.display())));
    }
    assert!(broken.is_empty(), "take these from `frame`:\n{}", broken.join("\n"));
    let frame = fs::read_to_string(src().join("frame/wire.rs")).unwrap();
    assert!(product_lines(&frame).any(|(_, line)| spells_the_wire(line)), "none would be found");
}

#[test]
fn library_that_listens_is_named_in_the_transport_only() {
    let mut folders = vec![src()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("e2e/layout.rs") && !path.starts_with(src().join(TRANSPORT)) {
                let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                assert!(!text.contains("tiny_http"), "{} names it", path.display());
            }
        }
    }
    let text = fs::read_to_string(src().join(TRANSPORT).join("listener.rs")).unwrap();
    assert!(text.contains("tiny_http"), "the test would find nothing");
}

/// The only folder that knows which library listens.
const TRANSPORT: &str = "http/transport";

/// The rooms of `http`, in the order in which its `mod.rs` declares them.
fn rooms_of_http() -> Vec<String> {
    let text = fs::read_to_string(src().join("http/mod.rs")).unwrap();
    let declared = text.lines().filter_map(|line| {
        let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
        Some(line.strip_prefix("mod ")?.strip_suffix(';')?.to_owned())
    });
    // The table declares its endpoints, which do not know it.
    declared
        .flat_map(|room| if room == "routes" { vec!["endpoints".into(), room] } else { vec![room] })
        .collect()
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
    assert!(re_exports_drivers("pub(crate) use crate::camera::{Control, Mode};"));
    assert!(!re_exports_drivers("use crate::camera::Driver;"));
    assert!(!re_exports_drivers("pub(crate) use crate::cameras::Camera;"));
    assert!(said("slot", "capture").contains("only the rooms above"));
    assert!(said("frame", "nonsense").contains("only the rooms above"));
    assert_eq!(said("capture", "camera"), "");
    assert_eq!(
        named_in("    use crate::slot::Newer; // crate::http").collect::<Vec<_>>(),
        ["slot"]
    );
    assert_eq!(table.first().unwrap(), &["frame"]);
}

/// The names of all packages that the library is built from.
fn packages(features: &[&str]) -> Vec<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.args(["tree", "--locked", "--offline", "--edges=normal,build", "--prefix=none"]);
    let output = cargo.args(features).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split(' ').next().map(str::to_owned)).collect()
}

#[test]
fn client_alone_compiles_no_device_no_command_line_and_no_listener() {
    let (daemon, client) = (packages(&[]), packages(&["--no-default-features"]));
    for name in ["v4l", "clap", "tiny_http", "jpeg-encoder", "env_logger", "serde"] {
        assert!(daemon.iter().any(|package| package == name), "the server is without {name}");
        assert!(!client.iter().any(|package| package == name), "the client compiles {name}");
    }
    assert!(client.iter().any(|package| package == "ureq"), "{client:?}");
}
