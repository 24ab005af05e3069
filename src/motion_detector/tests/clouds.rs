//! Things that cross the picture while clouds pass.

use super::kinds::{Course, Crossing, Light};
use super::scene::{DOWN, Random};
use super::{Clip, moving, settings};

const NEVER: i64 = i64::MAX;

/// A darkening that is soft over some units, one after the other over the picture.
#[derive(Clone, Copy, Debug)]
struct Cloud {
    depth: f32,
    radius: f32,
    soft: f32,
    middle: f32,
    /// Units a picture.
    pace: f32,
}

impl Cloud {
    /// What is left of the light at a place.
    fn light(&self, n: usize, across: f32, x: f32, y: f32) -> f32 {
        let reach = self.radius + self.soft;
        let x0 = (n as f32 * self.pace) % (across + 2.0 * reach) - reach;
        let distance = (x - x0).hypot(y - self.middle);
        let inside = ((reach - distance) / self.soft).clamp(0.0, 1.0);
        1.0 - self.depth * inside * inside * (3.0 - 2.0 * inside)
    }
}

/// How many pictures after the first that shows the whole thing it is found; and the
/// pictures before it in which something is found.
fn late(size: (f32, f32), contrast: f32, depth: f32, seed: u64) -> (i64, usize) {
    let clip = Clip { size: (80, 60), seed, noise: 3.0, divisor: 6 };
    let mut r = Random::new(seed + 500);
    let (radius, soft) = (r.between(6.0, 14.0), r.between(7.0, 12.0));
    let (middle, pace) = (r.between(5.0, DOWN - 5.0), r.between(0.1, 0.7));
    let cloud = Cloud { depth, radius, soft, middle, pace };
    let pace = [-0.6, 0.6, -1.2, 1.2][r.below(4)];
    let of = Crossing { size, pace, contrast, is_down: false, before: 200, light: Light::Steady };
    let (whole, mut course) = (Course::new(&mut clip.scene(), of).whole(), None);
    let found = moving(&clip, &settings(), whole + 25, |scene| {
        let course = course.get_or_insert_with(|| Course::new(scene, of));
        let (things, n, across) = (course.thing(scene.n), scene.n, scene.across);
        scene.draw(things.as_slice(), |x, y, b| b * cloud.light(n, across, x, y));
    });
    let n_false = found.iter().filter(|(n, _)| *n < of.before).count();
    let first = found.iter().find(|(n, _)| *n >= of.before);
    (first.map_or(NEVER, |(n, _)| *n as i64 - whole as i64), n_false)
}

/// Of 24 each: those that are found more than three pictures late, and those of them that
/// are not found while they are in the picture.
#[test]
fn most_things_are_found_while_clouds_pass() {
    let (person, far) = (((3.0, 8.0), 60.0), ((1.2, 1.6), 80.0));
    let mut wrong = Vec::new();
    for ((size, contrast), depth, most) in
        [(person, 0.2, (3, 0)), (person, 0.45, (10, 1)), (far, 0.2, (2, 1)), (far, 0.45, (9, 3))]
    {
        let all: Vec<_> = (1..=24).map(|seed| late(size, contrast, depth, seed)).collect();
        let n_late = all.iter().filter(|(late, _)| *late > 2).count();
        let n_missed = all.iter().filter(|(late, _)| *late == NEVER).count();
        let n_false = all.iter().filter(|(_, n_false)| *n_false > 0).count();
        if n_late > most.0 || n_missed > most.1 || n_false > 1 {
            wrong.push((size, depth, n_late, n_missed, n_false));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
