//! The daemon as a whole: the only place that builds its parts, starts them in
//! flow order, and stops and joins them in reverse.

mod drain;
mod exits;
mod supervisor;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use crossbeam_channel::{Receiver, never, select};

use crate::camera;
use crate::cameras::Cameras;
use crate::children;
use crate::config::{
    Bind, CameraOptions, CommandLine, Config, Credentials, HooksConfig, ServerOptionValues,
};
use crate::events::Events;
use crate::hooks::Hooks;
use crate::http::{Inherited, Restart, Server, Shown, check_camera_name};
use crate::mqtt::Mqtt;
use crate::open_files;
use crate::panics;
use crate::shutdown;
use crate::url::mask_error;
use drain::Drain;
use exits::{Exit, Exits};
use supervisor::Supervisor;

/// How long the last replies may take where nobody waits for the end. A snapshot takes at most
/// 9 s.
const LAST_REPLIES: Duration = Duration::from_secs(10);

/// Orders that the daemon takes while it runs.
#[derive(Debug)]
pub(crate) struct Signals {
    /// A message means: stop.
    pub(crate) stop: Receiver<()>,
    /// A message means: read the configuration file again.
    pub(crate) reload: Receiver<()>,
    /// A message means: let the viewers leave, and go on.
    pub(crate) drain: Receiver<()>,
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
    // Before the threads of the cameras and of the server start, so that each panic of
    // theirs is counted.
    panics::install_hook();
    children::reap_orphans();
    let (trigger, stop) = shutdown::channel();
    open_files::limit_connections(&mut config.http.limits);
    warn_of_options_in_vain(command_line, &config.cameras);
    let labels: Vec<_> = config.cameras.iter().map(CameraOptions::description).collect();
    let events = Events::default();
    // Before the cameras, which cause the first events.
    let hooks = Arc::new(Hooks::start(config.hooks, &events, &stop));
    let mqtt = Mqtt::new(config.mqtt, &events);
    let cameras = Cameras::new(config.cameras, config.http.max_variants, events);
    let in_use = InUse { server: config.server, users: config.http.credentials.clone() };
    let inherited = Inherited::from_env();
    let drain_timeout = config.http.drain_timeout;
    let n_before = inherited.as_ref().map_or(0, |inherited| inherited.n_before);
    // After the cameras, since a request may come as soon as the port is open.
    let shown = Shown { cameras: cameras.clone(), hooks: Arc::clone(&hooks), mqtt: mqtt.clone() };
    let server = match Server::start(config.http, shown, inherited, &stop) {
        Ok(server) => server,
        Err(e) => {
            // Those that are always on, or recorded, run already: a segment has to end
            // whole, and a command must not outlive the program.
            drop(trigger);
            cameras.close();
            cameras.stop();
            hooks.stop();
            return Err(e);
        }
    };
    // After the server, which knows the viewers.
    if let Some(mqtt) = &mqtt {
        mqtt.start(cameras.clone(), server.count_viewers());
    }
    greet(&server.addresses(), &labels, command_line.is_translated());
    let exits = Exits::watch(config.exit);
    let mut supervisor = Supervisor::start(server.addresses(), &cameras, &stop);
    let end =
        wait_for_end(&server, signals, &cameras, exits, &mut supervisor, drain_timeout, &|| {
            reload(command_line, &cameras, &hooks, &in_use);
        });
    let (supervisor, _) = supervisor;
    end.tell(&server);
    supervisor.stopping();
    if matches!(end, End::Unwatched(_)) {
        // Who connects from now on waits in the socket of a supervisor, which starts the
        // program again for it. Who was let in gets an answer.
        server.stop_accepting();
        server.finish(LAST_REPLIES);
    }
    // The cameras are closed first, which ends what the server's workers wait for.
    // Their threads are joined last, when nobody reads any more.
    drop(trigger);
    cameras.close();
    let listeners = server.stop(matches!(end, End::Restart(_)));
    cameras.stop();
    // It sends the last events of the cameras while the hooks end.
    mqtt.iter().for_each(|mqtt| mqtt.close());
    hooks.stop();
    mqtt.iter().for_each(|mqtt| mqtt.stop());
    supervisor.stop();
    match end {
        End::Stopped | End::Unwatched(_) => Ok(None),
        End::Failed(why) => Err(anyhow!(why)),
        End::Restart(_) => Ok(Some(Restart { listeners: listeners?, n_before })),
    }
}

/// Why the daemon stops.
enum End {
    Stopped,
    Failed(String),
    /// Nobody has watched for so long.
    Unwatched(Duration),
    Restart(&'static str),
}

impl End {
    fn tell(&self, server: &Server) {
        match self {
            Self::Restart(why) => {
                log::warn!("restarting, because {why}");
                server.stop_accepting();
            }
            Self::Unwatched(time) => {
                log::info!("stopping: nobody has watched for {time:.0?} (--exit-on-no-viewers)");
            }
            Self::Stopped | Self::Failed(_) => log::info!("stopping"),
        }
    }
}

/// Waits for an order to end, and follows the others meanwhile. A channel whose
/// other end is gone gives no order: whoever gave them has ended, which is a bug.
fn wait_for_end(
    server: &Server,
    signals: &Signals,
    cameras: &Cameras,
    (mut exits, looks): (Exits, Receiver<Instant>),
    (supervisor, reports): &mut (Supervisor, Receiver<Instant>),
    drain_timeout: Duration,
    reload: &dyn Fn(),
) -> End {
    let (mut reloads, mut drains) = (signals.reload.clone(), signals.drain.clone());
    let (mut drain, mut is_ending) = (None::<Drain>, false);
    let (never_drained, no_restart) = (never(), never());
    loop {
        let drained = drain.as_ref().map_or(&never_drained, Drain::has_ended);
        // The next image would let viewers in again.
        let restart = if drain.is_some() { &no_restart } else { server.restart_needed() };
        select! {
            recv(signals.stop) -> order => match order {
                Ok(()) if drain_timeout.is_zero() => return End::Stopped,
                Ok(()) => {
                    is_ending = true;
                    // Now, as the supervisor should know it while the viewers leave.
                    supervisor.stopping();
                    drain.get_or_insert_with(|| Drain::start(server, drain_timeout));
                }
                // Nothing could stop it in good order any more.
                Err(_) => {
                    return End::Failed("the signals to stop are not received any more".into());
                }
            },
            // Only then, or the loop would turn without a rest.
            recv(if is_ending { drained } else { &never_drained }) -> _ => return End::Stopped,
            recv(drains) -> order => match order {
                Ok(()) => {
                    drain.get_or_insert_with(|| Drain::start(server, drain_timeout));
                }
                Err(_) => drains = never(),
            },
            recv(restart) -> order => return End::Restart(match order {
                Ok(()) => "the HTTP library has lost too many connections",
                Err(_) => "the guard of the connections has ended",
            }),
            recv(looks) -> _ => {
                match exits.look(Instant::now(), cameras.lost(), server.last_watched()) {
                    Some(Exit::Lost(why)) => return End::Failed(why),
                    Some(Exit::Unwatched(time)) => return End::Unwatched(time),
                    None => {}
                }
            }
            recv(reports) -> _ => supervisor.look(cameras, server.n_viewers()),
            recv(reloads) -> order => match order {
                Ok(()) => supervisor.reload(reload),
                Err(_) => {
                    log::error!("SIGHUP is not received any more");
                    reloads = never();
                }
            },
        }
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

/// Not under a foreign name, whose users have not typed these options.
fn warn_of_options_in_vain(command_line: &CommandLine, cameras: &[CameraOptions]) {
    let options = camera::given_in_vain(cameras.iter().map(|options| &options.camera));
    if !options.is_empty() && !command_line.is_translated() {
        let options = options.join(", ");
        log::warn!("{options}: without effect, as only V4L2 devices (v4l2:/dev/videoN) follow it");
    }
}

/// What takes effect only at a start, as it was read then.
struct InUse {
    server: ServerOptionValues,
    /// The users of the file of `--auth-file`.
    users: Option<Credentials>,
}

/// Reads the configuration file again and changes cameras and hooks. A file with an
/// error changes nothing: a typing mistake must not end a running recording.
fn reload(command_line: &CommandLine, cameras: &Cameras, hooks: &Hooks, in_use: &InUse) {
    let Some(file) = command_line.file() else {
        log::warn!("SIGHUP: there is no file to read again; start with --config FILE to have one");
        return;
    };
    match configure(command_line) {
        Ok(config) => {
            log::info!("reading {} again", file.display());
            warn_of_options_in_vain(command_line, &config.cameras);
            let is_new = |option: &&(String, _)| {
                !in_use.server.contains(option) && !HooksConfig::OPTIONS.contains(&&*option.0)
            };
            let options = config.server.iter().filter(is_new).map(|(option, _)| &**option);
            // Somebody who takes a user out of the file must not believe that it is done.
            let users = (config.http.credentials != in_use.users).then_some("the --auth-file");
            for what in options.chain(users) {
                log::warn!("{what} has changed; it takes effect when the program is restarted");
            }
            // Before the cameras, whose changes are events.
            hooks.change(config.hooks);
            cameras.change(config.cameras);
        }
        Err(e) => {
            let error = mask_error(&format!("{e:#}"));
            log::error!("nothing changes, because the file has an error: {error}");
        }
    }
}

/// Logs the addresses, how to reach them from the network, and the cameras.
fn greet(addresses: &[Bind], cameras: &[String], is_translated: bool) {
    for address in addresses {
        match address {
            Bind::Tcp(address) => greet_at(*address, is_translated),
            Bind::Unix(_) => log::info!("listening on {address}"),
        }
    }
    for camera in cameras {
        log::info!("{camera}");
    }
}

fn greet_at(address: SocketAddr, is_translated: bool) {
    let port = address.port();
    log::info!("listening on http://{}/", local_address(address));
    if address.ip().is_loopback() {
        // Said at each start, as the loopback default is what newcomers trip over
        // first.
        let how = if is_translated { "listen at" } else { "--bind" };
        log::info!("only this machine can reach it; for the network: {how} 0.0.0.0:{port}");
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
