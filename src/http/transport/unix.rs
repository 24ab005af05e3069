//! Unix sockets, at which this room listens itself.
//!
//! `tiny_http` has listeners for them too, but nothing of its connections could
//! be found there: a client of a Unix socket has no address by which the guard
//! finds the descriptor to set a deadline for it, or to cut it. So one thread
//! accepts and reads the heads, as it does for no other connection; what the
//! guard has to do for TCP is not needed here. Who may connect is the mode of
//! the socket's file.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, SockAddr, Socket, Type};

use super::body::MAX_UNREAD_BODY;
use super::counts::Cut;
use super::head::Method;
use super::listener::{BACKLOG, SEND_BYTES, SEND_TIMEOUT};
use super::own_head::{self, BAD_REQUEST, Body, Progress, TOO_LARGE};
use super::peer::Peer;
use super::socket_file::SocketFile;
use super::{Shared, descriptor, receive};
use crate::log_limit::LogLimit;
use crate::threads;

/// Pause after a failed accept, such as a lack of descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// The most clients that are accepted before those that are too many are cut.
const MAX_BATCH: usize = 16;

/// A Unix socket that is listened on, with its thread.
pub(super) struct UnixPort {
    file: SocketFile,
    listener: UnixListener,
    thread: JoinHandle<()>,
    /// Closing it ends the thread.
    wakeup: UnixStream,
}

/// Why there is no Unix socket.
type Fault = (io::Error, &'static str);

impl UnixPort {
    /// Listens. `left` are the listeners that the image of this process before
    /// this one left open; the one of this path is taken from them.
    ///
    /// # Errors
    /// Why the socket cannot be listened on.
    pub(super) fn start(
        path: &Path,
        mode: Option<u32>,
        write_timeout: Duration,
        left: &mut Vec<OwnedFd>,
        shared: &Shared,
    ) -> Result<Self> {
        let (listener, file) = match adopt(left, path) {
            Some(listener) => (listener, SocketFile::made(path)),
            None => listen(path, mode)?,
        };
        // The accept must not wait for a client that left before its turn.
        listener.set_nonblocking(true)?;
        let (wakeup, woken) = UnixStream::pair()?;
        let mut accept = Accept {
            listener: listener.try_clone()?,
            woken,
            heads: Vec::new(),
            n_waiting: 0,
            paused_until: None,
            write_timeout,
            shared: shared.clone(),
            log: LogLimit::default(),
        };
        let thread = threads::spawn("accept-unix", move || accept.run())
            .context("the accept thread does not start")?;
        Ok(Self { file, listener, thread, wakeup })
    }

    /// The same, but the file stays when the daemon stops.
    pub(super) fn keeping_file(mut self) -> Self {
        self.file.keep();
        self
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Stops accepting. Clients that connect later wait in the listener's queue.
    pub(super) fn stop_accepting(&self) {
        // An error means that the thread has ended already.
        let _ = self.wakeup.shutdown(Shutdown::Both);
    }

    /// Ends the thread, and removes the file unless the next image of this
    /// process goes on listening.
    pub(super) fn stop(mut self, is_restart: bool) -> OwnedFd {
        self.stop_accepting();
        if self.thread.join().is_err() {
            log::error!("the accept thread of a Unix socket panicked");
        }
        if is_restart {
            self.file.keep();
        }
        self.listener.into()
    }
}

/// The listener of that path among those that are left open.
fn adopt(left: &mut Vec<OwnedFd>, path: &Path) -> Option<UnixListener> {
    let own = SockAddr::unix(path).ok()?;
    let is_it = |fd: &OwnedFd| {
        let address = socket2::SockRef::from(fd).local_addr();
        address.is_ok_and(|address| address.as_pathname() == own.as_pathname())
    };
    let at = left.iter().position(is_it)?;
    Some(left.swap_remove(at).into())
}

/// Binds the path.
///
/// # Errors
/// Why that cannot be done, and what would help.
pub(super) fn listen(path: &Path, mode: Option<u32>) -> Result<(UnixListener, SocketFile)> {
    bind(path, mode).map_err(|(e, hint)| {
        let what = format!("cannot listen on unix:{}", path.display());
        anyhow::Error::new(e).context(hint).context(what)
    })
}

/// Binds the path, whose file gets its mode before a client can connect.
fn bind(path: &Path, mode: Option<u32>) -> Result<(UnixListener, SocketFile), Fault> {
    remove_stale(path)?;
    let hint = |e: io::Error| {
        let hint = match e.kind() {
            ErrorKind::NotFound => {
                "its folder does not exist: make it, or let a unit make it \
                                    (RuntimeDirectory=mjpegd for /run/mjpegd)"
            }
            ErrorKind::PermissionDenied => "this user may not write to its folder",
            _ => "use another path",
        };
        (e, hint)
    };
    let bind = || -> io::Result<_> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&SockAddr::unix(path)?)?;
        let file = SocketFile::made(path);
        if let Some(mode) = mode {
            fs::set_permissions(path, Permissions::from_mode(mode))?;
        }
        socket.listen(BACKLOG)?;
        Ok((OwnedFd::from(socket).into(), file))
    };
    bind().map_err(hint)
}

/// Removes the file of a socket that nobody listens on any more, as a program
/// that was killed leaves it behind.
fn remove_stale(path: &Path) -> Result<(), Fault> {
    let Ok(file) = fs::symlink_metadata(path) else { return Ok(()) };
    let in_use = |hint| Err((io::Error::from(ErrorKind::AddrInUse), hint));
    if !file.file_type().is_socket() {
        return in_use("this file is no socket; use another path");
    }
    match UnixStream::connect(path) {
        Err(e) if e.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path)
            .map_err(|e| (e, "the socket that a program left there cannot be removed")),
        _ => in_use("another program listens there; use another path"),
    }
}

/// The thread that accepts, and reads heads until they are whole.
struct Accept {
    listener: UnixListener,
    woken: UnixStream,
    /// The one that has waited longest comes first.
    heads: Vec<PartialHead>,
    /// Their number when it was last counted.
    n_waiting: usize,
    paused_until: Option<Instant>,
    write_timeout: Duration,
    shared: Shared,
    log: LogLimit,
}

/// A connection whose head is not whole yet.
struct PartialHead {
    socket: Socket,
    bytes: Vec<u8>,
    since: Instant,
}

impl Accept {
    fn run(&mut self) {
        while let Some(has_clients) = self.wait() {
            if has_clients {
                self.accept();
            }
            self.read_heads();
            self.cut_some();
            let counts = self.shared.connections.counts();
            counts.change_waiting(&mut self.n_waiting, self.heads.len());
        }
        self.shared.connections.counts().change_waiting(&mut self.n_waiting, 0);
    }

    /// Waits for bytes, clients or a deadline. Returns whether there are clients
    /// to accept; `None`: the order to stop.
    fn wait(&mut self) -> Option<bool> {
        let now = Instant::now();
        self.paused_until = self.paused_until.filter(|until| *until > now);
        let late = self.heads.first().map(|head| head.since + self.shared.limits.head_timeout);
        let due = [late, self.paused_until].into_iter().flatten().min();
        let timeout = due.map(|due| due.saturating_duration_since(now));
        // Rounded up, as a timeout of zero would be a busy loop.
        let timeout = timeout.map(|left| left + Duration::from_millis(1));
        let timeout = timeout.and_then(|left| Timespec::try_from(left).ok());
        let accepts = if self.paused_until.is_some() { PollFlags::empty() } else { PollFlags::IN };
        let mut fds =
            vec![PollFd::new(&self.woken, PollFlags::IN), PollFd::new(&self.listener, accepts)];
        fds.extend(self.heads.iter().map(|head| PollFd::new(&head.socket, PollFlags::IN)));
        // An interrupted wait is one that found nothing.
        let n_ready = poll(&mut fds, timeout.as_ref()).unwrap_or(0);
        let is_ready = |at: usize| n_ready > 0 && !fds[at].revents().is_empty();
        (!is_ready(0)).then(|| is_ready(1))
    }

    /// Accepts clients that wait, but only some at once: a crowd would take the
    /// descriptors of all others before [`Self::cut_some`] has a look.
    fn accept(&mut self) {
        for _ in 0..MAX_BATCH {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                Err(e) => {
                    self.log.warn(&format!("accepting at a Unix socket failed: {e}"));
                    self.paused_until = Some(Instant::now() + PAUSE);
                    return;
                }
            };
            let socket = Socket::from(OwnedFd::from(stream));
            let timeout = SEND_TIMEOUT.min(self.write_timeout);
            let is_set = socket.set_write_timeout(Some(timeout));
            match is_set.and_then(|()| socket.set_send_buffer_size(SEND_BYTES)) {
                Ok(()) => {
                    let since = Instant::now();
                    self.heads.push(PartialHead { socket, bytes: Vec::new(), since });
                }
                Err(e) => log::debug!("a client of a Unix socket is not served: {e}"),
            }
        }
    }

    /// Reads what has come, and hands over the requests that are whole.
    fn read_heads(&mut self) {
        for mut head in std::mem::take(&mut self.heads) {
            let max = self.shared.limits.max_head_bytes;
            match own_head::read(&head.socket, &mut head.bytes, max) {
                Progress::Partial => self.heads.push(head),
                Progress::Whole => self.hand_over(head),
                Progress::TooLarge => {
                    self.shared.connections.counts().cut(Cut::HeadSize);
                    refuse(&head.socket, TOO_LARGE);
                }
                Progress::Lost => {}
            }
        }
    }

    fn hand_over(&self, head: PartialHead) {
        let Shared { connections, handler, .. } = &self.shared;
        let (Some((request, body)), Ok(cookie)) =
            (own_head::parse(&head.bytes), descriptor::cookie(&head.socket))
        else {
            return refuse(&head.socket, BAD_REQUEST);
        };
        let takes_body = handler.takes_body(Method::from_request(&request), request.url());
        let is_small = |n: &usize| (body.ahead.len() + 1..=MAX_UNREAD_BODY).contains(n);
        let is_coming = takes_body && body.length.as_ref().is_some_and(is_small);
        let client = (Peer::Unix, head.socket, cookie);
        let connection = connections.adopt(request, Body::Own(body), is_coming, client);
        receive(&**handler, connection);
    }

    /// Cuts those that are late, and those that are too many.
    fn cut_some(&mut self) {
        let (connections, limits) = (&self.shared.connections, &self.shared.limits);
        let counts = connections.counts();
        let now = Instant::now();
        let is_late = |head: &PartialHead| now.duration_since(head.since) >= limits.head_timeout;
        let n_late = self.heads.iter().take_while(|head| is_late(head)).count();
        self.heads.drain(..n_late).for_each(|_| counts.cut(Cut::HeadTimeout));
        let n_elsewhere = counts.waiting.load(Relaxed).saturating_sub(self.n_waiting);
        let n_all = connections.cookies().len() + n_elsewhere + self.heads.len();
        let n_over = n_all.saturating_sub(limits.max_connections).min(self.heads.len());
        self.heads.drain(..n_over).for_each(|_| counts.cut(Cut::Crowd));
    }
}

/// Answers and closes. It does not block: these are the first bytes to the client.
fn refuse(mut socket: &Socket, answer: &[u8]) {
    // An error means that the client has left.
    let _ = socket.write_all(answer);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::transport::wait_until;

    #[test]
    fn file_of_a_program_that_was_killed_is_replaced_and_no_other() {
        let folder = std::env::temp_dir().join(format!("mjpegd-unix-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("http.sock");
        listen(&path, Some(0o600)).unwrap().1.keep();
        // A command that another test starts has it, too, until it becomes another program.
        wait_until("nobody listens", || UnixStream::connect(&path).is_err());
        let (listener, file) = listen(&path, Some(0o640)).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        let (_, hint) = bind(&path, None).err().unwrap();
        assert!(hint.starts_with("another program listens there"), "{hint}");
        let mut left = vec![OwnedFd::from(listener)];
        assert!(adopt(&mut left, Path::new("/other")).is_none());
        assert!(adopt(&mut left, &path).is_some() && left.is_empty());
        drop(file);
        assert!(!path.exists());
        let file = folder.join("file");
        fs::write(&file, "x").unwrap();
        let (_, hint) = bind(&file, None).err().unwrap();
        assert!(hint.starts_with("this file is no socket") && file.exists(), "{hint}");
        let (_, hint) = bind(&folder.join("none/http.sock"), None).err().unwrap();
        assert!(hint.starts_with("its folder does not exist"), "{hint}");
        fs::remove_dir_all(&folder).unwrap();
    }
}
