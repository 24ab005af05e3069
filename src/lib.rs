//! A camera server for small boards: takes pictures from a camera and shows
//! them, live, as Motion JPEG over plain HTTP.
//!
//! ```text
//! camera -> capture -> slot -> viewer (an HTTP stream, a snapshot)
//!                           -> recorder -> segments on disk -> playback -> viewer
//! ```
//!
//! One way, one picture at a time. Nothing flows back but the time of the
//! last read, so that the camera can be closed, settings of its controls, and
//! the order to stop.
//!
//! | room | holds |
//! | --- | --- |
//! | `frame` | one immutable JPEG with its wire bytes around it |
//! | `slot` | the newest frame; readers wait here and nowhere else |
//! | `shutdown` | the order to stop, which every sleep listens to |
//! | `rate`, `log_limit` | how many a second; not the same line twice |
//! | `back_off` | when to try again |
//! | [`log_queue`] | the log on its way out, which waits for nobody |
//! | `url` | addresses of other servers, and passwords hidden in texts |
//! | [`config`] | what was typed, checked |
//! | [`heap`] | one for all threads |
//! | `panics`, `restart` | panics counted; a new image of the same process |
//! | `open_files` | how many descriptors the system lets us have |
//! | `jpeg` | markers: check, split, missing tables; raw pictures to JPEG, by the package in `src/scan` |
//! | `multipart` | anybody's parts read: every dialect, in any pieces |
//! | `fetch` | GET from another server, so that it can be stopped; heads and logins as cameras have them |
//! | `pictures` | what its answer holds: parts, JPEGs, one JPEG; read |
//! | `camera` | the trait for drivers, and one file for each |
//! | `capture` | the thread that runs while somebody reads |
//! | `recording` | frames on disk: written, bounded, found again, as AVI or zip |
//! | `cameras` | the cameras of this daemon, by name |
//! | `http` | listener, workers, routes, replies |
//! | [`client`] | reads anybody's stream: every picture, or the newest |
//! | `fuzz` | in tests: random bytes for all that reads bytes from outside |
//!
//! A room knows only the rooms above it in this table. A driver never sees
//! the slot, the slot never sees HTTP, HTTP never sees a driver. Here is the
//! only place that builds, starts, stops and joins.

mod back_off;
mod camera;
mod cameras;
mod capture;
pub mod client;
pub mod config;
mod fetch;
mod frame;
#[cfg(test)]
mod fuzz;
pub mod heap;
mod http;
mod jpeg;
mod log_limit;
pub mod log_queue;
mod multipart;
mod open_files;
mod panics;
mod pictures;
mod rate;
mod recording;
mod restart;
mod shutdown;
mod slot;
mod url;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use anyhow::{Result, anyhow};
use crossbeam_channel::{Receiver, select};

use camera::survey;
use cameras::Cameras;
use config::{CameraSection, CommandLine, Config, ServerOptions};
use http::Server;
pub use restart::Restart;

/// What the program is told while it runs.
#[derive(Debug)]
pub struct Signals {
    /// To end.
    pub stop: Receiver<()>,
    /// To read the file again.
    pub reload: Receiver<()>,
}

/// Serves until it is told to stop, or until only a new start of the program
/// helps: then how to. `typed` is what `config` was read from.
///
/// # Errors
/// What keeps the program from running: an address that cannot be listened
/// on, a system without threads. A lost camera is none of these.
pub fn run(typed: &CommandLine, mut config: Config, signals: &Signals) -> Result<Option<Restart>> {
    panics::watch();
    let (trigger, stop) = shutdown::channel();
    open_files::fit(&mut config.http.limits);
    let told: Vec<_> = config.cameras.iter().map(CameraSection::told).collect();
    let cameras = Cameras::new(config.cameras);
    let inherited = restart::inherited();
    let server = Server::start(config.http, cameras.clone(), inherited, &stop)?;
    greet(server.address(), &told);
    let is_restart = loop {
        select! {
            recv(signals.stop) -> _ => break false,
            recv(server.losses()) -> _ => break true,
            recv(signals.reload) -> _ => reload(typed, &cameras, &config.server),
        }
    };
    if is_restart {
        log::warn!("starting anew, as tiny_http has lost too many connections");
        server.close_door();
    } else {
        log::info!("stopping");
    }
    drop(trigger);
    cameras.close();
    let listener = server.stop();
    cameras.stop();
    if !is_restart {
        return Ok(None);
    }
    let n_before = inherited.map_or(0, |inherited| inherited.n_before);
    Ok(Some(Restart { listener: listener?, n_before }))
}

/// Reads the file again. One that is no good changes nothing.
fn reload(typed: &CommandLine, cameras: &Cameras, server: &ServerOptions) {
    let Some(file) = typed.file() else {
        log::warn!("SIGHUP: there is no file to read again; start with --config FILE to have one");
        return;
    };
    match read(typed) {
        Ok(config) => {
            log::info!("reading {} again", file.display());
            let changed: Vec<_> = config.server.iter().filter(|o| !server.contains(o)).collect();
            for (option, _) in changed {
                log::warn!("{option} is another now; it takes effect when the program starts anew");
            }
            cameras.change(config.cameras);
        }
        Err(e) => log::error!("nothing changes, as the file is no good: {e:#}"),
    }
}

/// Reads what was typed and the file, and looks whether this system can do it:
/// whether a source of files holds pictures at all, and whether there are
/// descriptors for all seats, whose limit it raises.
///
/// # Errors
/// What is wrong, and what would be right.
pub fn read(typed: &CommandLine) -> Result<Config> {
    let config = Config::read(typed)?;
    open_files::check(config.http.n_seats)?;
    for section in &config.cameras {
        camera::check(&section.camera).map_err(|e| anyhow!("{}: {e}", section.origin))?;
    }
    Ok(config)
}

/// The cameras of this machine, their formats and controls, as text for people
/// or as JSON.
///
/// # Errors
/// None that is known: a camera that cannot be opened is left out.
pub fn devices(is_json: bool) -> Result<String> {
    let devices = survey::devices();
    Ok(if is_json {
        serde_json::to_string_pretty(&devices)? + "\n"
    } else {
        survey::text(&devices)
    })
}

/// Tells where it listens, how to reach it from the network, and which cameras.
fn greet(address: SocketAddr, cameras: &[String]) {
    let port = address.port();
    log::info!("listening on http://{}/", shown(address));
    if address.ip().is_loopback() {
        log::info!("only this machine can reach it; for the network: --bind 0.0.0.0:{port}");
    } else if address.ip().is_unspecified() {
        match own_address() {
            Some(ip) => log::info!("from the network: http://{}/", SocketAddr::new(ip, port)),
            None => log::info!("from the network: http://ADDRESS-OF-THIS-MACHINE:{port}/"),
        }
    }
    for camera in cameras {
        log::info!("{camera}");
    }
}

/// The address as a browser on this machine can open it.
fn shown(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    }
}

/// The address that this machine has in its network, as far as there is one.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // Connecting a UDP socket sends nothing, it only chooses a route; the
    // address is one of TEST-NET-1 (RFC 5737).
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
