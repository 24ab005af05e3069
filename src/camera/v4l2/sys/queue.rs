//! Queues of buffers: of multi-planar devices, and of codecs in both APIs. The crate `v4l`
//! has streams of single-planar cameras only.
//!
//! Kernel: Documentation/userspace-api/media/v4l/mmap.rst and planar-apis.rst.
#![allow(unsafe_code, reason = "ioctls on structs with unions, and mapped memory")]

use std::ffi::c_void;
use std::io::{self, ErrorKind};
use std::mem::size_of;
use std::ptr::{self, from_mut};
use std::slice;
use std::sync::Arc;

use rustix::io::Errno;
use v4l::buffer::Metadata;
use v4l::device::{Device, Handle};
use v4l::v4l_sys::{v4l2_buffer, v4l2_plane, v4l2_requestbuffers};
use v4l::v4l2::{self, vidioc};

use super::{BufType, Plain};
use crate::jpeg::MAX_PLANES;

/// V4L2_MEMORY_MMAP.
const MEMORY_MMAP: u32 = 1;
/// VIDEO_MAX_PLANES: the kernel may write as many.
const VIDEO_MAX_PLANES: usize = 8;
/// POLLIN and POLLOUT of poll(2).
const READABLE: i16 = 1;
const WRITABLE: i16 = 4;

// As in the kernel's headers; on 32 bit the timestamp has 4 or 8 bytes a number.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<v4l2_plane>() == 64 && size_of::<v4l2_buffer>() == 88);
#[cfg(target_pointer_width = "32")]
const _: () = {
    let buffer = size_of::<v4l2_buffer>();
    assert!(size_of::<v4l2_plane>() == 60 && (buffer == 68 || buffer == 76 || buffer == 80));
};

// SAFETY: structs of integers, pointers, arrays and unions of these in `videodev2.h`.
unsafe impl Plain for v4l2_buffer {}
// SAFETY: as above.
unsafe impl Plain for v4l2_plane {}
// SAFETY: as above.
unsafe impl Plain for v4l2_requestbuffers {}

/// The bytes of one picture: one slice for each of its buffers, the others empty.
pub(in super::super) type Planes<'a> = [&'a [u8]; MAX_PLANES];

/// The buffers of a device, mapped. It works as the stream of the crate `v4l` does: each
/// call of [`Queue::next`] gives the picture before back to the driver.
pub(in super::super) struct Queue {
    handle: Arc<Handle>,
    kind: BufType,
    /// Of the number of planes that the driver said, each.
    pictures: Vec<Vec<Buffer>>,
    /// Which picture the caller has.
    taken: usize,
    is_on: bool,
    timeout_ms: i32,
}

/// One plane's memory.
struct Buffer {
    start: *mut c_void,
    len: usize,
    /// The place of the samples, as the driver said when it filled the buffer.
    filled: (usize, usize),
}

impl Queue {
    /// Allocates and maps `count` pictures, or as many as the driver wants.
    ///
    /// # Errors
    /// What the kernel says; then nothing stays allocated.
    pub(in super::super) fn new(
        device: &Device,
        kind: BufType,
        count: u32,
        timeout_ms: i32,
    ) -> io::Result<Self> {
        let handle = device.handle();
        let pictures = Vec::new();
        let mut queue = Self { handle, kind, pictures, taken: 0, is_on: false, timeout_ms };
        for index in 0..queue.request(count)? {
            let picture = queue.map(index)?;
            queue.pictures.push(picture);
        }
        if queue.pictures.is_empty() {
            return Err(io::Error::from(Errno::NOMEM));
        }
        Ok(queue)
    }

    /// Returns the last picture to the driver, and waits for the next one. At the first
    /// call, starts the device.
    ///
    /// # Errors
    /// `TimedOut` after the time of the queue: then call [`Queue::dequeue`]. Any other
    /// error is the end of the queue.
    pub(in super::super) fn next(&mut self) -> io::Result<(Planes<'_>, Metadata)> {
        if self.is_on {
            self.queue(self.taken, &[])?;
        } else {
            (0..self.pictures.len()).try_for_each(|index| self.queue(index, &[]))?;
            self.start()?;
        }
        self.dequeue()
    }

    /// Gives one picture to a codec, of this many bytes a buffer, and starts the queue at
    /// the first call. [`Queue::dequeue`] takes it back.
    pub(in super::super) fn give(&mut self, used: &[u32]) -> io::Result<()> {
        self.queue(self.taken, used)?;
        if self.is_on { Ok(()) } else { self.start() }
    }

    /// The buffers of the picture that [`Queue::give`] gives next.
    pub(in super::super) fn buffers_mut(&mut self) -> Vec<&mut [u8]> {
        let buffers = self.pictures.get_mut(self.taken).into_iter().flatten();
        // SAFETY: as in `dequeue`; the mapping may be written to, as that of a queue that the
        // device reads from, and the driver does not have this picture.
        let bytes = |buffer: &mut Buffer| unsafe {
            slice::from_raw_parts_mut(buffer.start.cast(), buffer.len)
        };
        if self.kind.is_output { buffers.map(bytes).collect() } else { Vec::new() }
    }

    /// Waits for the next picture.
    ///
    /// # Errors
    /// As [`Queue::next`].
    pub(in super::super) fn dequeue(&mut self) -> io::Result<(Planes<'_>, Metadata)> {
        let ready = if self.kind.is_output { WRITABLE } else { READABLE };
        loop {
            match self.handle.poll(ready, self.timeout_ms) {
                Ok(0) => return Err(ErrorKind::TimedOut.into()),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                polled => break polled.map(drop)?,
            }
        }
        let (buffer, planes) = self.exchange(vidioc::VIDIOC_DQBUF, 0, &[])?;
        self.taken = buffer.index as usize;
        let picture = self.pictures.get_mut(self.taken).ok_or(Errno::INVAL)?;
        for (own, plane) in picture.iter_mut().zip(&planes) {
            let end = own.len.min(plane.bytesused as usize);
            // `bytesused` counts what lies before the samples, too.
            own.filled = (end.min(plane.data_offset as usize), end);
        }
        let mut filled: Planes<'_> = [&[]; MAX_PLANES];
        for (place, own) in filled.iter_mut().zip(&*picture) {
            // SAFETY: `start` and `len` are those of a mapping that is undone when the
            // queue is dropped, which the slice cannot outlive. The driver does not write
            // into it before the next call, which takes the queue mutably.
            let all: &[u8] =
                unsafe { slice::from_raw_parts(own.start.cast_const().cast(), own.len) };
            *place = &all[own.filled.0..own.filled.1];
        }
        let meta = Metadata {
            bytesused: buffer.bytesused,
            flags: buffer.flags.into(),
            field: buffer.field,
            timestamp: buffer.timestamp.into(),
            sequence: buffer.sequence,
        };
        Ok((filled, meta))
    }

    /// VIDIOC_REQBUFS.
    fn request(&self, count: u32) -> io::Result<u32> {
        let type_ = self.kind.number();
        let mut request =
            v4l2_requestbuffers { count, type_, memory: MEMORY_MMAP, ..Plain::zero() };
        self.call(vidioc::VIDIOC_REQBUFS, &mut request)?;
        Ok(request.count)
    }

    /// VIDIOC_QUERYBUF and mmap(2): the buffers of one picture.
    fn map(&self, index: u32) -> io::Result<Vec<Buffer>> {
        let (buffer, planes) = self.exchange(vidioc::VIDIOC_QUERYBUF, index as usize, &[])?;
        let n_planes = if self.kind.is_multi_planar { buffer.length as usize } else { 1 };
        let planes = planes.iter().take(n_planes);
        planes.map(|plane| Buffer::map(&self.handle, plane, self.kind.is_output)).collect()
    }

    /// VIDIOC_QBUF.
    fn queue(&self, index: usize, used: &[u32]) -> io::Result<()> {
        self.exchange(vidioc::VIDIOC_QBUF, index, used).map(drop)
    }

    /// One ioctl about a picture, with the bytes that were put into each of its buffers.
    /// Of a single-planar queue, the one plane is the buffer.
    fn exchange(
        &self,
        request: vidioc::_IOC_TYPE,
        index: usize,
        used: &[u32],
    ) -> io::Result<(v4l2_buffer, [v4l2_plane; VIDEO_MAX_PLANES])> {
        let mut planes = [v4l2_plane::zero(); VIDEO_MAX_PLANES];
        for (plane, used) in planes.iter_mut().zip(used) {
            plane.bytesused = *used;
        }
        let mut buffer = v4l2_buffer {
            index: u32::try_from(index).map_err(|_| Errno::INVAL)?,
            type_: self.kind.number(),
            memory: MEMORY_MMAP,
            bytesused: planes[0].bytesused,
            ..Plain::zero()
        };
        if self.kind.is_multi_planar {
            let n_planes = self.pictures.get(index).map_or(VIDEO_MAX_PLANES, Vec::len);
            // The kernel writes as many planes as this says, at most.
            buffer.length = u32::try_from(n_planes).map_err(|_| Errno::INVAL)?;
            buffer.m.planes = from_mut(&mut planes).cast();
            self.call(request, &mut buffer)?;
        } else {
            self.call(request, &mut buffer)?;
            (planes[0].length, planes[0].bytesused) = (buffer.length, buffer.bytesused);
            // SAFETY: for memory of this kind the driver filled in the offset.
            planes[0].m.mem_offset = unsafe { buffer.m.offset };
        }
        Ok((buffer, planes))
    }

    fn start(&mut self) -> io::Result<()> {
        self.control(vidioc::VIDIOC_STREAMON)?;
        self.is_on = true;
        Ok(())
    }

    /// VIDIOC_STREAMON and VIDIOC_STREAMOFF.
    fn control(&self, request: vidioc::_IOC_TYPE) -> io::Result<()> {
        self.call(request, &mut self.kind.number().cast_signed())
    }

    fn call<T: Plain>(&self, request: vidioc::_IOC_TYPE, argument: &mut T) -> io::Result<()> {
        super::call_handle(&self.handle, request, argument)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // A device that was unplugged refuses; its descriptor is closed after this.
        let _ = self.control(vidioc::VIDIOC_STREAMOFF);
        // Buffers are freed when none of them is mapped any more.
        self.pictures.clear();
        let _ = self.request(0);
    }
}

impl Buffer {
    fn map(handle: &Handle, plane: &v4l2_plane, is_writable: bool) -> io::Result<Self> {
        let len = plane.length as usize;
        let access = if is_writable { libc::PROT_READ | libc::PROT_WRITE } else { libc::PROT_READ };
        // SAFETY: for memory of this kind the driver filled in the offset.
        let offset = unsafe { plane.m.mem_offset };
        #[allow(clippy::unnecessary_fallible_conversions, reason = "off_t may have 32 bits")]
        let offset = offset.try_into().map_err(|_| Errno::OVERFLOW)?;
        // SAFETY: a new mapping at an address that the kernel chooses.
        let start = unsafe {
            v4l2::mmap(ptr::null_mut(), len, access, libc::MAP_SHARED, handle.fd(), offset)?
        };
        Ok(Self { start, len, filled: (0, 0) })
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: the mapping of `map`, which nothing refers to any more. It fails only
        // for an address that is none.
        let _ = unsafe { v4l2::munmap(self.start, self.len) };
    }
}
