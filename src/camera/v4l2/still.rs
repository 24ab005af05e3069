//! Large pictures beside a small stream: the device changes its size for one picture, and
//! the stream stops meanwhile.
//!
//! V4L2 has no other way: a format can be set only while no buffer is allocated
//! (VIDIOC_S_FMT, EBUSY).

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::{Cause, Error, Still};
use super::coder::Coder;
use super::stream::Stream;
use super::sys::formats::{self, Format};
use super::{N_BUFFERS, SLICE_MS, V4l2, negotiate, nodes};
use crate::frame::{FrameBuf, Timestamp};
use crate::jpeg::PixelFormat;
use crate::shutdown::Shutdown;

/// Buffers for large pictures. They may take much memory, of which boards set little apart,
/// and one that comes late costs nothing.
const N_LARGE_BUFFERS: u32 = 2;
/// Pictures to drop, at least: the first ones after a change are dark, green or torn with
/// many webcams.
const N_TO_SETTLE: u32 = 3;

/// What the stream needs to go on after a large picture.
pub(super) struct Paused {
    format: Format,
    encoder: Option<(Coder, PixelFormat)>,
}

impl V4l2 {
    /// As [`super::super::Driver::still`].
    pub(super) fn large(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Still, Error> {
        match self.take_large(frame, stop) {
            Ok(at) => Ok(Still::Taken(at)),
            Err(why @ (Error::Stopped | Error::BadFrame(_) | Error::Lost(Cause::NoDevice, _))) => {
                Err(why)
            }
            Err(why) => Ok(Still::Unable(why.to_string())),
        }
    }

    fn take_large(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Timestamp, Error> {
        // A second one, as the first was damaged, needs no change.
        if self.paused.is_none() || self.stream.is_none() {
            self.resume()?;
            self.change()?;
        }
        self.newest(stop, |camera, picture| camera.copy(picture, frame)).map(|((), at)| at)
    }

    /// Sets the large size.
    fn change(&mut self) -> Result<(), Error> {
        let size = self.config.device.snapshot_resolution.unwrap_or_default();
        self.check_larger(size)?;
        self.close_stream();
        let (device, caps) = (&self.opened.device, &self.opened.caps);
        let format = formats::set_format(device, caps, self.format.fourcc, size)
            .map_err(|e| nodes::error(&self.opened.path, "setting the format of a snapshot", &e));
        let before = self.format;
        let encoder = self.encoder.take();
        let pixels = encoder.as_ref().map(|(_, pixels)| *pixels);
        // From here on the stream has to be set up again, whatever happens.
        self.paused = Some(Paused { format: before, encoder });
        self.format = format?;
        if self.format.fourcc != before.fourcc || self.format.field != before.field {
            return Err(self.unable("it has another format in that size"));
        }
        let size = (self.format.width, self.format.height);
        let coder = |pixels| (Coder::new(&self.config.device, pixels, size, &self.lasting), pixels);
        self.encoder = pixels.map(coder);
        self.open_stream(N_LARGE_BUFFERS, self.config.device.n_warmup.max(N_TO_SETTLE))
    }

    /// Sets the stream up again after a large picture.
    pub(super) fn resume(&mut self) -> Result<(), Error> {
        let Some(Paused { format, encoder }) = self.paused.take() else { return Ok(()) };
        self.close_stream();
        let (opened, size) = (&self.opened, (format.width, format.height));
        self.format = formats::set_format(&opened.device, &opened.caps, format.fourcc, size)
            .map_err(|e| nodes::error(&opened.path, "setting the format back", &e))?;
        if self.format != format {
            let path = self.opened.path.display();
            return Err(Error::Reopen(format!("{path}: the format did not come back")));
        }
        self.encoder = encoder;
        // Behind the format, as at the opening.
        negotiate::set_rate(&self.opened, self.config.fps)?;
        self.open_stream(N_BUFFERS, self.config.device.n_warmup)
    }

    /// Asks without a change, so that a device without a larger size costs no pause.
    fn check_larger(&self, size: (u32, u32)) -> Result<(), Error> {
        let (device, queue) = (&self.opened.device, self.opened.caps.capture());
        // A driver that cannot be asked is tried.
        let Ok((width, height)) = formats::try_size(device, queue, self.format.fourcc, size) else {
            return Ok(());
        };
        if (width, height) == (self.format.width, self.format.height) {
            return Err(self.unable(&format!("it has no other size near, only {width}x{height}")));
        }
        Ok(())
    }

    fn unable(&self, why: &str) -> Error {
        Error::lost(Cause::Unsupported, format!("{}: {why}", self.opened.path.display()))
    }

    fn open_stream(&mut self, n_buffers: u32, n_warmup: u32) -> Result<(), Error> {
        let stream = Stream::new(&self.opened, n_buffers, SLICE_MS);
        self.stream = Some(stream.map_err(|e| self.error("taking buffers", &e))?);
        (self.is_started, self.n_warmup) = (false, n_warmup);
        Ok(())
    }

    /// Stops the device and frees its buffers.
    pub(super) fn close_stream(&mut self) {
        // The crate panics if the device refuses to stop. Then it is closed nevertheless, when
        // the last descriptor is dropped.
        let stream = mem::take(&mut self.stream);
        if catch_unwind(AssertUnwindSafe(|| drop(stream))).is_err() {
            log::debug!("{}: the device refused to stop", self.opened.path.display());
        }
    }
}
