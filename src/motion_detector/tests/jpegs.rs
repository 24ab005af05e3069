//! Through real JPEGs.

use std::f32::consts::TAU;

use jpeg_encoder::{ColorType, Encoder};
use mjpegd_jpeg_codec::DcReader;

use super::kinds::{Course, Crossing, Light, NOTHING};
use super::scene::{Canvas, DOWN, Scene};
use super::{moving_grids, settings};
use crate::{Grid, Polygon, Settings};

const SIZE: (u16, u16) = (320, 240);

fn scene(seed: u64) -> Scene {
    let (width, height) = (SIZE.0.into(), SIZE.1.into());
    Scene::new(seed, Canvas { width, height, sigma: 4.0 })
}

/// The JPEG of the scene; turned by a quarter if that is asked for.
fn jpeg(scene: &Scene, quality: u8, is_turned: bool) -> Vec<u8> {
    let (width, height) = SIZE;
    let at = |x: u16, y: u16| scene.samples[usize::from(y) * usize::from(width) + usize::from(x)];
    let pixels: Vec<u8> = if is_turned {
        (0..width).flat_map(|x| (0..height).map(move |y| at(x, height - 1 - y) as u8)).collect()
    } else {
        scene.samples.iter().map(|sample| *sample as u8).collect()
    };
    let (width, height) = if is_turned { (height, width) } else { (width, height) };
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, quality).encode(&pixels, width, height, ColorType::Luma).unwrap();
    jpeg
}

fn grid(reader: &mut DcReader, jpeg: &[u8]) -> Grid {
    let (dc, mut grid) = (reader.read(jpeg).unwrap(), Grid::default());
    grid.average((dc.width, dc.height), dc.values);
    grid
}

#[test]
fn person_is_found_and_flicker_is_not_whichever_way_the_picture_is_turned() {
    for (seed, quality, is_turned) in [(1, 90, false), (2, 50, false), (3, 75, true)] {
        let (mut scene, mut reader) = (scene(seed), DcReader::new());
        let size = (3.0, 8.0);
        let of = Crossing {
            size,
            pace: 1.0,
            contrast: 60.0,
            is_down: false,
            before: 120,
            light: Light::Rows,
        };
        let course = Course::new(&mut scene, of);
        let found = moving_grids(&settings(), 150, || {
            course.draw(&mut scene);
            grid(&mut reader, &jpeg(&scene, quality, is_turned))
        });
        let (first, _) = found.first().expect("somebody");
        assert!((of.before..course.whole() + 3).contains(first), "seed {seed}: {first}");
    }
}

/// Ten minutes of each at one picture a second, and as long as that is cheap: mostly the
/// encoder's time. Hours of it come without JPEGs, see `nothing`.
#[test]
fn nothing_moves_in_ten_minutes_of_each_kind() {
    for (seed, (name, draw)) in (1_u8..).zip(NOTHING) {
        // Leaves are masked where they are in a picture that is not turned.
        let is_turned = seed % 2 == 0 && *name != "leaves";
        let quality = [50, 75, 90][usize::from(seed) % 3];
        let (mut scene, mut reader) = (scene(seed.into()), DcReader::new());
        let upper_right = Polygon(vec![(0.5, 0.0), (1.0, 0.0), (1.0, 0.5), (0.5, 0.5)]);
        let masks = if *name == "leaves" { vec![upper_right] } else { Vec::new() };
        let found = moving_grids(&Settings { masks, ..settings() }, 600, || {
            draw(&mut scene, 1.0);
            grid(&mut reader, &jpeg(&scene, quality, is_turned))
        });
        assert!(found.is_empty(), "{name}: {} of them, {:?}", found.len(), found.first());
    }
}

#[test]
fn broken_off_pictures_are_no_motion() {
    let (mut scene, mut reader) = (scene(4), DcReader::new());
    let found = moving_grids(&settings(), 300, || {
        let phase = scene.n as f32 * 0.31;
        scene.draw(&[], |_, y, b| b * (1.0 + 0.05 * (TAU * (y / DOWN + phase)).sin()));
        let mut jpeg = jpeg(&scene, 80, false);
        if scene.n.is_multiple_of(7) {
            jpeg.truncate(jpeg.len() / 2);
        }
        grid(&mut reader, &jpeg)
    });
    assert!(found.is_empty(), "{found:?}");
}
