//! Frames whose memory is used again.

use std::sync::Arc;

use super::{Frame, FrameBuf};

/// Reuses the buffers of frames that have no other holder. New memory for each frame
/// would cost a page fault for each of its pages.
#[derive(Debug, Default)]
pub(crate) struct FramePool {
    frames: Vec<Arc<Frame>>,
    /// A buffer that was filled and not published.
    unused: Option<FrameBuf>,
}

impl FramePool {
    /// One in the slot, one being written to viewers, one being filled, and one spare for
    /// a late viewer. Further late viewers only cost page faults.
    const MAX_FRAMES: usize = 4;

    /// Returns an empty buffer, a used one if possible.
    pub(crate) fn take(&mut self) -> FrameBuf {
        if let Some(buf) = self.unused.take() {
            return buf.emptied();
        }
        // `get_mut` succeeds only if the pool is the only holder: no viewer is still
        // sending these bytes.
        let free = self.frames.iter_mut().position(|f| Arc::get_mut(f).is_some());
        match free.map(|i| Arc::try_unwrap(self.frames.swap_remove(i))) {
            Some(Ok(frame)) => FrameBuf::reusing(frame.bytes),
            _ => FrameBuf::new(),
        }
    }

    /// Takes back a buffer whose frame is not published.
    pub(crate) fn put_back(&mut self, buf: FrameBuf) {
        self.unused = Some(buf);
    }

    /// Keeps a published frame, to reuse its buffer once the pool is its only holder.
    pub(crate) fn keep(&mut self, frame: &Arc<Frame>) {
        // A frame that falls out of the pool is freed by its last holder.
        if self.frames.len() == Self::MAX_FRAMES {
            self.frames.swap_remove(0);
        }
        self.frames.push(Arc::clone(frame));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::frame;

    #[test]
    fn buffer_is_reused_only_when_the_pool_is_the_only_holder() {
        let mut pool = FramePool::default();
        let mut buf = pool.take();
        buf.extend(&[7; 1000]);
        let held = Arc::new(buf.finish(frame(b"").meta));
        pool.keep(&held);
        let memory = held.jpeg().as_ptr();
        assert_ne!(pool.take().jpeg().as_ptr(), memory);
        drop(held);
        let again = pool.take();
        assert_eq!((again.jpeg(), again.jpeg().as_ptr()), (&[][..], memory));
        pool.put_back(again);
        let again = pool.take();
        assert_eq!((again.jpeg(), again.jpeg().as_ptr()), (&[][..], memory));
    }

    #[test]
    fn pool_forgets_what_is_held_for_long() {
        let mut pool = FramePool::default();
        let held: Vec<_> = (0..10).map(|_| Arc::new(frame(b"x"))).collect();
        held.iter().for_each(|f| pool.keep(f));
        assert_eq!(pool.frames.len(), FramePool::MAX_FRAMES);
    }
}
