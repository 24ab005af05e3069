//! Shadows with a hard edge that move.

use std::f32::consts::TAU;

use super::scene::{DOWN, Random};
use super::{Clip, moving, settings};

/// Drawn relative to its middle, in units.
type Shape = fn(&mut Random) -> Vec<Part>;

/// An ellipse or a rectangle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) at: (f32, f32),
    pub(super) radii: (f32, f32),
    pub(super) is_round: bool,
    /// The edge, in units.
    pub(super) soft: f32,
}

impl Part {
    /// How much of a place it covers.
    pub(super) fn covers(&self, x: f32, y: f32) -> f32 {
        let (x, y) = ((x - self.at.0).abs() / self.radii.0, (y - self.at.1).abs() / self.radii.1);
        let from = if self.is_round { x.hypot(y) } else { x.max(y) };
        // In units across the narrower side.
        let outside = (from - 1.0) * self.radii.0.min(self.radii.1);
        (0.5 - outside / self.soft.max(0.05)).clamp(0.0, 1.0)
    }
}

fn cloud(r: &mut Random) -> Vec<Part> {
    let soft = r.between(0.1, 1.5);
    (0..3 + r.below(3))
        .map(|_| {
            let radius = r.between(3.0, 9.0);
            let at = (r.between(-8.0, 8.0), r.between(-6.0, 6.0));
            Part { at, radii: (radius, radius), is_round: true, soft }
        })
        .collect()
}

fn person(r: &mut Random) -> Vec<Part> {
    let radii = (r.between(1.2, 2.0), r.between(3.0, 6.0));
    vec![Part { at: (0.0, 0.0), radii, is_round: true, soft: r.between(0.1, 0.6) }]
}

fn car(r: &mut Random) -> Vec<Part> {
    let soft = r.between(0.1, 0.6);
    let body = Part { at: (0.0, 0.0), radii: (r.between(3.0, 7.0), 1.5), is_round: false, soft };
    let roof = Part { at: (0.0, -2.0), radii: (r.between(2.0, 3.0), 1.2), is_round: false, soft };
    vec![body, roof]
}

fn tree(r: &mut Random) -> Vec<Part> {
    let mut parts: Vec<_> = (0..6)
        .map(|_| {
            let at = (r.between(-4.0, 4.0), r.between(-4.0, 3.0));
            let radii = (r.between(1.5, 3.0), r.between(1.5, 3.0));
            Part { at, radii, is_round: true, soft: 0.4 }
        })
        .collect();
    parts.push(Part { at: (0.0, 7.0), radii: (0.8, 5.0), is_round: false, soft: 0.3 });
    parts
}

fn wall(r: &mut Random) -> Vec<Part> {
    let radii = (r.between(8.0, 25.0), 60.0);
    vec![Part { at: (0.0, 0.0), radii, is_round: false, soft: r.between(0.1, 2.0) }]
}

const SHAPES: [(&str, Shape); 5] =
    [("cloud", cloud), ("person", person), ("car", car), ("tree", tree), ("wall", wall)];

/// Where its middle is.
#[derive(Clone, Copy, Debug)]
struct Way {
    from: (f32, f32),
    step: (f32, f32),
}

impl Way {
    fn new(r: &mut Random, pace: f32, across: f32, half: f32) -> Self {
        let turn = r.between(-0.5, 0.5) + if r.below(2) == 0 { 0.0 } else { TAU / 2.0 };
        let (x, y) = (turn.cos(), turn.sin());
        let middle = (across / 2.0, DOWN / 2.0 + r.between(-7.0, 7.0));
        let back = (across / 2.0 / x.abs()).min(60.0) + half;
        Self { from: (middle.0 - x * back, middle.1 - y * back), step: (x * pace, y * pace) }
    }
    fn at(&self, n: f32) -> (f32, f32) {
        (self.from.0 + self.step.0 * n, self.from.1 + self.step.1 * n)
    }
}

pub(super) fn clip(seed: u64) -> Clip {
    let n = seed as usize;
    Clip {
        size: [(40, 30), (80, 60), (40, 30), (80, 60), (40, 30), (80, 60), (160, 90)][n % 7],
        seed,
        noise: [1.0, 3.0, 6.0][n % 3],
        divisor: [3, 6, 12][n / 2 % 3],
    }
}

pub(super) const BEFORE: usize = 50;

/// In how many pictures a shadow that crosses the picture is taken for a thing.
fn shadow(shape: Shape, seed: u64) -> usize {
    let clip = clip(seed);
    let mut r = Random::new(seed + 1000);
    let parts = shape(&mut r);
    let factor = r.between(0.4, 0.9);
    let pace = [0.1, 0.3, 0.7, 1.5, 3.0][r.below(5)];
    let across = DOWN * clip.size.0 as f32 / clip.size.1 as f32;
    // Beside a wall there is no end to come from.
    let ends = parts.iter().map(|part| {
        let down = if part.radii.1 < DOWN { part.at.1.abs() + part.radii.1 } else { 0.0 };
        down.max(part.at.0.abs() + part.radii.0)
    });
    let half = ends.fold(0.0, f32::max) + 1.0;
    let way = Way::new(&mut r, pace, across, half);
    let n = ((across + 2.0 * half) / pace) as usize;
    moving(&clip, &settings(), BEFORE + n.min(250) + 30, |s| {
        let (x0, y0) = way.at(s.n as f32 - BEFORE as f32);
        s.draw(&[], |x, y, b| {
            let cover = parts.iter().map(|p| p.covers(x - x0, y - y0)).fold(0.0, f32::max);
            b * (1.0 - (1.0 - factor) * cover)
        });
    })
    .len()
}

/// The scenes in which a shadow can be distinguished from a thing: with plaster, grass, leaves.
fn textured() -> impl Iterator<Item = u64> {
    (1..=24).filter(|seed| seed / 3 % 4 >= 2)
}

/// Of twelve each. What is left comes in so slowly that its first cells say nothing, and
/// goes on as what it was taken for.
#[test]
fn most_shadows_with_a_hard_edge_are_none() {
    let mut wrong = Vec::new();
    for ((name, shape), most) in SHAPES.iter().zip([1, 4, 5, 5, 2]) {
        let found: Vec<_> = textured().filter(|seed| shadow(*shape, *seed) > 0).collect();
        if found.len() > most {
            wrong.push((name, found));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
