//! What `mjpegd probe` and `mjpegd grab` are told.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// Of `mjpegd probe`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ProbeArgs {
    /// The address of a stream, such as `http://camera.local:5000/stream`
    pub(crate) url: String,

    /// How long to look
    #[arg(long, value_name = "TIME", default_value = "10s")]
    #[arg(value_parser = humantime::parse_duration)]
    pub(crate) duration: Duration,

    /// As JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
}

/// Of `mjpegd grab`.
#[derive(Args, Clone, Debug)]
pub(crate) struct GrabArgs {
    /// The address of a stream, such as `http://camera.local:5000/stream`
    pub(crate) url: String,

    /// How many pictures
    #[arg(short, long = "number", value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) n: u32,

    /// The folder for them, made if it is not there
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub(crate) output: PathBuf,

    /// Write over pictures of the same name
    #[arg(long)]
    pub(crate) overwrite: bool,

    /// Without a picture for so long, give up
    #[arg(long, value_name = "TIME", default_value = "10s")]
    #[arg(value_parser = humantime::parse_duration)]
    pub(crate) timeout: Duration,
}
