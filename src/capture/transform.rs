//! What is changed in each picture of a camera before it is published.

use std::time::SystemTime;

use super::overlay::Overlay;
use crate::camera::Error;
use crate::config::CaptureConfig;
use crate::frame::{FrameBuf, FramePool};
use crate::jpeg::{self, Edit, Simd, TranscodeError, Transcoder};
use crate::log_limit::LogReasons;

/// Changes pictures as the options of the camera say. Without such options it takes neither
/// time nor memory.
pub(super) struct Transform(Option<Box<Active>>);

struct Active {
    overlay: Overlay,
    transcoder: Transcoder,
    unchanged: LogReasons,
}

impl Transform {
    pub(super) fn new(config: &CaptureConfig) -> Self {
        let overlay = config.overlay.clone().map(Overlay::new);
        Self(overlay.map(|overlay| {
            let transcoder = Transcoder::new(Simd::best());
            Box::new(Active { overlay, transcoder, unchanged: LogReasons::default() })
        }))
    }

    /// Returns the picture as it is to be published. One that cannot be changed stays as it
    /// is, and the log says why.
    ///
    /// # Errors
    /// The picture is damaged.
    pub(super) fn apply(
        &mut self,
        buf: FrameBuf,
        at: SystemTime,
        pool: &mut FramePool,
        label: &str,
    ) -> Result<FrameBuf, Error> {
        let Some(active) = &mut self.0 else { return Ok(buf) };
        match active.transcoder.read(buf.jpeg(), &Edit::default()) {
            Ok(size) => {
                active.transcoder.stamp(&active.overlay.stamp(size, at));
                let mut changed = pool.take();
                changed.extend_with(|bytes| active.transcoder.write(bytes));
                pool.put_back(buf);
                Ok(changed)
            }
            Err(TranscodeError::Damaged(what)) => {
                log::debug!("{label}: a damaged picture: {what}");
                pool.put_back(buf);
                Err(Error::BadFrame(jpeg::Error::Damaged))
            }
            Err(why) => {
                let line = format!("{label}: pictures stay without the overlay: {why}");
                active.unchanged.warn(&why.to_string(), &line);
                Ok(buf)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_of_a_camera_without_such_options_are_not_even_read() {
        let config = CaptureConfig {
            idle_timeout: None,
            allow_truncated: false,
            min_frame_bytes: 0,
            every: 1,
            max_same: 0,
            overlay: None,
        };
        let mut transform = Transform::new(&config);
        assert!(transform.0.is_none(), "memory for nothing");
        let mut buf = FrameBuf::new();
        buf.extend(b"no JPEG");
        let memory = buf.jpeg().as_ptr();
        let same =
            transform.apply(buf, SystemTime::now(), &mut FramePool::default(), "camera").unwrap();
        assert_eq!((same.jpeg(), same.jpeg().as_ptr()), (&b"no JPEG"[..], memory));
    }
}
