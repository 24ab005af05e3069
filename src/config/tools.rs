//! The arguments of `mjpegd probe`, `mjpegd grab` and `mjpegd health`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// The arguments of `mjpegd probe`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ProbeArgs {
    /// The address of a stream, such as `http://camera.local:5000/stream`
    pub(crate) url: String,

    /// How long to measure
    #[arg(long, value_name = "TIME", default_value = "10s")]
    #[arg(value_parser = humantime::parse_duration)]
    pub(crate) duration: Duration,

    /// Print JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
}

/// The arguments of `mjpegd grab`.
#[derive(Args, Clone, Debug)]
pub(crate) struct GrabArgs {
    /// The address of a stream, such as `http://camera.local:5000/stream`
    pub(crate) url: String,

    /// How many pictures to save
    #[arg(short, long = "number", value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) n: u32,

    /// The folder for the pictures, created if it does not exist
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub(crate) output: PathBuf,

    /// Replace files of the same name
    #[arg(long)]
    pub(crate) overwrite: bool,

    /// Give up after this time without a picture
    #[arg(long, value_name = "TIME", default_value = "10s")]
    #[arg(value_parser = humantime::parse_duration)]
    pub(crate) timeout: Duration,
}

/// The arguments of `mjpegd health`.
#[derive(Args, Clone, Debug)]
pub(crate) struct HealthArgs {
    /// The address to ask; with ?cameras=1 it also fails while a camera is lost
    #[arg(default_value = "http://localhost:5000/healthz")]
    pub(crate) url: String,

    /// Give up after this time
    #[arg(long, value_name = "TIME", default_value = "5s")]
    #[arg(value_parser = humantime::parse_duration)]
    pub(crate) timeout: Duration,
}
