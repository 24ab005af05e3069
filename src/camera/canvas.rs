//! Draws text and boxes, for the test pattern and the status picture.

use jpeg_encoder::{ColorType, Encoder, EncodingError, rgb_to_ycbcr};

use crate::frame::FrameBuf;
use crate::text::Face;

/// A colour in the encoder's format, full range YCbCr (JFIF). Converting a colour
/// once is cheaper than converting each pixel when the picture is encoded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Colour([u8; 3]);

impl Colour {
    pub(crate) const BLACK: Self = Self([0, 128, 128]);
    pub(crate) const WHITE: Self = Self([255, 128, 128]);

    pub(crate) fn rgb(r: u8, g: u8, b: u8) -> Self {
        let (y, cb, cr) = rgb_to_ycbcr(r, g, b);
        Self([y, cb, cr])
    }
}

/// Pixels in rows from the top, three bytes each.
#[derive(Clone, Debug)]
pub(crate) struct Canvas {
    width: u16,
    height: u16,
    pixels: Vec<u8>,
}

impl Canvas {
    /// A canvas filled with one colour. `width` and `height` must be above 0.
    pub(crate) fn new(width: u16, height: u16, colour: Colour) -> Self {
        let n = usize::from(width) * usize::from(height);
        Self { width, height, pixels: colour.0.repeat(n) }
    }

    pub(crate) fn width(&self) -> usize {
        usize::from(self.width)
    }

    pub(crate) fn height(&self) -> usize {
        usize::from(self.height)
    }

    /// Fills a box, clipped to the canvas.
    pub(crate) fn fill(&mut self, x: usize, y: usize, w: usize, h: usize, colour: Colour) {
        let (right, bottom) = ((x + w).min(self.width()), (y + h).min(self.height()));
        let width = self.width();
        for row in y..bottom {
            // The range is empty for a box that begins right of the canvas.
            for pixel in (row * width + x..row * width + right.max(x)).map(|i| i * 3) {
                self.pixels[pixel..pixel + 3].copy_from_slice(&colour.0);
            }
        }
    }

    /// Copies all pixels of another canvas of the same size.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.pixels.copy_from_slice(&other.pixels);
    }

    /// Draws a line of text, clipped to the canvas.
    pub(crate) fn text(&mut self, x: usize, y: usize, face: &mut Face, text: &str, colour: Colour) {
        let (width, height) = (self.width(), self.height());
        face.draw(text, &mut |column, row, coverage| {
            let (x, y) = (x + column, y + row);
            if x >= width || y >= height {
                return;
            }
            let start = (y * width + x) * 3;
            let n_clipped = coverage.len().min(width - x);
            let pixels = self.pixels[start..start + n_clipped * 3].chunks_exact_mut(3);
            for (pixel, covered) in pixels.zip(coverage).filter(|(_, covered)| **covered > 0) {
                for (value, towards) in pixel.iter_mut().zip(colour.0) {
                    *value = blend(*value, towards, *covered);
                }
            }
        });
    }

    /// Encodes the canvas into an empty frame. `quality` is 1 to 100.
    ///
    /// # Errors
    /// None for a canvas of at least one pixel: writing to a frame cannot fail.
    pub(crate) fn encode(&self, quality: u8, frame: &mut FrameBuf) -> Result<(), EncodingError> {
        Encoder::new(frame, quality).encode(&self.pixels, self.width, self.height, ColorType::Ycbcr)
    }
}

/// A value moved towards another one by a share of 255.
fn blend(value: u8, towards: u8, share: u8) -> u8 {
    let (value, towards, share) = (u32::from(value), u32::from(towards), u32::from(share));
    // Never above 255, as it lies between the two.
    u8::try_from((value * (255 - share) + towards * share + 127) / 255).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jpeg;

    fn n_white(canvas: &Canvas) -> usize {
        canvas.pixels.chunks(3).filter(|p| **p == Colour::WHITE.0).count()
    }

    #[test]
    fn boxes_and_text_are_clipped() {
        let mut canvas = Canvas::new(10, 10, Colour::BLACK);
        canvas.fill(8, 8, 5, 5, Colour::WHITE);
        assert_eq!(n_white(&canvas), 4);
        canvas.fill(50, 50, 5, 5, Colour::WHITE);
        canvas.text(5, 5, &mut Face::new(20), "too large", Colour::WHITE);
        canvas.text(50, 50, &mut Face::new(20), "outside", Colour::WHITE);
    }

    #[test]
    fn text_of_any_language_draws_something() {
        for text in ["A", "é", "Ж", "ω", "\u{1F600}", " "] {
            let mut canvas = Canvas::new(40, 40, Colour::BLACK);
            canvas.text(0, 0, &mut Face::new(30), text, Colour::WHITE);
            assert_eq!(n_white(&canvas) > 0, text != " ", "{text:?}");
        }
    }

    #[test]
    fn edges_of_letters_lie_between_the_two_colours() {
        assert_eq!([0, 128, 255].map(|share| blend(16, 235, share)), [16, 126, 235]);
        assert_eq!([0, 128, 255].map(|share| blend(235, 16, share)), [235, 125, 16]);
    }

    #[test]
    fn canvas_becomes_a_jpeg_of_its_size() {
        let mut frame = FrameBuf::new();
        Canvas::new(100, 50, Colour::WHITE).encode(80, &mut frame).unwrap();
        let info = jpeg::check(frame.jpeg()).unwrap();
        assert_eq!((info.width, info.height), (100, 50));
    }
}
