//! The listener: from the port to the front desk.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use parking_lot::Mutex;
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use super::connection::Connections;
use super::desk::Desk;
use super::methods;
use super::office::Office;
use crate::cameras::Cameras;
use crate::config::HttpConfig;
use crate::shutdown::Shutdown;

/// A burst of viewers that come back after a restart fits in; the 128 of the
/// standard library do not hold it.
const BACKLOG: i32 = 1024;
/// Sent but not yet taken by the network: more of it is only stale pictures.
const UNSENT_BYTES: u32 = 16 << 10;
/// Heads are small; a client that sends more waits.
const RECEIVE_BYTES: usize = 16 << 10;
/// How often a write that makes no progress looks at its deadline.
const SEND_TIMEOUT: Duration = Duration::from_secs(2);
/// A viewer whose host is gone without a word.
const VANISHED: Duration = Duration::from_secs(30);
/// Before the listener is made anew after a fault, such as a lack of
/// descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// The running HTTP side.
pub(crate) struct Server {
    address: SocketAddr,
    listening: Arc<Listening>,
    accept: JoinHandle<()>,
}

struct Listening {
    listener: TcpListener,
    current: Mutex<Arc<tiny_http::Server>>,
    connections: Arc<Connections>,
    desk: Desk,
    stop: Shutdown,
}

impl Server {
    /// Listens and answers from now on.
    ///
    /// # Errors
    /// Why the address cannot be listened on.
    pub(crate) fn start(config: HttpConfig, cameras: Cameras, stop: &Shutdown) -> Result<Self> {
        let bind = config.bind;
        let timeout = SEND_TIMEOUT.min(config.write_timeout);
        let listener = listen(bind, timeout).with_context(|| format!("cannot listen on {bind}"))?;
        let address = listener.local_addr().context("the listener has no address")?;
        let first = serve(&listener)?;
        let listening = Arc::new(Listening {
            current: Mutex::new(Arc::new(first)),
            listener,
            connections: Arc::default(),
            desk: Desk::new(Office::new(config, cameras, stop.clone())),
            stop: stop.clone(),
        });
        let accepting = Arc::clone(&listening);
        let accept = thread::Builder::new()
            .name("accept".into())
            .spawn(move || accepting.accept())
            .context("the accept thread does not start")?;
        Ok(Self { address, listening, accept })
    }

    /// Where it listens, with the port that the kernel chose for port 0.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets nobody in any more, cuts all connections and returns when the
    /// threads are gone. The order to stop must have been given and the slot
    /// be closed.
    pub(crate) fn stop(self) {
        self.listening.current.lock().unblock();
        if self.accept.join().is_err() {
            log::error!("the accept thread panicked");
        }
        self.listening.connections.shut_all();
        self.listening.desk.stop();
    }
}

impl Listening {
    fn accept(&self) {
        while !self.stop.is_ordered() {
            let current = Arc::clone(&self.current.lock());
            match current.recv() {
                Ok(request) => {
                    let wants_body = methods::wants_body(&request);
                    if let Some(client) = self.connections.claim(request, wants_body) {
                        self.desk.receive(client);
                    }
                }
                Err(_) if self.stop.is_ordered() => return,
                // tiny_http's own thread has ended, for good.
                Err(e) => self.renew(&e),
            }
        }
    }

    /// Makes the listener's thread anew; clients wait in the backlog meanwhile.
    fn renew(&self, fault: &io::Error) {
        log::error!("accepting failed: {fault}; listening anew");
        while !self.stop.wait_for(PAUSE) {
            match serve(&self.listener) {
                Ok(server) => {
                    *self.current.lock() = Arc::new(server);
                    return;
                }
                Err(e) => log::error!("listening anew failed: {e:#}"),
            }
        }
    }
}

/// tiny_http on a duplicate of the listener.
fn serve(listener: &TcpListener) -> Result<tiny_http::Server> {
    let duplicate = listener.try_clone().context("the listener cannot be duplicated")?;
    tiny_http::Server::from_listener(duplicate, None).map_err(|e| anyhow!("{e}"))
}

/// A listener whose options all accepted sockets inherit.
fn listen(address: SocketAddr, send_timeout: Duration) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // [::] is to mean all addresses of this machine, of both families.
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_write_timeout(Some(send_timeout))?;
    socket.set_recv_buffer_size(RECEIVE_BYTES)?;
    socket.set_tcp_notsent_lowat(UNSENT_BYTES)?;
    socket.set_tcp_user_timeout(Some(VANISHED))?;
    let keepalive =
        TcpKeepalive::new().with_time(VANISHED).with_interval(VANISHED / 3).with_retries(3);
    socket.set_tcp_keepalive(&keepalive)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
