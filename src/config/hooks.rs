//! The receivers of events: commands and webhooks.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::args::Args;
use super::text_file::read_secret;
use crate::events::Kind;
use crate::url::Url;

/// Who gets events.
#[derive(Debug, PartialEq)]
pub(crate) struct HooksConfig {
    /// Commands for the shell, in the order in which they were given.
    pub(crate) commands: Vec<(Kind, String)>,
    /// How long one may run.
    pub(crate) limit: Duration,
    pub(crate) webhook: Option<WebhookConfig>,
}

/// The server that gets each event.
#[derive(Clone, PartialEq)]
pub(crate) struct WebhookConfig {
    pub(crate) url: Url,
    /// Signs the messages.
    pub(crate) key: Option<Vec<u8>>,
}

/// Without the key.
impl std::fmt::Debug for WebhookConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("WebhookConfig").field(&self.url).finish()
    }
}

impl HooksConfig {
    /// The options that say so.
    pub(crate) const OPTIONS: [&str; 4] = ["on", "on-timeout", "webhook", "webhook-key-file"];

    /// Checks the options of hooks.
    ///
    /// # Errors
    /// The first value that cannot be used, with what would be right.
    pub(super) fn new(args: &Args) -> Result<Self> {
        let right = Duration::from_millis(100)..=Duration::from_secs(86_400);
        let limit = args.time_in("on-timeout", right, "100ms or more, up to 1day")?;
        let url = args.text_if("webhook").map(|text| Url::parse_hook(text).context("--webhook"));
        let key = read_secret(args, "webhook-key-file")?;
        ensure!(key.is_none() || url.is_some(), "--webhook-key-file: use it with --webhook");
        Ok(Self {
            commands: args.list("on").map(command).collect::<Result<_>>()?,
            limit,
            webhook: url.transpose()?.map(|url| WebhookConfig { url, key }),
        })
    }
}

fn command(text: &str) -> Result<(Kind, String)> {
    let Some((event, command)) = text.split_once('=') else {
        bail!("--on {text:?}: use EVENT=COMMAND, such as motion-begin='beep'");
    };
    let kind = Kind::parse(event.trim())
        .with_context(|| format!("--on {event:?}: use one of {}", Kind::names()))?;
    ensure!(!command.trim().is_empty(), "--on {event}: the command is missing; use EVENT=COMMAND");
    Ok((kind, command.trim().to_owned()))
}
