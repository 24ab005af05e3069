//! The formats, sizes and frame rates of the webcam.
//!
//! Read by `descriptors` (which announces them), `negotiation` (which picks one) and `streaming` (which serves it).

/// A pixel format and its sizes, in the order in which the descriptors number them, from 1.
pub(crate) struct Format {
    pub(crate) name: &'static str,
    pub(crate) compressed: bool,
    pub(crate) sizes: &'static [Size],
}

/// A picture size and its frame rates, fastest first; the first one is the default.
pub(crate) struct Size {
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) fps: &'static [u32],
}

/// YUYV is slower than MJPEG, as it is on every real camera.
pub(crate) const FORMATS: [Format; 2] = [
    Format {
        name: "MJPG",
        compressed: true,
        sizes: &[
            Size { width: 640, height: 480, fps: &[30, 15, 10, 5] },
            Size { width: 1280, height: 720, fps: &[30, 15, 10] },
        ],
    },
    Format {
        name: "YUYV",
        compressed: false,
        sizes: &[Size { width: 640, height: 480, fps: &[15, 5] }],
    },
];

impl Size {
    /// Bytes of the largest frame: two a pixel, exact for YUYV and what real cameras announce for MJPEG.
    pub(crate) fn max_frame_bytes(&self) -> u32 {
        u32::from(self.width) * u32::from(self.height) * 2
    }

    /// The folder name of this size's pictures.
    pub(crate) fn folder(&self) -> String {
        format!("{}x{}", self.width, self.height)
    }
}

/// A frame rate as UVC writes it: units of 100 ns per frame.
pub(crate) fn interval(fps: u32) -> u32 {
    10_000_000 / fps
}
