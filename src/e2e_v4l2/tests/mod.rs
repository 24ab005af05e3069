//! The tests on real drivers, from the machine itself to the daemon and its page.

// The cameras, the viewers and the measurements that the tests work with.
mod helpers;

// The machine boots and has the cameras that the other tests rely on.
mod machine;
// The USB webcam without the daemon: a working one, then each of its faults.
mod usb;
mod usb_faults;
// The raw formats and the faults of vivid, without the daemon.
mod vivid;

// The daemon on the webcam, and on vivid.
mod daemon;
mod daemon_twins;
// What `mjpegd doctor` says of the webcam.
mod daemon_doctor;
mod daemon_vivid;
// Multi-planar formats; inputs, and the signals that come into them.
mod daemon_planes;
mod daemon_signal;
// Large snapshots beside a small stream.
mod daemon_stills;
// JPEGs that an encoder in hardware makes of raw pictures.
mod daemon_encoder;
// The controls that the daemon lists and sets, and the page's panel for them in a real browser.
mod daemon_controls;
mod daemon_panel;
// A webcam on a USB bus without free bandwidth.
mod bandwidth;
// uStreamer on the same camera, for comparison.
mod ustreamer;
// What it takes beside this program, in instructions.
mod beside_ustreamer;
// On an emulated board: what recording costs, and what a power cut loses.
mod board;
// The programs for boards, on stock ARM kernels.
mod arm;
