//! Changes each picture of a camera before it is published: turns it, and puts a text
//! over it.
//!
//! The coefficients of the JPEG are moved and not decoded, so nothing is lost but what lies
//! under the text. A camera without either does not come here, and costs nothing.

use std::mem;
use std::time::SystemTime;

use super::overlay::Overlay;
use super::turn;
use crate::config::{CaptureConfig, Turn};
use crate::frame::{FrameBuf, FramePool};
use crate::jpeg::{self, Edit, Info, Orientation, TranscodeError, Transcoder};
use crate::log_limit::LogReasons;

/// What changes the pictures of a camera; keeps its memory from one to the next.
#[derive(Default)]
pub(super) struct Transform {
    /// `None`: there is no text.
    overlay: Option<Box<Overlay>>,
    /// Made for the first picture that is changed, as it holds a whole picture.
    transcoder: Option<Box<Transcoder>>,
    passed_on: LogReasons,
}

impl Transform {
    pub(super) fn new(config: &CaptureConfig) -> Self {
        let overlay = config.overlay.clone().map(|overlay| Box::new(Overlay::new(overlay)));
        Self { overlay, ..Self::default() }
    }

    /// Replaces the picture, which was taken `at` this time, by what `turn` makes of it with
    /// the text over it, and returns its new width and height; `None` if it stays as it is.
    /// With a text it is turned as its EXIF says: a browser would turn the text too.
    ///
    /// # Errors
    /// The picture is damaged.
    pub(super) fn apply(
        &mut self,
        buf: &mut FrameBuf,
        (info, turn): (&Info, Turn),
        at: SystemTime,
        pool: &mut FramePool,
        label: &str,
    ) -> Result<Option<(u16, u16)>, jpeg::Error> {
        if turn == Turn::default() && self.overlay.is_none() {
            self.transcoder = None;
            return Ok(None);
        }
        let orientation = turn::orientation(turn, info.orientation);
        if orientation == Orientation::IDENTITY && self.overlay.is_none() {
            return Ok(make_upright(buf, info));
        }
        let transcoder = self.transcoder.get_or_insert_with(|| Box::new(new_transcoder()));
        let edit = Edit { orientation, ..Edit::default() };
        match transcoder.read(buf.jpeg(), &edit) {
            Ok(size) => {
                if let Some(overlay) = &mut self.overlay {
                    transcoder.stamp(&overlay.stamp(size, at));
                }
                let mut changed = pool.take();
                changed.extend_by(|bytes| transcoder.write(bytes));
                changed.edit(jpeg::make_upright);
                pool.put_back(mem::replace(buf, changed));
                Ok(Some(size))
            }
            Err(TranscodeError::Damaged(_)) => Err(jpeg::Error::Damaged),
            // Better a picture that lies on its side, or lacks a text, than none.
            Err(why) => {
                let what = match self.overlay {
                    Some(_) => "without the overlay",
                    None => "not turned",
                };
                let line = format!("{label}: pictures are shown as they come, {what}: {why}");
                self.passed_on.warn(&why.to_string(), &line);
                Ok(None)
            }
        }
    }
}

fn new_transcoder() -> Transcoder {
    Transcoder::new(jpeg::Simd::best())
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
    fn camera_without_such_options_costs_neither_memory_nor_time() {
        let mut buf = FrameBuf::new();
        buf.extend(include_bytes!("../camera/demo/1.jpg"));
        let info = normalize(&mut buf, false).unwrap();
        let (before, memory) = (buf.jpeg().to_vec(), buf.jpeg().as_ptr());
        let mut transform = Transform::default();
        let how = (&info, Turn::default());
        let pool = &mut FramePool::default();
        let changed = transform.apply(&mut buf, how, SystemTime::now(), pool, "camera");
        assert_eq!(changed, Ok(None));
        assert!(transform.transcoder.is_none() && transform.overlay.is_none());
        assert!(buf.jpeg() == before && buf.jpeg().as_ptr() == memory);
    }
}
