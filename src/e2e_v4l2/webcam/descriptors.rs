//! The descriptors, by which the device describes itself when it is plugged in.
//!
//! Called by `main` to answer GET_DESCRIPTOR. Layouts: USB 2.0 chapter 9, and "USB Device Class Definition for Video
//! Devices" 1.1 chapter 3. Numbers are little-endian.

use super::controls::{CAMERA_TERMINAL, PROCESSING_UNIT, bitmap};
use super::formats::{FORMATS, Format, interval};
use super::isochronous;

/// The only endpoint besides the default one.
pub(crate) const VIDEO_ENDPOINT: u32 = 1;

/// How frames are transferred.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Endpoint {
    /// Bulk transfers in one alternate setting, without a claim to bandwidth.
    Bulk,
    /// Isochronous transfers as in nearly all real cameras, with an alternate setting for each bandwidth. The virtual
    /// controller does not follow the interval, so its timing is not that of real hardware.
    Isochronous,
}
const OUTPUT_TERMINAL: u8 = 3;
const STREAMING_INTERFACE: u8 = 1;
const CLASS_INTERFACE: u8 = 0x24;
/// The frequency of the clock in payload headers. This camera sends no clock.
const CLOCK_HZ: u32 = 1_000_000;

/// The texts that the host shows. None of the three may be empty, since udev makes the link's name of them.
pub(crate) struct Strings {
    pub(crate) vendor: String,
    pub(crate) product: String,
    pub(crate) serial: String,
}

/// The descriptor of `kind` and `index`, or `None` (a stall) if this device does not have it.
pub(crate) fn descriptor(
    kind: u8,
    index: u8,
    strings: &Strings,
    endpoint: Endpoint,
) -> Option<Vec<u8>> {
    match (kind, index) {
        (1, _) => Some(device()),
        (2, 0) => Some(configuration(endpoint)),
        // The list of languages: United States English.
        (3, 0) => Some(vec![4, 3, 0x09, 0x04]),
        (3, 1) => Some(text(&strings.vendor)),
        (3, 2) => Some(text(&strings.product)),
        (3, 3) => Some(text(&strings.serial)),
        _ => None,
    }
}

/// Vendor 1d6b is the Linux Foundation and 0102 its EEM gadget: uvcvideo has no quirk for this pair.
fn device() -> Vec<u8> {
    vec![18, 1, 0x00, 0x02, 0xef, 0x02, 0x01, 64, 0x6b, 0x1d, 0x02, 0x01, 0x00, 0x01, 1, 2, 3, 1]
}

fn text(text: &str) -> Vec<u8> {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    // The length is one byte: 126 UTF-16 units are the longest string of USB.
    let units = &units[..units.len().min(252)];
    [&[low(units.len() + 2), 3], units].concat()
}

fn configuration(endpoint: Endpoint) -> Vec<u8> {
    let body = [
        // Interface association: these two interfaces are one video function.
        vec![8, 11, 0, 2, 0x0e, 0x03, 0, 2],
        vec![9, 4, 0, 0, 0, 0x0e, 0x01, 0, 2],
        control_interface(),
        match endpoint {
            Endpoint::Bulk => bulk(),
            Endpoint::Isochronous => isochronous(),
        },
    ]
    .concat();
    let mut bytes = vec![9, 2];
    bytes.extend(word(body.len() + 9));
    bytes.extend([2, 1, 0, 0x80, 250]);
    [bytes, body].concat()
}

fn bulk() -> Vec<u8> {
    [
        streaming_setting(0, 1),
        streaming_interface(),
        // The endpoint comes last, since uvcvideo looks for the streaming descriptors between interface and endpoint.
        vec![7, 5, 0x80 | low(VIDEO_ENDPOINT as usize), 2, 0x00, 0x02, 0],
    ]
    .concat()
}

fn isochronous() -> Vec<u8> {
    let mut bytes = [streaming_setting(0, 0), streaming_interface()].concat();
    for (number, packet_bytes) in (1..).zip(isochronous::PACKET_BYTES) {
        bytes.extend(streaming_setting(number, 1));
        // Isochronous, asynchronous, a packet each 125 us.
        bytes.extend([7, 5, 0x80 | low(VIDEO_ENDPOINT as usize), 0x05]);
        bytes.extend(isochronous::max_packet_size(packet_bytes).to_le_bytes());
        bytes.push(1);
    }
    bytes
}

fn streaming_setting(number: u8, n_endpoints: u8) -> Vec<u8> {
    vec![9, 4, STREAMING_INTERFACE, number, n_endpoints, 0x0e, 0x02, 0, 0]
}

/// Camera terminal -> processing unit -> output terminal (which is the USB cable).
fn control_interface() -> Vec<u8> {
    let [c0, c1, c2, _] = bitmap(CAMERA_TERMINAL).to_le_bytes();
    let [p0, p1, ..] = bitmap(PROCESSING_UNIT).to_le_bytes();
    let units = [
        vec![
            18,
            CLASS_INTERFACE,
            2,
            CAMERA_TERMINAL,
            0x01,
            0x02,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            3,
            c0,
            c1,
            c2,
        ],
        vec![12, CLASS_INTERFACE, 5, PROCESSING_UNIT, CAMERA_TERMINAL, 0, 0, 2, p0, p1, 0, 0],
        vec![9, CLASS_INTERFACE, 3, OUTPUT_TERMINAL, 0x01, 0x01, 0, PROCESSING_UNIT, 0],
    ]
    .concat();
    let mut header = vec![13, CLASS_INTERFACE, 1, 0x10, 0x01];
    header.extend(word(units.len() + 13));
    header.extend(CLOCK_HZ.to_le_bytes());
    header.extend([1, STREAMING_INTERFACE]);
    [header, units].concat()
}

fn streaming_interface() -> Vec<u8> {
    let formats: Vec<u8> = (1..)
        .zip(&FORMATS)
        .flat_map(|(number, format)| format_descriptors(number, format))
        .collect();
    let n_formats = low(FORMATS.len());
    let mut header = vec![13 + n_formats, CLASS_INTERFACE, 1, n_formats];
    header.extend(word(formats.len() + usize::from(13 + n_formats)));
    header.extend([0x80 | low(VIDEO_ENDPOINT as usize), 0, OUTPUT_TERMINAL, 0, 0, 0, 1]);
    header.extend(vec![0; FORMATS.len()]);
    [header, formats].concat()
}

fn format_descriptors(number: u8, format: &Format) -> Vec<u8> {
    let n_sizes = low(format.sizes.len());
    let mut bytes = if format.compressed {
        vec![11, CLASS_INTERFACE, 6, number, n_sizes, 0, 1, 0, 0, 0, 0]
    } else {
        // The GUID of a raw format is its four letters and this fixed rest.
        let rest = [0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
        let head = vec![27, CLASS_INTERFACE, 4, number, n_sizes];
        [&head, b"YUY2".as_slice(), &rest, &[16, 1, 0, 0, 0, 0]].concat()
    };
    for (size_number, size) in (1..).zip(format.sizes) {
        let kind = if format.compressed { 7 } else { 5 };
        bytes.extend([26 + 4 * low(size.fps.len()), CLASS_INTERFACE, kind, size_number, 0]);
        bytes.extend(size.width.to_le_bytes());
        bytes.extend(size.height.to_le_bytes());
        let bits = size.max_frame_bytes() * 8;
        bytes.extend((bits * size.fps[size.fps.len() - 1]).to_le_bytes());
        bytes.extend((bits * size.fps[0]).to_le_bytes());
        bytes.extend(size.max_frame_bytes().to_le_bytes());
        bytes.extend(interval(size.fps[0]).to_le_bytes());
        bytes.push(low(size.fps.len()));
        bytes.extend(size.fps.iter().flat_map(|&fps| interval(fps).to_le_bytes()));
    }
    // Colour matching: sRGB primaries and transfer, SMPTE 170M matrix, which is JPEG's.
    bytes.extend([6, CLASS_INTERFACE, 13, 1, 1, 4]);
    bytes
}

fn low(length: usize) -> u8 {
    u8::try_from(length).expect("one descriptor is at most 255 bytes")
}

fn word(length: usize) -> [u8; 2] {
    u16::try_from(length).expect("all descriptors together are far below 64 kB").to_le_bytes()
}
