//! Wakes the guard when a connection comes in.
//!
//! tiny_http's thread accepts: a poll or an epoll of the same listener, edge
//! triggered or not, looks again when it wakes and misses a connection that
//! was taken meanwhile (measured: 26 of 300). The signal that the kernel sends
//! for each arrival is never taken back; it is turned into a byte that waits.

use std::io::{self, ErrorKind, Read};
use std::net::{Shutdown, TcpListener};
use std::os::unix::net::UnixStream;

use signal_hook::SigId;
use signal_hook::consts::SIGURG;
use signal_hook::low_level;

use super::super::descriptor;

/// The side that listens. No wake-up while nothing comes.
pub(super) struct Bell {
    ear: UnixStream,
    signal: SigId,
}

/// Ends the wait, for good.
pub(in crate::http) struct Silencer(UnixStream);

impl Bell {
    /// Rings for this listener from now on.
    pub(super) fn hang(listener: &TcpListener) -> io::Result<(Self, Silencer)> {
        let (ear, mouth) = UnixStream::pair()?;
        let signal = low_level::pipe::register(SIGURG, mouth.try_clone()?)?;
        descriptor::signal_arrivals(listener)?;
        Ok((Self { ear, signal }, Silencer(mouth)))
    }

    /// Blocks until a connection came in since the last time. `false`: it was
    /// silenced.
    pub(super) fn wait(&mut self) -> bool {
        loop {
            match self.ear.read(&mut [0; 512]) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Ok(n) => return n > 0,
                Err(_) => return false,
            }
        }
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        low_level::unregister(self.signal);
    }
}

impl Silencer {
    pub(in crate::http) fn silence(&self) {
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
    fn rings_for_connections_that_another_thread_has_taken() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (mut bell, silencer) = Bell::hang(&listener).unwrap();
        let address = listener.local_addr().unwrap();
        let taking = thread::spawn(move || (0..50).for_each(|_| drop(listener.accept().unwrap())));
        for _ in 0..50 {
            let mut client = TcpStream::connect(address).unwrap();
            assert_eq!(client.read(&mut [0]).unwrap(), 0, "it was taken");
            assert!(bell.wait());
        }
        taking.join().unwrap();
        silencer.silence();
        assert!(!bell.wait());
    }
}
