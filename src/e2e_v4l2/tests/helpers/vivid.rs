//! The virtual cameras of the vivid driver: raw formats of every kind, a known test picture, and faults on demand.
//!
//! Called by the tests. Reference: the kernel's Documentation/admin-guide/media/vivid.rst.

use crate::machine::Machine;
use std::time::Duration;

const DRIVER: &str = "/sys/bus/platform/drivers/vivid";
/// All cameras belong to one platform device.
const PLATFORM_DEVICE: &str = "vivid.0";
const BIND_DEADLINE: Duration = Duration::from_secs(60);

/// One of the three cameras that `guest/init` makes.
#[derive(Clone, Copy)]
pub(crate) struct Vivid<'m> {
    machine: &'m Machine,
    name: &'static str,
}

impl<'m> Vivid<'m> {
    /// The camera with the single-planar API, which most programs use.
    pub(crate) fn single_planar(machine: &'m Machine) -> Self {
        Self { machine, name: "vivid-000-vid-cap" }
    }

    /// The camera that has multi-planar formats only.
    pub(crate) fn multi_planar(machine: &'m Machine) -> Self {
        Self { machine, name: "vivid-001-vid-cap" }
    }

    /// The camera with the single-planar API that has four inputs, of which only the first is a webcam's.
    pub(crate) fn with_inputs(machine: &'m Machine) -> Self {
        Self { machine, name: "vivid-002-vid-cap" }
    }

    /// The current node, such as `/dev/video0`.
    pub(crate) fn device(self) -> String {
        let script = format!(
            "grep -lx {} /sys/class/video4linux/*/name | sed 's,.*/\\(video[0-9]*\\)/name,/dev/\\1,'",
            self.name
        );
        self.machine.sh(&script)
    }

    /// Sets a control by its v4l2-ctl name. Faults are buttons and switches, such as `inject_vidioc_reqbufs_error=1`.
    pub(crate) fn set(self, control: &str, value: i64) {
        self.machine.sh(&format!("v4l2-ctl -d {} -c {control}={value}", self.device()));
    }

    /// Unbinds all cameras from their driver. Their nodes vanish, as after an unplug.
    pub(crate) fn unbind(self) {
        self.machine.sh(&format!("echo {PLATFORM_DEVICE} >{DRIVER}/unbind"));
        self.machine.wait_for(
            "the end of vivid",
            BIND_DEADLINE,
            "! grep -l vivid /sys/class/video4linux/*/name",
        );
    }

    /// Binds them again, with all controls at their defaults. The nodes may have other numbers.
    pub(crate) fn bind(self) {
        self.machine.sh(&format!("echo {PLATFORM_DEVICE} >{DRIVER}/bind"));
        let script = format!("[ -e $(grep -lx {} /sys/class/video4linux/*/name) ]", self.name);
        self.machine.wait_for("vivid", BIND_DEADLINE, &script);
    }
}
