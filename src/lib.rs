//! Reads the Motion JPEG stream of any camera server, frame by frame:
//!
//! ```
//! # use std::io::{Read, Write};
//! # let server = std::net::TcpListener::bind("127.0.0.1:0")?;
//! # let url = format!("http://{}/stream", server.local_addr()?);
//! # let thread = std::thread::spawn(move || -> std::io::Result<()> {
//! #     let (mut viewer, _) = server.accept()?;
//! #     viewer.read(&mut [0; 1024])?;
//! #     viewer.write_all(b"HTTP/1.1 200 OK\r\n\
//! #         Content-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n--frame\r\n")?;
//! #     for n in 1..=3 {
//! #         viewer.write_all(b"Content-Length: 5\r\n\r\n\xFF\xD8")?;
//! #         viewer.write_all(&[n])?;
//! #         viewer.write_all(b"\xFF\xD9\r\n--frame\r\n")?;
//! #     }
//! #     viewer.read(&mut [0; 1024]).map(drop)
//! # });
//! # let mut numbers = Vec::new();
//! use mjpegd::client::Client;
//!
//! // Such as "http://camera.local:5000/stream".
//! for frame in Client::new(&url)?.frames() {
//!     match frame {
//!         Ok(frame) => {
//!             println!("frame {} has {} bytes", frame.number(), frame.jpeg().len());
//! #           numbers.push(frame.jpeg()[2]);
//!             if frame.number() == 3 {
//!                 break;
//!             }
//!         }
//!         // The next turn connects again, after a pause.
//!         Err(error) => eprintln!("no frame: {error}"),
//!     }
//! }
//! # assert_eq!(numbers, [1, 2, 3]);
//! # thread.join().expect("the server does not panic")?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! The module [`client`] is the library. The rest of this package is the
//! camera server `mjpegd`, a program for small boards that shows cameras live,
//! as Motion JPEG over plain HTTP. A dependency with `default-features = false`
//! does not compile it.
//!
//! | feature | what it adds |
//! | --- | --- |
//! | `daemon` (default) | the server: V4L2, a command line, a listener |
//! | `mqtt` (default) | the server's publisher for an MQTT broker |
//! | `https` | streams and cameras at `https://` addresses, and brokers at `mqtts://` |
//!
//! # How the server works
//!
//! ```text
//! camera -> capture -> slot -> viewer (an HTTP stream, a snapshot)
//!                           -> variant (a smaller picture) -> a slot of its own -> viewer
//!                           -> recorder -> segments on disk -> playback -> viewer
//!                           -> motion -> events -> hooks (commands, a webhook), MQTT
//! ```
//!
//! Frames go one way, one at a time. Only three things go back: the time of the
//! last read, so that capture can close the camera; settings of the camera's
//! controls; and the order to stop.
//!
//! | room | holds |
//! | --- | --- |
//! | `frame` | one immutable JPEG with its wire bytes around it; the wire's strings |
//! | `slot` | the newest frame; all readers of a camera wait here |
//! | `shutdown` | the order to stop, which ends every sleep |
//! | `local_time` | times in the time zone of the machine |
//! | `threads`, `short_sort` | starts threads; sorts short lists |
//! | `rate`, `log_limit` | events a second; a limit on lines that repeat |
//! | `back_off` | the pause before the next try |
//! | `log_queue` | the log's way out, which never blocks the one who logs |
//! | `events` | what happened, when, at which camera; those who emit never wait |
//! | `by_name` | figures with their names, as JSON |
//! | `percent` | `%XX` in addresses |
//! | `secrets` | what must not be shown, hidden in texts |
//! | `instance` | who this process is, for a daemon that meets its own stream |
//! | `url`, `trust` | addresses of other servers, with passwords hidden in texts; which certificates are accepted |
//! | `config` | the command line and the file, checked; the scope of each option |
//! | `reexec` | this program, started again in the same process |
//! | `heap` | one heap for all threads |
//! | `children` | the processes started here; orphans reaped where this is process 1 |
//! | `notify` | what is reported to systemd, and what it asks for |
//! | `command` | a command line in a process group of its own, and what it says |
//! | `panics` | panics counted |
//! | `open_files` | the limit of open files |
//! | `processes` | who has a device or a port |
//! | `jpeg` | markers: check, split, missing tables; raw pictures to JPEG, and JPEGs turned, labelled or made smaller, by the package in `src/jpeg_codec` |
//! | `multipart` | a parser for the parts of any server's stream, in pieces of any size |
//! | `fetch` | GET from another server, which a shutdown can interrupt; heads, chunks and logins as cameras send them |
//! | `hooks` | commands and a server that get events |
//! | `pictures` | the frames in the answer: parts, JPEGs one after the other, a single JPEG |
//! | `text` | text as pixels, in a font of strokes, at any size |
//! | `mode`, `controls` | what a camera set itself to, and its controls, as plain values |
//! | `camera` | the traits for drivers and their controls, and one file for each driver |
//! | `capture` | the thread that reads a camera while somebody watches; turns, labels and filters its pictures |
//! | `motion` | finds what moves, in the means of blocks of each JPEG, by the package in `src/motion_detector` |
//! | `variants` | pictures of a camera made smaller, coarser or grey for those who ask |
//! | `recording` | recorder (writes), store (finds), cleaner (deletes), playback (reads), export |
//! | `cameras` | the cameras of this daemon, by name |
//! | `mqtt` | publishes events, states and pictures to an MQTT broker, where Home Assistant finds the cameras |
//! | `http` | from the listener to the replies, in four storeys; its table of addresses is `http/routes.rs` |
//! | `daemon` | builds these parts, starts them, stops them in reverse |
//! | [`client`] | the library: every frame of a stream, or always the newest |
//! | `cli` | the program: subcommands, command lines of other programs, signals, log, exit codes |
//! | `fuzz` | in tests: random bytes for everything that reads bytes from outside |
//! | [`guide`] | in the documentation: install, options, addresses, events, design, ... |
//!
//! A room knows only the rooms above it in this table. A driver never sees the
//! slot, the slot never sees HTTP, HTTP never sees a driver.
//!
//! The words that the code uses are explained in [`guide::glossary`].

#![cfg_attr(
    not(feature = "daemon"),
    allow(dead_code, unused_imports, reason = "the client uses a part of each shared room")
)]

mod back_off;
#[cfg(feature = "daemon")]
mod by_name;
#[cfg(feature = "daemon")]
mod camera;
#[cfg(feature = "daemon")]
mod cameras;
#[cfg(feature = "daemon")]
mod capture;
#[cfg(feature = "daemon")]
mod children;
#[cfg(feature = "daemon")]
pub mod cli;
pub mod client;
#[cfg(feature = "daemon")]
mod command;
#[cfg(feature = "daemon")]
mod config;
#[cfg(feature = "daemon")]
mod controls;
#[cfg(feature = "daemon")]
mod daemon;
#[cfg(feature = "daemon")]
mod events;
mod fetch;
mod frame;
#[cfg(test)]
#[cfg(feature = "daemon")]
mod fuzz;
// Only for rustdoc, so that an edit of a text does not rebuild the program.
#[cfg(doc)]
pub mod guide;
#[cfg(feature = "daemon")]
mod heap;
#[cfg(feature = "daemon")]
mod hooks;
#[cfg(feature = "daemon")]
mod http;
mod instance;
mod jpeg;
#[cfg(feature = "daemon")]
mod local_time;
#[cfg(feature = "daemon")]
mod log_limit;
#[cfg(feature = "daemon")]
mod log_queue;
#[cfg(feature = "daemon")]
mod mode;
#[cfg(feature = "daemon")]
mod motion;
#[cfg(feature = "daemon")]
#[cfg_attr(not(feature = "mqtt"), path = "mqtt/without.rs")]
mod mqtt;
mod multipart;
#[cfg(feature = "daemon")]
mod notify;
#[cfg(feature = "daemon")]
mod open_files;
#[cfg(feature = "daemon")]
mod panics;
mod percent;
mod pictures;
#[cfg(feature = "daemon")]
mod processes;
#[cfg(feature = "daemon")]
mod rate;
#[cfg(feature = "daemon")]
mod recording;
#[cfg(feature = "daemon")]
mod reexec;
mod secrets;
mod short_sort;
mod shutdown;
#[cfg(feature = "daemon")]
mod slot;
#[cfg(feature = "daemon")]
mod text;
mod threads;
mod trust;
mod url;
#[cfg(feature = "daemon")]
mod variants;
