//! Runs a command to its end, with a time limit.

use std::io;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::{Process, SHELL};
use crate::log_limit::LogBudget;
use crate::shutdown::Shutdown;

/// How often to check whether the command has ended, at first and later: most are
/// done within milliseconds. What a command writes to standard error is read as
/// often, a piece each time, so that one that floods it waits for its pipe.
const FIRST_LOOK: Duration = Duration::from_millis(5);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What the shell does beside the command, which must not outlive the daemon: a guard
/// waits for the end of the pipe in its standard input, whose other end the daemon has,
/// and then ends the group. A process that is killed closes its pipes.
///
/// The shell stays until the command has ended also after SIGTERM, so that it is its
/// parent that reaps it: in a container nobody else may.
const GUARDED: &str = "exec 3<&0 </dev/null
/bin/sh -c \"$1\" 3<&- &
command=$!
{ read -r _ <&3; trap '' TERM; kill -TERM 0; sleep 2; kill -KILL 0; } &
guard=$!
exec 3<&-
trap : TERM
wait $command 2>/dev/null
code=$?
{ kill -KILL $guard; wait; } 2>/dev/null
exit $code";

/// How a command ended.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// With the exit code 0.
    Done,
    /// It could not be started, or ended in another way; the text says how.
    Failed(String),
    /// It was ended, as it or a process that it started ran for too long.
    TimedOut,
    /// It was ended because the program stops.
    Stopped,
}

/// Runs a command line in the shell and waits until it and all that it started in
/// its process group have ended. After `limit`, or when the program stops, the group
/// is ended; it also ends when the daemon is killed. Its output goes nowhere, its
/// standard error to the log as what `label` says.
pub(crate) fn run(
    command: &str,
    label: &str,
    variables: &[(String, String)],
    limit: Duration,
    stop: &Shutdown,
    log: &Arc<Mutex<LogBudget>>,
) -> Outcome {
    let mut shell = Command::new(SHELL);
    shell.args(["-c", GUARDED, SHELL, command]).stdin(Stdio::piped()).stdout(Stdio::null());
    shell.envs(variables.iter().map(|(name, value)| (name, value)));
    match Process::spawn(&mut shell, label, command, Arc::clone(log)) {
        Ok(process) => process.run_to_end(limit, stop),
        Err(e) => Outcome::Failed(format!("it cannot be started: {e}")),
    }
}

impl Process {
    fn run_to_end(mut self, limit: Duration, stop: &Shutdown) -> Outcome {
        self.set_shutdown(stop);
        let begun = Instant::now();
        let mut look = FIRST_LOOK;
        // Not until the shell ends alone: what it leaves behind in its group would
        // pile up, hook after hook.
        while !self.is_gone() {
            if begun.elapsed() >= limit {
                return Outcome::TimedOut;
            }
            if stop.wait_for(look) {
                return Outcome::Stopped;
            }
            look = (look * 2).min(LOOK_EVERY);
        }
        self.outcome().unwrap_or_else(|e| Outcome::Failed(e.to_string()))
    }

    /// How it ended; it is reaped.
    fn outcome(&mut self) -> io::Result<Outcome> {
        let status = self.child.try_wait()?.ok_or(io::ErrorKind::NotFound)?;
        if status.success() {
            return Ok(Outcome::Done);
        }
        // `exit status: 1`, or `signal: 9 (SIGKILL)`.
        Ok(Outcome::Failed(self.with_last_line(status.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process_group};

    use super::*;
    use crate::shutdown;

    const LONG: Duration = Duration::from_secs(60);

    fn run_for(command: &str, limit: Duration, stop: &Shutdown) -> Outcome {
        let variables = [("MJPEGD_EVENT".to_owned(), "x y".to_owned())];
        run(command, "the hook", &variables, limit, stop, &Arc::default())
    }

    #[test]
    fn outcome_says_how_it_ended() {
        let (_trigger, stop) = shutdown::channel();
        assert_eq!(run_for("[ \"$MJPEGD_EVENT\" = 'x y' ]", LONG, &stop), Outcome::Done);
        let why = Outcome::Failed("exit status: 3: no such lamp".into());
        assert_eq!(run_for("echo no such lamp >&2; exit 3", LONG, &stop), why);
        // As a shell says that a signal ended it.
        let Outcome::Failed(why) = run_for("kill -9 $$", LONG, &stop) else { panic!() };
        assert!(why.starts_with("exit status: 137"), "{why}");
    }

    #[test]
    fn group_is_ended_after_the_limit_and_at_a_stop() {
        let (trigger, stop) = shutdown::channel();
        // The shell itself ends at once, what it starts does not.
        let limit = Duration::from_millis(50);
        assert_eq!(run_for("sleep 600 & sleep 600 &", limit, &stop), Outcome::TimedOut);
        assert_eq!(run_for("yes >&2", limit, &stop), Outcome::TimedOut);
        drop(trigger);
        let begun = Instant::now();
        assert_eq!(run_for("trap '' TERM; sleep 600", LONG, &stop), Outcome::Stopped);
        assert!(begun.elapsed() < LONG / 2);
    }

    #[test]
    fn command_gets_an_empty_input_and_leaves_no_guard_behind() {
        let (_trigger, stop) = shutdown::channel();
        let group = "set -- $(cat /proc/self/stat); echo $5 >&2; cat; exit 1";
        let Outcome::Failed(why) = run_for(group, LONG, &stop) else { panic!() };
        let group = why.rsplit(' ').next().and_then(|n| Pid::from_raw(n.parse().ok()?)).unwrap();
        assert_eq!(test_kill_process_group(group), Err(Errno::SRCH));
    }
}
