//! The command: reads what was typed, runs the program, prints its one error
//! and chooses the exit code.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Error, Result, anyhow};
use crossbeam_channel::{Receiver, Sender, bounded};
use env_logger::Target;
use mjpegd::Signals;
use mjpegd::client::Client;
use mjpegd::config::{Command, CommandLine, Config, GrabArgs, ProbeArgs};
use mjpegd::heap;
use mjpegd::log_queue::LogQueue;
use nix::sys::signal::{SigSet, Signal};

mod cli;

/// Failed while running.
const FAILED: u8 = 1;
/// Without a picture for so long, a probe counts an error and connects anew.
const STALLED: Duration = Duration::from_secs(10);
/// Bad usage; what clap exits with.
const USAGE: u8 = 2;

/// A fault, and the exit code for it.
type Failure = (Error, u8);

fn main() -> ExitCode {
    let typed = CommandLine::parse_from(std::env::args_os()).unwrap_or_else(|e| e.exit());
    let is_daemon = typed.command().is_none();
    let heap = if is_daemon { heap::become_one() } else { Ok(()) };
    if is_daemon {
        // Before any thread is made, the log's too: each inherits it.
        block_hangups();
    }
    let mut log = Log::start();
    if let Err(e) = heap {
        log::debug!("it runs with a heap for each thread, as it cannot start itself again: {e}");
    }
    let code = match run_command(&typed, &log) {
        Ok(()) => ExitCode::SUCCESS,
        Err((fault, code)) => {
            log.print(&format!("mjpegd: {fault:#}\n"));
            ExitCode::from(code)
        }
    };
    log.flush_soon();
    code
}

/// Does what was typed.
fn run_command(typed: &CommandLine, log: &Log) -> Result<(), Failure> {
    match typed.command() {
        Some(Command::Devices { json }) => {
            mjpegd::devices(*json).and_then(|text| say(&text)).map_err(|fault| (fault, FAILED))
        }
        Some(Command::CheckConfig { file }) => check_config(file.as_deref()),
        Some(Command::Probe(args)) => probe(args),
        Some(Command::Grab(args)) => grab(args),
        None => {
            let config = mjpegd::read(typed).map_err(|fault| (fault, USAGE))?;
            run(typed, config, log).map_err(|fault| (fault, FAILED))
        }
    }
}

/// Says what would be done with the file, as it would be with `--config`.
fn check_config(file: Option<&Path>) -> Result<(), Failure> {
    let mut command = vec!["mjpegd".into()];
    if let Some(file) = file {
        command.extend(["--config".into(), file.into()]);
    }
    let typed = CommandLine::parse_from(command).unwrap_or_else(|e| e.exit());
    let config = match (typed.file(), mjpegd::read(&typed)) {
        (None, _) => Err(anyhow!("which file? use mjpegd check-config FILE")),
        (Some(_), config) => config,
    };
    let config = config.map_err(|fault| (fault, USAGE))?;
    say(&format!("ok: {config}\n")).map_err(|fault| (fault, FAILED))
}

fn probe(args: &ProbeArgs) -> Result<(), Failure> {
    let client = Client::new(&args.url).map_err(|fault| (fault.into(), USAGE))?;
    let client = client.timeout(args.duration.min(STALLED));
    let said = orders_to_stop().and_then(|(_, stop)| cli::probe::run(&client, args, &stop));
    said.and_then(|text| say(&text)).map_err(|fault| (fault, FAILED))
}

fn grab(args: &GrabArgs) -> Result<(), Failure> {
    let client = Client::new(&args.url).map_err(|fault| (fault.into(), USAGE))?;
    cli::grab::check(args).map_err(|fault| (fault, USAGE))?;
    let said = cli::grab::run(&client, args);
    said.and_then(|text| say(&text)).map_err(|fault| (fault, FAILED))
}

/// To the standard output, which may be closed.
fn say(text: &str) -> Result<()> {
    std::io::stdout().write_all(text.as_bytes()).context("the output cannot be written")
}

fn run(typed: &CommandLine, config: Config, log: &Log) -> Result<()> {
    let signals = signals().context("signals cannot be handled")?;
    match mjpegd::run(typed, config, &signals)? {
        // Asked to stop meanwhile: then that.
        Some(restart) if signals.stop.is_empty() => {
            log.flush_soon();
            Err(restart.run())
        }
        _ => Ok(()),
    }
}

/// What the daemon is told by signals.
fn signals() -> Result<Signals> {
    let (order, stop) = orders_to_stop()?;
    let (again, reload) = bounded(1);
    let began_in_terminal = is_in_terminal();
    thread::Builder::new()
        .name("hangup".into())
        .spawn(move || wait_for_hangups(began_in_terminal, &order, &again))?;
    Ok(Signals { stop, reload })
}

/// The first SIGINT or SIGTERM is received here; the second ends the process.
fn orders_to_stop() -> Result<(Sender<()>, Receiver<()>)> {
    let (sender, receiver) = bounded(1);
    let order = sender.clone();
    let mut is_first = true;
    ctrlc::set_handler(move || {
        if !std::mem::take(&mut is_first) {
            exit_at_once();
        }
        // Full means that the order was given already.
        let _ = sender.try_send(());
    })?;
    Ok((order, receiver))
}

fn hangup() -> SigSet {
    SigSet::from(Signal::SIGHUP)
}

/// Keeps SIGHUP for the thread that waits for it.
fn block_hangups() {
    // It fails only for a way of blocking that there is not.
    let _ = hangup().thread_block();
}

/// Tells SIGHUPs apart, which ctrlc takes for an order to stop: that the
/// terminal is gone means this, as for any program; from somebody else it
/// means to read the file again. Runs for as long as the process.
fn wait_for_hangups(began_in_terminal: bool, stop: &Sender<()>, reload: &Sender<()>) {
    while hangup().wait().is_ok() {
        let to = if began_in_terminal && !is_in_terminal() { stop } else { reload };
        // Full means that it was told already.
        let _ = to.try_send(());
    }
}

fn is_in_terminal() -> bool {
    io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal()
}

#[expect(clippy::exit, reason = "a second signal means: do not wait for anything")]
fn exit_at_once() -> ! {
    // No word: a log that is not taken (a stopped terminal, a full pipe) may
    // be just what the first signal waits for.
    std::process::exit(FAILED.into())
}

/// The standard error: what the program says while it runs, and its one error.
struct Log(Option<LogQueue>);

impl Log {
    /// Time, level and text. `RUST_LOG` chooses what is shown. What tiny_http
    /// has to say of its end is said by the one who makes it anew.
    fn start() -> Self {
        let env = env_logger::Env::default().default_filter_or("info,tiny_http=off");
        let mut builder = env_logger::Builder::from_env(env);
        builder.format(|out, record| {
            let time = humantime::format_rfc3339_millis(SystemTime::now());
            writeln!(out, "{time} {:5} {}", record.level(), record.args())
        });
        let queue = LogQueue::start(std::io::stderr()).ok();
        if let Some(queue) = &queue {
            builder.target(Target::Pipe(Box::new(queue.clone())));
        }
        builder.init();
        Self(queue)
    }

    /// Prints what is not part of the log.
    fn print(&mut self, text: &str) {
        // Unlike `eprintln!` no panic, and so the right code, where nobody listens.
        let _ = match &mut self.0 {
            Some(queue) => queue.write_all(text.as_bytes()),
            None => std::io::stderr().write_all(text.as_bytes()),
        };
    }

    /// Sees to it that all is out, if somebody takes it.
    fn flush_soon(&self) {
        if let Some(queue) = &self.0 {
            queue.flush_soon();
        }
    }
}
