//! Quality: whether each crossing is found in time, and nothing else in an hour.

mod crossings;
mod nothing;
mod scene;

use scene::Random;

use crate::{Activity, Detector, Grid, Settings};

fn settings() -> Settings {
    Settings { sensitivity: 50, min_size: 0.001, zones: Vec::new(), masks: Vec::new() }
}

/// The pictures in which something moves, by the number of the picture.
fn moving(looks: impl Iterator<Item = Option<Activity>>) -> Vec<(usize, Activity)> {
    looks.enumerate().filter_map(|(n, activity)| Some((n, activity?))).collect()
}

#[test]
fn pictures_of_any_size_and_content_do_no_harm() {
    let mut random = Random(7);
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
    let mut detector = Detector::new(Settings { masks: vec![everything], ..settings() });
    let mut scene = scene::Scene::new(1, 5.0);
    assert!((0..100).all(|_| detector.look(&scene.picture(&[], |_, _, b| b)).is_none()));
}
