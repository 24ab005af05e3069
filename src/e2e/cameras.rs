//! Cameras by name and by number.

use crate::support::{Daemon, TempDir, eventually_is};

#[test]
fn one_camera_answers_by_its_name_and_number() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    for target in ["/camera/snapshot", "/?action=snapshot_0", "/camera/?action=snapshot"] {
        let reply = daemon.get(target);
        assert_eq!((reply.code, reply.header("Content-Type")), (200, Some("image/jpeg")));
    }
    let mut viewer = daemon.watch("/webcam/camera/stream");
    viewer.next();
    assert_eq!(daemon.status()["viewers"][0]["camera"], "camera");
    let page = daemon.get("/camera/");
    assert_eq!((page.code, &page.body), (200, &daemon.get("/").body));
    assert_eq!(
        daemon.get("/camera/style.css").header("Content-Type"),
        Some("text/css; charset=utf-8")
    );
    let slash = daemon.get("/camera");
    assert_eq!((slash.code, slash.header("Location")), (301, Some("camera/")));
    drop(viewer);
    eventually_is("it left", || daemon.figure("/seats/taken") == 0);
}

#[test]
fn unknown_camera_is_not_found_and_the_known_are_named() {
    let daemon = Daemon::start(&["--camera", "pattern:64x48@20"]);
    for target in ["/back/stream", "/back/status", "/?action=snapshot_1", "/?action=stream_9"] {
        let reply = daemon.get(target);
        assert_eq!(reply.code, 404, "{target}");
        assert!(reply.text().contains("there are: camera"), "{target}: {}", reply.text());
    }
    let headers = ["Content-Type: application/json", "Content-Length: 0"];
    assert_eq!(daemon.request("POST", "/back/controls", &headers).code, 404);
    assert_eq!(daemon.figure("/camera/opened"), 0);
    assert_eq!(daemon.figure("/seats/refused"), 0);
}

#[test]
fn folder_of_the_page_is_no_camera() {
    let www = TempDir::new();
    std::fs::create_dir(www.path().join("more")).unwrap();
    www.write("more/index.html", "more");
    let daemon = Daemon::start(&["--camera", "demo", "--www", www.path().to_str().unwrap()]);
    for target in ["/more", "/more/", "/more/index.html", "/camera/more/"] {
        assert_eq!(daemon.get(target).text(), "more", "{target}");
    }
}
