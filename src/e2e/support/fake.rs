//! A fake server: it answers each request with the bytes that a handler sends.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::Mutex;

/// A running server. A handler ends soon after its client, because its writes
/// fail.
pub(crate) struct Fake {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    stopped: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

/// One request, for a handler to answer.
pub(crate) struct Asked {
    /// Request line and headers.
    pub(crate) head: String,
    pub(crate) stream: TcpStream,
    stopped: Arc<AtomicBool>,
}

impl Fake {
    /// Runs this handler for each request, in a thread of its own.
    pub(crate) fn start(handle: impl Fn(&mut Asked) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, stopped) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let (handle, seen, is_stopped) =
            (Arc::new(handle), Arc::clone(&requests), Arc::clone(&stopped));
        let accepting = thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if is_stopped.load(SeqCst) {
                    return;
                }
                let (handle, seen) = (Arc::clone(&handle), Arc::clone(&seen));
                let stopped = Arc::clone(&is_stopped);
                thread::spawn(move || serve(stream, &*handle, &seen, stopped));
            }
        });
        Self { address, requests, stopped, accepting: Some(accepting) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The heads of all requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().clone()
    }
}

/// Answers the requests of one connection.
fn serve(
    stream: TcpStream,
    handle: &impl Fn(&mut Asked),
    seen: &Mutex<Vec<String>>,
    stopped: Arc<AtomicBool>,
) {
    stream.set_nodelay(true).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let mut asked = Asked { head: String::new(), stream, stopped };
    loop {
        asked.head.clear();
        while !asked.head.ends_with("\r\n\r\n") {
            if !matches!(lines.read_line(&mut asked.head), Ok(1..)) {
                return;
            }
        }
        seen.lock().push(asked.head.clone());
        handle(&mut asked);
    }
}

impl Asked {
    /// Sends bytes. `false` if the client is gone or the test is over.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        !self.stopped.load(SeqCst) && self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// Sends the same bytes repeatedly, with a pause before each time.
    pub(crate) fn repeat(&mut self, pause: Duration, mut bytes: impl FnMut(usize) -> Vec<u8>) {
        for n in 0.. {
            thread::sleep(pause);
            if !self.send(bytes(n)) {
                return;
            }
        }
    }

    /// Closes the connection: the reply is complete.
    pub(crate) fn close(&self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }

    /// Waits until the client disconnects.
    pub(crate) fn say_nothing(&self) {
        use std::io::Read;
        self.stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        while !self.stopped.load(SeqCst) {
            match (&self.stream).read(&mut [0]) {
                Ok(0) => return,
                Ok(_) => {}
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.stopped.store(true, SeqCst);
        // Wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}
