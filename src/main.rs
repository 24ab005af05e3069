//! The command: reads what was typed, runs the program, prints its one error
//! and chooses the exit code.

use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, Result, anyhow};
use crossbeam_channel::{Receiver, bounded};
use mjpegd::config::{Command, CommandLine, Config};

/// Failed while running.
const FAILED: u8 = 1;
/// Bad usage; what clap exits with.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    start_log();
    let typed = CommandLine::parse_from(std::env::args_os()).unwrap_or_else(|e| e.exit());
    match typed.command() {
        Some(Command::Devices { json }) => return list_devices(*json),
        Some(Command::CheckConfig { file }) => return check_config(file.as_deref()),
        None => {}
    }
    let config = match checked(&typed) {
        Ok(config) => config,
        Err(e) => return fail(&e, USAGE),
    };
    match run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(&e, FAILED),
    }
}

fn checked(typed: &CommandLine) -> Result<Config> {
    let config = Config::read(typed)?;
    mjpegd::check(&config)?;
    Ok(config)
}

fn list_devices(is_json: bool) -> ExitCode {
    match mjpegd::devices(is_json).and_then(|text| say(&text)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(&e, FAILED),
    }
}

/// Says what would be done with the file, as it would be with `--config`.
fn check_config(file: Option<&Path>) -> ExitCode {
    let mut command = vec!["mjpegd".into()];
    if let Some(file) = file {
        command.extend(["--config".into(), file.into()]);
    }
    let typed = CommandLine::parse_from(command).unwrap_or_else(|e| e.exit());
    let config = match (typed.file(), checked(&typed)) {
        (None, _) => Err(anyhow!("which file? use mjpegd check-config FILE")),
        (Some(_), config) => config,
    };
    match config {
        Ok(config) => match say(&format!("ok: {config}\n")) {
            Ok(()) => ExitCode::SUCCESS,
            Err(e) => fail(&e, FAILED),
        },
        Err(e) => fail(&e, USAGE),
    }
}

/// To the standard output, which may be closed.
fn say(text: &str) -> Result<()> {
    use std::io::Write;
    std::io::stdout().write_all(text.as_bytes()).context("the output cannot be written")
}

fn run(config: Config) -> Result<()> {
    let signals = signals().context("signals cannot be handled")?;
    match mjpegd::run(config, &signals)? {
        // Asked to stop meanwhile: then that.
        Some(restart) if signals.is_empty() => Err(restart.run()),
        _ => Ok(()),
    }
}

/// The first SIGINT or SIGTERM is received here; the second ends the process.
fn signals() -> Result<Receiver<()>> {
    let (sender, receiver) = bounded(1);
    let mut is_first = true;
    ctrlc::set_handler(move || {
        if !std::mem::take(&mut is_first) {
            exit_at_once();
        }
        // The channel has room for the one signal that is ever sent.
        let _ = sender.send(());
    })?;
    Ok(receiver)
}

#[expect(clippy::exit, reason = "a second signal means: do not wait for anything")]
fn exit_at_once() -> ! {
    // No word: a log that is not taken (a stopped terminal, a full pipe) may
    // be just what the first signal waits for.
    std::process::exit(FAILED.into())
}

/// The one place that prints, before or after the log.
fn fail(error: &anyhow::Error, code: u8) -> ExitCode {
    use std::io::Write;
    // Unlike `eprintln!` no panic, and so the right code, where nobody listens.
    let _ = writeln!(std::io::stderr(), "mjpegd: {error:#}");
    ExitCode::from(code)
}

/// Time, level and text. `RUST_LOG` chooses what is shown. What tiny_http has
/// to say of its end is said by the one who makes it anew.
fn start_log() {
    use std::io::Write;
    let env = env_logger::Env::default().default_filter_or("info,tiny_http=off");
    env_logger::Builder::from_env(env)
        .format(|out, record| {
            let time = humantime::format_rfc3339_millis(SystemTime::now());
            writeln!(out, "{time} {:5} {}", record.level(), record.args())
        })
        .init();
}
