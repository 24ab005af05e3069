//! Each file of `src/deploy` is right in the eyes of its engine.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;

use super::{deployed, engine};
use crate::support::{Daemon, TempDir};

/// Runs a check, which must succeed.
fn check(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{command:?}:\n{}", text.concat());
    text.concat()
}

#[test]
#[ignore = "part of make test-fleet"]
fn haproxy_takes_its_file() {
    let text = check(engine("haproxy").args(["-c", "-f"]).arg(deployed("haproxy.cfg")));
    // All but the names, which only the reader's network has.
    let warnings = text.lines().filter(|line| line.contains("[WARNING]"));
    let odd: Vec<_> = warnings.filter(|line| !line.contains("could not resolve")).collect();
    assert!(odd.is_empty(), "{odd:?}");
}

#[test]
#[ignore = "part of make test-fleet"]
fn nginx_takes_its_file() {
    let folder = TempDir::new();
    let text = fs::read_to_string(deployed("nginx.conf")).unwrap();
    let text = text.replace("/var/cache/nginx", folder.path().to_str().unwrap());
    let text = format!("pid {}/pid;\nerror_log stderr;\n{text}", folder.path().display());
    let path = folder.path().join("nginx.conf");
    fs::write(&path, text).unwrap();
    check(engine("nginx").args(["-t", "-c"]).arg(path));
}

#[test]
#[ignore = "part of make test-fleet"]
fn caddy_takes_its_file() {
    let path = deployed("Caddyfile");
    check(
        Command::new("caddy").args(["validate", "--adapter", "caddyfile", "--config"]).arg(&path),
    );
}

#[test]
#[ignore = "part of make test-fleet"]
fn compose_takes_its_file() {
    check(
        Command::new("docker-compose")
            .arg("-f")
            .arg(deployed("compose.yaml"))
            .args(["config", "-q"]),
    );
}

#[test]
#[ignore = "part of make test-fleet"]
fn kubernetes_has_schemas_for_its_file() {
    let tool = concat!(env!("CARGO_MANIFEST_DIR"), "/target/fleet/bin/kubernetes-validate");
    check(Command::new(tool).args(["--strict"]).arg(deployed("kubernetes.yaml")));
}

#[test]
#[ignore = "part of make test-fleet"]
fn prometheus_takes_its_files_and_each_alert_fires_when_it_should() {
    let promtool =
        |args: &[&str], file: &str| check(Command::new("promtool").args(args).arg(deployed(file)));
    promtool(&["check", "config"], "prometheus.yml");
    promtool(&["test", "rules"], "alerts_test.yml");
    let rules = fs::read_to_string(deployed("alerts.yml")).unwrap();
    let tests = fs::read_to_string(deployed("alerts_test.yml")).unwrap();
    for name in rules.lines().filter_map(|line| line.split_once("- alert: ")).map(|(_, name)| name)
    {
        assert!(tests.contains(&format!("alertname: {name}\n")), "{name} has no test");
    }
}

#[test]
#[ignore = "part of make test-fleet"]
fn metrics_of_alerts_and_dashboard_exist() {
    let dir = TempDir::new();
    let daemon = Daemon::start(&["--record", dir.path().to_str().unwrap(), "--on-segment", "true"]);
    let metrics = daemon.get("/metrics").text();
    let known: BTreeSet<_> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    let dashboard: Value =
        serde_json::from_slice(&fs::read(deployed("grafana.json")).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() > 8 && panels.iter().all(|panel| panel["targets"][0]["expr"].is_string()));
    for file in ["alerts.yml", "grafana.json", "kubernetes.yaml"] {
        let text = fs::read_to_string(deployed(file)).unwrap();
        let names = text.split(|c: char| !(c.is_ascii_lowercase() || c == '_'));
        for name in names.filter(|name| name.starts_with("mjpegd_")) {
            assert!(known.contains(name), "{file}: there is no metric {name}");
        }
    }
}
