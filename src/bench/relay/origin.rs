//! A server that costs next to nothing: parts from memory, at a pace.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

/// The first argument of this executable when it is to be the origin.
pub(crate) const ROLE: &str = "bare-origin";

const PICTURE: &[u8] = include_bytes!("../../camera/demo/1.jpg");
const OPENING: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\
Content-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n--frame\r\n";
/// The longest content of a JPEG segment, with its length.
const MAX_SEGMENT: usize = 65_000;

/// Serves until it is killed. Arguments: bytes of a picture, pictures a second.
pub(crate) fn main(mut args: impl Iterator<Item = String>) -> Result<()> {
    let mut next = || args.next().context("bare-origin BYTES FPS");
    let (n_bytes, fps) = (next()?.parse()?, next()?.parse()?);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("listening on http://{}/", listener.local_addr()?);
    let picture = picture(n_bytes);
    for stream in listener.incoming() {
        let (stream, picture) = (stream?, picture.clone());
        // One that is gone is no fault of the origin.
        thread::spawn(move || drop(serve(stream, &picture, fps)));
    }
    Ok(())
}

fn serve(mut stream: TcpStream, picture: &[u8], fps: f64) -> Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(OPENING)?;
    let (interval, mut due) = (Duration::from_secs_f64(1.0 / fps), Instant::now());
    let room = head(picture.len()).len();
    let mut part = [&vec![0; room], picture, b"\r\n--frame\r\n"].concat();
    loop {
        let now = Instant::now();
        thread::sleep(due.saturating_duration_since(now));
        due = due.max(now) + interval;
        part[..room].copy_from_slice(head(picture.len()).as_bytes());
        stream.write_all(&part)?;
    }
}

fn head(n_bytes: usize) -> String {
    let t = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!(
        "Content-Type: image/jpeg\r\nContent-Length: {n_bytes}\r\nX-Timestamp: {}.{:06}\r\n\r\n",
        t.as_secs(),
        t.subsec_micros()
    )
}

/// A small picture with as many comments as it takes.
fn picture(n_bytes: usize) -> Vec<u8> {
    let mut jpeg = PICTURE[..2].to_vec();
    while jpeg.len() + PICTURE.len() < n_bytes {
        let left = (n_bytes - jpeg.len() - PICTURE.len()).clamp(8, MAX_SEGMENT);
        let length = u16::try_from(left).unwrap_or(u16::MAX);
        jpeg.extend([0xFF, 0xFE]);
        jpeg.extend(length.to_be_bytes());
        jpeg.extend(vec![b'x'; left - 2]);
    }
    [&jpeg, &PICTURE[2..]].concat()
}
