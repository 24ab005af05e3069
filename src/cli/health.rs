//! `mjpegd health`: whether a daemon works, for images that hold no curl.

use std::time::Instant;

use anyhow::anyhow;

use super::Error;
use crate::config::HealthArgs;
use crate::fetch::Fetcher;
use crate::shutdown;
use crate::trust::Trust;
use crate::url::Url;

/// Asks, and returns what to print.
///
/// # Errors
/// The address is none, or why the answer is no success.
pub(super) fn run(args: &HealthArgs) -> Result<String, Error> {
    let url = Url::parse(&args.url).map_err(Error::Usage)?;
    let (_trigger, stop) = shutdown::channel();
    let answer = Fetcher::new(url, &Trust::Public, stop).get(Instant::now() + args.timeout);
    answer.map(|_| "ok\n".to_owned()).map_err(|e| Error::Failed(anyhow!("{e}")))
}
