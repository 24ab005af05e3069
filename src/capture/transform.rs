//! Changes each picture of a camera before it is published: turns it.
//!
//! The coefficients of the JPEG are moved and not decoded, so nothing is lost. A
//! camera that is not turned does not come here, and costs nothing.

use std::mem;

use super::turn;
use crate::config::Turn;
use crate::frame::{FrameBuf, FramePool};
use crate::jpeg::{self, Edit, Info, Orientation, TranscodeError, Transcoder};
use crate::log_limit::LogReasons;

/// What changes the pictures of a camera; keeps its memory from one to the next.
#[derive(Default)]
pub(super) struct Transform {
    /// Made for the first picture that is changed, as it holds a whole picture.
    transcoder: Option<Box<Transcoder>>,
    passed_on: LogReasons,
}

impl Transform {
    /// Replaces the picture by what `turn` makes of it, and returns its new width
    /// and height; `None` if it stays as it is.
    ///
    /// # Errors
    /// The picture is damaged.
    pub(super) fn apply(
        &mut self,
        buf: &mut FrameBuf,
        (info, turn): (&Info, Turn),
        pool: &mut FramePool,
        label: &str,
    ) -> Result<Option<(u16, u16)>, jpeg::Error> {
        if turn == Turn::default() {
            self.transcoder = None;
            return Ok(None);
        }
        let orientation = turn::orientation(turn, info.orientation);
        if orientation == Orientation::IDENTITY {
            return Ok(make_upright(buf, info));
        }
        let transcoder = self.transcoder.get_or_insert_with(|| Box::new(new_transcoder()));
        let edit = Edit { orientation, ..Edit::default() };
        match transcoder.read(buf.jpeg(), &edit) {
            Ok(size) => {
                let mut turned = pool.take();
                turned.extend_by(|bytes| transcoder.write(bytes));
                turned.edit(jpeg::make_upright);
                pool.put_back(mem::replace(buf, turned));
                Ok(Some(size))
            }
            Err(TranscodeError::Damaged(_)) => Err(jpeg::Error::Damaged),
            // Better a picture that lies on its side than none.
            Err(why) => {
                let line = format!("{label}: pictures are shown as they come, not turned: {why}");
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
