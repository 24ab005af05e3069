//! The log on its way out: a queue and a thread, so that nobody who has
//! something to say waits for the one who should read it.
//!
//! A log goes to a terminal or a pipe, which somebody may have stopped; a
//! server that waits for it serves nobody.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

/// Lines that may wait; more are lost, and counted.
const N_LINES: usize = 1024;
/// The rest of a longer line is left out.
const MAX_LINE: usize = 4096;
/// How long the end of the program waits for the last lines to be taken.
const PATIENCE: Duration = Duration::from_millis(500);

enum Message {
    Line(Vec<u8>),
    /// Answered when all lines before it are out.
    Flush(Sender<()>),
}

/// Takes lines and never blocks. Each write is one line.
#[derive(Clone, Debug)]
pub(crate) struct LogQueue {
    messages: Sender<Message>,
    n_lost: Arc<AtomicU64>,
}

impl LogQueue {
    /// Starts the thread that writes to `to`.
    ///
    /// # Errors
    /// What the system says that has no thread to give.
    pub(crate) fn start(to: impl Write + Send + 'static) -> io::Result<Self> {
        let (sender, receiver) = bounded(N_LINES);
        let queue = Self { messages: sender, n_lost: Arc::default() };
        let n_lost = Arc::clone(&queue.n_lost);
        let builder = thread::Builder::new().name("log".into()).stack_size(128 << 10);
        builder.spawn(move || write_out(to, &receiver, &n_lost))?;
        Ok(queue)
    }

    /// Waits until all lines are out, but not for long.
    pub(crate) fn flush_soon(&self) {
        let (done, is_done) = bounded(1);
        if self.messages.send_timeout(Message::Flush(done), PATIENCE).is_ok() {
            // Neither an answer in time nor a thread: then the lines are lost.
            let _ = is_done.recv_timeout(PATIENCE);
        }
    }
}

impl Write for LogQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut kept = line[..line.len().min(MAX_LINE)].to_vec();
        if kept.len() < line.len() {
            kept.push(b'\n');
        }
        if self.messages.try_send(Message::Line(kept)).is_err() {
            self.n_lost.fetch_add(1, Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_out(mut to: impl Write, messages: &Receiver<Message>, n_lost: &AtomicU64) {
    for message in messages {
        match message {
            // Nobody is there to be told of a log that cannot be written.
            Message::Line(line) => drop(to.write_all(&line)),
            Message::Flush(done) => drop(done.try_send(())),
        }
        let n = n_lost.swap(0, Relaxed);
        if n > 0 {
            drop(writeln!(to, "({n} lines of the log were lost, as nobody took them)"));
        }
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;

    /// A reader that stops until it is let go on.
    struct Slow(Arc<Mutex<Vec<u8>>>, Receiver<()>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.1.recv();
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_nobody_takes_are_lost_and_counted_and_hold_nobody_up() {
        let (go_on, gate) = bounded::<()>(0);
        let taken = Arc::<Mutex<Vec<u8>>>::default();
        let mut queue = LogQueue::start(Slow(Arc::clone(&taken), gate)).unwrap();
        for n in 0..3000 {
            queue.write_all(format!("line {n}\n").as_bytes()).unwrap();
        }
        // Given up, as nobody reads.
        queue.flush_soon();
        drop(go_on);
        queue.flush_soon();
        let text = String::from_utf8(taken.lock().clone()).unwrap();
        assert!(text.starts_with("line 0\n"), "{text}");
        let lost = text.lines().find(|line| line.contains("were lost")).expect("no word of it");
        let n_lost: usize = lost[1..].split(' ').next().unwrap().parse().unwrap();
        assert_eq!(text.lines().count() - 1 + n_lost, 3000);
    }

    #[test]
    fn long_line_is_cut() {
        let taken = Arc::<Mutex<Vec<u8>>>::default();
        let (go_on, gate) = bounded::<()>(0);
        drop(go_on);
        let mut queue = LogQueue::start(Slow(Arc::clone(&taken), gate)).unwrap();
        queue.write_all(&[b'a'; 100_000]).unwrap();
        queue.flush_soon();
        let taken = taken.lock();
        assert_eq!((taken.len(), taken.last()), (MAX_LINE + 1, Some(&b'\n')));
    }
}
