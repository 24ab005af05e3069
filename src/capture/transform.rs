//! What is changed in each picture of a camera before it is published: it is turned,
//! and a text is put over it.
//!
//! The coefficients of the JPEG are moved, and pixels are decoded under the text alone.
//! A camera whose pictures are not changed pays nothing for this.

use std::mem;
use std::time::SystemTime;

use super::overlay::Overlay;
use super::turn;
use crate::config::{CaptureConfig, Turn};
use crate::frame::{FrameBuf, FramePool};
use crate::jpeg::{self, Edit, Info, Orientation, Simd, TranscodeError, Transcoder};
use crate::log_limit::LogReasons;

/// Changes the pictures of a camera; keeps its memory from one to the next.
pub(super) struct Transform {
    overlay: Option<Overlay>,
    /// Made for the first picture that is changed, as it holds a whole picture.
    transcoder: Option<Box<Transcoder>>,
    passed_on: LogReasons,
}

impl Transform {
    pub(super) fn new(config: &CaptureConfig) -> Self {
        let overlay = config.overlay.clone().map(Overlay::new);
        Self { overlay, transcoder: None, passed_on: LogReasons::default() }
    }

    /// Replaces the picture, taken at `at`, by what is to be published, and returns its
    /// new width and height; `None` if it stays as it is.
    ///
    /// # Errors
    /// The picture is damaged.
    pub(super) fn apply(
        &mut self,
        buf: &mut FrameBuf,
        (info, at): (&Info, SystemTime),
        turn: Turn,
        pool: &mut FramePool,
        label: &str,
    ) -> Result<Option<(u16, u16)>, jpeg::Error> {
        if turn == Turn::default() && self.overlay.is_none() {
            self.transcoder = None;
            return Ok(None);
        }
        // With a text too the picture must lie as it is shown.
        let orientation = turn::orientation(turn, info.orientation);
        if orientation == Orientation::IDENTITY && self.overlay.is_none() {
            return Ok(make_upright(buf, info));
        }
        let new = || Box::new(Transcoder::new(Simd::best()));
        let transcoder = self.transcoder.get_or_insert_with(new);
        let edit = Edit { orientation, ..Edit::default() };
        match transcoder.read(buf.jpeg(), &edit) {
            Ok(size) => {
                if let Some(overlay) = &mut self.overlay {
                    transcoder.stamp(&overlay.stamp(size, at));
                }
                let mut changed = pool.take();
                changed.extend_with(|bytes| transcoder.write(bytes));
                changed.edit(jpeg::make_upright);
                pool.put_back(mem::replace(buf, changed));
                Ok(Some(size))
            }
            Err(TranscodeError::Damaged(what)) => {
                log::debug!("{label}: a damaged picture: {what}");
                Err(jpeg::Error::Damaged)
            }
            // Better a picture that lies on its side than none.
            Err(why) => {
                let line = format!("{label}: pictures are shown as they come, not changed: {why}");
                self.passed_on.warn(&why.to_string(), &line);
                Ok(None)
            }
        }
    }
}

/// A picture whose pixels lie right, but which says that a browser has to turn it.
fn make_upright(buf: &mut FrameBuf, info: &Info) -> Option<(u16, u16)> {
    info.orientation?;
    buf.edit(jpeg::make_upright);
    Some((info.width, info.height))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::normalize::normalize;

    #[test]
    fn pictures_that_nobody_wants_changed_are_not_read() {
        let mut buf = FrameBuf::new();
        buf.extend(include_bytes!("../camera/demo/1.jpg"));
        let info = normalize(&mut buf, false).unwrap();
        let (before, memory) = (buf.jpeg().to_vec(), buf.jpeg().as_ptr());
        let mut transform =
            Transform { overlay: None, transcoder: None, passed_on: LogReasons::default() };
        let (now, pool) = (SystemTime::now(), &mut FramePool::default());
        let changed = transform.apply(&mut buf, (&info, now), Turn::default(), pool, "camera");
        assert_eq!(changed, Ok(None));
        assert!(transform.transcoder.is_none(), "its memory is for nothing");
        assert!(buf.jpeg() == before && buf.jpeg().as_ptr() == memory);
    }
}
