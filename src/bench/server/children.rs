//! Starts the daemon or a bare loop on the pictures of the benchmark.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::append::{self, Cost};
use crate::bare;
use crate::pictures::Pictures;
use crate::receivers::Receivers;
use crate::shared::process::{Core, Server};

/// The server under measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Subject {
    Limit,
    LimitThreads,
    Mjpegd,
}

impl Subject {
    pub(crate) const ALL: [Self; 3] = [Self::Limit, Self::LimitThreads, Self::Mjpegd];

    /// Starts it for `n_viewers`.
    ///
    /// # Errors
    /// Why it did not start.
    pub(crate) fn start(self, pictures: &Pictures, n_viewers: usize) -> Result<Server> {
        let kind = match self {
            Self::Limit => bare::ONE_THREAD,
            Self::LimitThreads => bare::THREADS,
            Self::Mjpegd => return daemon(pictures, &["--threads", &(n_viewers + 10).to_string()]),
        };
        bare_loop(kind, pictures, n_viewers, &[])
    }
}

/// Runs the loop that sends to two viewers and appends to a file in this
/// folder.
///
/// # Errors
/// Why it failed.
pub(crate) fn append(pictures: &Pictures, folder: &Path, time: Duration) -> Result<Cost> {
    let file = folder.join("appended");
    let n_pictures = (time.as_secs() * u64::from(pictures.fps)).to_string();
    let more = [n_pictures.as_str(), file.to_str().context("the folder's name is not UTF-8")?];
    let server = bare_loop(append::APPEND, pictures, 2, &more)?;
    let _receivers = Receivers::connect(server.address, 2, pictures.part)?;
    let output = server.output()?;
    fs::remove_file(&file)?;
    Cost::parse(&output)
}

fn bare_loop(kind: &str, pictures: &Pictures, n_viewers: usize, more: &[&str]) -> Result<Server> {
    let (n_viewers, fps) = (n_viewers.to_string(), pictures.fps.to_string());
    let args = [bare::ROLE, kind, &n_viewers, &fps, pictures.dir()].into_iter();
    Server::this_program(Core::Servers, args.chain(more.iter().copied()))
}

/// Starts the daemon on the folder.
///
/// # Errors
/// Why it did not start.
pub(crate) fn daemon(pictures: &Pictures, args: &[&str]) -> Result<Server> {
    let (camera, fps) = (format!("images:{}", pictures.dir()), pictures.fps.to_string());
    let camera = ["--camera", &camera, "--fps", &fps];
    Server::daemon(camera.into_iter().chain(args.iter().copied()))
}
