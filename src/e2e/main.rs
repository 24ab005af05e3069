//! Black-box tests: the real executable, over real sockets, with the programs
//! that people use. This file is the contents page.
#![allow(clippy::unwrap_used, reason = "in a test a surprise is a failure, with a line number")]
#![allow(clippy::print_stderr, reason = "the log of the daemon belongs to a failed test")]

// What the tests work with: daemon, client, pictures, browser.
mod support;

// Options, environment, help, usage errors, exit codes, first log lines.
mod cli;
// Several addresses, and Unix sockets.
mod listening;
// Command lines of uStreamer and mjpg-streamer, under their names.
mod drop_in;
// Real clients of both: OctoPrint, Moonraker, Home Assistant, motion.
mod real_clients;
// `mjpegd doctor`: what it finds, and what it says helps.
mod doctor;
// What version 0.1 left: its configuration, its recording.
mod upgrade;
// Stopping: signals, and how long it takes.
mod stop;

// Readiness, and viewers that leave before the program ends.
mod drain;
// Proxies that say for whom they ask.
mod proxied;
// The page behind a balancer, and heartbeats.
mod balanced;

// The bytes of both stream layouts, and which client gets which.
mod stream;
// Which frames a viewer gets: none twice, and each skipped one is counted.
mod frames;
// Seats: how many may watch, what the next client gets, when a seat becomes
// free.
mod seats;
// Snapshots: from a running camera, from one that is off, and errors.
mod snapshot;
// Pictures that are smaller, coarser or grey for those who ask.
mod variants;
// /status, /state and /metrics, and whether their figures add up.
mod status;
// Several cameras: names, numbers, the configuration file.
mod cameras;
// SIGHUP: the configuration file is read again, or the terminal was closed.
mod reload;
// The camera is on only while a client reads its frames.
mod lifecycle;
// A camera that is lost and found again while viewers watch.
mod lost;
// Pictures that are rotated and flipped.
mod turned;
// Events: the list, the stream, the files beside the recording.
mod events;
// Commands and a server that get events.
mod hooks;
// A broker of MQTT: events, states, pictures, and what Home Assistant finds there.
#[cfg(feature = "mqtt")]
mod mqtt;
#[cfg(feature = "mqtt")]
mod mqtt_faults;
// Motion in pictures of a known truth.
mod motion;
// Folders that other programs put pictures into.
mod folders;
// Commands as cameras.
mod exec;
// Real servers of other projects as cameras.
mod foreign;
// Relays: daemons whose camera is another daemon.
mod relay;
// Files for other engines, and many relays behind them. Only in make test-fleet.
mod fleet;
// Fake servers as cameras: every dialect, every fault.
mod servers;
// Servers whose headers and bodies contradict each other.
mod odd_servers;
// Pictures of phones and odd cameras.
mod odd_pictures;
// The text over pictures.
mod overlay;
// Heads and chunks of servers' answers, as cameras send them.
mod heads;
// Cameras at https addresses.
#[cfg(feature = "https")]
mod https;
// Logins that cameras ask for with 401.
mod logins;
// Methods, paths, queries and headers that work alike for every request.
mod http;
// Clients of the field: addresses typed a little wrong, supervisors, programs
// that reconnect without end, daemons that relay a lost camera.
mod clients;
// Requests that change something: their bodies, and from which web pages they
// are accepted.
mod change;
// Addresses and bodies as mjpg-streamer has them.
mod mjpg_streamer;
// Addresses and bodies as uStreamer has them.
mod ustreamer;
// Hostile clients: silent, slow, endless, many.
mod abuse;
// mjpegd probe and mjpegd grab.
mod tools;
// Passwords.
mod auth;
// Secrets in addresses and commands, which nothing shows.
mod secrets;
// Systems that lack something, files of Windows, clocks that are wrong.
mod operation;
// All kinds of clients, again and again: no memory, thread or descriptor leaks.
mod soak;
// One heap for all threads.
mod heap;
// The daemon's system calls.
mod syscalls;
// Players: the programs that people watch streams with.
mod players;
// What make install puts where.
mod install;
// What is reported to systemd, and the sockets that it opens.
mod supervisor;
// The units under a real systemd.
mod real_systemd;
// Kernels of 2013, as vendors of boards ship them.
mod old_kernel;
// What make asks for before it builds.
mod need;
// Recordings on disk, which a kill at any moment leaves intact.
mod record_on;
mod recording;
// Playback of recordings: streams, pictures and lists.
mod playback;
// Downloads of recordings.
mod download;
// What an archive needs: segments handed to a command, replies that may be kept.
mod archive;
// Disks that are full, read-only or missing.
mod recording_faults;
// The page, in a real browser.
mod page;
// The stream that begins before the page's scripts are there.
mod page_early;
// Smaller pictures on the page, in a real browser.
mod page_smaller;
// Motion and events on the page, in a real browser.
mod page_motion;
// Its configurations of other programs, and the buttons that copy them.
mod page_programs;
// All cameras on one page, in a real browser.
mod grid;
// Playback on the page, in a real browser.
mod page_playback;
// The timeline of the page: wheel, keys, fingers, and its requests.
mod page_timeline;

// README and the guide: each option, targets of make, links.
mod guide;
// The room table in lib.rs: which module may import which; what a user of the
// library alone compiles.
mod layout;
