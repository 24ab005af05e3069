//! The coloured bars that vivid draws, as they are found in a JPEG.

use jpeg_decoder::{Decoder, PixelFormat};

/// The bars of vivid's pattern "100% Colorbar", from the left.
pub(crate) const BARS: [[u8; 3]; 8] = [
    [255, 255, 255],
    [255, 255, 0],
    [0, 255, 255],
    [0, 255, 0],
    [255, 0, 255],
    [255, 0, 0],
    [0, 0, 255],
    [0, 0, 0],
];

/// The bars of "75% Colorbar", which reveal a range that is wrongly expanded.
pub(crate) fn three_quarters(bar: [u8; 3]) -> [u8; 3] {
    bar.map(|channel| if channel == 255 { 191 } else { 0 })
}

/// The colour in the middle of each bar, at three quarters of the height: the text is above.
pub(crate) fn bars(jpeg: &[u8]) -> Vec<[u8; 3]> {
    let mut decoder = Decoder::new(jpeg);
    let pixels = decoder.decode().expect("a JPEG that can be decoded");
    let info = decoder.info().expect("a decoded JPEG has a size");
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    let at = |bar: usize| height * 3 / 4 * width + (2 * bar + 1) * width / 16;
    let colour = |bar: usize| match info.pixel_format {
        PixelFormat::L8 => [pixels[at(bar)]; 3],
        _ => [0, 1, 2].map(|channel| pixels[3 * at(bar) + channel]),
    };
    (0..BARS.len()).map(colour).collect()
}

/// That the bars have these colours, with at most this difference in a channel.
pub(crate) fn assert_near(format: &str, seen: &[[u8; 3]], due: &[[u8; 3]], most: u8) {
    for (bar, (seen, due)) in seen.iter().zip(due).enumerate() {
        let is_near = seen.iter().zip(due).all(|(a, b)| a.abs_diff(*b) <= most);
        assert!(is_near, "{format}: bar {bar} is {seen:?} and not {due:?}");
    }
}

/// Full-range luma of Rec. 709, which vivid draws in formats without colour.
pub(crate) fn grey([r, g, b]: [u8; 3]) -> [u8; 3] {
    let luma = (u32::from(r) * 2126 + u32::from(g) * 7152 + u32::from(b) * 722 + 5000) / 10_000;
    [luma.to_le_bytes()[0]; 3]
}

/// Width and height of a JPEG.
pub(crate) fn size(jpeg: &[u8]) -> (u16, u16) {
    let mut decoder = Decoder::new(jpeg);
    decoder.read_info().expect("a JPEG that can be decoded");
    let info = decoder.info().expect("its head was read");
    (info.width, info.height)
}
