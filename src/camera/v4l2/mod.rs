//! USB webcams and other V4L2 capture devices, single-planar.
//!
//! JPEGs of the device are passed on as they are; raw pictures are encoded.
//! Kernel interface: Linux, Documentation/userspace-api/media/v4l.

mod controls;
mod describe;
mod device;
mod negotiate;
mod nodes;
pub(crate) mod survey;
mod sys;
mod wanted;

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant, SystemTime};

use rustix::time::{ClockId, clock_gettime};
use v4l::buffer::{Flags, Metadata, Type};
use v4l::io::mmap::Stream;
use v4l::io::traits::CaptureStream;

use super::{Camera, Cause, Error, Mode};
use crate::config::DeviceConfig;
use crate::frame::{FrameBuf, Taken};
use crate::jpeg::{Encoder, Fault, PixelFormat, Range, Raw};
use crate::shutdown::Shutdown;
pub(super) use device::Device;
use nodes::Opened;
use wanted::Wanted;

/// Kernel buffers to ask for: one filling, one being copied, two spare so that
/// a late copy costs a frame and not a restart.
const N_BUFFERS: u32 = 4;
/// How often a wait looks for the order to stop.
const SLICE_MS: i32 = 200;
/// POLLIN of poll(2).
const READABLE: i16 = 1;

/// One opened and streaming device.
pub(super) struct V4l2 {
    /// `None` only while dropping.
    stream: Option<Stream<'static>>,
    opened: Opened,
    mode: Mode,
    format: sys::Format,
    /// What makes JPEGs, where the device does not.
    encoder: Option<(Encoder, PixelFormat)>,
    stall_timeout: Duration,
    /// Pictures still to let go.
    n_warmup: u32,
    is_started: bool,
    n_stale: u64,
}

impl V4l2 {
    /// Sets a device up that was opened. Its controls are to be as `wanted`.
    fn set_up(
        opened: Opened,
        config: &DeviceConfig,
        wanted: &Wanted,
        fps: Option<f64>,
    ) -> Result<Self, Error> {
        let set = negotiate::set(&opened, config, fps)?;
        controls::apply(&opened, wanted);
        let fault = |e| nodes::fault(&opened.path, "taking buffers", &e);
        let mut stream =
            Stream::with_buffers(&opened.device, Type::VideoCapture, N_BUFFERS).map_err(fault)?;
        stream.set_timeout(Duration::from_millis(SLICE_MS.unsigned_abs().into()));
        let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            encoder: set.raw.map(|raw| (Encoder::new(config.quality, n_threads), raw)),
            stream: Some(stream),
            mode: set.mode,
            format: set.format,
            opened,
            stall_timeout: config.stall_timeout,
            n_warmup: config.n_warmup,
            is_started: false,
            n_stale: 0,
        })
    }

    fn stream(&mut self) -> &mut Stream<'static> {
        self.stream.as_mut().expect("a camera has its stream until it is dropped")
    }

    fn fault(&self, doing: &str, error: &std::io::Error) -> Error {
        nodes::fault(&self.opened.path, doing, error)
    }

    /// Queues all buffers and starts the device. Its first picture is lost:
    /// the crate gives no way to it when it comes late.
    fn start(&mut self, stop: &Shutdown) -> Result<(), Error> {
        match self.stream().next().map(|_| ()) {
            Ok(()) => {}
            Err(e) if e.kind() == ErrorKind::TimedOut => {
                self.wait(stop)?;
                let dequeued = self.stream().dequeue();
                dequeued.map_err(|e| self.fault("reading", &e))?;
            }
            Err(e) => return Err(self.fault("starting", &e)),
        }
        self.is_started = true;
        Ok(())
    }

    /// Waits until a picture is there.
    fn wait(&mut self, stop: &Shutdown) -> Result<(), Error> {
        let begun = Instant::now();
        let handle = self.stream().handle();
        while !stop.is_ordered() {
            match handle.poll(READABLE, SLICE_MS) {
                Ok(0) if begun.elapsed() >= self.stall_timeout => {
                    let (path, time) = (self.opened.path.display(), self.stall_timeout);
                    let why = format!("{path}: stalled, no picture for {time:?}");
                    return Err(Error::lost(Cause::Stalled, why));
                }
                Ok(0) => {}
                Ok(_) => return Ok(()),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(self.fault("waiting", &e)),
            }
        }
        Err(Error::Stopped)
    }

    /// Waits for the next picture and hands the newest one to `take`.
    fn newest<T>(
        &mut self,
        stop: &Shutdown,
        take: impl FnOnce(&mut Self, &[u8]) -> Result<T, Error>,
    ) -> Result<(T, Taken), Error> {
        if !self.is_started {
            self.start(stop)?;
        }
        while self.n_warmup > 0 {
            self.wait(stop)?;
            let taken = self.stream().next().map(|_| ());
            taken.map_err(|e| self.fault("reading", &e))?;
            self.n_warmup -= 1;
        }
        self.wait(stop)?;
        let mut stream = self.stream.take().expect("a camera has its stream until it is dropped");
        let end = self.newest_of(&mut stream, take);
        self.stream = Some(stream);
        end
    }

    fn newest_of<T>(
        &mut self,
        stream: &mut Stream<'static>,
        take: impl FnOnce(&mut Self, &[u8]) -> Result<T, Error>,
    ) -> Result<(T, Taken), Error> {
        let handle = stream.handle();
        for n_stale in 0.. {
            let (buffer, meta) = stream.next().map_err(|e| self.fault("reading", &e))?;
            // A backlog in the queue is older than what is behind it.
            if n_stale < 2 * N_BUFFERS && handle.poll(READABLE, 0).is_ok_and(|n| n > 0) {
                self.n_stale += 1;
                continue;
            }
            let used = buffer.len().min(meta.bytesused as usize);
            if meta.flags.contains(Flags::ERROR) {
                return Err(Error::BadFrame(Fault::Marked));
            }
            if used == 0 {
                return Err(Error::BadFrame(Fault::Empty));
            }
            let at = taken_at(meta);
            return take(self, &buffer[..used]).map(|taken| (taken, at));
        }
        unreachable!("the loop ends after a bounded backlog")
    }

    fn copy(&mut self, picture: &[u8], frame: &mut FrameBuf) -> Result<(), Error> {
        let Some((encoder, format)) = &mut self.encoder else {
            frame.extend(picture);
            return Ok(());
        };
        let range = if self.format.is_limited { Range::Limited } else { Range::Full };
        let size = (self.format.width as usize, self.format.height as usize);
        let stride = self.format.stride as usize;
        let raw = Raw::new(*format, size, stride, range, picture)
            .map_err(|_| Error::BadFrame(Fault::Raw))?;
        let encoded = encoder.encode(&raw, frame);
        encoded.map_err(|e| Error::lost(Cause::Io, format!("encoding failed: {e}")))?;
        frame.mark_walked();
        Ok(())
    }
}

impl Camera for V4l2 {
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Taken, Error> {
        self.newest(stop, |camera, picture| camera.copy(picture, frame)).map(|((), at)| at)
    }

    fn mode(&self) -> Mode {
        self.mode.clone()
    }

    fn take_n_stale(&mut self) -> u64 {
        std::mem::take(&mut self.n_stale)
    }

    fn pass_over(&mut self, stop: &Shutdown) -> Result<bool, Error> {
        if self.encoder.is_none() {
            return Ok(false);
        }
        self.newest(stop, |_, _| Ok(())).map(|_| true)
    }
}

impl Drop for V4l2 {
    fn drop(&mut self) {
        // The crate panics when the device refuses to stop; it is closed all
        // the same, as its descriptor goes with the rest.
        let stream = self.stream.take();
        if catch_unwind(AssertUnwindSafe(|| drop(stream))).is_err() {
            log::debug!("{}: did not stop as it should", self.opened.path.display());
        }
    }
}

/// When a buffer was filled, by the driver's clock. One that is no monotonic
/// clock, or lies in the future, says nothing.
fn taken_at(meta: &Metadata) -> Taken {
    let now = clock_gettime(ClockId::Monotonic);
    let now_us = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
    let then_us = meta.timestamp.sec * 1_000_000 + meta.timestamp.usec;
    let is_monotonic = meta.flags.contains(Flags::TIMESTAMP_MONOTONIC);
    let age_us = u64::try_from(now_us - then_us).ok().filter(|_| is_monotonic);
    // Older than the driver's queue can be is a clock that was mistaken.
    let age = age_us.map(Duration::from_micros).filter(|age| *age < Duration::from_secs(10));
    let age = age.unwrap_or_default();
    let (captured, taken) = (SystemTime::now(), Instant::now());
    Taken {
        captured: captured.checked_sub(age).unwrap_or(captured),
        taken: taken.checked_sub(age).unwrap_or(taken),
    }
}
