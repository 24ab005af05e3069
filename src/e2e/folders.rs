//! A folder into which another program puts pictures, as a camera.

use std::fs;

use crate::support::{Daemon, TempDir, eventually_is};

const JPEG: &[u8] = include_bytes!("../camera/demo/1.jpg");
const OTHER: &[u8] = include_bytes!("../camera/demo/2.jpg");

#[test]
fn each_new_file_is_shown_to_viewers_and_snapshots() {
    let dir = TempDir::new();
    let source = format!("images:{}", dir.path().display());
    let daemon = Daemon::start(&["--camera", &source, "--watch"]);
    let mut viewer = daemon.watch("/stream?advance_headers=0");
    daemon.wait_for_state("starting");
    fs::write(dir.path().join("1.tmp"), JPEG).unwrap();
    fs::rename(dir.path().join("1.tmp"), dir.path().join("1.jpg")).unwrap();
    assert_eq!(viewer.next().jpeg, JPEG);
    fs::write(dir.path().join("1.jpg"), OTHER).unwrap();
    eventually_is("the other one comes", || viewer.next().jpeg == OTHER);
    assert_eq!(daemon.get("/snapshot").body, OTHER);
    assert!(dir.path().join("1.jpg").exists());
}

#[test]
fn files_are_deleted_only_where_that_was_asked_for() {
    let dir = TempDir::new();
    for name in ["1.jpg", "2.jpg", "3.txt"] {
        dir.write(name, JPEG);
    }
    let source = format!("images:{}", dir.path().display());
    let daemon = Daemon::start(&["--camera", &source, "--watch", "--remove-shown"]);
    let _viewer = daemon.watch("/stream");
    eventually_is("the pictures are gone", || fs::read_dir(dir.path()).unwrap().count() == 1);
    let (code, _, stderr) = Daemon::run(&["--camera", &source, "--remove-shown"]);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("--remove-shown: use it with --watch"), "{stderr}");
}
