//! Recording to disk, and reading what was recorded.

#[allow(dead_code, reason = "for the download route, which is not there yet")]
mod export;
