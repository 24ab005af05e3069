//! Things that are as dark as shadows.

use super::scene::{DOWN, Random, Thing};
use super::shadows::{BEFORE, Part, clip};
use super::{Clip, moving, settings};

/// Of a generator and what is behind it, relative to its middle.
type Build = fn(&mut Random, f32) -> Vec<Thing>;

fn thing(x: f32, y: f32, width: f32, height: f32, brightness: f32) -> Thing {
    Thing { x, y, width, height, brightness: brightness.clamp(5.0, 250.0) }
}

fn dark_person(r: &mut Random, _: f32) -> Vec<Thing> {
    let coat = r.between(20.0, 45.0);
    vec![
        thing(-1.5, -4.0, 3.0, 4.5, coat),
        thing(-0.6, -5.2, 1.2, 1.2, r.between(80.0, 160.0)),
        thing(-1.2, 0.5, 1.0, 3.5, coat * 0.8),
        thing(0.2, 0.5, 1.0, 3.5, coat * 0.7),
    ]
}

fn plain_dark(r: &mut Random, behind: f32) -> Vec<Thing> {
    vec![thing(-1.5, -4.0, 3.0, 8.0, behind * r.between(0.35, 0.7))]
}

fn grey_car(r: &mut Random, behind: f32) -> Vec<Thing> {
    let body = behind * if r.below(2) == 0 { r.between(0.6, 0.85) } else { r.between(1.15, 1.4) };
    vec![
        thing(-5.0, -1.5, 10.0, 2.5, body),
        thing(-2.8, -3.2, 5.6, 1.7, body * 0.6),
        thing(-4.0, 0.6, 1.6, 1.2, 25.0),
        thing(2.6, 0.6, 1.6, 1.2, 25.0),
    ]
}

fn patterned(r: &mut Random, behind: f32) -> Vec<Thing> {
    let mut all = Vec::new();
    for i in 0..4_u8 {
        for j in 0..8_u8 {
            all.push(thing(
                f32::from(i) - 2.0,
                f32::from(j) - 4.0,
                1.0,
                1.0,
                behind * r.between(0.4, 1.1),
            ));
        }
    }
    all
}

const THINGS: [(&str, Build); 4] = [
    ("dark person", dark_person),
    ("plain dark", plain_dark),
    ("grey car", grey_car),
    ("patterned", patterned),
];

/// When it is found after it is whole; also with a shadow of its own.
fn late(build: Build, has_shadow: bool, seed: u64) -> Option<i64> {
    let clip = clip(seed);
    let mut r = Random::new(seed + 2000);
    let pace: f32 = [0.3, 0.7, 1.5, 3.0][r.below(4)];
    let across = DOWN * clip.size.0 as f32 / clip.size.1 as f32;
    let (y0, is_right) = (DOWN / 2.0 + r.between(-8.0, 8.0), r.below(2) == 0);
    let (start, step) = if is_right { (-6.0, pace) } else { (across + 6.0, -pace) };
    let edge = if is_right { 5.0 } else { across - 5.0 };
    let behind = clip.scene().behind(&thing(edge - 2.0, y0 - 2.0, 4.0, 4.0, 0.0));
    let parts = build(&mut r, behind);
    let whole = BEFORE as i64 + (12.0 / pace).ceil() as i64;
    let found = moving(&clip, &settings(), whole as usize + 15, |s| {
        let x0 = start + step * (s.n as f32 - BEFORE as f32);
        let parts: Vec<_> =
            parts.iter().map(|t| Thing { x: t.x + x0, y: t.y + y0, ..*t }).collect();
        let cast = Part { at: (x0 - 3.0, y0 + 3.0), radii: (5.0, 1.5), is_round: true, soft: 0.3 };
        // A shadow falls on the ground beside the thing.
        s.draw(&parts, |x, y, b| {
            let is_thing = parts
                .iter()
                .any(|t| (t.x..t.x + t.width).contains(&x) && (t.y..t.y + t.height).contains(&y));
            if has_shadow && !is_thing { b * (1.0 - 0.5 * cast.covers(x, y)) } else { b }
        });
    });
    Some(found.first()?.0 as i64 - whole)
}

/// Also with its own shadow beside it.
#[test]
fn things_as_dark_as_shadows_are_found_in_time() {
    let mut wrong = Vec::new();
    for (name, build) in THINGS {
        for seed in 1..=24 {
            let late = late(build, seed % 2 == 0, seed);
            if late.is_none_or(|late| late >= 3) {
                wrong.push((name, seed, late));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// A car with its lamps on, the cone of light before it, and what these light up all over the
/// picture. Returns how many pictures after the first that shows anything it is found.
fn lateness_of_a_car_at_night(size: (usize, usize), seed: u64) -> usize {
    let clip = Clip { size, seed, noise: 3.0, divisor: 6 };
    let mut r = Random::new(seed * 77);
    let (pace, y) = (r.between(0.6, 3.0), r.between(8.0, 24.0));
    let spots: Vec<_> =
        (0..8).map(|_| (r.between(0.0, 40.0), r.between(0.0, DOWN), r.between(0.5, 2.0))).collect();
    let found = moving(&clip, &settings(), 140, |s| {
        let t = s.n as f32 - 100.0;
        let front = t * pace;
        let spot =
            |&(x, y, size): &(f32, f32, f32)| thing(x, y, size, size, 60.0 + 8.0 * t.min(15.0));
        let mut things = vec![
            thing(front - 8.0, y, 8.0, 3.0, 20.0),
            thing(front - 0.5, y + 1.0, 1.0, 1.0, 250.0),
        ];
        things.extend(spots.iter().map(spot));
        things.retain(|_| t >= 0.0);
        s.draw(&things, |x, line, b| {
            let ahead = x - front;
            let is_lit = (0.0..14.0).contains(&ahead)
                && (line - y - 1.5).abs() < 1.0 + ahead * 0.3
                && t >= 0.0;
            b * 0.25 + if is_lit { 60.0 * (1.0 - ahead / 14.0) } else { 0.0 }
        });
    });
    found.first().map_or(usize::MAX, |(n, _)| n - 100)
}

/// What its lamps light up is no rain, and the noise is that of before.
#[test]
fn car_at_night_is_found_among_its_reflections() {
    for (size, least) in [((40, 30), 36), ((80, 60), 39)] {
        let late: Vec<_> = (1..=40).map(|seed| lateness_of_a_car_at_night(size, seed)).collect();
        let n_in_time = late.iter().filter(|late| **late <= 3).count();
        assert!(n_in_time >= least, "{size:?}: {n_in_time} in time, {late:?}");
    }
}
