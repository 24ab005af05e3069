//! The log's way out: a queue, and a thread that writes.
//!
//! The log goes to a terminal or a pipe, which may be stopped for any time. A
//! thread that wrote to it directly would stop too, and its clients with it.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

/// Lines that may wait in the queue. More are lost and counted.
const N_LINES: usize = 1024;
/// Bytes of a line. A longer line is cut.
const MAX_LINE: usize = 4096;
/// How long a flush waits for room in the queue, and again for its end.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

enum Message {
    Line(Vec<u8>),
    /// Answered when all lines before it are written.
    Flush(Sender<()>),
}

/// Accepts lines and never blocks. Each call of `write` is one line.
#[derive(Clone, Debug)]
pub(crate) struct LogQueue {
    messages: Sender<Message>,
    n_lost: Arc<AtomicU64>,
}

impl LogQueue {
    /// Starts the thread that writes to `to`.
    ///
    /// # Errors
    /// The system has no free thread.
    pub(crate) fn start(to: impl Write + Send + 'static) -> io::Result<Self> {
        let (sender, receiver) = bounded(N_LINES);
        let queue = Self { messages: sender, n_lost: Arc::default() };
        let n_lost = Arc::clone(&queue.n_lost);
        let builder = thread::Builder::new().name("log".into()).stack_size(128 << 10);
        builder.spawn(move || write_out(to, &receiver, &n_lost))?;
        Ok(queue)
    }

    /// Waits until all lines are written, for at most a second.
    pub(crate) fn flush_soon(&self) {
        let (done, is_done) = bounded(1);
        if self.messages.send_timeout(Message::Flush(done), FLUSH_TIMEOUT).is_ok() {
            // No answer in time means that the reader has stopped. The program
            // goes on, and ends if it was about to: the lines are lost.
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
            // There is no place to report that the log cannot be written.
            Message::Line(line) => drop(to.write_all(&line)),
            Message::Flush(done) => drop(done.try_send(())),
        }
        let n = n_lost.swap(0, Relaxed);
        if n > 0 {
            drop(writeln!(
                to,
                "({n} lines of the log were lost, because they were read too slowly)"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;

    /// A writer that blocks until the other end of its channel is dropped.
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
    fn lines_above_the_limit_are_lost_and_counted_and_block_nobody() {
        let (go_on, gate) = bounded::<()>(0);
        let taken = Arc::<Mutex<Vec<u8>>>::default();
        let mut queue = LogQueue::start(Slow(Arc::clone(&taken), gate)).unwrap();
        for n in 0..3000 {
            queue.write_all(format!("line {n}\n").as_bytes()).unwrap();
        }
        // Gives up, because the writer is blocked.
        queue.flush_soon();
        drop(go_on);
        queue.flush_soon();
        let text = String::from_utf8(taken.lock().clone()).unwrap();
        assert!(text.starts_with("line 0\n"), "{text}");
        let lost = text
            .lines()
            .find(|line| line.contains("were lost"))
            .expect("a line with the number of lost lines");
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
