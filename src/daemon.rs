//! The daemon as a whole: the only place that builds its parts, starts them in
//! flow order, and stops and joins them in reverse.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use crossbeam_channel::{Receiver, never, select, tick};

use crate::camera;
use crate::cameras::Cameras;
use crate::children;
use crate::config::{CameraOptions, CommandLine, Config, ServerOptionValues};
use crate::http::{Inherited, Restart, Server, check_camera_name};
use crate::open_files;
use crate::panics;
use crate::shutdown;
use crate::url::mask_error;

/// Orders that the daemon takes while it runs.
#[derive(Debug)]
pub(crate) struct Signals {
    /// A message means: stop.
    pub(crate) stop: Receiver<()>,
    /// A message means: read the configuration file again.
    pub(crate) reload: Receiver<()>,
}

/// Serves until a signal stops it, or until the process has to be replaced to
/// get lost resources back: then it returns how. `config` was read from
/// `command_line`, which is read again at a reload.
///
/// # Errors
/// What prevents the program from running: an address that cannot be listened
/// on, a system without free threads. A lost camera is an error only where the
/// configuration sets a time for it.
pub(crate) fn run(
    command_line: &CommandLine,
    mut config: Config,
    signals: &Signals,
) -> Result<Option<Restart>> {
    panics::install_hook();
    children::reap_orphans();
    let (trigger, stop) = shutdown::channel();
    open_files::limit_connections(&mut config.http.limits);
    let labels: Vec<_> = config.cameras.iter().map(CameraOptions::description).collect();
    let cameras = Cameras::new(config.cameras);
    let inherited = Inherited::from_env();
    let server = Server::start(config.http, cameras.clone(), inherited, &stop)?;
    greet(server.address(), &labels);
    let (mut losses, looks) = Losses::watch(config.exit_on_lost);
    let mut too_long_lost = None;
    let is_restart = loop {
        select! {
            recv(signals.stop) -> _ => break false,
            recv(server.restart_needed()) -> _ => break true,
            recv(looks) -> _ => {
                too_long_lost = losses.look(Instant::now(), cameras.lost());
                if too_long_lost.is_some() {
                    break false;
                }
            }
            recv(signals.reload) -> _ => reload(command_line, &cameras, &config.server),
        }
    };
    if is_restart {
        log::warn!("restarting, because the HTTP library has lost too many connections");
        server.stop_accepting();
    } else {
        log::info!("stopping");
    }
    drop(trigger);
    cameras.close();
    let listener = server.stop();
    cameras.stop();
    if let Some(why) = too_long_lost {
        return Err(anyhow!(why));
    }
    if !is_restart {
        return Ok(None);
    }
    let n_before = inherited.map_or(0, |inherited| inherited.n_before);
    Ok(Some(Restart { listener: listener?, n_before }))
}

/// Since when cameras have been lost, for `--exit-on-lost`.
struct Losses {
    limit: Duration,
    since: HashMap<String, Instant>,
}

impl Losses {
    /// A message of the channel means: look. Without a limit there is none.
    fn watch(limit: Option<Duration>) -> (Self, Receiver<Instant>) {
        let often = |limit: Duration| tick((limit / 10).min(Duration::from_secs(1)));
        let looks = limit.map_or_else(never, often);
        (Self { limit: limit.unwrap_or(Duration::MAX), since: HashMap::new() }, looks)
    }

    /// Takes the names and causes of the cameras that are lost now. Returns why
    /// the program has to end, if one of them has been lost for too long.
    fn look(&mut self, now: Instant, lost: Vec<(String, String)>) -> Option<String> {
        let mut before = std::mem::take(&mut self.since);
        let mut why = None;
        for (name, cause) in lost {
            let since = before.remove(&name).unwrap_or(now);
            // Not by the time in the status, which is that of the wall clock.
            if now.saturating_duration_since(since) >= self.limit {
                let limit = self.limit;
                let text = format!("camera {name} has been lost for {limit:?} (--exit-on-lost)");
                why.get_or_insert(format!("{text}: {cause}"));
            }
            self.since.insert(name, since);
        }
        why
    }
}

/// Reads the command line and the file it names, and checks what the system
/// has to provide: that a source of files holds pictures, and that there are
/// descriptors for all seats. It raises the limit of open files for that.
///
/// # Errors
/// The first value that cannot be used, with what would be right.
pub(crate) fn configure(command_line: &CommandLine) -> Result<Config> {
    let config = Config::read(command_line)?;
    open_files::check(config.http.n_seats)?;
    for section in &config.cameras {
        check_camera_name(&section.name).map_err(|e| anyhow!("{}: {e}", section.origin))?;
        camera::check(&section.camera).with_context(|| section.origin.clone())?;
    }
    Ok(config)
}

/// Reads the configuration file again and changes the cameras. A file with an
/// error changes nothing: a typing mistake must not end a running recording.
fn reload(command_line: &CommandLine, cameras: &Cameras, server: &ServerOptionValues) {
    let Some(file) = command_line.file() else {
        log::warn!("SIGHUP: there is no file to read again; start with --config FILE to have one");
        return;
    };
    match configure(command_line) {
        Ok(config) => {
            log::info!("reading {} again", file.display());
            let changed: Vec<_> = config.server.iter().filter(|o| !server.contains(o)).collect();
            for (option, _) in changed {
                log::warn!("{option} has changed; it takes effect when the program is restarted");
            }
            cameras.change(config.cameras);
        }
        Err(e) => {
            let error = mask_error(&format!("{e:#}"));
            log::error!("nothing changes, because the file has an error: {error}");
        }
    }
}

/// Logs the address, how to reach it from the network, and the cameras.
fn greet(address: SocketAddr, cameras: &[String]) {
    let port = address.port();
    log::info!("listening on http://{}/", local_address(address));
    if address.ip().is_loopback() {
        log::info!("only this machine can reach it; for the network: --bind 0.0.0.0:{port}");
    } else if address.ip().is_unspecified() {
        match network_address() {
            Some(ip) => log::info!("from the network: http://{}/", SocketAddr::new(ip, port)),
            None => log::info!("from the network: http://ADDRESS-OF-THIS-MACHINE:{port}/"),
        }
    }
    for camera in cameras {
        log::info!("{camera}");
    }
}

/// The address as a browser on this machine can open it.
fn local_address(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    }
}

/// The address that this machine has in its network; `None` without a network.
fn network_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // Connecting a UDP socket sends nothing, it only chooses a route; the
    // address is one of TEST-NET-1 (RFC 5737).
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn camera_that_comes_back_begins_from_nothing() {
        let (mut losses, _) = Losses::watch(Some(Duration::from_secs(10)));
        let start = Instant::now();
        let mut look = |s, names: &[&str]| {
            let lost = names.iter().map(|name| ((*name).to_owned(), "gone".to_owned()));
            losses.look(start + Duration::from_secs(s), lost.collect())
        };
        assert_eq!(look(0, &["a"]), None);
        assert_eq!(look(9, &["b"]), None);
        assert_eq!(look(18, &["a", "b"]), None);
        let why = "camera b has been lost for 10s (--exit-on-lost): gone";
        assert_eq!(look(19, &["a", "b"]).as_deref(), Some(why));
    }
}
