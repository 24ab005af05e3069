use std::collections::BTreeSet;

use super::target::{ALIASES, NUMBERED};
use super::*;

/// The row and the query that a target of the first camera leads to.
fn first(target: &str) -> (&'static str, String) {
    let target = Target::parse(target).resolve(|_| false);
    assert_eq!(target.which, Which::First);
    (target.endpoint().path, target.query)
}

#[test]
fn every_path_has_its_row() {
    for (target, path) in [
        ("/", "/*"),
        ("/webcam/", "/*"),
        ("/webcam", "/*"),
        ("/style.css/x", "/*"),
        ("/app.js?v=1#top", "/*"),
        ("http://host", "/*"),
        ("/stream/", "/stream"),
        ("/stream/?x=1", "/stream"),
        ("//stream", "/stream"),
        ("/webcam//stream//", "/stream"),
        ("/snapshot/", "/snapshot"),
        ("/snapshot.jpg", "/snapshot"),
        ("/Snapshot.JPG?17", "/snapshot"),
        ("/snapshot.jpeg/", "/snapshot"),
        ("/stream.mjpg", "/stream"),
        ("/video.mjpeg", "/stream"),
        ("/video_feed/", "/video_feed"),
        ("/video_feed.mjpg", "/video_feed"),
        ("/?action=snapshot?17", "/snapshot"),
        ("/?Action=Stream", "/stream"),
        ("/?action=stream/", "/stream"),
        ("/recordings/", "/recordings"),
        ("/cam.jpg", "/*"),
        ("/cam_0.jpg", "/*"),
        ("*", "/*"),
        ("http://host?action=snapshot", "/snapshot"),
        ("/snapshot", "/snapshot"),
        ("/snapshot?bypassCache=17", "/snapshot"),
        ("/?action=snapshot", "/snapshot"),
        ("/?action=stream&1700000000", "/stream"),
        ("/webcam/?action=snapshot", "/snapshot"),
        ("/webcam?action=stream", "/stream"),
        ("/webcam/snapshot", "/snapshot"),
        ("/stream?action=snapshot", "/stream"),
        ("http://host:5000/video_feed?x=1", "/video_feed"),
        ("/status", "/status"),
        ("/webcam/status", "/status"),
        ("/recordings", "/recordings"),
        ("/recordings/frames.csv?from=1", "/recordings/frames.csv"),
        ("/recordings/1.mjpeg", "/recordings/*"),
        ("/record/start", "/record/start"),
        ("/record/pause", "/*"),
        ("/take?filename=a.jpg", TAKE_PATH),
        ("/Take/", TAKE_PATH),
        ("/webcam/take", TAKE_PATH),
        ("/?action=take&filename=a.jpg", TAKE_PATH),
        ("/?action=command&id=1", COMMAND_PATH),
        ("/webcam/?action=command", COMMAND_PATH),
        ("/input.json", "/input.json"),
        ("/webcam/input.json", "/input.json"),
        ("/program.json", "/program.json"),
        ("/clients.json/", "/clients.json"),
        ("/%3Faction=command", "/*"),
    ] {
        assert_eq!(first(target).0, path, "{target}");
    }
    assert_eq!(first("/snapshot?max_delay=300#x").1, "max_delay=300");
    assert_eq!(first("/snapshot?max_delay=300?17").1, "max_delay=300&17");
}

#[test]
fn camera_is_named_by_the_path_or_numbered_by_the_action() {
    let named = |name: &str| Which::Named(name.into());
    for (target, which, path) in [
        ("/front/status", named("front"), "/status"),
        ("/webcam/front/status", named("front"), "/status"),
        ("/webcam2/?action=snapshot", named("webcam2"), "/snapshot"),
        ("/webcam2?action=snapshot", named("webcam2"), "/snapshot"),
        ("/front?action=snapshot_1", named("front"), "/"),
        ("/front", named("front"), ""),
        ("/front/", named("front"), "/"),
        ("/front/app.js?v=1", named("front"), "/app.js"),
        ("/front/back/status", named("front"), "/back/status"),
        ("/front/snapshot.jpg", named("front"), "/snapshot"),
        ("/front//Stream/", named("front"), "/stream"),
        ("/front/cam_1.jpg", named("front"), "/cam_1.jpg"),
        ("/cam_1.jpg", Which::Nth(0), "/snapshot"),
        ("/webcam/cam_2.mjpg", Which::Nth(1), "/stream"),
        ("/?action=snapshot_0", Which::Nth(0), "/snapshot"),
        ("/webcam/?action=stream_12", Which::Nth(12), "/stream"),
        ("/input_1.json", Which::Nth(1), "/input.json"),
        ("/input0.json", Which::Nth(0), "/input.json"),
        ("/webcam/output_0.json", Which::Nth(0), "/output.json"),
        ("/front/input.json", named("front"), "/input.json"),
        ("/front/?action=take", named("front"), TAKE_PATH),
        ("/front/take", named("front"), TAKE_PATH),
        ("/?action=take_1", Which::Nth(1), TAKE_PATH),
        ("/?action=command&plugin=1", Which::Nth(1), COMMAND_PATH),
        ("/front/?action=command&plugin=1", named("front"), COMMAND_PATH),
        ("/?action=stream&plugin=1", Which::First, "/stream"),
        ("/?action=stream_", Which::First, "/"),
        ("/?action=stream_-1", Which::First, "/"),
        ("/?action=reboot_1", Which::First, "/"),
        ("/?action=reboot", Which::First, "/"),
    ] {
        let found = Target::parse(target);
        assert_eq!((found.which, found.path.as_str()), (which, path), "{target}");
        let is_unknown = target.contains("action=") && path == "/";
        assert_eq!(found.is_unknown_action, is_unknown, "{target}");
    }
}

#[test]
fn folder_of_a_camera_needs_its_slash() {
    for (target, missing) in [
        ("/front", Some("front")),
        ("/webcam", Some("webcam")),
        ("/front?x=1", Some("front")),
        ("/", None),
        ("/front/", None),
        ("/webcam/", None),
        ("/front?action=stream", None),
        ("/stream", None),
    ] {
        assert_eq!(Target::parse(target).missing_slash(), missing, "{target}");
    }
}

#[test]
fn name_in_capital_letters_is_a_camera_first_and_an_address_then() {
    let resolve = |target: &str, camera: &str| {
        let target = Target::parse(target).resolve(|name| name == camera);
        (target.which.clone(), target.endpoint().path)
    };
    let address = |target: &str| {
        let (which, path) = resolve(target, "front");
        assert_eq!(which, Which::First, "{target}");
        path
    };
    let named = |name: &str| Which::Named(name.into());
    assert_eq!(resolve("/Stream", "Stream"), (named("Stream"), "/*"));
    assert_eq!(address("/Stream"), "/stream");
    assert_eq!(address("/SNAPSHOT/?x"), "/snapshot");
    assert_eq!(address("/Recordings/1.mjpeg"), "/recordings/*");
    assert_eq!(address("/Record/Start"), "/record/start");
    assert_eq!(resolve("/Front/stream", "front"), (named("front"), "/stream"));
    assert_eq!(resolve("/Back", "front"), (named("Back"), "/*"));
    assert_eq!(resolve("/Stream?action=reboot", "front").0, named("Stream"));
}

#[test]
fn number_behind_an_address_is_a_cameras_where_none_has_that_name() {
    for (target, n, path) in [
        ("/stream_0", 0, "/stream"),
        ("/stream0", 0, "/stream"),
        ("/stream_1?fps=2", 1, "/stream"),
        ("/Stream1/", 1, "/stream"),
        ("/webcam/snapshot_12", 12, "/snapshot"),
        ("/snapshot0", 0, "/snapshot"),
    ] {
        let found = Target::parse(target).resolve(|_| false);
        assert_eq!((found.which, &*found.path), (Which::Nth(n), path), "{target}");
    }
    for target in ["/stream_", "/stream_x", "/stream__1", "/stream_-1", "/stream1/x"] {
        let found = Target::parse(target).resolve(|_| false);
        assert!(matches!(found.which, Which::Named(_)), "{target}");
    }
    for name in ["stream_1", "take"] {
        let found = Target::parse(&format!("/{name}/")).resolve(|_| true);
        assert_eq!((found.which, &*found.path), (Which::Named(name.into()), "/"), "{name}");
    }
}

#[test]
fn aliases_lead_to_rows_and_the_guide_lists_them() {
    let guide = include_str!("../guide/addresses.md");
    let of_guide: BTreeSet<(String, String)> = guide
        .lines()
        .filter_map(|line| line.strip_prefix("| also `")?.split_once("` | `"))
        .map(|(alias, path)| (alias.to_owned(), path.trim_end_matches("` |").to_owned()))
        .collect();
    let numbered =
        NUMBERED.map(|(start, end, _, path)| (format!("{start}_N{end}"), path.to_owned()));
    let aliases = ALIASES.map(|(alias, path)| (alias.to_owned(), path.to_owned()));
    assert_eq!(of_guide, aliases.into_iter().chain(numbered).collect());
    for (alias, path) in ALIASES {
        assert!(ROUTES.iter().any(|row| row.path == path), "{alias}");
        assert_eq!(first(alias).0, path);
    }
}

#[test]
fn list_of_a_404_has_what_can_be_read_and_no_order() {
    let list = list();
    let (_, paths) = list.split_once("there are ").unwrap();
    let paths: Vec<_> = paths.split(", ").collect();
    for path in ["/stream", "/video_feed", "/snapshot", "/status"] {
        assert!(paths.contains(&path), "{path}: {list}");
    }
    assert!(!list.contains("/record/start") && !list.contains(['*', '?']), "{list}");
}

/// The addresses of the guide, with their methods: the rows of its first table.
fn addresses_of_the_guide() -> Vec<(String, String)> {
    let guide = include_str!("../guide/addresses.md");
    let rows = guide.lines().filter(|line| line.starts_with("| `/"));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    cells.map(|cells| (cells[1].trim_matches('`').to_owned(), cells[2].to_owned())).collect()
}

#[test]
fn each_row_is_in_the_guide_and_each_address_of_the_guide_is_a_row() {
    let guide = addresses_of_the_guide();
    let in_guide = |path: &str| match path {
        "/*" => "/".to_owned(),
        path => path.replace('*', "SEGMENT"),
    };
    let mut rows: Vec<_> = ROUTES
        .iter()
        .map(|row| (in_guide(row.path), row.methods.allow.replace(", OPTIONS", "")))
        .collect();
    let mut listed = guide.clone();
    rows.sort();
    listed.sort();
    assert_eq!(rows, listed);
}

#[test]
fn no_camera_can_hide_an_address() {
    for row in ROUTES.iter().filter(|row| row.path != "/*") {
        let first = row.path.split('/').nth(1).unwrap();
        assert!(check_camera_name(first).is_err(), "{}", row.path);
        assert_eq!(Target::parse(row.path).which, Which::First, "{}", row.path);
    }
    for name in ["webcam", "api", "cameras"] {
        let fault = check_camera_name(name).unwrap_err().to_string();
        assert!(fault.contains(&format!("such as {name}1")), "{fault}");
    }
    for name in ["camera", "front", "webcam2", "Stream"] {
        check_camera_name(name).unwrap();
    }
}

#[test]
fn rows_are_in_an_order_in_which_each_is_found() {
    for (at, row) in ROUTES.iter().enumerate() {
        let found = Target::parse(row.path).endpoint();
        assert!(std::ptr::eq(found, &ROUTES[at]), "{} leads to {}", row.path, found.path);
    }
}

#[test]
fn methods_are_taken_as_the_allow_header_says() {
    for (methods, taken) in [
        (READ, [Method::Get, Method::Head, Method::Options].as_slice()),
        (ORDER, &[Method::Post, Method::Options]),
        (CHANGE, &[Method::Get, Method::Head, Method::Post, Method::Options]),
        (WATCH, &[Method::Get, Method::Head, Method::Post, Method::Options]),
        (COMMAND, &[Method::Get, Method::Options]),
    ] {
        for method in [Method::Get, Method::Head, Method::Post, Method::Options, Method::Other] {
            assert_eq!(methods.takes(method), taken.contains(&method), "{methods:?} {method:?}");
        }
    }
}

#[test]
fn whatever_takes_a_body_or_no_get_changes_something() {
    for row in ROUTES {
        let Methods { allow, changing, has_body } = row.methods;
        assert!(changing.is_none_or(|method| row.methods.takes(method)), "{}", row.path);
        if has_body || !allow.contains("GET") || row.path == COMMAND_PATH {
            assert!(changing.is_some(), "{}", row.path);
        }
    }
}

#[test]
fn page_of_links_leads_to_addresses() {
    let page = include_str!("../../www/links.html");
    let links = page.split("<a href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let links: Vec<_> = links.filter(|link| *link != "./").collect();
    assert!(links.len() > 10, "{links:?}");
    for link in links {
        let target = Target::parse(&format!("/{link}"));
        assert!(!target.is_file() && !target.is_unknown_action, "{link}");
        assert_eq!(
            target.endpoint().methods.changing.filter(|m| *m == Method::Get),
            None,
            "{link}"
        );
    }
}
