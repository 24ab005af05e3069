//! The two bare loops: what the kernel needs for this work, without a server.
//!
//! `limit` has one thread. It reads each picture once into a buffer between
//! part header and delimiter, and sends it to one viewer after the other.
//! `limit-threads` has a thread per viewer. A condvar of the standard library
//! wakes them, which is one futex broadcast.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use socket2::{Domain, Socket, Type};

use crate::append;
use crate::pictures::files;
use crate::shared::part::{DELIMITER, OPENING, part_head};

/// The first argument with which this executable becomes a bare loop.
pub(crate) const ROLE: &str = "bare-loop";
/// The second argument: one thread for all viewers, or one for each.
pub(crate) const ONE_THREAD: &str = "limit";
pub(crate) const THREADS: &str = "limit-threads";

/// Serves until it is killed. Arguments: name of the loop, number of viewers,
/// pictures a second, folder; for the appending loop also the number of
/// pictures and the file.
pub(crate) fn main(mut args: impl Iterator<Item = String>) -> Result<()> {
    let mut next = || args.next().context("bare-loop KIND VIEWERS FPS FOLDER");
    let (kind, n_viewers, fps, dir) = (next()?, next()?.parse()?, next()?.parse()?, next()?);
    // The same backlog as the daemon's, so that a crowd that connects at once
    // is not refused.
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    socket.listen(1024)?;
    let listener = TcpListener::from(socket);
    println!("listening on http://{}/", listener.local_addr()?);
    let mut viewers = Vec::new();
    for _ in 0..n_viewers {
        let mut viewer = listener.accept()?.0;
        viewer.set_nodelay(true)?;
        viewer.write_all(OPENING)?;
        viewers.push(viewer);
    }
    let camera = Camera::new(Path::new(&dir), fps);
    match kind.as_str() {
        append::APPEND => {
            let (n_pictures, file) = (next()?.parse()?, next()?);
            append::run(camera, viewers, (Path::new(&file), n_pictures, fps as usize))
        }
        THREADS => thread_per_viewer(camera, viewers),
        _ => one_thread(camera, viewers),
    }
}

fn one_thread(mut camera: Camera, mut viewers: Vec<TcpStream>) -> Result<()> {
    let mut part = Vec::new();
    loop {
        part = camera.next(part)?;
        for viewer in &mut viewers {
            viewer.write_all(&part)?;
        }
    }
}

/// The newest part and its number.
#[derive(Default)]
struct Slot {
    newest: Mutex<(u64, Arc<Vec<u8>>)>,
    newer: Condvar,
}

fn thread_per_viewer(mut camera: Camera, viewers: Vec<TcpStream>) -> Result<()> {
    let slot = Arc::new(Slot::default());
    for viewer in viewers {
        let slot = Arc::clone(&slot);
        let serve = move || slot.serve(viewer);
        thread::Builder::new().stack_size(256 << 10).spawn(serve)?;
    }
    let mut parts: Vec<Arc<Vec<u8>>> = Vec::new();
    loop {
        let free = parts.iter_mut().position(|part| Arc::get_mut(part).is_some());
        let buffer = free.and_then(|at| Arc::try_unwrap(parts.swap_remove(at)).ok());
        let part = Arc::new(camera.next(buffer.unwrap_or_default())?);
        parts.push(Arc::clone(&part));
        let mut newest = slot.newest.lock().unwrap_or_else(PoisonError::into_inner);
        *newest = (newest.0 + 1, part);
        drop(newest);
        slot.newer.notify_all();
    }
}

impl Slot {
    /// Sends each newest part until the viewer is gone.
    fn serve(&self, mut viewer: TcpStream) {
        let mut seen = 0;
        loop {
            let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
            let newest = self.newer.wait_while(newest, |newest| newest.0 == seen);
            let (number, part) = newest.unwrap_or_else(PoisonError::into_inner).clone();
            seen = number;
            if viewer.write_all(&part).is_err() {
                return;
            }
        }
    }
}

/// The folder, read at the pace of the daemon.
pub(crate) struct Camera {
    files: Vec<PathBuf>,
    next: usize,
    due: Instant,
    interval: Duration,
}

impl Camera {
    fn new(dir: &Path, fps: u32) -> Self {
        let interval = Duration::from_secs(1) / fps;
        Self { files: files(dir), next: 0, due: Instant::now(), interval }
    }

    /// Waits for the next picture and puts a part together in `part`.
    pub(crate) fn next(&mut self, mut part: Vec<u8>) -> Result<Vec<u8>> {
        let (now, interval) = (Instant::now(), self.interval);
        thread::sleep(self.due.saturating_duration_since(now));
        // As in the daemon, a pause is not followed by a burst.
        self.due = self.due.max(now.checked_sub(interval).unwrap_or(now)) + interval;
        let path = &self.files[self.next];
        self.next = (self.next + 1) % self.files.len();
        part.clear();
        let mut file = File::open(path)?;
        let n_bytes = usize::try_from(file.metadata()?.len())?;
        // All headers have one length, so the time can be filled in after the
        // picture was read, as in the daemon.
        let room = part_head(n_bytes, SystemTime::now()).len();
        part.resize(room, 0);
        file.read_to_end(&mut part)?;
        let head = part_head(n_bytes, SystemTime::now());
        part[..room].copy_from_slice(head.as_bytes());
        part.extend_from_slice(DELIMITER);
        Ok(part)
    }
}
