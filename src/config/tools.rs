//! The options of `mjpegd probe` and `mjpegd grab`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// The options of `mjpegd probe`.
#[derive(Args, Clone, Debug)]
pub struct ProbeArgs {
    /// The address of a stream, such as `http://camera.local:5000/stream`
    pub url: String,

    /// How long to measure
    #[arg(long, value_name = "TIME", default_value = "10s")]
    #[arg(value_parser = humantime::parse_duration)]
    pub duration: Duration,

    /// As JSON, for programs
    #[arg(long)]
    pub json: bool,
}

/// The options of `mjpegd grab`.
#[derive(Args, Clone, Debug)]
pub struct GrabArgs {
    /// The address of a stream, such as `http://camera.local:5000/stream`
    pub url: String,

    /// How many pictures to save
    #[arg(short, long = "number", value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub n: u32,

    /// The folder for the pictures; it is created if it is missing
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub output: PathBuf,

    /// Overwrite pictures of the same name
    #[arg(long)]
    pub overwrite: bool,

    /// Give up after this time without a picture
    #[arg(long, value_name = "TIME", default_value = "10s")]
    #[arg(value_parser = humantime::parse_duration)]
    pub timeout: Duration,
}
