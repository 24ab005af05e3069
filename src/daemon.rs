//! The daemon as a whole: the only place that builds its parts, starts them in
//! flow order, and stops and joins them in reverse.

mod exits;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Instant;

use anyhow::{Result, anyhow};
use crossbeam_channel::{Receiver, select};

use crate::camera;
use crate::cameras::Cameras;
use crate::children;
use crate::config::{Bind, CameraOptions, CommandLine, Config, ServerOptionValues};
use crate::http::{Inherited, Restart, Server, check_camera_name};
use crate::open_files;
use crate::panics;
use crate::shutdown;
use crate::url::mask_error;
use exits::{Exit, Exits};

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
    let n_before = inherited.as_ref().map_or(0, |inherited| inherited.n_before);
    let server = Server::start(config.http, cameras.clone(), inherited, &stop)?;
    greet(&server.addresses(), &labels);
    let (mut exits, looks) = Exits::watch(config.exit);
    let mut exit = None;
    let is_restart = loop {
        select! {
            recv(signals.stop) -> _ => break false,
            recv(server.restart_needed()) -> _ => break true,
            recv(looks) -> _ => {
                exit = exits.look(Instant::now(), cameras.lost(), server.last_watched());
                if exit.is_some() {
                    break false;
                }
            }
            recv(signals.reload) -> _ => reload(command_line, &cameras, &config.server),
        }
    };
    if is_restart {
        log::warn!("restarting, because the HTTP library has lost too many connections");
        server.stop_accepting();
    } else if let Some(Exit::Unwatched(time)) = exit {
        log::info!("stopping: nobody has watched for {time:.0?} (--exit-on-no-viewers)");
    } else {
        log::info!("stopping");
    }
    drop(trigger);
    cameras.close();
    let listeners = server.stop(is_restart);
    cameras.stop();
    if let Some(Exit::Lost(why)) = exit {
        return Err(anyhow!(why));
    }
    if !is_restart {
        return Ok(None);
    }
    Ok(Some(Restart { listeners: listeners?, n_before }))
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
        camera::check(&section.camera).map_err(|e| anyhow!("{}: {e}", section.origin))?;
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

/// Logs the addresses, how to reach them from the network, and the cameras.
fn greet(addresses: &[Bind], cameras: &[String]) {
    for address in addresses {
        match address {
            Bind::Tcp(address) => greet_at(*address),
            Bind::Unix(_) => log::info!("listening on {address}"),
        }
    }
    for camera in cameras {
        log::info!("{camera}");
    }
}

fn greet_at(address: SocketAddr) {
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
