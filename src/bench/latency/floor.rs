//! The smallest server whose pictures a browser shows at once.
//!
//! It starts the camera with its first viewer. Each picture is one write to one
//! viewer after the other, and ends with the whole head of the next part, without
//! which Chromium and WebKit would hold it back.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};

use crate::shared::part::OPENING;

/// The first argument with which this executable becomes this server.
pub(crate) const ROLE: &str = "floor";
const NEXT_HEAD: &[u8] = b"Content-Type: image/jpeg\r\n\r\n";
const END: &[u8] = b"\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n";

/// Arguments: port, bytes of a picture, the camera's command.
pub(crate) fn main(mut args: impl Iterator<Item = String>) -> Result<()> {
    let mut next = || args.next().context("floor PORT BYTES COMMAND...");
    let (port, n_bytes) = (next()?.parse::<u16>()?, next()?.parse()?);
    let program = next()?;
    let words: Vec<String> = args.collect();
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    let viewers = Arc::<Mutex<Vec<TcpStream>>>::default();
    let mut is_started = false;
    for viewer in listener.incoming() {
        let mut viewer = viewer?;
        viewer.set_nodelay(true)?;
        if viewer.read(&mut [0; 4096])? == 0 {
            continue;
        }
        if viewer.write_all(&[OPENING, NEXT_HEAD].concat()).is_err() {
            continue;
        }
        viewers.lock().unwrap_or_else(PoisonError::into_inner).push(viewer);
        if !is_started {
            is_started = true;
            let mut camera = Command::new(&program);
            let mut camera = camera.args(&words).stdout(Stdio::piped()).spawn()?;
            let pictures = camera.stdout.take().context("a child without output")?;
            let viewers = Arc::clone(&viewers);
            thread::spawn(move || serve(pictures, n_bytes, &viewers));
        }
    }
    Ok(())
}

fn serve(mut pictures: impl Read, n_bytes: usize, viewers: &Mutex<Vec<TcpStream>>) {
    let mut part = vec![0; n_bytes];
    part.extend_from_slice(END);
    while pictures.read_exact(&mut part[..n_bytes]).is_ok() {
        let mut viewers = viewers.lock().unwrap_or_else(PoisonError::into_inner);
        viewers.retain_mut(|viewer| viewer.write_all(&part).is_ok());
    }
}
