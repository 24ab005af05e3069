//! What `make install` puts where, and `make uninstall` removes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::TempDir;

fn make(target: &str, dir: &TempDir) {
    let mut make = Command::new("make");
    make.arg(target).arg(format!("DESTDIR={}", dir.path().display())).arg("PREFIX=/usr");
    // As under sudo, where nothing is built.
    make.arg(concat!("PROGRAM=", env!("CARGO_BIN_EXE_mjpegd"))).env("SUDO_USER", "me");
    let output = make.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn what_is_installed_is_whole_and_removed_again() {
    let dir = TempDir::new();
    make("install", &dir);
    let usr = dir.path().join("usr");
    let read = |path: &str| fs::read_to_string(usr.join(path)).unwrap();
    assert!(read("lib/systemd/system/mjpegd.service").contains("\nExecStart=/usr/bin/mjpegd\n"));
    assert!(read("share/man/man1/mjpegd.1").contains(".TH mjpegd 1"));
    assert!(read("share/doc/mjpegd/guide/options.md").starts_with("# Options"));
    assert!(!read("share/doc/mjpegd/README.md").contains("src/guide"));
    let help = Command::new(usr.join("bin/mjpegd")).arg("--help").output().unwrap();
    assert!(help.status.success());
    let bash = usr.join("share/bash-completion/completions/mjpegd");
    let script = "source \"$0\"; COMP_WORDS=(mjpegd --came) COMP_CWORD=1; \
                  _mjpegd mjpegd --came mjpegd; echo \"${COMPREPLY[@]}\"";
    let completed = Command::new("bash").args(["-c", script]).arg(bash).output().unwrap();
    let said = String::from_utf8_lossy(&completed.stderr);
    assert_eq!(String::from_utf8_lossy(&completed.stdout), "--camera\n", "{said}");
    make("uninstall", &dir);
    assert_eq!(files(&usr), Vec::<PathBuf>::new());
}
