//! Draws strokes: each pixel is covered by how near a stroke passes.

use super::glyph::Point;

/// Into how many lines a curve is divided.
const N_LINES: u8 = 8;

/// How far each pixel of a rectangle is covered, 0 to 255, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Coverage {
    pub(super) width: usize,
    values: Vec<u8>,
}

impl Coverage {
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self { width, values: vec![0; width * height] }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.values.chunks_exact(self.width.max(1))
    }

    /// Draws a stroke with points in pixels. A single point is a dot.
    pub(super) fn stroke(&mut self, points: &[Point], radius: f32) {
        let Some((first, rest)) = points.split_first() else { return };
        let mut from = (first.x, first.y);
        if rest.is_empty() {
            return self.line(from, from, radius);
        }
        for (i, point) in rest.iter().enumerate() {
            let to = (point.x, point.y);
            if point.is_on {
                self.line(from, to, radius);
                from = to;
            } else if let Some(next) = rest.get(i + 1) {
                let end = if next.is_on {
                    (next.x, next.y)
                } else {
                    ((point.x + next.x) / 2.0, (point.y + next.y) / 2.0)
                };
                self.curve(from, to, end, radius);
                from = end;
            }
        }
    }

    /// A quadratic curve that `bend` pulls towards itself.
    fn curve(&mut self, from: (f32, f32), bend: (f32, f32), to: (f32, f32), radius: f32) {
        let mut last = from;
        for i in 1..=N_LINES {
            let t = f32::from(i) / f32::from(N_LINES);
            let at = |a: f32, b: f32, c: f32| {
                (1.0 - t) * (1.0 - t) * a + 2.0 * t * (1.0 - t) * b + t * t * c
            };
            let next = (at(from.0, bend.0, to.0), at(from.1, bend.1, to.1));
            self.line(last, next, radius);
            last = next;
        }
    }

    fn line(&mut self, from: (f32, f32), to: (f32, f32), radius: f32) {
        let reach = radius + 1.0;
        let columns = range(from.0.min(to.0) - reach, from.0.max(to.0) + reach, self.width);
        let height = self.values.len() / self.width.max(1);
        for y in range(from.1.min(to.1) - reach, from.1.max(to.1) + reach, height) {
            for x in columns.clone() {
                let distance = distance((centre(x), centre(y)), from, to);
                let value = to_byte(radius + 0.5 - distance);
                let pixel = &mut self.values[y * self.width + x];
                *pixel = value.max(*pixel);
            }
        }
    }
}

/// The pixels between two coordinates, of `n`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn range(low: f32, high: f32, n: usize) -> std::ops::Range<usize> {
    (low.floor() as usize)..(high.ceil() as usize).min(n)
}

fn centre(pixel: usize) -> f32 {
    pixel as f32 + 0.5
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn to_byte(share: f32) -> u8 {
    (share * 255.0).round() as u8
}

/// From a point to the nearest one of a line.
fn distance(point: (f32, f32), from: (f32, f32), to: (f32, f32)) -> f32 {
    let (x, y) = (point.0 - from.0, point.1 - from.1);
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx * dx + dy * dy;
    let t = if length > 0.0 { ((x * dx + y * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
    ((x - t * dx).powi(2) + (y - t * dy).powi(2)).sqrt()
}
