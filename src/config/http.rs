//! How viewers are served: address, seats, limits and who may watch.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::args::Args;
use super::auth::Credentials;
use super::bind::{Bind, unix_mode};
use super::proxy::TrustedProxies;

/// How viewers are served.
#[derive(Debug)]
pub(crate) struct HttpConfig {
    pub(crate) binds: Vec<Bind>,
    /// The mode of the files of Unix sockets.
    pub(crate) unix_mode: Option<u32>,
    /// Concurrent viewers.
    pub(crate) n_seats: usize,
    /// Variants of pictures at once.
    pub(crate) max_variants: usize,
    /// How long sending one frame may take before the viewer loses its seat.
    pub(crate) write_timeout: Duration,
    /// How long the viewers may take to be disconnected before the program ends.
    pub(crate) drain_timeout: Duration,
    pub(crate) limits: Limits,
    /// The value of Access-Control-Allow-Origin, if other sites may read.
    pub(crate) allow_origin: Option<String>,
    /// Whose headers say for whom they ask.
    pub(crate) trusted_proxies: TrustedProxies,
    /// Who may see the camera; `None`: anybody.
    pub(crate) credentials: Option<Credentials>,
    /// A folder with the files of the page, instead of those in the program.
    pub(crate) www: Option<PathBuf>,
    /// What a snapshot of a lost camera is.
    pub(crate) lost_snapshot: LostSnapshot,
    /// A name of this program in `/state` and in the cookies of its streams.
    pub(crate) instance_id: String,
    /// Whether nobody may change controls.
    pub(crate) lock_controls: bool,
}

/// What a snapshot of a lost camera is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum LostSnapshot {
    /// 503 with the cause, so that nobody stores a drawn picture.
    #[default]
    Unavailable,
    /// The drawn picture, as uStreamer gives it.
    Picture,
}

/// What connections may cost before they have sent a whole request.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// How long a client may take to send its request.
    pub(crate) head_timeout: Duration,
    /// How many bytes it may send before its request is complete.
    pub(crate) max_head_bytes: u64,
    /// Connections at once, with those of viewers.
    pub(crate) max_connections: usize,
    /// Connections that may be lost for ever before the program restarts.
    pub(crate) max_leaks: u64,
}

/// Connections beside those of viewers: pages, snapshots, silent clients.
const N_OTHER_CONNECTIONS: usize = 256;
/// The fewest of these with which the page still loads beside silent clients.
pub(crate) const N_SHORT_CONNECTIONS: usize = 16;

const DAY: Duration = Duration::from_secs(86_400);

/// The longest `--instance-id`: it stands in a header.
const MAX_ID: usize = 64;

impl HttpConfig {
    /// Checks the options of the server.
    ///
    /// # Errors
    /// The first value that cannot be used, with what would be right.
    pub(super) fn new(args: &Args) -> Result<Self> {
        // Each viewer has a thread. No machine feeds ten thousand of them.
        let n_seats =
            args.number_in("threads", 1..=10_000, "a number of viewers from 1 to 10000")?;
        // The upper bound keeps the sum of a deadline from overflowing.
        let right = Duration::from_millis(100)..=DAY;
        let write_timeout = args.time_in("write-timeout", right, "100ms or more, up to 1day")?;
        let right = Duration::ZERO..=DAY;
        let drain_timeout =
            args.time_in("drain-timeout", right, "up to 1day, or 0 to end at once")?;
        // Each may keep a core busy.
        let max_variants = args.number_in("max-variants", 0..=64, "a number from 0 to 64")?;
        let www = args.path_if("www");
        if let Some(dir) = &www {
            // The files are looked up at each request, so that a page can be edited while the
            // program runs. A wrong folder is named now.
            ensure!(dir.is_dir(), "--www {}: no such folder", dir.display());
            if !dir.join("index.html").is_file() {
                log::warn!("--www {}: it has no index.html, so / is no page", dir.display());
            }
        }
        let allow_origin = args.text_if("allow-origin");
        if let Some(origin) = allow_origin {
            // It is sent as a header, and a line end in it would begin another.
            let printable = origin.bytes().all(|b| b.is_ascii_graphic());
            ensure!(
                origin == "*" || (origin.contains("://") && printable),
                "--allow-origin {origin:?}: use * or one origin, such as http://printer.local"
            );
        }
        let instance_id = args.text("instance-id");
        let is_sign = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        ensure!(
            instance_id.bytes().all(is_sign) && instance_id.len() <= MAX_ID,
            "--instance-id {instance_id:?}: use up to {MAX_ID} letters, digits, dots, dashes and \
             underscores"
        );
        let credentials =
            args.path_if("auth-file").as_deref().map(Credentials::read).transpose()?;
        Ok(Self {
            binds: Bind::parse_all(args.list("bind"))?,
            unix_mode: args.text_if("unix-mode").map(unix_mode).transpose()?,
            n_seats,
            max_variants,
            write_timeout,
            drain_timeout,
            limits: Limits::new(args, n_seats)?,
            allow_origin: allow_origin.map(str::to_owned),
            trusted_proxies: TrustedProxies::new(args.list("trusted-proxy"))?,
            credentials,
            www,
            lost_snapshot: match args.text("lost-snapshot") {
                "picture" => LostSnapshot::Picture,
                _ => LostSnapshot::Unavailable,
            },
            instance_id: instance_id.to_owned(),
            lock_controls: args.is_on("lock-controls"),
        })
    }
}

impl Limits {
    fn new(args: &Args, n_seats: usize) -> Result<Self> {
        let right = Duration::from_millis(500)..=DAY;
        let head_timeout = args.time_in("head-timeout", right, "500ms or more, up to 1day")?;
        // What a browser sends of itself, without cookies, takes some 500 bytes.
        let max_head_bytes = args.number_in("max-head", 1024..=u64::MAX, "1024 or more")?;
        let max_leaks = args.number_in("max-leaks", 1..=u64::MAX, "1 or more")?;
        let least = n_seats + N_SHORT_CONNECTIONS;
        let max_connections = args.number_if("max-connections")?;
        let max_connections = max_connections.unwrap_or(n_seats + N_OTHER_CONNECTIONS);
        ensure!(
            max_connections >= least,
            "--max-connections {max_connections}: use {least} or more, {N_SHORT_CONNECTIONS} \
             beside --threads"
        );
        Ok(Self { head_timeout, max_head_bytes, max_connections, max_leaks })
    }
}
