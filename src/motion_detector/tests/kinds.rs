//! What is no motion, and what is.

use std::f32::consts::TAU;

use super::scene::{DOWN, Random, Scene, Thing};

/// Draws the next picture of something that is no motion; `fps` pictures are a second.
pub(crate) type Draw = fn(&mut Scene, f32);

pub(crate) const NOTHING: &[(&str, Draw)] = &[
    ("noise", |s, _| s.draw(&[], |_, _, b| b)),
    ("night", |s, _| s.draw(&[], |_, _, b| b * 0.2)),
    ("drift", drift),
    ("steps", steps),
    ("lamp", lamp),
    ("exposure", exposure),
    ("exposure-curve", exposure_curve),
    ("flicker-rows", |s, fps| flicker(s, fps, false)),
    ("flicker-columns", |s, fps| flicker(s, fps, true)),
    ("rain", rain),
    ("leaves", leaves),
    ("cloud", cloud),
    ("tree-shadow", tree_shadow),
];

fn seconds(s: &Scene, fps: f32) -> f32 {
    s.n as f32 / fps
}

/// A generator for what is the same for some time.
fn of(period: usize, salt: u64) -> Random {
    Random::new(period as u64 * 1_000_003 + salt)
}

fn drift(s: &mut Scene, fps: f32) {
    let t = seconds(s, fps);
    let (day, border) = (0.75 + 0.35 * (TAU * t / 1200.0).sin(), t / 30.0);
    s.draw(&[], |x, y, b| {
        let into = (x + y / 2.0 - border % 60.0 + 0.5).clamp(0.0, 1.0);
        b * day * (0.7 + 0.3 * into)
    });
}

fn steps(s: &mut Scene, fps: f32) {
    let mut r = of((seconds(s, fps) / 20.0) as usize, 13);
    let (factor, plus) = (r.between(0.4, 2.2), r.between(-30.0, 30.0));
    s.draw(&[], |_, _, b| b * factor + plus);
}

fn lamp(s: &mut Scene, fps: f32) {
    let period = (seconds(s, fps) / 30.0) as usize;
    let mut r = of(period, 7);
    let (left, width, top) = (r.between(0.0, 30.0), r.between(4.0, 16.0), r.between(0.0, 15.0));
    let is_on = period % 2 == 1;
    s.draw(&[], |x, y, b| {
        let is_lit = is_on && (left..left + width).contains(&x) && y > top;
        if is_lit { b * 1.3 + 15.0 } else { b }
    });
}

fn hunting(s: &Scene, fps: f32) -> f32 {
    let t = seconds(s, fps);
    let decay =
        if ((t / 120.0) as usize).is_multiple_of(2) { 1.0 } else { (-(t % 20.0) / 4.0).exp() };
    1.0 + 0.3 * decay * (TAU * t / 2.7).sin()
}

fn exposure(s: &mut Scene, fps: f32) {
    let gain = hunting(s, fps);
    s.draw(&[], |_, _, b| b * gain);
}

/// As cameras have it: bright parts are compressed.
fn exposure_curve(s: &mut Scene, fps: f32) {
    let gain = hunting(s, fps);
    s.draw(&[], |_, _, b| {
        let v = b * gain;
        if v > 180.0 { 180.0 + 75.0 * (1.0 - (-(v - 180.0) / 75.0).exp()) } else { v }
    });
}

/// A rolling shutter under a lamp: bands over the picture, which move from picture to
/// picture; in columns if the picture is turned.
fn flicker(s: &mut Scene, fps: f32, is_turned: bool) {
    let t = seconds(s, fps);
    let mut r = of((t / 600.0) as usize, s.canvas.width as u64);
    let (bands, pace) = (r.between(0.0, 4.0), r.between(0.0, 1.0));
    let is_on = ((t / 300.0) as usize).is_multiple_of(2);
    let depth = if is_on { r.between(0.02, 0.15) } else { 0.0 };
    let phase = s.n as f32 * pace;
    let across = s.across;
    s.draw(&[], |x, y, b| {
        let at = if is_turned { x / across } else { y / DOWN };
        b * (1.0 + depth * (TAU * (bands * at + phase)).sin())
    });
}

fn rain(s: &mut Scene, fps: f32) {
    let most = [0, 2, 25, 1, 0, 8][(seconds(s, fps) / 60.0) as usize % 6];
    let n = if most == 0 { 0 } else { s.random.below(most + 1) };
    let drops: Vec<_> = (0..n).map(|_| drop_of_rain(s)).collect();
    s.draw(&drops, |_, _, b| b);
}

/// Anywhere.
pub(crate) fn drop_of_rain(s: &mut Scene) -> Thing {
    Thing {
        x: s.random.between(0.0, s.across),
        y: s.random.between(-2.0, DOWN),
        width: s.random.between(0.1, 0.5),
        height: s.random.between(1.0, 4.0),
        brightness: s.random.between(160.0, 230.0),
    }
}

/// In the upper right quarter.
fn leaves(s: &mut Scene, fps: f32) {
    let t = seconds(s, fps);
    let half = s.across / 2.0;
    let leaves: Vec<_> = (0..8)
        .map(|n: u8| {
            let i = f32::from(n);
            Thing {
                x: half + 1.0 + (half - 5.0) * i / 8.0 + 0.9 * (TAU * t / (1.1 + 0.13 * i)).sin(),
                y: 1.0 + 1.4 * i,
                width: 2.0,
                height: 2.0,
                brightness: if n.is_multiple_of(2) { 30.0 } else { 90.0 },
            }
        })
        .collect();
    s.draw(&leaves, |_, _, b| b);
}

/// The shadow of a cloud, with an edge of seven units and more.
fn cloud(s: &mut Scene, fps: f32) {
    let t = seconds(s, fps);
    let mut r = of((t / 90.0) as usize, 3);
    let (depth, soft) = (r.between(0.2, 0.45), r.between(7.0, 14.0));
    let (radius, pace) = (r.between(6.0, 20.0), r.between(1.2, 4.0));
    let middle = r.between(0.0, DOWN);
    let x0 = (t % 90.0) * pace - radius - soft;
    s.draw(&[], |x, y, b| {
        let distance = (x - x0).hypot(y - middle);
        let inside = ((radius + soft - distance) / soft).clamp(0.0, 1.0);
        // Without corners at the ends of the slope.
        b * (1.0 - depth * inside * inside * (3.0 - 2.0 * inside))
    });
}

/// The sun comes and goes, and with it the hard shadow of a tree or a wall, which
/// stays where it is.
fn tree_shadow(s: &mut Scene, fps: f32) {
    let t = seconds(s, fps);
    let period = (t / 40.0) as usize;
    let mut r = of(period / 4, 11);
    let (left, width, top) = (r.between(0.0, 30.0), r.between(3.0, 12.0), r.between(0.0, 20.0));
    let mut now = of(period, 17);
    let takes = now.between(0.2, 6.0);
    let on = ((t % 40.0) / takes).clamp(0.0, 1.0);
    let sun = if period.is_multiple_of(2) { on } else { 1.0 - on };
    s.draw(&[], |x, y, b| {
        let is_in = (left..left + width).contains(&x) && y > top && (y - top) < 14.0;
        let direct = if is_in { 0.0 } else { 0.45 * sun };
        b * (0.6 + direct)
    });
}

/// Something that crosses the picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crossing {
    pub(crate) size: (f32, f32),
    /// Units a picture; negative: the other way.
    pub(crate) pace: f32,
    /// Levels against what is behind it where it comes in.
    pub(crate) contrast: f32,
    pub(crate) is_down: bool,
    pub(crate) before: usize,
    pub(crate) light: Light,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Light {
    Steady,
    Rows,
    Columns,
    Hunting,
    Rain,
}

/// A crossing in a scene.
pub(crate) struct Course {
    of: Crossing,
    along: f32,
    beside: f32,
    brightness: f32,
}

impl Course {
    pub(crate) fn new(scene: &mut Scene, of: Crossing) -> Self {
        let (width, height) = of.size;
        let (along, room) = if of.is_down {
            (DOWN, (scene.across - width).max(0.0))
        } else {
            (scene.across, (DOWN - height).max(0.0))
        };
        let beside = scene.random.between(0.0, room);
        let mut new = Self { of, along, beside, brightness: 0.0 };
        // Where it comes in.
        let length = if of.is_down { height } else { width };
        let first = Thing { ..new.thing_at(if of.pace > 0.0 { 0.0 } else { along - length }) };
        let behind = scene.behind(&first);
        let is_room_above = behind + of.contrast <= 245.0;
        new.brightness = if is_room_above { behind + of.contrast } else { behind - of.contrast };
        new.brightness = new.brightness.clamp(5.0, 250.0);
        new
    }

    fn thing_at(&self, at: f32) -> Thing {
        let (width, height) = self.of.size;
        let (x, y) = if self.of.is_down { (self.beside, at) } else { (at, self.beside) };
        Thing { x, y, width, height, brightness: self.brightness }
    }

    fn length(&self) -> f32 {
        if self.of.is_down { self.of.size.1 } else { self.of.size.0 }
    }

    fn at(&self, n: usize) -> f32 {
        let gone = self.of.pace.abs() * (n as f32 - self.of.before as f32);
        if self.of.pace > 0.0 { gone - self.length() } else { self.along - gone }
    }

    pub(crate) fn thing(&self, n: usize) -> Option<Thing> {
        (n >= self.of.before).then(|| self.thing_at(self.at(n)))
    }

    /// The first picture that shows it whole, and the first that shows it no more.
    pub(crate) fn whole(&self) -> usize {
        let n = (self.length() / self.of.pace.abs()).ceil() as usize;
        self.of.before + n
    }

    pub(crate) fn gone(&self) -> usize {
        let n = ((self.along + self.length()) / self.of.pace.abs()).ceil() as usize;
        self.of.before + n + 1
    }

    pub(crate) fn draw(&self, s: &mut Scene) {
        let n = s.n;
        let mut things: Vec<_> = self.thing(n).into_iter().collect();
        let (phase, across) = (n as f32 * 0.37, s.across);
        match self.of.light {
            Light::Steady => s.draw(&things, |_, _, b| b),
            Light::Rows => s.draw(&things, |_, y, b| {
                let at = 3.0 * y / DOWN + phase;
                b * (1.0 + 0.1 * (TAU * at).sin())
            }),
            Light::Columns => s.draw(&things, |x, _, b| {
                b * (1.0 + 0.1 * (TAU * (3.0 * x / across + phase)).sin())
            }),
            Light::Hunting => {
                let gain = 1.0 + 0.2 * (n as f32 / 2.0).sin();
                s.draw(&things, |_, _, b| b * gain);
            }
            Light::Rain => {
                for _ in 0..5 + s.random.below(10) {
                    let thing = Thing {
                        x: s.random.between(0.0, across),
                        y: s.random.between(0.0, DOWN),
                        width: s.random.between(0.1, 0.4),
                        height: s.random.between(1.0, 3.0),
                        brightness: 200.0,
                    };
                    things.push(thing);
                }
                s.draw(&things, |_, _, b| b);
            }
        }
    }
}
