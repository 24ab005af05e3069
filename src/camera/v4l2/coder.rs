//! Who makes JPEGs of a camera's raw pictures: the board's hardware where it has an
//! encoder that takes them, and this program everywhere else.

use std::sync::atomic::Ordering::SeqCst;
use std::thread;

use super::super::{Cause, Error};
use super::device::Lasting;
use super::hardware::HardwareEncoder;
use crate::config::DeviceConfig;
use crate::frame::FrameBuf;
use crate::jpeg::{Encoder, PixelFormat, Raw, Simd};

pub(super) enum Coder {
    Software(Box<Encoder>),
    Hardware(HardwareEncoder),
}

impl Coder {
    /// An encoder for pictures of this size.
    pub(super) fn new(
        config: &DeviceConfig,
        pixels: PixelFormat,
        size: (u32, u32),
        lasting: &Lasting,
    ) -> Self {
        let may_be_hardware = config.hardware_encoder && !lasting.no_hardware.load(SeqCst);
        let find = || HardwareEncoder::find(pixels, size, config.quality);
        if let Some(hardware) = may_be_hardware.then(find).flatten() {
            return Self::Hardware(hardware);
        }
        let n_threads = thread::available_parallelism().map_or(1, usize::from);
        Self::Software(Box::new(Encoder::new(config.quality, n_threads, Simd::best())))
    }

    /// The device that encodes; `None`: this program does.
    pub(super) fn device(&self) -> Option<String> {
        match self {
            Self::Software(_) => None,
            Self::Hardware(hardware) => Some(hardware.name.clone()),
        }
    }

    /// Puts the JPEG of a picture into the empty `frame`.
    ///
    /// # Errors
    /// Hardware that fails once is not used again.
    pub(super) fn encode(
        &mut self,
        raw: &Raw<'_>,
        frame: &mut FrameBuf,
        lasting: &Lasting,
    ) -> Result<(), Error> {
        match self {
            Self::Software(encoder) => {
                let encoded = encoder.encode(raw, frame);
                encoded.map_err(|e| Error::lost(Cause::Io, format!("encoding failed: {e}")))?;
                // The encoder has written its end, so nobody has to look for it.
                frame.mark_walked();
                Ok(())
            }
            Self::Hardware(hardware) => hardware.encode(raw, frame).map_err(|e| {
                lasting.no_hardware.store(true, SeqCst);
                let why = format!("the encoder {} failed: {e}", hardware.name);
                Error::Reopen(format!("{why}; this program encodes from now on"))
            }),
        }
    }
}
