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
use crate::config::{CameraOptions, CommandLine, Config, Credentials, ServerOptionValues};
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
    let in_use = InUse { server: config.server, users: config.http.credentials.clone() };
    let inherited = Inherited::from_env();
    let server = match Server::start(config.http, cameras.clone(), inherited, &stop) {
        Ok(server) => server,
        Err(e) => {
            // Those that are always on, or recorded, run already: a segment has to end
            // whole, and a command must not outlive the program.
            drop(trigger);
            cameras.close();
            cameras.stop();
            return Err(e);
        }
    };
    greet(server.address(), &labels);
    let losses = Losses::watch(config.exit_on_lost);
    let end = wait_for_end(&server, signals, &cameras, losses, &|| {
        reload(command_line, &cameras, &in_use);
    });
    match &end {
        End::Restart(why) => {
            log::warn!("restarting, because {why}");
            server.stop_accepting();
        }
        End::Stopped | End::Failed(_) => log::info!("stopping"),
    }
    drop(trigger);
    cameras.close();
    let listener = server.stop();
    cameras.stop();
    match end {
        End::Stopped => Ok(None),
        End::Failed(why) => Err(anyhow!(why)),
        End::Restart(_) => {
            let n_before = inherited.map_or(0, |inherited| inherited.n_before);
            Ok(Some(Restart { listener: listener?, n_before }))
        }
    }
}

/// Why the daemon stops.
enum End {
    Stopped,
    Failed(String),
    Restart(&'static str),
}

/// Waits for an order to end, and follows the others meanwhile. A channel whose
/// other end is gone gives no order: whoever gave them has ended, which is a bug.
fn wait_for_end(
    server: &Server,
    signals: &Signals,
    cameras: &Cameras,
    (mut losses, looks): (Losses, Receiver<Instant>),
    reload: &dyn Fn(),
) -> End {
    let mut reloads = signals.reload.clone();
    loop {
        select! {
            recv(signals.stop) -> order => return match order {
                Ok(()) => End::Stopped,
                // Nothing could stop it in good order any more.
                Err(_) => End::Failed("the signals to stop are not received any more".into()),
            },
            recv(server.restart_needed()) -> order => return End::Restart(match order {
                Ok(()) => "the HTTP library has lost too many connections",
                Err(_) => "the guard of the connections has ended",
            }),
            recv(looks) -> _ => {
                if let Some(why) = losses.look(Instant::now(), cameras.lost()) {
                    return End::Failed(why);
                }
            }
            recv(reloads) -> order => match order {
                Ok(()) => reload(),
                Err(_) => {
                    log::error!("SIGHUP is not received any more");
                    reloads = never();
                }
            },
        }
    }
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

/// What takes effect only at a start, as it was read then.
struct InUse {
    server: ServerOptionValues,
    /// The users of the file of `--auth-file`.
    users: Option<Credentials>,
}

/// Reads the configuration file again and changes the cameras. A file with an
/// error changes nothing: a typing mistake must not end a running recording.
fn reload(command_line: &CommandLine, cameras: &Cameras, in_use: &InUse) {
    let Some(file) = command_line.file() else {
        log::warn!("SIGHUP: there is no file to read again; start with --config FILE to have one");
        return;
    };
    match configure(command_line) {
        Ok(config) => {
            log::info!("reading {} again", file.display());
            let is_new = |option: &&(String, _)| !in_use.server.contains(option);
            let options = config.server.iter().filter(is_new).map(|(option, _)| &**option);
            // Somebody who takes a user out of the file must not believe that it is done.
            let users = (config.http.credentials != in_use.users).then_some("the --auth-file");
            for what in options.chain(users) {
                log::warn!("{what} has changed; it takes effect when the program is restarted");
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
