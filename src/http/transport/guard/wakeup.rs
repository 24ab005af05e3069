//! Wakes the guard when a connection comes in.
//!
//! tiny_http's own thread accepts. A poll or epoll of the same listener, edge
//! triggered or not, checks the queue when it wakes and so misses a connection
//! that was accepted meanwhile (measured: 26 of 300). The kernel's signal for
//! each arrival cannot be missed; it becomes a byte in a socket pair.

use std::io::{self, ErrorKind, Read};
use std::net::{Shutdown, TcpListener};
use std::os::unix::net::UnixStream;

use signal_hook::SigId;
use signal_hook::consts::SIGURG;
use signal_hook::low_level;

use crate::http::transport::descriptor;

/// The receiving side. It costs no wake-up while nothing comes.
pub(super) struct Wakeup {
    rx: UnixStream,
    signal: SigId,
}

/// Ends the wait for good.
pub(super) struct WakeupHandle(UnixStream);

impl Wakeup {
    /// Reports arrivals at this listener from now on.
    ///
    /// # Errors
    /// What the system refuses: a socket pair, the signal handler, `fcntl`.
    pub(super) fn arm(listener: &TcpListener) -> io::Result<(Self, WakeupHandle)> {
        let (rx, tx) = UnixStream::pair()?;
        // SIGURG, as it is ignored unless somebody handles it: a stray one before or
        // behind this does no harm.
        let signal = low_level::pipe::register(SIGURG, tx.try_clone()?)?;
        descriptor::signal_arrivals(listener)?;
        Ok((Self { rx, signal }, WakeupHandle(tx)))
    }

    /// Blocks until a connection came in since the last call. `false`: the
    /// handle has ended the wait.
    pub(super) fn wait(&mut self) -> bool {
        loop {
            match self.rx.read(&mut [0; 512]) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Ok(n) => return n > 0,
                Err(_) => return false,
            }
        }
    }
}

impl Drop for Wakeup {
    fn drop(&mut self) {
        low_level::unregister(self.signal);
    }
}

impl WakeupHandle {
    pub(super) fn close(&self) {
        // An error means that the other side is gone already.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::thread;

    use super::*;

    #[test]
    fn wakes_for_connections_that_another_thread_has_accepted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (mut wakeup, handle) = Wakeup::arm(&listener).unwrap();
        let address = listener.local_addr().unwrap();
        let taking = thread::spawn(move || (0..50).for_each(|_| drop(listener.accept().unwrap())));
        for _ in 0..50 {
            let mut client = TcpStream::connect(address).unwrap();
            assert_eq!(client.read(&mut [0]).unwrap(), 0, "it was accepted");
            assert!(wakeup.wait());
        }
        taking.join().unwrap();
        handle.close();
        assert!(!wakeup.wait());
    }
}
