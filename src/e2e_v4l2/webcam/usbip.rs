//! USB/IP, the device's side: plugs a device into the kernel's virtual host controller and carries its URBs.
//!
//! Called by `main` only. It works for any device: it passes requests in and replies out. Layout of the messages: the
//! kernel's Documentation/usb/usbip_protocol.rst. All numbers are big-endian.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::HashMap;
use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

const CONTROLLER: &str = "/sys/devices/platform/vhci_hcd.0";
const HEADER_BYTES: usize = 48;
const CMD_SUBMIT: u32 = 1;
const CMD_UNLINK: u32 = 2;
const RET_SUBMIT: u32 = 3;
const RET_UNLINK: u32 = 4;
/// `enum usb_device_speed`: ports 0 to 7 of the controller have this speed.
const HIGH_SPEED: u32 = 3;
/// `VDEV_ST_NULL` in the controller's `status` file: nothing is plugged in.
const PORT_FREE: &str = "004";
/// The kernel needs some milliseconds to clear a port after an unplug. Much longer means that the port is in use.
const PORT_DEADLINE: Duration = Duration::from_secs(60);
/// The reply to an unknown request: a USB stall, which Linux calls EPIPE.
const EPIPE: i32 = -32;
/// The status of a cancelled URB.
const ECONNRESET: i32 = -104;
/// Linux's error for a bus without bandwidth for another isochronous stream.
const ENOSPC: i32 = -28;
/// Bytes that describe one packet of an isochronous transfer: offset, length, actual length, status.
const PACKET_BYTES: usize = 16;

/// One transfer of the host: a read of at most `length` bytes, or a write of `data`.
pub(crate) struct Submit {
    pub(crate) seqnum: u32,
    pub(crate) endpoint: u32,
    pub(crate) length: usize,
    pub(crate) setup: [u8; 8],
    pub(crate) data: Vec<u8>,
    /// The size of each packet of an isochronous transfer. Empty for other kinds.
    pub(crate) packets: Vec<usize>,
}

/// A message of the host.
pub(crate) enum Request {
    Submit(Submit),
    /// Cancels the transfer `victim`. The reply goes to `seqnum`.
    Unlink {
        seqnum: u32,
        victim: u32,
    },
    /// A message that the cable has handled itself.
    Settled,
}

/// The cable: one end of a socket whose other end the kernel holds. Closing it is an unplug.
pub(crate) struct Cable {
    socket: UnixStream,
    /// The number of the newest transfer. Numbers increase.
    newest: u32,
    /// Unlinks that came before their transfer, by the number of the transfer.
    early: HashMap<u32, u32>,
}

impl Cable {
    /// Plugs the device into `port`. Blocks until the port is free, at most `PORT_DEADLINE`.
    pub(crate) fn plug_in(port: u32) -> io::Result<Self> {
        wait_until_free(port)?;
        let (ours, kernels) = UnixStream::pair()?;
        // The device number only has to be different for each port.
        let device_id = 0x1_0001 + port;
        let order = format!("{port} {} {device_id} {HIGH_SPEED}", kernels.as_raw_fd());
        let attach = format!("{CONTROLLER}/attach");
        fs::write(&attach, &order)
            .map_err(|e| io::Error::other(format!("writing '{order}' to {attach}: {e}")))?;
        // The kernel now holds the socket itself. Dropping `kernels` makes it the only owner, so this end sees when the
        // kernel closes it.
        Ok(Self { socket: ours, newest: 0, early: HashMap::new() })
    }

    /// Blocks until the host has sent something (`true`) or `until` has come (`false`). Without `until` it blocks for
    /// ever.
    pub(crate) fn wait(&self, until: Option<Instant>) -> io::Result<bool> {
        let timeout = until.map(|at| {
            let left = at.saturating_duration_since(Instant::now());
            Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() }
        });
        let mut fds = [PollFd::new(&self.socket, PollFlags::IN)];
        Ok(poll(&mut fds, timeout.as_ref())? > 0)
    }

    /// Blocks for the next request. `None` means that the host has unplugged the device.
    ///
    /// The kernel can send an unlink before its transfer, if a transfer is resubmitted while the stream stops. An
    /// immediate reply would race with that transfer, so the reply waits until the transfer has come.
    pub(crate) fn receive(&mut self) -> io::Result<Option<Request>> {
        match self.read()? {
            Some(Request::Unlink { seqnum, victim }) if victim > self.newest => {
                self.early.insert(victim, seqnum);
                Ok(Some(Request::Settled))
            }
            Some(Request::Submit(transfer)) => {
                self.newest = transfer.seqnum;
                match self.early.remove(&transfer.seqnum) {
                    None => Ok(Some(Request::Submit(transfer))),
                    Some(unlink) => {
                        self.unlinked(unlink, true)?;
                        Ok(Some(Request::Settled))
                    }
                }
            }
            other => Ok(other),
        }
    }

    fn read(&mut self) -> io::Result<Option<Request>> {
        let mut header = [0; HEADER_BYTES];
        match self.socket.read_exact(&mut header) {
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let word = |at: usize| {
            u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let seqnum = word(4);
        match word(0) {
            CMD_UNLINK => Ok(Some(Request::Unlink { seqnum, victim: word(20) })),
            CMD_SUBMIT => {
                let length = word(24) as usize;
                // Direction 0 is "out": the data follows the header.
                let mut data = vec![0; if word(12) == 0 { length } else { 0 }];
                self.socket.read_exact(&mut data)?;
                let mut setup = [0; 8];
                setup.copy_from_slice(&header[40..48]);
                let packets = self.receive_packets(word(32))?;
                Ok(Some(Request::Submit(Submit {
                    seqnum,
                    endpoint: word(16),
                    length,
                    setup,
                    data,
                    packets,
                })))
            }
            other => Err(io::Error::other(format!(
                "USB/IP command {other}: only submit and unlink are known"
            ))),
        }
    }

    /// The lengths of the packets of an isochronous transfer.
    fn receive_packets(&mut self, n_packets: u32) -> io::Result<Vec<usize>> {
        // For other kinds the protocol's text says -1, but the kernel sends 0.
        let n_packets = if n_packets == u32::MAX { 0 } else { n_packets as usize };
        let mut described = vec![0; n_packets * PACKET_BYTES];
        self.socket.read_exact(&mut described)?;
        let length = |d: &[u8]| u32::from_be_bytes([d[4], d[5], d[6], d[7]]) as usize;
        Ok(described.chunks_exact(PACKET_BYTES).map(length).collect())
    }

    /// Answers an isochronous read packet by packet. The remaining packets stay empty.
    pub(crate) fn send_packets(
        &mut self,
        transfer: &Submit,
        packets: &[Vec<u8>],
    ) -> io::Result<()> {
        let data = packets.concat();
        let mut message = answer(RET_SUBMIT, transfer.seqnum, 0, data.len());
        message[32..36].copy_from_slice(&number(transfer.packets.len()));
        message.extend(data);
        let mut offset = 0;
        for (at, room) in transfer.packets.iter().enumerate() {
            let length = packets.get(at).map_or(0, Vec::len);
            message.extend([number(offset), number(*room), number(length), [0; 4]].concat());
            offset += room;
        }
        self.socket.write_all(&message)
    }

    /// Answers a read with `data`, which must not be longer than requested.
    pub(crate) fn send(&mut self, seqnum: u32, data: &[u8]) -> io::Result<()> {
        let mut message = answer(RET_SUBMIT, seqnum, 0, data.len());
        message.extend_from_slice(data);
        self.socket.write_all(&message)
    }

    /// Reports that `length` bytes of the host's data were accepted.
    pub(crate) fn accept(&mut self, seqnum: u32, length: usize) -> io::Result<()> {
        self.socket.write_all(&answer(RET_SUBMIT, seqnum, 0, length))
    }

    /// Refuses a request.
    pub(crate) fn stall(&mut self, seqnum: u32) -> io::Result<()> {
        self.socket.write_all(&answer(RET_SUBMIT, seqnum, EPIPE, 0))
    }

    /// Refuses a request in place of the host controller: its bus has no bandwidth left.
    pub(crate) fn refuse_bandwidth(&mut self, seqnum: u32) -> io::Result<()> {
        self.socket.write_all(&answer(RET_SUBMIT, seqnum, ENOSPC, 0))
    }

    /// Answers an unlink. `pending` means that the transfer was still waiting and gets no other reply.
    pub(crate) fn unlinked(&mut self, seqnum: u32, pending: bool) -> io::Result<()> {
        let status = if pending { ECONNRESET } else { 0 };
        self.socket.write_all(&answer(RET_UNLINK, seqnum, status, 0))
    }
}

/// The header of a reply. Device, direction and endpoint stay 0, since the kernel uses only the sequence number.
fn answer(command: u32, seqnum: u32, status: i32, actual_length: usize) -> Vec<u8> {
    let mut message = vec![0; HEADER_BYTES];
    message[0..4].copy_from_slice(&command.to_be_bytes());
    message[4..8].copy_from_slice(&seqnum.to_be_bytes());
    message[20..24].copy_from_slice(&status.to_be_bytes());
    message[24..28].copy_from_slice(&number(actual_length));
    message
}

fn number(length: usize) -> [u8; 4] {
    u32::try_from(length).expect("a transfer is far below 4 GB").to_be_bytes()
}

fn wait_until_free(port: u32) -> io::Result<()> {
    let deadline = Instant::now() + PORT_DEADLINE;
    let path = format!("{CONTROLLER}/status");
    loop {
        let status = fs::read_to_string(&path).map_err(|e| {
            io::Error::other(format!("{path}: {e}: is the module vhci-hcd loaded?"))
        })?;
        // Lines are "hub port sta spd dev sockfd local_busid", as in "hs  0000 004 000 ...".
        let line = status
            .lines()
            .find(|line| line.split_whitespace().nth(1) == Some(&format!("{port:04}")));
        match line.and_then(|line| line.split_whitespace().nth(2)) {
            Some(PORT_FREE) => return Ok(()),
            None => {
                return Err(io::Error::other(format!(
                    "port {port} is not in {path}: 0 to 7 would be right"
                )));
            }
            Some(state) if Instant::now() > deadline => {
                return Err(io::Error::other(format!(
                    "port {port} is taken (state {state} in {path})"
                )));
            }
            Some(_) => thread::sleep(Duration::from_millis(10)),
        }
    }
}
