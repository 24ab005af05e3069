//! libjpeg-turbo with its SIMD code, on the same bytes.

use turbojpeg::{Compressor, OutputBuf, Subsamp, YuvImage};

use super::picture::{HEIGHT, WIDTH};

/// Splits YUYV into planes, the only input that libjpeg-turbo takes, and
/// encodes those.
pub(crate) fn encoder(data: &[u8], quality: i32) -> impl FnMut() -> usize {
    let mut compressor = Compressor::new().unwrap();
    compressor.set_quality(quality).unwrap();
    let mut out = OutputBuf::new_owned();
    let mut planes = vec![0; WIDTH * HEIGHT * 2];
    move || {
        let (luma, chroma) = planes.split_at_mut(WIDTH * HEIGHT);
        let (cb, cr) = chroma.split_at_mut(WIDTH * HEIGHT / 2);
        let pairs = luma.as_chunks_mut().0.iter_mut().zip(cb).zip(cr);
        for (((luma, cb), cr), [y0, u, y1, v]) in pairs.zip(data.as_chunks().0) {
            (*luma, *cb, *cr) = ([*y0, *y1], *u, *v);
        }
        let image = YuvImage {
            pixels: &planes[..],
            width: WIDTH,
            align: 1,
            height: HEIGHT,
            subsamp: Subsamp::Sub2x1,
        };
        compressor.compress_yuv(image, &mut out).unwrap();
        out.len()
    }
}
