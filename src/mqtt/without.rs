//! A build without the feature `mqtt`, whose configuration names no broker.

use std::sync::Arc;

use crate::cameras::Cameras;
use crate::config::MqttConfig;
use crate::events::Events;

pub(crate) type CountViewers = Box<dyn Fn(&str) -> usize + Send>;

/// There is none.
pub(crate) enum Mqtt {}

/// As with the feature.
pub(crate) struct Report {
    pub(crate) broker: String,
    pub(crate) prefix: String,
    pub(crate) is_connected: bool,
    pub(crate) n_published: u64,
    pub(crate) n_waiting: usize,
    pub(crate) n_lost: u64,
    pub(crate) n_failures: u64,
    pub(crate) error: Option<String>,
}

impl Mqtt {
    pub(crate) fn new(_: Option<MqttConfig>, _: &Events) -> Option<Arc<Self>> {
        None
    }

    pub(crate) fn start(&self, _: Cameras, _: CountViewers) {
        match *self {}
    }

    pub(crate) fn report(&self) -> Report {
        match *self {}
    }

    pub(crate) fn close(&self) {
        match *self {}
    }

    pub(crate) fn stop(&self) {
        match *self {}
    }
}
