//! Frames: reads the pictures, paces them at the negotiated rate, and divides them among the transfers that the host
//! has queued.
//!
//! Called by `main`. Of USB/IP messages it knows only the number, the length and the reply of a transfer.

use super::damage::Mode;
use super::formats::FORMATS;
use super::isochronous;
use super::negotiation::Choice;
use super::usbip::{Cable, Submit};
use std::collections::{HashMap, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// This bit toggles with each frame, which shows the host where a frame begins.
const FRAME_ID: u8 = 0x01;
/// The number of frames that the camera buffers while the host is slow. An emulated machine pauses for 100 ms or more
/// when code runs for the first time, which must not look like a camera that loses frames.
const FIFO_FRAMES: usize = 8;
/// Bytes of the payload header: its length and its flags. Clocks are optional and left out.
const HEADER_BYTES: u8 = 2;

/// The pictures and the stream of the camera.
pub(crate) struct Streaming {
    /// MJPEG pictures by their size's folder name, in the order of their file names.
    pictures: HashMap<String, Vec<Vec<u8>>>,
    mode_file: PathBuf,
    choice: Option<Choice>,
    /// When the next frame is due. None until the host queues its first transfer.
    due: Option<Instant>,
    /// Frames since the commit, including lost ones: like a real sensor, the camera does not wait for the host.
    tick: usize,
    n_lost: usize,
    frame_id: u8,
    /// Frames with their headers, oldest first, and how much of the first one is sent.
    fifo: VecDeque<Vec<u8>>,
    n_sent_bytes: usize,
    /// Transfers that wait for bytes.
    waiting: VecDeque<Submit>,
}

impl Streaming {
    /// Reads `DIR/640x480/*` and so on, for each size that MJPEG is offered in.
    pub(crate) fn new(folder: &Path, mode_file: PathBuf) -> io::Result<Self> {
        let mut pictures = HashMap::new();
        for size in
            FORMATS.iter().filter(|format| format.compressed).flat_map(|format| format.sizes)
        {
            let path = folder.join(size.folder());
            pictures.insert(size.folder(), read_pictures(&path)?);
        }
        Ok(Self {
            pictures,
            mode_file,
            choice: None,
            due: None,
            tick: 0,
            n_lost: 0,
            frame_id: 0,
            fifo: VecDeque::new(),
            n_sent_bytes: 0,
            waiting: VecDeque::new(),
        })
    }

    pub(crate) fn start(&mut self, choice: Choice) {
        self.choice = Some(choice);
        self.due = None;
        self.fifo.clear();
        (self.tick, self.n_lost, self.n_sent_bytes) = (0, 0, 0);
    }

    /// Ends the stream and returns its summary, or `None` if there was no stream.
    pub(crate) fn stop(&mut self) -> Option<String> {
        self.choice.take()?;
        self.due = None;
        self.fifo.clear();
        self.n_sent_bytes = 0;
        Some(format!("{} frames, {} lost", self.tick, self.n_lost))
    }

    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.due
    }

    /// Takes a transfer that the host wants filled.
    pub(crate) fn queue(&mut self, transfer: Submit) {
        self.waiting.push_back(transfer);
        if self.choice.is_some() && self.due.is_none() {
            self.due = Some(Instant::now());
        }
    }

    /// Removes a transfer. `false` if it is not waiting here.
    pub(crate) fn cancel(&mut self, seqnum: u32) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|transfer| transfer.seqnum != seqnum);
        self.waiting.len() < before
    }

    /// Makes a frame if one is due, and sends what fits into the waiting transfers.
    pub(crate) fn work(&mut self, cable: &mut Cable) -> io::Result<()> {
        if let (Some(choice), Some(due)) = (self.choice, self.due)
            && Instant::now() >= due
        {
            self.due = Some(due + Duration::from_secs(1) / choice.fps);
            self.make_frame(choice)?;
        }
        while let Some(payload) = self.fifo.front() {
            let Some(transfer) = self.waiting.pop_front() else {
                break;
            };
            let is_whole = if transfer.packets.is_empty() {
                let rest = &payload[self.n_sent_bytes..];
                let chunk = transfer.length.min(rest.len());
                cable.send(transfer.seqnum, &rest[..chunk])?;
                self.n_sent_bytes += chunk;
                // A transfer that is not full ends the payload, so an exact fit needs an empty transfer after it.
                chunk < transfer.length
            } else {
                let (header, frame) = payload.split_at(usize::from(HEADER_BYTES));
                let rest = &frame[self.n_sent_bytes..];
                let packets = isochronous::cut(header, rest, &transfer.packets);
                cable.send_packets(&transfer, &packets)?;
                let n_bytes = packets.iter().map(|packet| packet.len() - header.len());
                self.n_sent_bytes += n_bytes.sum::<usize>();
                self.n_sent_bytes == frame.len()
            };
            if is_whole {
                self.fifo.pop_front();
                self.n_sent_bytes = 0;
            }
        }
        Ok(())
    }

    fn make_frame(&mut self, choice: Choice) -> io::Result<()> {
        let tick = self.tick;
        self.tick += 1;
        let mode = Mode::read(&self.mode_file).map_err(io::Error::other)?;
        if mode == Mode::Stall {
            return Ok(());
        }
        if self.fifo.len() == FIFO_FRAMES {
            self.n_lost += 1;
            return Ok(());
        }
        self.frame_id ^= FRAME_ID;
        let mut payload = vec![HEADER_BYTES, mode.header_flags() | self.frame_id];
        if choice.format().compressed {
            let pictures = &self.pictures[&choice.size().folder()];
            payload.extend(mode.spoil(&pictures[tick % pictures.len()]));
        } else {
            payload.extend(mode.spoil(&grey_ramp(choice.size().width, choice.size().height, tick)));
        }
        self.fifo.push_back(payload);
        Ok(())
    }
}

fn read_pictures(folder: &Path) -> io::Result<Vec<Vec<u8>>> {
    let name = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = fs::read_dir(folder)
        .map_err(name)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    let pictures: Vec<_> = paths.iter().map(fs::read).collect::<Result<_, _>>()?;
    if pictures.is_empty() {
        return Err(io::Error::other(format!(
            "{} is empty: at least one JPEG would be right",
            folder.display()
        )));
    }
    Ok(pictures)
}

/// A YUYV picture that a test can predict: luma is (column + frame) modulo 256, without colour.
fn grey_ramp(width: u16, height: u16, tick: usize) -> Vec<u8> {
    let row: Vec<u8> =
        (0..usize::from(width)).flat_map(|x| [(x + tick).to_le_bytes()[0], 128]).collect();
    row.repeat(usize::from(height))
}
