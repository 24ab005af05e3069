//! Black-box tests: the real executable, over real sockets, with the programs
//! that people use. Each `mod` below is a chapter.
#![allow(clippy::unwrap_used, reason = "in a test a surprise is a failure, with a line number")]
#![allow(clippy::print_stderr, reason = "what the daemon said belongs to a failure")]

// The tools: daemon, client, pictures, browser.
mod support;

// Options, environment, help, errors of usage, exit codes, first log lines.
mod cli;
// The order to stop: signals, and how soon.
mod stop;

// The bytes of both layouts, and what chooses between them.
mod stream;
// Which frames a viewer gets: none twice, none lost without being counted.
mod frames;
// Seats: how many may watch, what the next one is told, how a seat gets free.
mod seats;
// One picture: fresh, cold, or why not.
mod snapshot;
// /status, /state, /metrics, and that their figures add up.
mod status;
// Several cameras: names, numbers, the file.
mod cameras;
// SIGHUP: the file is read again, or the terminal is gone.
mod reload;
// The camera is on only while somebody reads.
mod lifecycle;
// A camera that is lost and comes back, while people watch.
mod lost;
// Commands as cameras.
mod exec;
// Servers of others as cameras, the real ones.
mod foreign;
// Daemons that watch daemons.
mod relay;
// Other servers as cameras.
mod servers;
// Those that do not keep to what they say.
mod odd_servers;
// Pictures of phones and odd cameras.
mod odd_pictures;
// Methods, paths, queries, headers: what every request may count on.
mod http;
// Requests that change something: their bodies, and who may send them.
mod change;
// Clients that are not meant well: silent, slow, endless, many.
mod abuse;
// mjpegd probe and mjpegd grab.
mod tools;
// Passwords.
mod auth;
// All of that at once and over again: nothing is left behind.
mod soak;
// Memory for all threads.
mod heap;
// What the daemon asks of the kernel.
mod syscalls;
// Programs that people play streams with.
mod players;
// What is on disk, and that a kill at any moment leaves it whole.
mod recording;
// Recordings as streams, pictures and lists.
mod playback;
// Recordings as files.
mod download;
// Disks that are full, read-only or not there.
mod recording_faults;
// The page, in a real browser.
mod page;
// All cameras on one page, in a real browser.
mod grid;
// The recording on the page, in a real browser.
mod timeline;
// Its strip of time: wheel, keys, fingers, and what it asks for.
mod strip;

// The room table in lib.rs, guarded.
mod layout;
