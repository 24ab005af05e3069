//! A build without the feature `mqtt`, whose configuration names no broker.

mod report;

use std::sync::Arc;

use crate::cameras::Cameras;
use crate::config::MqttConfig;
use crate::events::Events;
pub(crate) use report::{CountViewers, Report};

/// There is none.
pub(crate) enum Mqtt {}

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
