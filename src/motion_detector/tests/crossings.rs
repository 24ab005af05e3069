//! Things that cross the picture.

use std::f32::consts::TAU;

use super::scene::{HEIGHT, Scene, Thing, WIDTH};
use super::{moving, settings};
use crate::detector::Detector;

/// Pictures before the thing comes.
const BEFORE: usize = 200;
/// It must be found within so many pictures of those that show it whole.
const N_PICTURES: usize = 3;

const PERSON: (f32, f32) = (3.0, 8.0);
const FAR: (f32, f32) = (1.2, 1.6);

/// Lets a thing of this size cross at this pace, in cells a picture, and checks when it is
/// found and where.
fn cross(
    seed: u64,
    (width, height): (f32, f32),
    pace: f32,
    light: impl Fn(usize, usize, usize, f32) -> f32,
) -> Result<(), String> {
    let (mut scene, mut detector) = (Scene::new(seed, 0.4), Detector::new(settings()));
    let row = 6 + usize::try_from(seed % 12).unwrap();
    let y = row as f32;
    let at = |n: usize| -width + pace * (n as f32 - BEFORE as f32);
    // Where it comes in.
    let behind: f32 = (0..4).map(|x| scene.brightness(x, row + 1)).sum::<f32>() / 4.0;
    let brightness = if behind > 125.0 { 12.0 } else { 245.0 };
    let whole = (BEFORE..).find(|n| at(*n) >= 0.0).unwrap();
    let gone = (BEFORE..).find(|n| at(*n) > WIDTH as f32).unwrap();
    let found = moving((0..gone + 20).map(|n| {
        let thing = Thing { x: at(n), y, width, height, brightness };
        let things = if n < BEFORE { Vec::new() } else { vec![thing] };
        detector.look(&scene.picture(&things, |x, y, b| light(n, x, y, b)))
    }));
    let what = format!("scene {seed}, {width}x{height} at {pace}, whole at {whole}");
    let (first, activity) = found.first().copied().ok_or(format!("{what}: not found"))?;
    if !(BEFORE..whole + N_PICTURES).contains(&first) {
        return Err(format!("{what}: found at {first}"));
    }
    if found.iter().any(|(n, _)| *n > gone + 3) {
        return Err(format!("{what}: goes on when it has left, {:?}", found.last()));
    }
    let (left, right) = (at(first) / WIDTH as f32, (at(first) + width) / WIDTH as f32);
    let (top, bottom) = (y / HEIGHT as f32, (y + height) / HEIGHT as f32);
    let is_in_box = activity.x <= right
        && activity.x + activity.width >= left
        && activity.y <= bottom
        && activity.y + activity.height >= top;
    if is_in_box { Ok(()) } else { Err(format!("{what}: at {activity:?}")) }
}

fn cross_all(paces: &[f32], size: (f32, f32), light: fn(usize, usize, usize, f32) -> f32) {
    let all = paces.iter().flat_map(|pace| (1..=25).map(move |seed| (seed, *pace)));
    let ends: Vec<_> = all.map(|(seed, pace)| cross(seed, size, pace, light)).collect();
    let wrong: Vec<_> = ends.iter().filter_map(|end| end.as_ref().err()).collect();
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), ends.len());
}

fn steady(_: usize, _: usize, _: usize, brightness: f32) -> f32 {
    brightness
}

#[test]
fn person_is_found_slow_and_fast() {
    cross_all(&[0.1, 0.3, 1.0, 3.0, 7.0], PERSON, steady);
}

#[test]
fn small_thing_far_away_is_found_slow_and_fast() {
    cross_all(&[0.1, 0.3, 1.0, 3.0], FAR, steady);
}

#[test]
fn person_is_found_under_flicker_and_in_a_light_that_changes() {
    cross_all(&[0.5, 2.0], PERSON, |n, _, y, b| {
        let phase = 3.0 * y as f32 / HEIGHT as f32 + n as f32 * 0.37;
        b * (1.0 + 0.1 * (TAU * phase).sin())
    });
    cross_all(&[0.5, 2.0], PERSON, |n, _, _, b| b * (1.0 + 0.2 * (n as f32 / 2.0).sin()));
}

/// Who comes when it rains, or with somebody else, is found as soon as is clear that it is
/// no chance.
#[test]
fn persons_are_found_in_rain_and_two_at_a_time() {
    for (seed, rains) in (1..=20).flat_map(|seed| [(seed, true), (seed, false)]) {
        let (mut scene, mut detector) = (Scene::new(seed, 0.4), Detector::new(settings()));
        let at = |n: usize| 0.7 * (n as f32 - BEFORE as f32) - 3.0;
        let person = |x, y| {
            let behind = scene.brightness(2, 12);
            let brightness = if behind > 125.0 { 12.0 } else { 245.0 };
            Thing { x, y, width: PERSON.0, height: PERSON.1, brightness }
        };
        let persons: Vec<_> = (0..BEFORE + 40)
            .map(|n| match (n < BEFORE, rains) {
                (true, _) => Vec::new(),
                (_, true) => vec![person(at(n), 10.0)],
                (_, false) => {
                    vec![person(at(n), 1.0), person(WIDTH as f32 - at(n) - 3.0, 20.0)]
                }
            })
            .collect();
        let found = moving(persons.into_iter().map(|mut things| {
            for _ in 0..if rains { 5 + scene.random.below(10) } else { 0 } {
                things.push(Thing {
                    x: scene.random.between(0.0, WIDTH as f32),
                    y: scene.random.between(0.0, HEIGHT as f32),
                    width: scene.random.between(0.1, 0.4),
                    height: scene.random.between(1.0, 3.0),
                    brightness: 200.0,
                });
            }
            detector.look(&scene.picture(&things, |_, _, b| b))
        }));
        // It is whole in the fifth picture.
        let first = found.first().map(|(n, _)| *n);
        let is_in_time = |n: &usize| (BEFORE..=BEFORE + 10).contains(n);
        assert!(first.as_ref().is_some_and(is_in_time), "scene {seed}, rain {rains}: {first:?}");
    }
}
