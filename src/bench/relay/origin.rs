//! A server that costs almost nothing: it sends parts from memory at a fixed pace.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};

use crate::shared::part::{DELIMITER, OPENING, SMALL_JPEG, part_head, push_comment};
use crate::shared::process::{Core, Server};

/// The first argument with which this executable becomes the origin.
pub(crate) const ROLE: &str = "bare-origin";

/// The longest content of a JPEG segment, with its length.
const MAX_SEGMENT: usize = 65_000;

/// Starts the origin beside the viewers, with pictures of this size at this pace.
///
/// # Errors
/// Why it did not start.
pub(crate) fn start(n_bytes: usize, fps: f64) -> Result<Server> {
    Server::this_program(Core::Viewers, [ROLE, &n_bytes.to_string(), &fps.to_string()])
}

/// Serves until it is killed. Arguments: bytes of a picture, pictures a second.
pub(crate) fn main(mut args: impl Iterator<Item = String>) -> Result<()> {
    let mut next = || args.next().context("bare-origin BYTES FPS");
    let (n_bytes, fps) = (next()?.parse()?, next()?.parse()?);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("listening on http://{}/", listener.local_addr()?);
    let picture = picture(n_bytes);
    for stream in listener.incoming() {
        let (stream, picture) = (stream?, picture.clone());
        // The error of a viewer that disconnects is expected: each one ends so.
        thread::spawn(move || drop(serve(stream, &picture, fps)));
    }
    Ok(())
}

fn serve(mut stream: TcpStream, picture: &[u8], fps: f64) -> Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(OPENING)?;
    let (interval, mut due) = (Duration::from_secs_f64(1.0 / fps), Instant::now());
    // All headers have one length, so the part is built once and only its header changes.
    let head = || part_head(picture.len(), SystemTime::now());
    let head_bytes = head().len();
    let mut part = [&vec![0; head_bytes], picture, DELIMITER].concat();
    loop {
        let now = Instant::now();
        thread::sleep(due.saturating_duration_since(now));
        due = due.max(now) + interval;
        part[..head_bytes].copy_from_slice(head().as_bytes());
        stream.write_all(&part)?;
    }
}

/// The bytes of a part with a picture of this size.
pub(crate) fn part_bytes(n_bytes: usize) -> usize {
    let picture = picture(n_bytes);
    part_head(picture.len(), SystemTime::now()).len() + picture.len() + DELIMITER.len()
}

/// The small picture, padded with comments to about `n_bytes`.
fn picture(n_bytes: usize) -> Vec<u8> {
    let mut jpeg = SMALL_JPEG[..2].to_vec();
    while jpeg.len() + SMALL_JPEG.len() < n_bytes {
        let left = (n_bytes - jpeg.len() - SMALL_JPEG.len()).clamp(8, MAX_SEGMENT);
        push_comment(&mut jpeg, &vec![b'x'; left - 2]);
    }
    [&jpeg, &SMALL_JPEG[2..]].concat()
}
