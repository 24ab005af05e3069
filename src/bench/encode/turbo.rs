//! libjpeg-turbo on the same samples, with all of its SIMD.

use turbojpeg::{
    Compressor, Image, OutputBuf, PixelFormat as Pixels, Subsamp, Transform, TransformOp,
    Transformer, YuvImage,
};

use crate::Case;
use crate::jpeg::PixelFormat;
use crate::picture;

/// Encodes one picture. It is given planes where a camera gives pairs or
/// packed pixels, which it cannot read: what it takes to make them is not
/// counted.
pub(crate) struct Turbo {
    compressor: Compressor,
    out: OutputBuf<'static>,
    data: Vec<u8>,
    size: (usize, usize),
    subsamp: Subsamp,
    pixels: Pixels,
}

impl Turbo {
    pub(crate) fn new(case: &Case, quality: u8) -> Self {
        let mut compressor = Compressor::new().unwrap();
        compressor.set_quality(i32::from(quality)).unwrap();
        let (subsamp, like, pixels) = match case.format.name() {
            "YUYV" | "YVYU" | "UYVY" => (Subsamp::Sub2x1, PixelFormat::Yuyv, Pixels::RGB),
            "NV12" | "NV21" | "YU12" | "YV12" => (Subsamp::Sub2x2, PixelFormat::Yu12, Pixels::RGB),
            "GREY" => (Subsamp::Gray, PixelFormat::Grey, Pixels::RGB),
            "BGR3" => (Subsamp::None, PixelFormat::Bgr3, Pixels::BGR),
            _ => (Subsamp::None, PixelFormat::Rgb3, Pixels::RGB),
        };
        compressor.set_subsamp(subsamp).unwrap();
        let mut data = picture::drawn(like, case.size, case.noise);
        if subsamp == Subsamp::Sub2x1 {
            let every = |at: usize, n: usize| data.iter().skip(at).step_by(n);
            data = every(0, 2).chain(every(1, 4)).chain(every(3, 4)).copied().collect();
        }
        let out = OutputBuf::new_owned();
        Self { compressor, out, data, size: case.size, subsamp, pixels }
    }

    pub(crate) fn encode(&mut self) -> &[u8] {
        let (pixels, (width, height)) = (&self.data[..], self.size);
        if self.subsamp == Subsamp::None {
            let image = Image { pixels, width, pitch: 3 * width, height, format: self.pixels };
            self.compressor.compress(image, &mut self.out).unwrap();
        } else {
            let image = YuvImage { pixels, width, align: 1, height, subsamp: self.subsamp };
            self.compressor.compress_yuv(image, &mut self.out).unwrap();
        }
        &self.out
    }
}

/// Turns JPEGs clockwise, as jpegtran does.
pub(crate) struct Rotation {
    transformer: Transformer,
    out: OutputBuf<'static>,
}

impl Rotation {
    pub(crate) fn new() -> Self {
        Self { transformer: Transformer::new().unwrap(), out: OutputBuf::new_owned() }
    }

    pub(crate) fn rotate(&mut self, jpeg: &[u8]) -> usize {
        let mut transform = Transform::op(TransformOp::Rot90);
        transform.trim = true;
        self.transformer.transform(&transform, jpeg, &mut self.out).unwrap();
        self.out.len()
    }
}
