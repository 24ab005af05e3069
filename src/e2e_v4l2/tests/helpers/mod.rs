//! What the tests work with: the two kinds of camera, viewers, v4l2-ctl as the reference, and CPU time.

// Captures with v4l2-ctl that go on beside a test.
pub(crate) mod background;
// The picture that vivid draws.
pub(crate) mod bars;
// Captures with v4l2-ctl.
pub(crate) mod capture;
// The CPU time of a server in the guest.
pub(crate) mod cpu;
// The USB webcam: plug in, set a fault, unplug.
pub(crate) mod usb;
// HTTP clients outside the machine.
pub(crate) mod viewer;
// The virtual cameras of the vivid driver.
pub(crate) mod vivid;
