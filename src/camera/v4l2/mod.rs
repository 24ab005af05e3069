//! USB webcams and other V4L2 capture devices, single-planar.
//!
//! JPEGs of the device are passed on unchanged; raw pictures are encoded.
//! Kernel interface: Linux, Documentation/userspace-api/media/v4l.

mod controls;
mod describe;
mod desired;
mod device;
mod identity;
mod known;
pub(crate) mod list_devices;
mod messages;
mod negotiate;
mod nodes;
mod source;
mod sys;

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};
use v4l::buffer::{Flags, Metadata, Type};
use v4l::io::mmap::Stream;
use v4l::io::traits::CaptureStream;

use super::{Cause, Driver, Error, stall};
use crate::config::CameraConfig;
use crate::frame::{FrameBuf, Timestamp};
use crate::jpeg::{self, Encoder, PixelFormat, Range, Raw, Simd};
use crate::mode::Mode;
use crate::shutdown::Shutdown;
use desired::Desired;
use device::Device;
use nodes::Opened;
pub(super) use source::KIND;

/// Kernel buffers to request: one being filled, one being copied, two spare so that a
/// late copy costs a frame and not a restart of the stream.
const N_BUFFERS: u32 = 4;
/// How often a wait checks for the order to stop, in milliseconds.
const SLICE_MS: i32 = 200;
/// POLLIN of poll(2).
const READABLE: i16 = 1;

/// One opened and streaming device.
struct V4l2 {
    /// `None` only while dropping.
    stream: Option<Stream<'static>>,
    opened: Opened,
    mode: Mode,
    format: sys::Format,
    /// Encodes raw pictures; `None` if the device gives JPEGs.
    encoder: Option<(Encoder, PixelFormat)>,
    stall_timeout: Duration,
    /// How many more frames to discard at the start.
    n_warmup: u32,
    is_started: bool,
    n_stale: u64,
    /// Gets the time at which the device was closed.
    released: Arc<Mutex<Option<Instant>>>,
}

impl V4l2 {
    /// Sets up a device that was opened, and its controls to their desired values.
    fn set_up(
        opened: Opened,
        camera: &CameraConfig,
        desired: &Desired,
        released: Arc<Mutex<Option<Instant>>>,
    ) -> Result<Self, Error> {
        let config = &camera.device;
        let negotiated = negotiate::negotiate(&opened, config, camera.fps)?;
        // Before the stream begins, so that not even its first picture has other values.
        controls::apply(&opened, desired);
        let error = |e| nodes::error(&opened.path, "taking buffers", &e);
        let mut stream =
            Stream::with_buffers(&opened.device, Type::VideoCapture, N_BUFFERS).map_err(error)?;
        stream.set_timeout(Duration::from_millis(SLICE_MS.unsigned_abs().into()));
        let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            encoder: negotiated
                .raw
                .map(|raw| (Encoder::new(config.quality, n_threads, Simd::best()), raw)),
            stream: Some(stream),
            mode: negotiated.mode,
            format: negotiated.format,
            opened,
            stall_timeout: camera.stall_timeout.unwrap_or(stall::DEFAULT),
            n_warmup: config.n_warmup,
            is_started: false,
            n_stale: 0,
            released,
        })
    }

    fn stream(&mut self) -> &mut Stream<'static> {
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
            Err(e) => return Err(self.error("starting", &e)),
        }
        self.is_started = true;
        Ok(())
    }

    /// Waits until a frame is ready.
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
                Err(e) => return Err(self.error("waiting", &e)),
            }
        }
        Err(Error::Stopped)
    }

    /// Waits for the next frame and passes the newest one to `take`.
    fn newest<T>(
        &mut self,
        stop: &Shutdown,
        take: impl FnOnce(&mut Self, &[u8]) -> Result<T, Error>,
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
        stream: &mut Stream<'static>,
        take: impl FnOnce(&mut Self, &[u8]) -> Result<T, Error>,
    ) -> Result<(T, Timestamp), Error> {
        let handle = stream.handle();
        for n_stale in 0.. {
            let (buffer, meta) = stream.next().map_err(|e| self.error("reading", &e))?;
            // Skip to the last frame in the queue. The bound is for a device that is
            // faster than this loop.
            if n_stale < 2 * N_BUFFERS && handle.poll(READABLE, 0).is_ok_and(|n| n > 0) {
                self.n_stale += 1;
                continue;
            }
            let used = buffer.len().min(meta.bytesused as usize);
            if meta.flags.contains(Flags::ERROR) {
                return Err(Error::BadFrame(jpeg::Error::Marked));
            }
            if used == 0 {
                return Err(Error::BadFrame(jpeg::Error::Empty));
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
            .map_err(|_| Error::BadFrame(jpeg::Error::Raw))?;
        let encoded = encoder.encode(&raw, frame);
        encoded.map_err(|e| Error::lost(Cause::Io, format!("encoding failed: {e}")))?;
        // The encoder has written its end, so nobody has to look for it.
        frame.mark_walked();
        Ok(())
    }
}

impl Driver for V4l2 {
    fn next_frame(&mut self, frame: &mut FrameBuf, stop: &Shutdown) -> Result<Timestamp, Error> {
        self.newest(stop, |camera, picture| camera.copy(picture, frame)).map(|((), at)| at)
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
        self.newest(stop, |_, _| Ok(())).map(|_| true)
    }
}

impl Drop for V4l2 {
    fn drop(&mut self) {
        // The crate panics if the device refuses to stop. It is closed nevertheless,
        // when the other fields drop its descriptor.
        let stream = self.stream.take();
        if catch_unwind(AssertUnwindSafe(|| drop(stream))).is_err() {
            log::debug!("{}: the device refused to stop", self.opened.path.display());
        }
        *self.released.lock() = Some(Instant::now());
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
