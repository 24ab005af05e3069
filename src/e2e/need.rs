//! What make asks for before it builds (`.ci/need`), with programs in place of cargo and apt.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use crate::support::{TempDir, unshare};

/// Knows Debian's packages at these versions, and writes down what it is asked for. What
/// is installed is there then.
const APT_GET: &str = r#"#!/bin/sh
echo "$*" >> "$FAKES/asked"
echo 'noise of apt'
case $* in *cargo-web*) mv "$FAKES/later-cargo" "$FAKES/cargo" ;; esac
"#;

const NEED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/need");

struct Machine {
    dir: TempDir,
}

impl Machine {
    /// A machine of root's whose apt has this `cargo-web`.
    fn new(cargo_web: &str) -> Self {
        let machine = Self { dir: TempDir::new() };
        machine.program("apt-get", APT_GET);
        let candidate = format!("#!/bin/sh\necho '  Candidate: {cargo_web}'\n");
        machine.program("apt-cache", &candidate);
        machine.program("id", "#!/bin/sh\necho 0\n");
        machine.program("later-cargo", "#!/bin/sh\necho cargo 1.96.0\n");
        machine
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.dir.write(name, script);
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }

    fn need(&self, targets: &[&str]) -> Output {
        self.run(Command::new(NEED), targets)
    }

    fn run(&self, mut command: Command, targets: &[&str]) -> Output {
        let fakes = self.dir.path();
        let path = format!("{}:/usr/bin:/bin", fakes.display());
        // By its path, so that no cargo of this machine is found.
        command.env("CARGO", fakes.join("cargo")).env("FAKES", fakes).env("PATH", path);
        command.args(targets).output().unwrap()
    }

    /// What apt was asked for.
    fn asked(&self) -> String {
        fs::read_to_string(self.dir.path().join("asked")).unwrap_or_default()
    }
}

fn text(output: &Output) -> String {
    String::from_utf8([&*output.stdout, &output.stderr].concat()).unwrap()
}

#[test]
fn missing_rust_is_installed_in_one_go_with_all_else_and_one_line_of_text() {
    let machine = Machine::new("1.96.0+dfsg1-1~deb12u2");
    let output = machine.need(&["build", "board", "encode"]);
    let (text, asked) = (text(&output), machine.asked());
    assert!(text.starts_with("missing: Rust 1."), "{text}");
    assert!(!text.contains("noise of apt"), "{text}");
    let installs: Vec<_> = asked.lines().filter(|line| line.starts_with("install")).collect();
    assert_eq!(installs.len(), 1, "{asked}");
    assert!(installs[0].contains("cargo-web rustc-web"), "{asked}");
}

#[test]
fn nothing_is_installed_where_rust_cannot_be_had() {
    for candidate in ["1.63.0+dfsg1-2", "(none)"] {
        let machine = Machine::new(candidate);
        let output = machine.need(&["build", "board", "encode"]);
        assert_eq!(output.status.code(), Some(1));
        let text = text(&output);
        assert!(text.contains("https://rustup.rs"), "{text}");
        assert!(!machine.asked().contains("install"), "{text}");
    }
}

#[test]
fn old_rust_is_named_with_its_version_and_left_alone() {
    let machine = Machine::new("1.96.0");
    machine.program("cargo", "#!/bin/sh\necho 'cargo 1.63.0 (fd9c4297c 2022-07-01)'\n");
    let output = machine.need(&["build"]);
    assert_eq!(output.status.code(), Some(1));
    let text = text(&output);
    assert!(text.contains("or later (1.63.0 is here)") && text.contains("rustup update"), "{text}");
    assert_eq!(machine.asked(), "", "{text}");
    machine.program("cargo", "#!/bin/sh\necho 'cargo 1.89.0'\n");
    assert_eq!(machine.need(&["build"]).status.code(), Some(0));
}

#[test]
fn certificates_are_installed_where_there_are_none() {
    let mut command = match unshare() {
        Ok(command) => command,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    // As in a Debian that debootstrap made.
    let hidden = "for dir in /etc/ssl /etc/pki; do \
        [ ! -d $dir ] || mount -t tmpfs none $dir || exit; done; exec \"$0\" \"$@\"";
    command.args(["sh", "-c", hidden, NEED]).env_remove("SSL_CERT_FILE");
    let machine = Machine::new("1.96.0");
    machine.program("cargo", "#!/bin/sh\necho 'cargo 1.96.0'\n");
    let text = text(&machine.run(command, &["build"]));
    assert!(text.starts_with("missing: certificates; installing by apt"), "{text}");
    assert!(machine.asked().contains(" ca-certificates\n"), "{text}");
}
