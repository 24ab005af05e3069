//! The JPEGs that the webcam serves. They are drawn here, so that the tests know each byte that must arrive.
//!
//! Called by `initramfs`, which packs them, and by the tests, which compare.

use jpeg_encoder::{ColorType, Encoder};
use std::sync::LazyLock;

/// Pictures of each size: few enough to draw quickly, and enough that a lost frame is noticed.
const N_PICTURES: usize = 12;
/// The sizes of the webcam, see webcam/formats.rs.
const SIZES: [(u16, u16); 2] = [(640, 480), (1280, 720)];

/// Drawn once, since drawing takes seconds in a debug build and each test needs them.
static PICTURES: LazyLock<Vec<(String, Vec<Vec<u8>>)>> = LazyLock::new(|| {
    let of_size =
        |&(width, height)| (0..N_PICTURES).map(|number| draw(width, height, number)).collect();
    SIZES.iter().map(|size| (format!("{}x{}", size.0, size.1), of_size(size))).collect()
});

/// All pictures by folder name, as `640x480`, in the order in which they are served.
pub(crate) fn all() -> &'static [(String, Vec<Vec<u8>>)] {
    &PICTURES
}

/// The pictures of one size, by its folder name.
pub(crate) fn of_size(name: &str) -> &'static [Vec<u8>] {
    let found = PICTURES.iter().find(|(size, _)| size == name);
    &found.expect("the test names a size of the webcam").1
}

/// A gradient with a moving checkerboard and a little noise: 40 to 60 kB at 640x480, as a webcam's frames.
fn draw(width: u16, height: u16, number: usize) -> Vec<u8> {
    let (columns, rows) = (usize::from(width), usize::from(height));
    let mut noise = u32::try_from(number).expect("a small number") + 1;
    let mut pixels = Vec::with_capacity(columns * rows * 3);
    for y in 0..rows {
        for x in 0..columns {
            // The generator of Numerical Recipes. Its high bits are random enough to make the JPEG large.
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let grain = (noise >> 28) as usize;
            let checker = if (x / 16 + y / 16 + number).is_multiple_of(2) { 60 } else { 0 };
            let level = |position: usize, length: usize| {
                (position * 160 / length + checker + grain).to_le_bytes()[0]
            };
            pixels.extend([level(x, columns), level(y, rows), level(x + y, columns + rows)]);
        }
    }
    let mut jpeg = Vec::new();
    let encoder = Encoder::new(&mut jpeg, 80);
    encoder
        .encode(&pixels, width, height, ColorType::Rgb)
        .expect("the picture has as many pixels as its size says");
    jpeg
}
