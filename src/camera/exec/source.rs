//! `exec:COMMAND`.

use std::sync::Arc;

use anyhow::{Result, ensure};
use parking_lot::Mutex;

use super::super::kinds::{Kind, Openable, Source, behind, openable};
use super::super::stall::Stall;
use super::{Exec, Lasting};
use crate::config::CameraConfig;

pub(in crate::camera) const KIND: Kind = Kind {
    form: "exec:COMMAND",
    help: "what a shell command writes to its standard output, JPEG after JPEG,\n\
           such as 'exec:rpicam-vid -t 0 --codec mjpeg -o -'",
    read: |text| Some(read(behind("exec", text)?)),
};
const USAGE: &str = "exec:COMMAND, such as 'exec:rpicam-vid -t 0 --codec mjpeg -o -'";

struct Command(String);

fn read(command: &str) -> Result<Box<dyn Source>> {
    // Blanks at the ends come from a file or from quotes, and mean nothing to a shell.
    let command = command.trim();
    ensure!(!command.is_empty(), "the command is missing; use {USAGE}");
    Ok(Box::new(Command(command.to_owned())))
}

impl Source for Command {
    fn camera(self: Box<Self>, config: CameraConfig, _: &str) -> Openable {
        // Shared by all openings, so that what was learnt of the pace is kept.
        let stall = Stall::new(config.stall_timeout, config.fps);
        let lasting = Lasting { stall: Arc::new(Mutex::new(stall)), log: Arc::default() };
        openable(move || Exec::open(&self.0, lasting.clone(), config.max_frame_bytes))
    }
}
