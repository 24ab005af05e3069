//! Things that cross the picture.

use super::kinds::{Course, Crossing, Light};
use super::{Clip, moving, settings};
use crate::Settings;

/// It must be found within this number of pictures of those that show it whole.
const N_PICTURES: usize = 3;

const PERSON: (f32, f32) = (3.0, 8.0);
const FAR: (f32, f32) = (1.2, 1.6);
const NEAR: (f32, f32) = (9.0, 22.0);

const SIZES: [(usize, usize); 4] = [(40, 30), (80, 60), (160, 90), (240, 135)];

/// Lets a thing cross, and checks when it is found and where.
fn cross(of: Crossing, clip: &Clip, n_late: usize) -> Result<(), String> {
    let mut course = None;
    let n_pictures = Course::new(&mut clip.scene(), of).gone() + 20;
    // A slow one need not be watched until it has left.
    let n_pictures = n_pictures.min(of.before + 160);
    let found = moving(clip, &settings(), n_pictures, |scene| {
        course.get_or_insert_with(|| Course::new(scene, of)).draw(scene);
    });
    let course = course.expect("some pictures");
    let (whole, gone) = (course.whole(), course.gone());
    let what = format!("{of:?}, {clip:?}, whole at {whole}");
    let (first, activity) = found.first().copied().ok_or(format!("{what}: not found"))?;
    if !(of.before..whole + N_PICTURES + n_late).contains(&first) {
        return Err(format!("{what}: found at {first}"));
    }
    if found.iter().any(|(n, _)| *n > gone + 3) {
        return Err(format!("{what}: goes on when it has left, {:?}", found.last()));
    }
    let Some(thing) = course.thing(first) else { return Err(what) };
    let across = clip.scene().across;
    let is_in_box = activity.x * across <= thing.x + thing.width
        && (activity.x + activity.width) * across >= thing.x
        && activity.y * 30.0 <= thing.y + thing.height
        && (activity.y + activity.height) * 30.0 >= thing.y;
    if is_in_box { Ok(()) } else { Err(format!("{what}: at {activity:?}")) }
}

/// Crossings of a thing at these paces, in units a picture, with these contrasts.
fn cross_all(
    size: (f32, f32),
    paces: &[f32],
    contrasts: &[f32],
    light: Light,
    (n_seeds, n_late): (u16, usize),
) {
    let (mut wrong, mut n) = (Vec::new(), 0);
    for (pace, contrast) in paces.iter().flat_map(|p| contrasts.iter().map(move |c| (*p, *c))) {
        for seed in 1..=n_seeds {
            let nth = usize::from(seed);
            // The large ones take long to draw.
            let size_in_blocks =
                SIZES[if nth.is_multiple_of(5) { 2 + nth / 5 % 2 } else { nth % 2 }];
            let clip = Clip {
                size: size_in_blocks,
                seed: seed.into(),
                noise: [1.0, 3.0, 6.0][nth % 3],
                divisor: [3, 6, 12][nth / 2 % 3],
            };
            let crossing = Crossing {
                size,
                pace: if nth.is_multiple_of(2) { -pace } else { pace },
                contrast,
                is_down: nth.is_multiple_of(3),
                before: 40 + 10 * (nth % 4),
                light,
            };
            n += 1;
            wrong.extend(cross(crossing, &clip, n_late).err());
        }
    }
    assert!(wrong.is_empty(), "{} of {n}: {wrong:#?}", wrong.len());
}

#[test]
fn person_is_found_slow_and_fast() {
    cross_all(PERSON, &[0.3, 1.0, 3.0, 7.0], &[25.0, 100.0], Light::Steady, (10, 0));
    cross_all(PERSON, &[0.15], &[100.0], Light::Steady, (10, 0));
    // What moves less than a sixth of a cell a picture changes little from one to the next.
    cross_all(PERSON, &[0.15], &[25.0], Light::Steady, (10, 12));
}

#[test]
fn small_thing_far_away_is_found_slow_and_fast() {
    cross_all(FAR, &[0.3, 1.0, 3.0], &[60.0, 120.0], Light::Steady, (10, 0));
    cross_all(FAR, &[0.15], &[120.0], Light::Steady, (10, 8));
}

#[test]
fn near_thing_is_found() {
    cross_all(NEAR, &[0.3, 1.0, 7.0], &[30.0, 100.0], Light::Steady, (8, 0));
}

#[test]
fn person_is_found_under_flicker_and_in_a_light_that_changes() {
    for light in [Light::Rows, Light::Columns, Light::Hunting] {
        cross_all(PERSON, &[0.5, 2.0, 7.0], &[50.0, 100.0], light, (6, 0));
    }
}

/// How many pictures after the first that shows all of them people are found, who come in
/// at one unit a picture.
fn lateness(light: Light, n: u64) -> Vec<i64> {
    let late = |seed: u64| {
        let clip = Clip { size: (80, 60), seed, noise: 3.0, divisor: 6 };
        let pace = if seed.is_multiple_of(2) { -1.0 } else { 1.0 };
        let of =
            Crossing { size: PERSON, pace, contrast: 80.0, is_down: false, before: 100, light };
        let (whole, mut course) = (Course::new(&mut clip.scene(), of).whole(), None);
        let found = moving(&clip, &settings(), whole + 15, |scene| {
            course.get_or_insert_with(|| Course::new(scene, of)).draw(scene);
        });
        found.first().map_or(i64::MAX, |(n, _)| *n as i64 - whole as i64)
    };
    (1..=n).map(late).collect()
}

/// A strip that grows from the border is enough.
#[test]
fn person_is_found_while_still_coming_in() {
    for light in [Light::Steady, Light::Rows, Light::Columns, Light::Hunting] {
        let late = lateness(light, 10);
        let n_early = late.iter().filter(|late| (-2..0).contains(*late)).count();
        assert!(n_early >= 9, "{light:?}: {late:?}");
    }
}

#[test]
fn person_is_found_in_rain() {
    cross_all(PERSON, &[0.7], &[60.0, 120.0], Light::Rain, (10, 0));
    let late = lateness(Light::Rain, 30);
    let n_at_once = late.iter().filter(|late| **late <= 0).count();
    assert!(late.iter().all(|late| (-2..3).contains(late)) && n_at_once >= 27, "{late:?}");
}

/// The least contrast at which somebody is found.
fn least_contrast(sensitivity: u8) -> f32 {
    let contrasts = [2_u8, 3, 4, 6, 8, 11, 16, 22, 32, 45, 64, 90, 120].map(f32::from);
    let is_found = |contrast: &f32| {
        let clip = Clip { size: (40, 30), seed: 3, noise: 1.0, divisor: 3 };
        let settings = Settings { sensitivity, ..settings() };
        let found = moving(&clip, &settings, 55, |scene| {
            let left = scene.n as f32 - 30.0;
            scene.draw(&[], |x, y, b| {
                let is_in = (left..left + 3.0).contains(&x) && (10.0..18.0).contains(&y);
                if is_in { b + contrast } else { b }
            });
        });
        !found.is_empty()
    };
    contrasts.into_iter().find(is_found).unwrap_or(f32::INFINITY)
}

#[test]
fn more_sensitivity_finds_less_contrast() {
    let least: Vec<_> = (1..=100).step_by(3).map(least_contrast).collect();
    assert!(least.is_sorted_by(|low, high| low >= high), "{least:?}");
    assert!(least[0] > 3.0 * least[least.len() - 1], "{least:?}");
}
