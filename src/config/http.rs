//! How viewers are served: address, seats, limits and who may watch.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::ValueEnum;

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
#[derive(Clone, Copy, Debug, Default, PartialEq, ValueEnum)]
pub(crate) enum LostSnapshot {
    /// 503 with the cause, so that nobody stores a drawn picture.
    #[default]
    #[value(name = "503")]
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

/// The longest `--instance-id`: it stands in a header.
const MAX_ID: usize = 64;

impl HttpConfig {
    /// Checks the options of the server.
    ///
    /// # Errors
    /// The first value that cannot be used, with what would be right.
    pub(super) fn new(args: &Args) -> Result<Self> {
        ensure!(
            // Each viewer has a thread. No machine feeds ten thousand of them.
            (1..=10_000).contains(&args.threads),
            "--threads {}: use a number of viewers from 1 to 10000",
            args.threads
        );
        ensure!(
            // The upper bound keeps the sum of a deadline from overflowing.
            (Duration::from_millis(100)..=Duration::from_secs(86_400))
                .contains(&args.write_timeout),
            "--write-timeout {:?}: use 100ms or more, up to 1day",
            args.write_timeout
        );
        ensure!(
            args.drain_timeout <= Duration::from_secs(86_400),
            "--drain-timeout {:?}: use up to 1day, or 0 to end at once",
            args.drain_timeout
        );
        ensure!(
            // Each may keep a core busy.
            args.max_variants <= 64,
            "--max-variants {}: use a number from 0 to 64",
            args.max_variants
        );
        let limits = Limits::new(args)?;
        if let Some(dir) = &args.www {
            // The files are looked up at each request, so that a page can be edited while the
            // program runs. A wrong folder is named now.
            ensure!(dir.is_dir(), "--www {}: no such folder", dir.display());
        }
        if let Some(origin) = &args.allow_origin {
            // It is sent as a header, and a line end in it would begin another.
            let printable = origin.bytes().all(|b| b.is_ascii_graphic());
            ensure!(
                origin == "*" || (origin.contains("://") && printable),
                "--allow-origin {origin:?}: use * or one origin, such as http://printer.local"
            );
        }
        let is_sign = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        ensure!(
            args.instance_id.bytes().all(is_sign) && args.instance_id.len() <= MAX_ID,
            "--instance-id {:?}: use up to {MAX_ID} letters, digits, dots, dashes and underscores",
            args.instance_id
        );
        let credentials = args.auth_file.as_deref().map(Credentials::read).transpose()?;
        Ok(Self {
            binds: Bind::parse_all(&args.bind)?,
            unix_mode: args.unix_mode.as_deref().map(unix_mode).transpose()?,
            n_seats: args.threads,
            max_variants: args.max_variants,
            write_timeout: args.write_timeout,
            drain_timeout: args.drain_timeout,
            limits,
            allow_origin: args.allow_origin.clone(),
            trusted_proxies: TrustedProxies::new(&args.trusted_proxy)?,
            credentials,
            www: args.www.clone(),
            lost_snapshot: args.lost_snapshot,
            instance_id: args.instance_id.clone(),
            lock_controls: args.lock_controls,
        })
    }
}

impl Limits {
    fn new(args: &Args) -> Result<Self> {
        ensure!(
            (Duration::from_millis(500)..=Duration::from_secs(86_400)).contains(&args.head_timeout),
            "--head-timeout {:?}: use 500ms or more, up to 1day",
            args.head_timeout
        );
        // What a browser sends of itself, without cookies, takes some 500 bytes.
        ensure!(args.max_head >= 1024, "--max-head {}: use 1024 or more", args.max_head);
        ensure!(args.max_leaks >= 1, "--max-leaks {}: use 1 or more", args.max_leaks);
        let least = args.threads + N_SHORT_CONNECTIONS;
        let max = args.max_connections.unwrap_or(args.threads + N_OTHER_CONNECTIONS);
        ensure!(
            max >= least,
            "--max-connections {max}: use {least} or more, {N_SHORT_CONNECTIONS} beside --threads"
        );
        Ok(Self {
            head_timeout: args.head_timeout,
            max_head_bytes: args.max_head,
            max_connections: max,
            max_leaks: args.max_leaks,
        })
    }
}
