//! What is no motion: an hour of each.

use std::f32::consts::TAU;

use super::scene::{HEIGHT, HOUR, Random, Scene, Thing, WIDTH};
use super::{moving, settings};
use crate::detector::Detector;
use crate::{Polygon, Settings};

/// Looks at an hour of pictures of several scenes, in which there must be nothing.
fn expect_nothing(
    settings: &Settings,
    sigma: f32,
    mut light: impl FnMut(&mut Scene) -> crate::Grid,
) {
    for seed in 1..=3 {
        let (mut scene, mut detector) = (Scene::new(seed, sigma), Detector::new(settings.clone()));
        // A third of an hour each.
        let found = moving((0..HOUR / 3).map(|_| detector.look(&light(&mut scene))));
        assert!(
            found.is_empty(),
            "scene {seed}: {} of them, {:?}",
            found.len(),
            &found[..found.len().min(5)]
        );
    }
}

fn seconds(scene: &Scene) -> f32 {
    scene.n as f32 / 5.0
}

#[test]
fn noise_is_none() {
    expect_nothing(&settings(), 0.3, |scene| scene.picture(&[], |_, _, b| b));
    // A webcam at night.
    expect_nothing(&settings(), 2.0, |scene| scene.picture(&[], |_, _, b| b * 0.2));
}

#[test]
fn slow_drift_is_none() {
    // A day in an hour, and a border of a shadow that wanders two cells a minute.
    expect_nothing(&settings(), 0.4, |scene| {
        let t = seconds(scene);
        let (day, border) = (0.75 + 0.35 * (TAU * t / 1200.0).sin(), t / 30.0);
        scene.picture(&[], |x, y, b| {
            let into = (x as f32 + y as f32 / 2.0 - border % 60.0 + 0.5).clamp(0.0, 1.0);
            b * day * (0.7 + 0.3 * into)
        })
    });
}

#[test]
fn steps_of_brightness_are_none() {
    // A factor, a constant, both; some clip the bright half of the picture.
    expect_nothing(&settings(), 0.4, |scene| {
        let mut of_period = Random(scene.n as u64 / 100 * 7919 + 13);
        let (factor, plus) = (of_period.between(0.4, 2.2), of_period.between(-30.0, 30.0));
        scene.picture(&[], |_, _, b| b * factor + plus)
    });
}

#[test]
fn lamp_on_a_part_of_the_scene_is_none() {
    expect_nothing(&settings(), 0.4, |scene| {
        let period = scene.n / 150;
        let mut of_period = Random(period as u64 * 104_729 + 7);
        let (left, width) = (of_period.below(30), 4 + of_period.below(12));
        let is_on = period % 2 == 1;
        scene.picture(&[], |x, y, b| {
            let is_lit = is_on && (left..left + width).contains(&x) && y > 8;
            if is_lit { b * 1.3 + 15.0 } else { b }
        })
    });
}

#[test]
fn exposure_that_hunts_is_none() {
    expect_nothing(&settings(), 0.4, |scene| {
        let t = seconds(scene);
        // It swings for good at times, and settles at others.
        let decay = if (scene.n / 600).is_multiple_of(2) { 1.0 } else { (-(t % 20.0) / 4.0).exp() };
        let gain = 1.0 + 0.3 * decay * (TAU * t / 2.7).sin();
        scene.picture(&[], |_, _, b| b * gain)
    });
}

#[test]
fn flicker_is_none() {
    for (bands, pace) in [(3.0, 0.37), (3.6, 0.11), (2.0, 0.013), (0.0, 0.29)] {
        expect_nothing(&settings(), 0.4, |scene| {
            // Switched on and off every five minutes.
            let depth = if (scene.n / 1500) % 2 == 0 { 0.12 } else { 0.0 };
            let phase = scene.n as f32 * pace;
            scene.picture(&[], |_, y, b| {
                b * (1.0 + depth * (TAU * (bands * y as f32 / HEIGHT as f32 + phase)).sin())
            })
        });
    }
}

#[test]
fn rain_is_none() {
    expect_nothing(&settings(), 0.5, |scene| {
        // None, some, much: a minute each.
        let most = [0, 2, 25, 1, 0, 8][scene.n / 300 % 6];
        let n = if most == 0 { 0 } else { scene.random.below(most + 1) };
        let drops: Vec<_> = (0..n)
            .map(|_| Thing {
                x: scene.random.between(0.0, WIDTH as f32),
                y: scene.random.between(-2.0, HEIGHT as f32),
                width: scene.random.between(0.1, 0.5),
                height: scene.random.between(1.0, 4.0),
                brightness: scene.random.between(160.0, 230.0),
            })
            .collect();
        scene.picture(&drops, |_, _, b| b)
    });
}

#[test]
fn leaves_in_a_mask_are_none() {
    let mask = Polygon(vec![(0.5, 0.0), (1.0, 0.0), (1.0, 0.5), (0.5, 0.5)]);
    let masked = Settings { masks: vec![mask], ..settings() };
    expect_nothing(&masked, 0.4, |scene| {
        let t = seconds(scene);
        let leaves: Vec<_> = (0..8)
            .map(|n: u8| {
                let i = f32::from(n);
                Thing {
                    x: 21.0 + 2.0 * i + 0.9 * (TAU * t / (1.1 + 0.13 * i)).sin(),
                    y: 1.0 + 1.4 * i,
                    width: 2.0,
                    height: 2.0,
                    brightness: if n.is_multiple_of(2) { 30.0 } else { 90.0 },
                }
            })
            .collect();
        scene.picture(&leaves, |_, _, b| b)
    });
}

#[test]
fn shadows_of_clouds_are_none() {
    expect_nothing(&settings(), 0.4, |scene| {
        let n = scene.n;
        let mut of_cloud = Random((n / 450) as u64 * 15_485_863 + 3);
        let (depth, soft) = (of_cloud.between(0.2, 0.45), of_cloud.between(7.0, 14.0));
        let (radius, pace) = (of_cloud.between(6.0, 20.0), of_cloud.between(0.25, 0.8));
        let middle = of_cloud.between(0.0, HEIGHT as f32);
        let x0 = (n % 450) as f32 * pace - radius - soft;
        scene.picture(&[], |x, y, b| {
            let distance = (x as f32 - x0).hypot(y as f32 - middle);
            let inside = ((radius + soft - distance) / soft).clamp(0.0, 1.0);
            // Without corners at the ends of the slope.
            b * (1.0 - depth * inside * inside * (3.0 - 2.0 * inside))
        })
    });
}
