//! A USB webcam without hardware: runs in the test machine and plugs itself into the kernel's virtual USB controller.
//!
//! `usb_webcam --frames DIR --mode FILE --port N --product NAME --serial TEXT
//! --endpoint bulk|isochronous` is started by `tests/helpers/usb.rs`. The stock
//! uvcvideo driver binds to it. DIR has a folder of JPEGs per size (`640x480`, `1280x720`), served in order of their
//! names. FILE holds one word, see `damage`. Each action of the host is printed as a line: `probe`,
//! `commit MJPG 640x480 30 fps`, `set brightness 20`, `stop 31 frames, 0 lost`. Ending the process is an unplug.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the output is the log that the tests read"
)]

mod controls;
mod damage;
mod descriptors;
mod formats;
mod isochronous;
mod negotiation;
mod streaming;
mod usbip;

use controls::Controls;
use damage::{Mode, SLOW};
use descriptors::{Endpoint, Strings, VIDEO_ENDPOINT, descriptor};
use negotiation::Negotiation;
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use streaming::Streaming;
use usbip::{Cable, Request, Submit};

const OPTIONS: [&str; 6] = ["--frames", "--mode", "--port", "--product", "--serial", "--endpoint"];

/// How often the end of mode `slow` is looked for.
const LOOK: Duration = Duration::from_millis(10);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("usb_webcam: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<()> {
    let mut options = options()?;
    let mut take = |name: &str| {
        options.remove(name).ok_or_else(|| io::Error::other(format!("{name} is missing")))
    };
    let port = take("--port")?
        .parse()
        .map_err(|_| io::Error::other("--port takes a number from 0 to 7"))?;
    let endpoint = match take("--endpoint")?.as_str() {
        "bulk" => Endpoint::Bulk,
        "isochronous" => Endpoint::Isochronous,
        _ => return Err(io::Error::other("--endpoint takes bulk or isochronous")),
    };
    let mode_file = PathBuf::from(take("--mode")?);
    let mut camera = Camera {
        streaming: Streaming::new(&PathBuf::from(take("--frames")?), mode_file.clone())?,
        strings: Strings {
            vendor: "mjpegd".into(),
            product: take("--product")?,
            serial: take("--serial")?,
        },
        controls: Controls::new(),
        negotiation: Negotiation::new(endpoint),
        endpoint,
        mode_file,
        held: None,
    };
    camera.serve(&mut Cable::plug_in(port)?)
}

fn options() -> io::Result<HashMap<String, String>> {
    let mut found = HashMap::new();
    let mut words = std::env::args().skip(1);
    while let Some(name) = words.next() {
        let value = words.next().filter(|_| OPTIONS.contains(&name.as_str()));
        let value = value.ok_or_else(|| {
            io::Error::other(format!("{name}: one of {OPTIONS:?} with a value is right"))
        })?;
        found.insert(name, value);
    }
    Ok(found)
}

/// The device: its parts, and the dispatch of requests to them, in one thread.
struct Camera {
    endpoint: Endpoint,
    strings: Strings,
    controls: Controls,
    negotiation: Negotiation,
    streaming: Streaming,
    mode_file: PathBuf,
    /// A change of a control that is not answered yet, and until when.
    held: Option<(Submit, Instant)>,
}

/// How a control transfer ends.
enum Reply {
    Data(Vec<u8>),
    Done,
    /// Later; meanwhile other requests are answered.
    Held,
    Stall,
    /// The error comes from the host controller, not from the camera.
    NoBandwidth,
}

impl Camera {
    /// Returns when the host has unplugged the device.
    fn serve(&mut self, cable: &mut Cable) -> io::Result<()> {
        loop {
            let look = self.held.is_some().then(|| Instant::now() + LOOK);
            if cable.wait(look.or(self.streaming.next_due()))? {
                match cable.receive()? {
                    None => return Ok(()),
                    Some(Request::Settled) => {}
                    Some(Request::Unlink { seqnum, victim }) => {
                        let held = self.held.take_if(|(transfer, _)| transfer.seqnum == victim);
                        let pending = self.streaming.cancel(victim) || held.is_some();
                        cable.unlinked(seqnum, pending)?;
                    }
                    Some(Request::Submit(transfer)) if transfer.endpoint == VIDEO_ENDPOINT => {
                        self.streaming.queue(transfer);
                    }
                    Some(Request::Submit(transfer)) => self.answer(transfer, cable)?,
                }
            }
            let is_slow = self.held.is_some() && self.mode()? == Mode::Slow;
            let held = self.held.take_if(|(_, until)| !is_slow || Instant::now() >= *until);
            if let Some((transfer, _)) = held {
                cable.accept(transfer.seqnum, transfer.data.len())?;
            }
            self.streaming.work(cable)?;
        }
    }

    fn answer(&mut self, transfer: Submit, cable: &mut Cable) -> io::Result<()> {
        match self.control(&transfer)? {
            Reply::Data(data) => {
                cable.send(transfer.seqnum, &data[..data.len().min(transfer.length)])
            }
            Reply::Done => cable.accept(transfer.seqnum, transfer.data.len()),
            Reply::Held => {
                // The kernel sends the next change when this one is answered.
                self.held = Some((transfer, Instant::now() + SLOW));
                Ok(())
            }
            Reply::Stall => cable.stall(transfer.seqnum),
            Reply::NoBandwidth => cable.refuse_bandwidth(transfer.seqnum),
        }
    }

    /// Dispatches a control transfer by its setup packet: type, request, value, index.
    fn control(&mut self, transfer: &Submit) -> io::Result<Reply> {
        let [kind, request, value_low, value_high, interface, entity, ..] = transfer.setup;
        let data = |bytes: Option<Vec<u8>>| bytes.map_or(Reply::Stall, Reply::Data);
        Ok(match (kind, request) {
            // GET_DESCRIPTOR of the device.
            (0x80, 6) => data(descriptor(value_high, value_low, &self.strings, self.endpoint)),
            // GET_STATUS: bus-powered, no halt.
            (0x80..=0x82, 0) => Reply::Data(vec![0, 0]),
            // CLEAR_FEATURE(HALT) of the endpoint: uvcvideo ends a bulk stream with it, as Windows does.
            (0x02, 1) => self.stop(),
            // SET_CONFIGURATION: there is only one.
            (0x00, 9) => Reply::Done,
            // SET_INTERFACE: alternate setting 0 ends an isochronous stream, another one claims its bandwidth.
            (0x01, 11) if value_low == 0 => self.stop(),
            (0x01, 11) if value_low > 1 && self.mode()? == Mode::Crowded => {
                println!("no bandwidth for setting {value_low}");
                Reply::NoBandwidth
            }
            (0x01, 11) => Reply::Done,
            // Class requests to the control interface, 0, and to the streaming interface, 1.
            (0xa1, _) if interface == 0 => data(self.controls.get(request, entity, value_high)),
            (0xa1, _) => data(self.negotiation.get(request, value_high)),
            (0x21, _) if interface == 0 => {
                let mode = self.mode()?;
                let refuses = mode == Mode::Refuse;
                match self.controls.set(request, entity, value_high, &transfer.data, refuses) {
                    Some(change) => {
                        println!("set {change}");
                        if mode == Mode::Slow { Reply::Held } else { Reply::Done }
                    }
                    None => Reply::Stall,
                }
            }
            (0x21, _) => match self.negotiation.set(value_high, &transfer.data) {
                Ok(committed) => {
                    match committed {
                        Some(choice) => {
                            println!("commit {}", choice.describe());
                            self.streaming.start(choice);
                        }
                        None => println!("probe"),
                    }
                    Reply::Done
                }
                Err(()) => Reply::Stall,
            },
            _ => Reply::Stall,
        })
    }

    fn mode(&self) -> io::Result<Mode> {
        Mode::read(&self.mode_file).map_err(io::Error::other)
    }

    fn stop(&mut self) -> Reply {
        if let Some(summary) = self.streaming.stop() {
            println!("stop {summary}");
        }
        Reply::Done
    }
}
