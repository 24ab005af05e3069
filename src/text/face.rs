//! The font at one size.

use std::ops::RangeInclusive;

use super::fit::Axis;
use super::glyph::Glyph;
use super::pen::Coverage;

/// A letter of this size has one pixel a unit.
const UNITS: f32 = 26.0;
/// From the base line to the top of an accent on a capital letter, and to the bottom of a
/// cedilla, in units.
const ASCENT: f32 = 25.0;
const DESCENT: f32 = 6.0;
/// Width of a stroke, and of the gap between two letters, in units.
const STROKE: f32 = 2.5;
const GAP: f32 = 3.4;
/// A dot is thicker than a stroke, as it looks thinner.
const DOT: f32 = 1.2;
/// Of less than 9 pixels, letters cannot be read.
const SIZES: RangeInclusive<u16> = 9..=256;
/// How many letters are kept. A text has a few dozen different ones, but texts change.
const MAX_DRAWN: usize = 256;

/// The font at one size. Each letter is drawn once and kept.
#[derive(Debug)]
pub(crate) struct Face {
    scale: f32,
    /// Half the width of a stroke.
    radius: f32,
    /// Where the middle of a stroke lies in a pixel.
    phase: f32,
    /// From the top of a line to the base line.
    base: f32,
    gap: f32,
    height: usize,
    margin: u8,
    drawn: Vec<(char, Coverage)>,
}

impl Face {
    /// `size` is counted as in other fonts, in pixels: capitals have 0.7 of it.
    pub(crate) fn new(size: u16) -> Self {
        let scale = f32::from(size.clamp(*SIZES.start(), *SIZES.end())) / UNITS;
        let exact = (STROKE * scale).max(1.0);
        // A stroke of 2.4 pixels would have a grey edge on one side, a larger one may.
        let stroke = if (1.5..3.5).contains(&exact) { exact.round() } else { exact };
        // The middle of a stroke of an odd number of pixels is the middle of a pixel.
        let phase = if stroke.round() % 2.0 == 1.0 { 0.5 } else { 0.0 };
        // Half a stroke reaches out, and half a pixel is its soft edge.
        let beyond = stroke / 2.0 + 0.5;
        let base = (ASCENT * scale + beyond).ceil();
        Self {
            scale,
            radius: stroke / 2.0,
            phase,
            base,
            gap: (GAP * scale + stroke).round(),
            height: to_pixels(base + (DESCENT * scale + beyond).ceil()),
            margin: 0,
            drawn: Vec::new(),
        }
    }

    /// The same letters, thicker by `margin` pixels on each side: a dark edge for what is
    /// drawn over them.
    pub(crate) fn outline(&self, margin: u8) -> Self {
        Self { margin, radius: self.radius + f32::from(margin), drawn: Vec::new(), ..*self }
    }

    /// The height of a line in pixels.
    pub(crate) fn height(&self) -> usize {
        self.height
    }

    /// The width of a text in pixels.
    pub(crate) fn width(&mut self, text: &str) -> usize {
        let margins = 2 * usize::from(self.margin);
        text.chars().map(|letter| self.letter(letter).width - margins).sum()
    }

    /// Draws a line of text: `put` gets column and row of the first of some pixels, and how far
    /// each of them is covered. An outline begins `margin` pixels before the text and
    /// above it, and gives some pixels twice, of which the greater value counts.
    pub(crate) fn draw(&mut self, text: &str, put: &mut dyn FnMut(usize, usize, &[u8])) {
        let margins = 2 * usize::from(self.margin);
        let mut x = 0;
        for letter in text.chars() {
            let coverage = self.letter(letter);
            for (y, row) in coverage.rows().enumerate() {
                put(x, y, row);
            }
            x += coverage.width - margins;
        }
    }

    fn letter(&mut self, letter: char) -> &Coverage {
        if self.drawn.len() > MAX_DRAWN {
            self.drawn.clear();
        }
        let at = match self.drawn.binary_search_by_key(&letter, |(known, _)| *known) {
            Ok(at) => at,
            Err(at) => {
                let coverage = self.draw_glyph(&Glyph::new(letter));
                self.drawn.insert(at, (letter, coverage));
                at
            }
        };
        &self.drawn[at].1
    }

    fn draw_glyph(&self, glyph: &Glyph) -> Coverage {
        let horizontal = Axis::horizontal(glyph, self.scale, self.phase);
        let vertical = Axis::vertical(glyph, self.scale, self.phase);
        let margin = f32::from(self.margin);
        let left = (self.gap / 2.0).floor() + margin;
        let advance = horizontal.pixels(glyph.width) - horizontal.pixels(0.0) + self.gap;
        let margins = 2 * usize::from(self.margin);
        let mut coverage = Coverage::new(to_pixels(advance) + margins, self.height + margins);
        for stroke in &glyph.strokes {
            let mut points = stroke.clone();
            for point in &mut points {
                point.x = left + horizontal.pixels(point.x);
                point.y = margin + self.base - vertical.pixels(point.y);
            }
            let radius = match points.len() {
                1 => margin + (self.radius - margin) * DOT,
                _ => self.radius,
            };
            coverage.stroke(&points, radius);
        }
        coverage
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn to_pixels(length: f32) -> usize {
    length as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text as rows of values.
    fn drawn(face: &mut Face, text: &str) -> Vec<Vec<u8>> {
        let margins = 2 * usize::from(face.margin);
        let mut rows = vec![vec![0; face.width(text) + margins]; face.height() + margins];
        face.draw(text, &mut |x, y, row| {
            for (value, pixel) in row.iter().zip(&mut rows[y][x..]) {
                *pixel = (*pixel).max(*value);
            }
        });
        rows
    }

    #[test]
    fn clock_that_runs_keeps_its_width() {
        for size in SIZES.step_by(5) {
            let mut face = Face::new(size);
            let width = face.width("00:00:00");
            assert!(
                ["11:11:11", "23:59:48"].iter().all(|time| face.width(time) == width),
                "{size}"
            );
        }
    }

    #[test]
    fn stems_of_small_letters_lie_on_whole_pixels() {
        for size in [9, 10, 12, 16, 20, 24, 30] {
            let rows = drawn(&mut Face::new(size), "H");
            let line = &rows[rows.len() / 3];
            let n_covered = line.iter().filter(|value| **value > 60).count();
            let stroke = if size < 16 {
                1
            } else if size < 26 {
                2
            } else {
                3
            };
            assert_eq!(n_covered, 2 * stroke, "{size}: {line:?}");
            assert!(line.iter().filter(|value| **value == 255).count() >= 2 * stroke, "{size}");
        }
    }

    fn sum(rows: &[Vec<u8>]) -> u64 {
        rows.iter().flatten().map(|value| u64::from(*value)).sum()
    }

    #[test]
    fn letters_are_not_cut_off_by_their_cell() {
        for size in [9, 12, 20, 50] {
            for outline in [0, 2] {
                let mut face = Face::new(size).outline(outline);
                let mut roomy = Face { margin: outline + 8, drawn: Vec::new(), ..face };
                for letter in ["Å", "ģ", "j", "W", "@", "Щ", "Ώ", "ώ", "漢"] {
                    let (own, whole) = (drawn(&mut face, letter), drawn(&mut roomy, letter));
                    // A quarter of a pixel cannot be seen.
                    assert!(sum(&own) + 64 > sum(&whole), "{letter} of {size}");
                }
            }
        }
    }

    #[test]
    fn outline_covers_more_than_its_letter_and_all_of_it() {
        let mut face = Face::new(20);
        let mut outline = face.outline(2);
        assert_eq!(outline.width("ab"), face.width("ab"));
        let (inner, outer) = (drawn(&mut face, "ab"), drawn(&mut outline, "ab"));
        for (y, row) in inner.iter().enumerate() {
            assert!(row.iter().zip(&outer[y + 2][2..]).all(|(inner, outer)| inner <= outer));
        }
        assert!(sum(&outer) > 2 * sum(&inner));
    }

    #[test]
    fn texts_of_many_letters_take_bounded_memory() {
        let mut face = Face::new(9);
        for letter in '\u{4000}'..'\u{4400}' {
            face.width(&letter.to_string());
        }
        assert!(face.drawn.len() <= MAX_DRAWN + 1);
    }
}
