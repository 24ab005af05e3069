//! `http://...`: another server.

use std::sync::Arc;

use parking_lot::Mutex;

use super::super::kinds::{Kind, Openable, Source, behind, openable};
use super::super::stall::Stall;
use super::{Options, Server};
use crate::config::CameraConfig;
use crate::instance;
use crate::url::Url;

pub(in crate::camera) const KIND: Kind = Kind {
    form: "http://[USER:PASSWORD@]HOST[:PORT]/PATH",
    help: "another MJPEG server, or a JPEG that is asked for at --fps",
    read: |text| {
        // Also in a program without TLS: the error of an https address says how to build one
        // that has it.
        ["http", "https"].iter().find_map(|scheme| behind(scheme, text))?;
        Some(Url::parse(text).map(|url| Box::new(url) as Box<dyn Source>))
    },
};

impl Source for Url {
    fn camera(self: Box<Self>, config: CameraConfig, name: &str) -> Openable {
        let CameraConfig { fps, max_frame_bytes, trust, stall_timeout, .. } = config;
        // Shared by all openings, so that what was learnt of the pace is kept.
        let stall = Arc::new(Mutex::new(Stall::new(stall_timeout, fps)));
        let options = Options { fps, stall, max_frame_bytes, own: instance::id(name) };
        openable(move || Ok(Server::open(&self, &trust, options.clone())))
    }
}
