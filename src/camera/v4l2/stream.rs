//! The buffers of a device, whichever of V4L2's two interfaces it has. Single-planar
//! devices have one buffer a picture, multi-planar ones have up to three.

use std::io;
use std::time::Duration;

use v4l::buffer::{Metadata, Type};
use v4l::io::mmap;
use v4l::io::traits::CaptureStream;

use super::nodes::Opened;
use super::sys::formats::Format;
use super::sys::queue::{Planes, Queue};
use crate::jpeg::{MAX_PLANES, PixelFormat, Plane, Range, Raw, RawError};

/// Mapped buffers that the device fills one after the other.
pub(super) enum Stream {
    SinglePlanar(mmap::Stream<'static>),
    MultiPlanar(Queue),
}

impl Stream {
    /// Takes `count` buffers from the driver. A wait for a picture ends after
    /// `timeout_ms` with the error `TimedOut`.
    pub(super) fn new(opened: &Opened, count: u32, timeout_ms: i32) -> io::Result<Self> {
        let device = &opened.device;
        if opened.caps.is_multi_planar() {
            let kind = opened.caps.capture();
            return Queue::new(device, kind, count, timeout_ms).map(Self::MultiPlanar);
        }
        let mut stream = mmap::Stream::with_buffers(device, Type::VideoCapture, count)?;
        stream.set_timeout(Duration::from_millis(timeout_ms.unsigned_abs().into()));
        Ok(Self::SinglePlanar(stream))
    }

    /// Gives the picture before back to the driver and waits for the next one. The first
    /// call starts the device.
    pub(super) fn next(&mut self) -> io::Result<(Planes<'_>, Metadata)> {
        match self {
            Self::MultiPlanar(queue) => queue.next(),
            Self::SinglePlanar(stream) => {
                let (buffer, meta) = stream.next()?;
                // The slice is the whole buffer.
                let used = buffer.len().min(meta.bytesused as usize);
                let mut picture: Planes<'_> = [&[]; MAX_PLANES];
                picture[0] = &buffer[..used];
                Ok((picture, *meta))
            }
        }
    }

    /// Waits for the next picture, after a call of [`Stream::next`] that timed out.
    pub(super) fn dequeue(&mut self) -> io::Result<()> {
        match self {
            Self::MultiPlanar(queue) => queue.dequeue().map(drop),
            Self::SinglePlanar(stream) => stream.dequeue().map(drop),
        }
    }
}

/// A picture in the buffers of a device, as the encoder takes it.
///
/// # Errors
/// The buffers hold less than the driver's own format says.
pub(super) fn raw<'a>(
    format: &Format,
    pixels: PixelFormat,
    picture: &Planes<'a>,
) -> Result<Raw<'a>, RawError> {
    let range = if format.is_limited { Range::Limited } else { Range::Full };
    let size = (format.width as usize, format.height as usize);
    let strides = format.strides.map(|stride| stride as usize);
    if format.n_buffers == 1 {
        return Raw::new(pixels, size, strides[0], range, picture[0]);
    }
    let plane = |i: usize| Plane { stride: strides[i], data: picture[i] };
    let planes: [Plane<'_>; MAX_PLANES] = [0, 1, 2].map(plane);
    Raw::of_planes(pixels, size, range, &planes[..format.n_buffers])
}
