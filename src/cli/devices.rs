//! `mjpegd devices`: the cameras of this machine.

use super::Error;
use crate::camera::{devices_to_text, list_devices};

/// The cameras with their formats and controls, as text for people or as JSON.
/// A camera that cannot be opened is left out.
///
/// # Errors
/// The list cannot be written as JSON.
pub(super) fn run(is_json: bool) -> Result<String, Error> {
    // Also while the daemon streams from them: V4L2 lets several programs open and ask a
    // device.
    let devices = list_devices();
    if !is_json {
        return Ok(devices_to_text(&devices));
    }
    let json = serde_json::to_string_pretty(&devices).map_err(anyhow::Error::new)?;
    Ok(json + "\n")
}
