//! The JPEG encoder that some boards have in hardware: a device that takes raw pictures
//! and gives JPEGs (V4L2 memory-to-memory).
//!
//! Kernel: Documentation/userspace-api/media/v4l/dev-encoder.rst.

use std::io::{self, ErrorKind};
use std::path::Path;

use v4l::buffer::Flags;
use v4l::device::Device;

use super::identity::Identity;
use super::nodes;
use super::sys::codec::{self, JPEG_QUALITY};
use super::sys::formats::{self, COLORSPACE_JPEG, Format, Wish};
use super::sys::queue::Queue;
use super::sys::{self, BufType, Kind};
use crate::frame::FrameBuf;
use crate::jpeg::full_range::{self, Place};
use crate::jpeg::{self, PixelFormat, Raw};

/// What the kernel calls JPEGs.
const CODED: [[u8; 4]; 2] = [*b"JPEG", *b"MJPG"];
/// How long an encoder may take for a picture. They take a few milliseconds; the rest is for
/// a machine that pauses, as an encoder that is late once is not used again.
const TIMEOUT_MS: i32 = 3000;

/// An encoder that is set up for one kind of picture.
pub(super) struct HardwareEncoder {
    /// Its path and name.
    pub(super) name: String,
    raw: Queue,
    coded: Queue,
    /// Of the buffers, whose size may be larger than that of the pictures.
    format: Format,
    size: (u32, u32),
}

impl HardwareEncoder {
    /// The first encoder of this machine that takes such pictures, if there is one.
    pub(super) fn find(pixels: PixelFormat, size: (u32, u32), quality: u8) -> Option<Self> {
        // No USB device is one, and opening a webcam wakes it up.
        let nodes = nodes::all().into_iter().filter(|path| Identity::of(path).is_none());
        for path in nodes {
            match Self::open(&path, pixels, size, quality) {
                Ok(Some(encoder)) => return Some(encoder),
                Ok(None) => {}
                Err(e) => log::info!("{}: this encoder is not used: {e}", path.display()),
            }
        }
        None
    }

    /// `None`: the device is no such encoder.
    fn open(
        path: &Path,
        pixels: PixelFormat,
        size: (u32, u32),
        quality: u8,
    ) -> io::Result<Option<Self>> {
        // A device that cannot be opened may be anything.
        let Ok(device) = Device::with_path(path) else { return Ok(None) };
        let _ = sys::set_close_on_exec(&device);
        let Ok(caps) = sys::caps(&device) else { return Ok(None) };
        if caps.flags & sys::VIDEO_M2M == 0 || caps.flags & sys::STREAMING == 0 {
            return Ok(None);
        }
        let [raw, coded] = caps.codec();
        let has = |queue: BufType| {
            let offered = formats::formats(&device, queue);
            move |fourcc: &[u8; 4]| offered.iter().any(|(offered, _)| offered == fourcc)
        };
        let Some(jpeg) = CODED.into_iter().find(has(coded)) else { return Ok(None) };
        let Some(fourcc) = pixels.fourccs().find(has(raw)) else { return Ok(None) };
        // Hardly any JPEG is as large as half of its pixels. Where it is not said, some
        // drivers take a few kilobytes.
        let length = size.0.saturating_mul(size.1).saturating_mul(2);
        let wish = Wish { length, ..Wish::new(jpeg, size) };
        check(formats::set(&device, coded, wish)?.fourcc, jpeg)?;
        let wish = Wish { colorspace: COLORSPACE_JPEG, ..Wish::new(fourcc, size) };
        let format = formats::set(&device, raw, wish)?;
        check(format.fourcc, fourcc)?;
        // Not all drivers can, or need to: some round sizes up and cut the JPEG by themselves.
        if let Err(e) = codec::set_visible(&device, size)
            && (format.width, format.height) != size
        {
            return Err(e);
        }
        if let Err(e) = sys::set_control(&device, JPEG_QUALITY, Kind::Signed, quality.into()) {
            log::info!("{}: the encoder has a quality of its own: {e}", path.display());
        }
        Ok(Some(Self {
            name: format!("{} ({})", path.display(), caps.card),
            raw: Queue::new(&device, raw, 1, TIMEOUT_MS)?,
            coded: Queue::new(&device, coded, 1, TIMEOUT_MS)?,
            format,
            size,
        }))
    }

    /// Puts the JPEG of a picture into the empty `frame`.
    ///
    /// # Errors
    /// Why there is none; then the encoder must be dropped.
    pub(super) fn encode(&mut self, picture: &Raw<'_>, frame: &mut FrameBuf) -> io::Result<()> {
        let format = &self.format;
        let mut place = Place {
            buffers: self.raw.buffers_mut(),
            strides: format.strides.map(|stride| stride as usize).to_vec(),
            height: format.height as usize,
        };
        full_range::copy(picture, &mut place)
            .ok_or_else(|| io::Error::other("its buffers are smaller than its format says"))?;
        self.raw.give(&format.lengths[..format.n_buffers])?;
        self.coded.give(&[])?;
        let (jpeg, meta) = self.coded.dequeue()?;
        if meta.flags.contains(Flags::ERROR) {
            return Err(io::Error::other("it marked the JPEG as damaged"));
        }
        frame.extend(jpeg[0]);
        self.raw.dequeue()?;
        self.check(frame).map_err(io::Error::other)
    }

    /// That a JPEG came, and is of this picture. Its end is searched here and not again.
    fn check(&self, frame: &mut FrameBuf) -> Result<(), String> {
        let info = jpeg::check(frame.jpeg()).map_err(|e| format!("it gave {e}"))?;
        let (width, height) = (info.width.into(), info.height.into());
        if (width, height) != self.size {
            return Err(format!("it gave a JPEG of {width}x{height}"));
        }
        if !info.has_end {
            return Err(format!("it gave {}", jpeg::Error::Truncated));
        }
        frame.truncate(info.len);
        frame.mark_walked();
        Ok(())
    }
}

/// That a driver took a format, and no other instead.
fn check(got: [u8; 4], asked: [u8; 4]) -> io::Result<()> {
    if got == asked { Ok(()) } else { Err(ErrorKind::Unsupported.into()) }
}
