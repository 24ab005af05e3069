//! Quality: whether each crossing is found in time, and nothing else in an hour.

mod clouds;
mod crossings;
mod dark;
mod jpegs;
mod kinds;
mod nothing;
mod scene;
mod shadows;

use scene::{Canvas, Random, Scene};

use crate::{Activity, Detector, Grid, Settings};

fn settings() -> Settings {
    Settings { sensitivity: 50, min_size: 0.001, zones: Vec::new(), masks: Vec::new() }
}

/// How a scene is seen: in blocks of a JPEG, whose DC is divided by something.
#[derive(Clone, Copy, Debug)]
struct Clip {
    size: (usize, usize),
    seed: u64,
    /// The deviation of a pixel.
    noise: f32,
    divisor: i16,
}

impl Clip {
    fn scene(&self) -> Scene {
        // A block is the mean of 64 pixels.
        let canvas = Canvas { width: self.size.0, height: self.size.1, sigma: self.noise / 8.0 };
        Scene::new(self.seed, canvas)
    }
}

/// The pictures in which something moves, by the number of the picture.
fn moving(
    clip: &Clip,
    settings: &Settings,
    n: usize,
    mut draw: impl FnMut(&mut Scene),
) -> Vec<(usize, Activity)> {
    let (mut scene, mut values) = (clip.scene(), Vec::new());
    moving_grids(settings, n, || {
        draw(&mut scene);
        values.clear();
        values.extend(scene.samples.iter().map(|sample| {
            let level = ((sample - 128.0) * 8.0 / f32::from(clip.divisor)).round() as i16;
            (level * clip.divisor).clamp(-1024, 1023)
        }));
        let mut grid = Grid::default();
        grid.average(clip.size, &values);
        grid
    })
}

/// The same of grids.
fn moving_grids(
    settings: &Settings,
    n: usize,
    mut next: impl FnMut() -> Grid,
) -> Vec<(usize, Activity)> {
    let mut detector = Detector::new(settings.clone());
    (0..n).filter_map(|n| Some((n, detector.look(&next())?))).collect()
}

#[test]
fn picture_of_another_size_begins_everything_again() {
    let mut detector = Detector::new(settings());
    let mut look = |size: (usize, usize), left: usize, n: usize| {
        let mut n_moving = 0;
        for left in (0..n).map(|n| left + n) {
            let is_in = |i: usize| (left..left + 3).contains(&(i % size.0)) && i / size.0 > 10;
            let all = 0..size.0 * size.1;
            let values: Vec<_> = all.map(|i| if is_in(i) { -600 } else { 100 }).collect();
            let mut grid = Grid::default();
            grid.average(size, &values);
            n_moving += usize::from(detector.look(&grid).is_some());
        }
        n_moving
    };
    // The thing stands outside at first.
    let far = 1000;
    assert_eq!(look((40, 30), far, 20), 0);
    assert!(look((40, 30), 0, 10) > 5);
    // Learnt again, in which whatever moves is not seen yet.
    assert_eq!(look((30, 40), 0, 10), 0);
    assert_eq!(look((30, 40), far, 20), 0);
    assert!(look((30, 40), 0, 10) > 5);
}

#[test]
fn pictures_of_any_size_and_content_do_no_harm() {
    let mut random = Random::new(7);
    let (mut grid, mut detector) = (Grid::default(), Detector::new(settings()));
    for (width, height) in [(1, 1), (0, 0), (3, 2), (1, 9000), (9000, 1), (80, 60), (1024, 1024)] {
        for n in 0..60 {
            let values: Vec<_> = (0..width * height)
                .map(|_| match n % 4 {
                    0 => 1016,
                    1 => -1024,
                    _ => i16::try_from(random.below(4096)).unwrap() - 2048,
                })
                .collect();
            grid.average((width, height), &values);
            if let Some(at) = detector.look(&grid) {
                let is_share = |share: f32| (0.0..=1.0).contains(&share);
                assert!(is_share(at.x) && is_share(at.y) && is_share(at.area), "{at:?}");
                assert!(is_share(at.x + at.width) && is_share(at.y + at.height), "{at:?}");
            }
        }
    }
}

#[test]
fn whole_picture_in_a_mask_has_no_motion() {
    let everything = crate::Polygon(vec![(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]);
    let masked = Settings { masks: vec![everything], ..settings() };
    let clip = Clip { size: (40, 30), seed: 1, noise: 40.0, divisor: 3 };
    assert!(moving(&clip, &masked, 100, |scene| scene.draw(&[], |_, _, b| b)).is_empty());
}
