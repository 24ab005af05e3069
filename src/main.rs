//! The command: reads what was typed, runs the program, prints its one error
//! and chooses the exit code.

use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, Result};
use clap::Parser;
use crossbeam_channel::{Receiver, bounded};
use mjpegd::config::{Args, Command, Config};

/// Failed while running.
const FAILED: u8 = 1;
/// Bad usage; what clap exits with.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    start_log();
    let args = Args::parse();
    if let Some(Command::Devices { json }) = args.command {
        return list_devices(json);
    }
    let checked = Config::from_args(&args).and_then(|config| {
        mjpegd::check(&config)?;
        Ok(config)
    });
    let config = match checked {
        Ok(config) => config,
        Err(e) => return fail(&e, USAGE),
    };
    match run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(&e, FAILED),
    }
}

fn list_devices(is_json: bool) -> ExitCode {
    use std::io::Write;
    let listed = mjpegd::devices(is_json).and_then(|text| {
        std::io::stdout().write_all(text.as_bytes()).context("the list cannot be written")
    });
    match listed {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(&e, FAILED),
    }
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
