//! A queue and a thread between the program and its log, so that no thread waits
//! for the reader of the log.
//!
//! The log goes to a terminal or a pipe, and its reader may have stopped. Without
//! the queue the next line of any thread would then stop the whole server.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::threads;

/// Lines that may wait in the queue; further ones are lost, and counted.
const N_LINES: usize = 1024;
/// The longest line in bytes; the rest of a longer one is cut off.
const MAX_LINE: usize = 4096;
/// How long the end of the program waits for the last lines to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

enum Message {
    Line(Vec<u8>),
    /// Answered when all lines before it are written.
    Flush(Sender<()>),
}

/// Takes lines and never blocks. Each write must be one line.
#[derive(Clone, Debug)]
pub(crate) struct LogQueue {
    messages: Sender<Message>,
    n_lost: Arc<AtomicU64>,
}

impl LogQueue {
    /// Starts the thread that writes to `to`.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub(crate) fn start(to: impl Write + Send + 'static) -> io::Result<Self> {
        let (sender, receiver) = bounded(N_LINES);
        let queue = Self { messages: sender, n_lost: Arc::default() };
        let n_lost = Arc::clone(&queue.n_lost);
        threads::spawn_with_stack("log", 128 << 10, move || write_out(to, &receiver, &n_lost))?;
        Ok(queue)
    }

    /// Waits until all lines are written, for a second at most.
    pub(crate) fn flush_soon(&self) {
        let (done, is_done) = bounded(1);
        if self.messages.send_timeout(Message::Flush(done), FLUSH_TIMEOUT).is_ok() {
            // Without an answer in time the last lines are lost, as a log that
            // nobody reads must not keep the program from ending.
            let _ = is_done.recv_timeout(FLUSH_TIMEOUT);
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
            // An error of the log cannot be reported, as this is the log.
            Message::Line(line) => drop(to.write_all(&line)),
            Message::Flush(done) => drop(done.try_send(())),
        }
        let n = n_lost.swap(0, Relaxed);
        if n > 0 {
            drop(writeln!(to, "({n} lines of the log were lost, as nobody read them)"));
        }
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;

    /// A reader that has stopped, until the gate is opened.
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

    /// Waits for as long as it takes.
    fn flush(queue: &LogQueue) {
        let (done, is_done) = bounded(1);
        queue.messages.send(Message::Flush(done)).unwrap();
        is_done.recv().unwrap();
    }

    #[test]
    fn lines_that_nobody_reads_are_lost_and_counted_and_block_nothing() {
        let (go_on, gate) = bounded::<()>(0);
        let taken = Arc::<Mutex<Vec<u8>>>::default();
        let mut queue = LogQueue::start(Slow(Arc::clone(&taken), gate)).unwrap();
        for n in 0..3000 {
            queue.write_all(format!("line {n}\n").as_bytes()).unwrap();
        }
        // Gives up, because the writer is blocked.
        queue.flush_soon();
        drop(go_on);
        flush(&queue);
        let text = String::from_utf8(taken.lock().clone()).unwrap();
        assert!(text.starts_with("line 0\n"), "{text}");
        let lost = text.lines().find(|line| line.contains("were lost")).expect("no line about it");
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
        flush(&queue);
        let taken = taken.lock();
        assert_eq!((taken.len(), taken.last()), (MAX_LINE + 1, Some(&b'\n')));
    }
}
