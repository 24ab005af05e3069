//! USB webcams and other V4L2 capture devices, single-planar and multi-planar.
//!
//! JPEGs of the device are passed on unchanged; raw pictures are encoded.
//! Kernel interface: Linux, Documentation/userspace-api/media/v4l.

mod coder;
mod controls;
mod describe;
mod desired;
mod device;
mod hardware;
mod identity;
mod known;
pub(crate) mod list_devices;
mod messages;
mod negotiate;
mod nodes;
mod pipeline;
mod signal;
mod source;
mod still;
mod stream;
mod sys;

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use v4l::buffer::{Flags, Metadata};

use super::{Cause, Driver, Error, Still, stall};
use crate::config::CameraConfig;
use crate::frame::{FrameBuf, Timestamp};
use crate::jpeg::{self, PixelFormat};
use crate::mode::Mode;
use crate::shutdown::Shutdown;
use coder::Coder;
use desired::Desired;
use device::{Device, Lasting};
use nodes::Opened;
use signal::Signal;
pub(super) use source::KIND;
use stream::Stream;
use sys::formats::Format;
use sys::queue::Planes;

/// Kernel buffers to request: one being filled, one being copied, two spare so that a
/// late copy costs a frame and not a restart of the stream.
const N_BUFFERS: u32 = 4;
/// How often a wait checks for the order to stop, in milliseconds.
const SLICE_MS: i32 = 200;
/// POLLIN of poll(2).
const READABLE: i16 = 1;
/// POLLPRI: an event of the driver.
const URGENT: i16 = 2;

/// The nodes that are cameras, or cannot be opened.
pub(super) fn nodes() -> Vec<String> {
    let is_none = |error: &Error| matches!(error, Error::Lost(Cause::Unsupported, _));
    let all = nodes::all().into_iter();
    all.filter(|path| !nodes::open(path).is_err_and(|error| is_none(&error)))
        .map(|path| path.display().to_string())
        .collect()
}

/// One opened and streaming device.
struct V4l2 {
    /// `None` only while dropping, and after an error.
    stream: Option<Stream>,
    opened: Opened,
    /// `None` if no input or signal was asked for.
    signal: Option<Signal>,
    mode: Mode,
    format: Format,
    /// Encodes raw pictures; `None` if the device gives JPEGs.
    encoder: Option<(Coder, PixelFormat)>,
    /// What a large picture has interrupted.
    paused: Option<still::Paused>,
    config: CameraConfig,
    /// How many more frames to discard at the start.
    n_warmup: u32,
    is_started: bool,
    n_stale: u64,
    lasting: Arc<Lasting>,
}

impl V4l2 {
    /// Sets up a device that was opened, and its controls to their desired values.
    fn set_up(
        opened: Opened,
        camera: &CameraConfig,
        desired: &Desired,
        lasting: Arc<Lasting>,
    ) -> Result<Self, Error> {
        let config = &camera.device;
        let (signal, size) = signal::set_up(&opened, &config.input)?;
        let negotiated = negotiate::negotiate(&opened, config, camera.fps, size)?;
        // Before the stream begins, so that not even its first picture has other values.
        controls::apply(&opened, desired);
        let error = |e| nodes::error(&opened.path, "taking buffers", &e);
        let stream = Stream::new(&opened, N_BUFFERS, SLICE_MS).map_err(error)?;
        let size = (negotiated.format.width, negotiated.format.height);
        let coder = |raw| (Coder::new(config, raw, size, &lasting), raw);
        let encoder = negotiated.raw.map(coder);
        let device = encoder.as_ref().and_then(|(coder, _)| coder.device());
        Ok(Self {
            encoder,
            stream: Some(stream),
            mode: Mode { encoder: device, ..negotiated.mode },
            format: negotiated.format,
            opened,
            signal,
            paused: None,
            config: camera.clone(),
            n_warmup: config.n_warmup,
            is_started: false,
            n_stale: 0,
            lasting,
        })
    }

    fn stream(&mut self) -> &mut Stream {
        self.stream.as_mut().expect("a camera has its stream until it is dropped")
    }

    fn error(&self, doing: &str, error: &std::io::Error) -> Error {
        nodes::error(&self.opened.path, doing, error)
    }

    /// Queues all buffers and starts the device. The first frame is lost: the crate
    /// has no way to wait for it with a timeout and then return it.
    fn start(&mut self, stop: &Shutdown) -> Result<(), Error> {
        match self.stream().next().map(|_| ()) {
            Ok(()) => {}
            Err(e) if e.kind() == ErrorKind::TimedOut => {
                self.wait(stop)?;
                let dequeued = self.stream().dequeue();
                dequeued.map_err(|e| self.error("reading", &e))?;
            }
            Err(e) => return Err(pipeline::explain(self.error("starting", &e), &self.opened.caps)),
        }
        self.is_started = true;
        Ok(())
    }

    /// Waits until a frame is ready.
    fn wait(&mut self, stop: &Shutdown) -> Result<(), Error> {
        let stall_timeout = self.config.stall_timeout.unwrap_or(stall::DEFAULT);
        let begun = Instant::now();
        let wanted = if self.signal.is_some() { READABLE | URGENT } else { READABLE };
        while !stop.is_ordered() {
            let polled = self.opened.device.handle().poll(wanted, SLICE_MS);
            if let Some(signal) = &mut self.signal {
                signal.check(&self.opened)?;
            }
            match polled {
                Ok(0) if begun.elapsed() >= stall_timeout => {
                    let (path, time) = (self.opened.path.display(), stall_timeout);
                    let why = format!("{path}: stalled, no picture for {time:?}");
                    return Err(Error::lost(Cause::Stalled, why));
                }
                Ok(0) => {}
                // What woke this thread may have been an event alone.
                Ok(_) if self.signal.is_some() && !self.is_readable() => {}
                Ok(_) => return Ok(()),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(self.error("waiting", &e)),
            }
        }
        Err(Error::Stopped)
    }

    fn is_readable(&self) -> bool {
        self.opened.device.handle().poll(READABLE, 0).is_ok_and(|n| n > 0)
    }

    /// Waits for the next frame and passes the newest one to `take`.
    fn newest<T>(
        &mut self,
        stop: &Shutdown,
        take: impl FnOnce(&mut Self, &Planes<'_>) -> Result<T, Error>,
    ) -> Result<(T, Timestamp), Error> {
        if !self.is_started {
            self.start(stop)?;
        }
        // Neither copied nor encoded: these frames only let the exposure settle.
        while self.n_warmup > 0 {
            self.wait(stop)?;
            let taken = self.stream().next().map(|_| ());
            taken.map_err(|e| self.error("reading", &e))?;
            self.n_warmup -= 1;
        }
        self.wait(stop)?;
        // Out of `self`, because `take` borrows `self` while the frame borrows the stream.
        let mut stream = self.stream.take().expect("a camera has its stream until it is dropped");
        let end = self.newest_of(&mut stream, take);
        self.stream = Some(stream);
        end
    }

    fn newest_of<T>(
        &mut self,
        stream: &mut Stream,
        take: impl FnOnce(&mut Self, &Planes<'_>) -> Result<T, Error>,
    ) -> Result<(T, Timestamp), Error> {
        let handle = self.opened.device.handle();
        for n_stale in 0.. {
            let (picture, meta) = stream.next().map_err(|e| self.error("reading", &e))?;
            // Skip to the last frame in the queue. The bound is for a device that is
            // faster than this loop.
            if n_stale < 2 * N_BUFFERS && handle.poll(READABLE, 0).is_ok_and(|n| n > 0) {
                self.n_stale += 1;
                continue;
            }
            if meta.flags.contains(Flags::ERROR) {
                return Err(Error::BadFrame(jpeg::Error::Marked));
            }
            if picture[0].is_empty() {
                return Err(Error::BadFrame(jpeg::Error::Empty));
            }
            let at = taken_at(&meta);
            return take(self, &picture).map(|taken| (taken, at));
        }
        unreachable!("the loop ends after a bounded backlog")
    }

    fn copy(&mut self, picture: &Planes<'_>, frame: &mut FrameBuf) -> Result<(), Error> {
        let Some((coder, format)) = &mut self.encoder else {
            frame.extend(picture[0]);
            return Ok(());
        };
        let raw = stream::raw(&self.format, *format, picture)
            .map_err(|_| Error::BadFrame(jpeg::Error::Raw))?;
        coder.encode(&raw, frame, &self.lasting)
    }
}

impl Driver for V4l2 {
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Timestamp, Error> {
        self.resume()?;
        self.newest(stop, |camera, picture| camera.copy(picture, frame)).map(|((), at)| at)
    }

    fn still(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Still, Error> {
        self.large(frame, stop)
    }

    fn mode(&self) -> Mode {
        self.mode.clone()
    }

    fn take_n_stale(&mut self) -> u64 {
        std::mem::take(&mut self.n_stale)
    }

    fn skip_frame(&mut self, stop: &Shutdown) -> Result<bool, Error> {
        if self.encoder.is_none() {
            return Ok(false);
        }
        self.resume()?;
        self.newest(stop, |_, _| Ok(())).map(|_| true)
    }
}

impl Drop for V4l2 {
    fn drop(&mut self) {
        self.close_stream();
        *self.lasting.released.lock() = Some(Instant::now());
    }
}

/// When a buffer was filled, by the driver's clock. A timestamp that is not of the
/// monotonic clock, or lies in the future, is ignored: the frame counts as taken now.
fn taken_at(meta: &Metadata) -> Timestamp {
    let now = clock_gettime(ClockId::Monotonic);
    let now_us = microseconds(now.tv_sec, now.tv_nsec / 1000);
    let then_us = microseconds(meta.timestamp.sec, meta.timestamp.usec);
    let is_monotonic = meta.flags.contains(Flags::TIMESTAMP_MONOTONIC);
    let age_us = u64::try_from(now_us.saturating_sub(then_us)).ok().filter(|_| is_monotonic);
    // Frames do not stay in the driver's queue for seconds, so an older timestamp is
    // an error of the driver.
    let age = age_us.map(Duration::from_micros).filter(|age| *age < Duration::from_secs(10));
    let age = age.unwrap_or_default();
    let Timestamp { wall, monotonic } = Timestamp::now();
    Timestamp {
        wall: wall.checked_sub(age).unwrap_or(wall),
        monotonic: monotonic.checked_sub(age).unwrap_or(monotonic),
    }
}

/// On 32-bit boards these fields have 32 bits, some or all of them, and a count of
/// microseconds in 32 bits overflows after half an hour of uptime.
fn microseconds(seconds: impl Into<i64>, rest: impl Into<i64>) -> i64 {
    seconds.into().saturating_mul(1_000_000).saturating_add(rest.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_are_right_for_fields_of_any_size() {
        assert_eq!(microseconds(3_000_i32, 7_i32), 3_000_000_007);
        assert_eq!(microseconds(3_000_i64, 7_i32), 3_000_000_007);
        assert_eq!(microseconds(i64::MAX, 7_i64), i64::MAX);
    }
}
