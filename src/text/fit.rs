//! Fits the strokes of a letter to the grid of pixels.
//!
//! Stems and bars that lie across two pixels are blurred, and of unequal weight. So what is
//! straight, and the edges of the letter, are moved to whole pixels; the rest is moved along
//! in proportion.

use super::glyph::{CAP_HEIGHT, DESCENDER, Glyph, Point, X_HEIGHT};
use crate::short_sort::sort_short;

/// How units become pixels along one axis.
pub(super) struct Axis {
    /// Units and pixels of what lies at whole pixels, in rising order.
    anchors: Vec<(f32, f32)>,
    scale: f32,
}

impl Axis {
    /// `scale` is in pixels a unit; `phase` is added to whole pixels.
    fn new(mut units: Vec<f32>, scale: f32, phase: f32) -> Self {
        sort_short(&mut units, f32::total_cmp);
        units.dedup();
        let anchors = units.iter().map(|unit| (*unit, (unit * scale).round() + phase)).collect();
        Self { anchors, scale }
    }

    pub(super) fn horizontal(glyph: &Glyph, scale: f32, phase: f32) -> Self {
        let mut units = straight(glyph, |point| point.x, |point| point.y);
        units.extend([0.0, glyph.width]);
        units.extend(glyph.strokes.iter().flatten().map(|point| point.x).reduce(f32::min));
        units.extend(glyph.strokes.iter().flatten().map(|point| point.x).reduce(f32::max));
        Self::new(units, scale, phase)
    }

    pub(super) fn vertical(glyph: &Glyph, scale: f32, phase: f32) -> Self {
        let mut units = straight(glyph, |point| point.y, |point| point.x);
        units.extend([DESCENDER, 0.0, X_HEIGHT, CAP_HEIGHT]);
        Self::new(units, scale, phase)
    }

    pub(super) fn pixels(&self, unit: f32) -> f32 {
        let next = self.anchors.partition_point(|(known, _)| *known < unit);
        let at = |i: usize| self.anchors.get(i).copied();
        match (next.checked_sub(1).and_then(at), at(next)) {
            (Some((low, from)), Some((high, to))) => {
                from + (to - from) * (unit - low) / (high - low)
            }
            (Some((near, pixels)), None) | (None, Some((near, pixels))) => {
                pixels + (unit - near) * self.scale
            }
            (None, None) => unit * self.scale,
        }
    }
}

/// The coordinates at which a stroke runs straight along the other axis.
fn straight(glyph: &Glyph, of: fn(&Point) -> f32, along: fn(&Point) -> f32) -> Vec<f32> {
    let pairs = glyph.strokes.iter().flat_map(|stroke| stroke.windows(2));
    let straight = pairs.filter(|pair| {
        let both_on = pair[0].is_on && pair[1].is_on;
        both_on && of(&pair[0]) == of(&pair[1]) && along(&pair[0]) != along(&pair[1])
    });
    straight.map(|pair| of(&pair[0])).collect()
}
