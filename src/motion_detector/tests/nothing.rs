//! What is no motion: an hour of each.

use super::kinds::{NOTHING, drop_of_rain};
use super::scene::{DOWN, Random, Scene, Thing};
use super::{Clip, moving, settings};
use crate::{Polygon, Settings};

/// Size in blocks, pictures a second, noise of a pixel, divisor of DC, seed, pictures: together
/// an hour at five pictures a second.
const CLIPS: [(Clip, f32, usize); 4] = [
    (Clip { size: (40, 30), seed: 4, noise: 2.0, divisor: 6 }, 5.0, 10_000),
    (Clip { size: (40, 30), seed: 11, noise: 8.0, divisor: 16 }, 2.0, 6000),
    (Clip { size: (80, 60), seed: 6, noise: 5.0, divisor: 3 }, 10.0, 1500),
    (Clip { size: (160, 90), seed: 2, noise: 3.0, divisor: 6 }, 5.0, 500),
];

/// Looks at an hour in which there must be nothing.
fn expect_nothing(name: &str, settings: &Settings) {
    let draw = NOTHING.iter().find(|(kind, _)| *kind == name).expect("a kind").1;
    for (clip, fps, n) in CLIPS {
        let found = moving(&clip, settings, n, |scene| draw(scene, fps));
        let first = &found[..found.len().min(5)];
        assert!(found.is_empty(), "{name}, {clip:?}: {} of them, {first:?}", found.len());
    }
}

#[test]
fn noise_is_none() {
    expect_nothing("noise", &settings());
    expect_nothing("night", &settings());
}

#[test]
fn noise_is_none_at_any_sensitivity() {
    for (sensitivity, seed) in [(1, 1), (25, 2), (75, 3), (90, 4), (100, 5)] {
        let clip = Clip { seed, ..CLIPS[1].0 };
        let settings = Settings { sensitivity, ..settings() };
        let found = moving(&clip, &settings, 3000, |scene| scene.draw(&[], |_, _, b| b));
        assert!(found.is_empty(), "{sensitivity}: {:?}", &found[..found.len().min(5)]);
    }
}

/// As at dusk, or when a lamp goes out: less light, and some times the noise.
#[test]
fn noise_that_grows_at_once_is_none() {
    for size in [(40, 30), (80, 60)] {
        for (noise, dim, times) in [(2.0, 0.5, 4.0), (8.0, 0.5, 4.0), (8.0, 1.0, 4.0)] {
            for seed in 1..=12 {
                let clip = Clip { size, seed, noise, divisor: 6 };
                let mut random = Random::new(seed);
                let found = moving(&clip, &settings(), 200, |s| {
                    let is_dark = s.n >= 100;
                    s.draw(&[], |_, _, b| if is_dark { b * dim } else { b });
                    // Of the same deviation as a normal one.
                    let most = if is_dark { s.canvas.sigma * times * 3_f32.sqrt() } else { 0.0 };
                    s.samples.iter_mut().for_each(|sample| *sample += random.between(-most, most));
                });
                assert!(found.is_empty(), "{clip:?}, {dim}: {:?}", found[0]);
            }
        }
    }
}

#[test]
fn slow_drift_is_none() {
    expect_nothing("drift", &settings());
}

#[test]
fn steps_of_brightness_are_none() {
    expect_nothing("steps", &settings());
}

#[test]
fn lamp_on_a_part_of_the_scene_is_none() {
    expect_nothing("lamp", &settings());
}

#[test]
fn exposure_that_hunts_is_none() {
    expect_nothing("exposure", &settings());
    expect_nothing("exposure-curve", &settings());
}

#[test]
fn flicker_is_none_in_rows_and_in_columns() {
    expect_nothing("flicker-rows", &settings());
    expect_nothing("flicker-columns", &settings());
}

#[test]
fn rain_is_none() {
    expect_nothing("rain", &settings());
}

/// In how many of twelve clips of this size there is an event. `draw_one` gives what draws one.
fn n_events<D: FnMut(&mut Scene)>(size: (usize, usize), draw_one: impl Fn() -> D) -> usize {
    let is_one = |seed: &u64| {
        let clip = Clip { size, seed: *seed, noise: 3.0, divisor: 6 };
        !moving(&clip, &settings(), 200, draw_one()).is_empty()
    };
    (1..=12).filter(is_one).count()
}

/// Rain of at most so many drops at once, which begins at a picture.
fn draw_rain(begin: usize, most: usize) -> impl FnMut(&mut Scene) {
    move |s| {
        let n_drops = if s.n < begin { 0 } else { s.random.below(most + 1) };
        let drops: Vec<_> = (0..n_drops).map(|_| drop_of_rain(s)).collect();
        s.draw(&drops, |_, _, b| b);
    }
}

/// At the first picture, which teaches what is usual, and behind that.
#[test]
fn rain_that_begins_at_once_is_none() {
    let mut found = Vec::new();
    for size in [(40, 30), (80, 60)] {
        for begin in [0, 100] {
            for most in [12, 25, 60, 120] {
                found.push(n_events(size, || draw_rain(begin, most)));
            }
        }
    }
    assert!(found.iter().sum::<usize>() <= 1, "{found:?}");
}

/// Flakes that fall so many units a picture.
fn draw_snow(n_flakes: usize, pace: f32) -> impl FnMut(&mut Scene) {
    let mut flakes = Vec::new();
    move |s| {
        if flakes.is_empty() {
            let flake = |_| Thing { width: 0.12, height: 1.2, ..drop_of_rain(s) };
            flakes = (0..n_flakes).map(flake).collect();
        }
        for flake in &mut flakes {
            flake.y += pace;
            if flake.y > DOWN {
                (flake.x, flake.y) = (s.random.between(0.0, s.across), -flake.height);
            }
        }
        s.draw(&flakes, |_, _, b| b);
    }
}

/// It takes some flakes to know it; without that, more than half of the clips have an event.
#[test]
fn snow_is_mostly_none() {
    let mut found = Vec::new();
    for size in [(40, 30), (80, 60)] {
        for n_flakes in [40, 150] {
            for pace in [1.0, 3.0] {
                found.push(n_events(size, || draw_snow(n_flakes, pace)));
            }
        }
    }
    assert!(found.iter().sum::<usize>() <= 10, "{found:?} of 12 each");
}

#[test]
fn leaves_in_a_mask_are_none() {
    let mask = Polygon(vec![(0.5, 0.0), (1.0, 0.0), (1.0, 0.5), (0.5, 0.5)]);
    expect_nothing("leaves", &Settings { masks: vec![mask], ..settings() });
}

#[test]
fn soft_shadows_are_none() {
    expect_nothing("cloud", &settings());
}

#[test]
fn hard_shadow_that_comes_with_the_sun_is_none() {
    expect_nothing("tree-shadow", &settings());
}
