//! What a user of the library alone compiles: the client without the server.

use std::process::Command;

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
