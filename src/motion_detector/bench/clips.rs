//! Clips with a known truth, as JPEGs.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::kinds::{Course, Crossing, Light, NOTHING};
use crate::scene::{Canvas, Scene};

pub(crate) const FPS: f32 = 5.0;
/// Nothing counts in the first pictures: motion connects, and both learn the scene.
pub(crate) const N_FIRST: usize = 100;
const SIZE: (usize, usize) = (640, 480);
const NOISE: f32 = 3.0;
const QUALITY: u8 = 80;

/// What is drawn.
pub(crate) enum What {
    /// A kind that is no motion, from this second on.
    Nothing(&'static str, usize),
    Crossing(Crossing),
}

pub(crate) struct Clip {
    pub(crate) name: &'static str,
    what: What,
    seed: u64,
}

/// The truth of a clip.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Truth {
    pub(crate) n_pictures: usize,
    /// The first picture that shows a thing at all, and the first that shows it whole;
    /// `None`: there is nothing.
    pub(crate) crossing: Option<(usize, usize)>,
}

/// Draws the next picture.
type DrawNext = Box<dyn Fn(&mut Scene)>;

pub(crate) fn all() -> Vec<Clip> {
    let nothing = |name, kind, from| Clip { name, what: What::Nothing(kind, from), seed: 5 };
    let crossing = |name, size, pace, contrast, light, seed| {
        let before = N_FIRST;
        let what = Crossing { size, pace, contrast, is_down: false, before, light };
        Clip { name, what: What::Crossing(what), seed }
    };
    let (person, far, near) = ((3.0, 8.0), (1.2, 1.6), (9.0, 22.0));
    vec![
        nothing("noise", "noise", 0),
        nothing("a webcam at night", "night", 0),
        nothing("steps of brightness", "steps", 0),
        nothing("a lamp on a part of the scene", "lamp", 0),
        nothing("exposure that hunts", "exposure", 0),
        nothing("flicker in rows", "flicker-rows", 575),
        nothing("flicker in columns", "flicker-columns", 575),
        nothing("rain", "rain", 80),
        nothing("shadow of a cloud", "cloud", 0),
        nothing("hard shadow that comes with the sun", "tree-shadow", 0),
        nothing("slow drift", "drift", 0),
        crossing("a person, slow", person, 0.3, 80.0, Light::Steady, 3),
        crossing("a person", person, 1.0, -80.0, Light::Steady, 4),
        crossing("a person, fast", person, 5.0, 80.0, Light::Steady, 5),
        crossing("a person, 20 levels of contrast", person, 1.0, 20.0, Light::Steady, 6),
        crossing("a person, exposure hunts", person, 1.0, 80.0, Light::Hunting, 7),
        crossing("a person, flicker in rows", person, 1.0, 80.0, Light::Rows, 8),
        crossing("a person, flicker in columns", person, 1.0, 80.0, Light::Columns, 8),
        crossing("a person in rain", person, 1.0, 80.0, Light::Rain, 9),
        crossing("far away (19x26 pixels), slow", far, 0.3, 100.0, Light::Steady, 10),
        crossing("far away, fast", far, 3.0, 100.0, Light::Steady, 11),
        crossing("near (9 by 22 units of 30)", near, 1.0, 60.0, Light::Steady, 12),
    ]
}

impl Clip {
    /// Writes its pictures one after the other.
    pub(crate) fn write(&self, path: &Path) -> io::Result<Truth> {
        let (width, height) = SIZE;
        let mut scene = Scene::new(self.seed, Canvas { width, height, sigma: NOISE });
        let mut file = BufWriter::new(File::create(path)?);
        let (draw, truth): (DrawNext, _) = match &self.what {
            What::Nothing(kind, from) => {
                scene.n = (*from as f32 * FPS) as usize;
                let draw = NOTHING.iter().find(|(name, _)| name == kind).map(|(_, draw)| *draw);
                let draw = draw.ok_or(io::ErrorKind::NotFound)?;
                let truth = Truth { n_pictures: N_FIRST + 300, crossing: None };
                (Box::new(move |scene| draw(scene, FPS)), truth)
            }
            What::Crossing(crossing) => {
                let course = Course::new(&mut scene, *crossing);
                // A slow one is found or missed long before it has left.
                let n_pictures = (course.gone() + 10).min(N_FIRST + 100);
                let crossing = Some((crossing.before, course.whole()));
                (Box::new(move |scene| course.draw(scene)), Truth { n_pictures, crossing })
            }
        };
        for _ in 0..truth.n_pictures {
            draw(&mut scene);
            file.write_all(&jpeg(&scene, QUALITY)?)?;
        }
        file.flush()?;
        Ok(truth)
    }
}

/// A picture with colours that are all grey, as 4:2:0.
pub(crate) fn jpeg(scene: &Scene, quality: u8) -> io::Result<Vec<u8>> {
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, quality);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    let pixels: Vec<u8> =
        scene.samples.iter().flat_map(|sample| [sample.round() as u8, 128, 128]).collect();
    let side = |n: usize| u16::try_from(n).map_err(io::Error::other);
    let Canvas { width, height, .. } = scene.canvas;
    encoder
        .encode(&pixels, side(width)?, side(height)?, ColorType::Ycbcr)
        .map_err(io::Error::other)?;
    Ok(jpeg)
}
