//! Names and contents of what is published. Prefixes and names of cameras are plain, so
//! that nothing of them has to be escaped.

use serde_json::Value;

use crate::cameras::Camera;
use crate::config::MqttConfig;
use crate::motion::Motion;

/// What stands in the topic `PREFIX/status`.
pub(super) const ONLINE: &str = "online";
pub(super) const OFFLINE: &str = "offline";

/// What Home Assistant shows of a camera: the component, and what it is.
const ENTITIES: [(&str, Entity); 3] = [
    ("camera", Entity::Camera),
    ("motion", Entity::Motion),
    ("connectivity", Entity::Connectivity),
];

#[derive(Clone, Copy, PartialEq)]
enum Entity {
    Camera,
    Motion,
    Connectivity,
}

/// A topic, and what is published there.
pub(super) type Message = (String, String);

/// The names of topics.
pub(super) struct Topics {
    prefix: String,
    /// The prefix as one word: the client's identifier, and the start of identifiers at
    /// Home Assistant.
    pub(super) node: String,
    /// Whether the program is connected.
    pub(super) status: String,
    discovery: Option<String>,
    /// Whether all cameras send pictures, and not only those that look for motion.
    all_have_pictures: bool,
}

impl Topics {
    pub(super) fn new(config: &MqttConfig) -> Self {
        let prefix = config.prefix.clone();
        Self {
            node: prefix.replace(['/', '.'], "_"),
            status: format!("{prefix}/status"),
            prefix,
            discovery: config.discovery.clone(),
            all_have_pictures: config.snapshot_every.is_some(),
        }
    }

    /// A topic of a camera.
    pub(super) fn of_camera(&self, camera: &str, what: &str) -> String {
        format!("{}/{camera}/{what}", self.prefix)
    }

    /// What Home Assistant gets of a camera, each in a topic of its own: retained, so
    /// that it finds them after a restart of its own. One that is empty takes away what an
    /// earlier run has announced. `None`: the camera is gone.
    pub(super) fn discovery(&self, camera: &str, has_motion: Option<bool>) -> Vec<Message> {
        let Some(discovery) = &self.discovery else { return Vec::new() };
        let message = |(name, entity): (&str, Entity)| {
            let component = if entity == Entity::Camera { "camera" } else { "binary_sensor" };
            let topic = format!("{discovery}/{component}/{}/{camera}_{name}/config", self.node);
            let is_there = has_motion.is_some_and(|has_motion| match entity {
                Entity::Camera => has_motion || self.all_have_pictures,
                Entity::Motion => has_motion,
                Entity::Connectivity => true,
            });
            let own = if is_there { self.entity(camera, entity) } else { String::new() };
            (topic, if is_there { self.config(camera, name, &own) } else { own })
        };
        ENTITIES.into_iter().map(message).collect()
    }

    /// What differs from entity to entity.
    fn entity(&self, camera: &str, entity: Entity) -> String {
        let topic = |what| self.of_camera(camera, what);
        match entity {
            // Without a name of its own it has the name of the device.
            Entity::Camera => format!(r#""name":null,"topic":"{}""#, topic("snapshot")),
            Entity::Motion => {
                format!(r#""device_class":"motion","state_topic":"{}""#, topic("motion"))
            }
            // A camera that is off, as nobody watches, is connected.
            Entity::Connectivity => format!(
                r#""device_class":"connectivity","entity_category":"diagnostic","state_topic":"{0}","value_template":"{{{{ 'OFF' if value_json.state == 'lost' else 'ON' }}}}","json_attributes_topic":"{0}""#,
                topic("state")
            ),
        }
    }

    fn config(&self, camera: &str, name: &str, own: &str) -> String {
        let Self { node, status, .. } = self;
        const VERSION: &str = env!("CARGO_PKG_VERSION");
        format!(
            r#"{{{own},"unique_id":"{node}_{camera}_{name}","availability_topic":"{status}","device":{{"identifiers":["{node}_{camera}"],"name":"{camera}","manufacturer":"mjpegd","model":"Motion JPEG camera","sw_version":"{VERSION}"}},"origin":{{"name":"mjpegd","sw_version":"{VERSION}"}}}}"#
        )
    }
}

/// The state of a camera, as JSON.
pub(super) fn state(camera: &Camera, n_viewers: usize) -> String {
    let status = camera.capture.status();
    let recording = camera.recording.as_ref().map(|recording| recording.status().state.name());
    let (cause, recording) = (Value::from(status.cause), Value::from(recording));
    let state = status.state.name();
    format!(
        r#"{{"state":"{state}","cause":{cause},"viewers":{n_viewers},"recording":{recording}}}"#
    )
}

/// Whether something moves.
pub(super) fn is_moving(camera: &Camera) -> Option<bool> {
    camera.motion.as_ref().map(Motion::status).map(|status| status.is_moving)
}

pub(super) fn on_off(is_on: bool) -> &'static str {
    if is_on { "ON" } else { "OFF" }
}
