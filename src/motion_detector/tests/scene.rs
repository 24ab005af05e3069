//! Pictures with a known truth: a scene with texture, light that changes, noise, and
//! things that move.
//!
//! Places are in units: a picture is 30 of them high, so a picture of 4:3 is 40 wide. The
//! same scene can be drawn in any number of samples.

/// The height of a picture in units.
pub(crate) const DOWN: f32 = 30.0;

/// A generator of numbers that are the same in each run (xorshift64*).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        let mut new = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        // Numbers of neighbouring seeds resemble each other at first.
        (0..4).for_each(|_| _ = new.next());
        new
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() >> 33) as usize % n.max(1)
    }

    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * (self.next() >> 40) as f32 / (1_u64 << 24) as f32
    }
}

/// A rectangle, or the ellipse in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thing {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) width: f32,
    pub(crate) height: f32,
    pub(crate) brightness: f32,
}

/// How a scene is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Canvas {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// The deviation of the noise of a sample.
    pub(crate) sigma: f32,
}

pub(crate) struct Scene {
    pub(crate) canvas: Canvas,
    /// The width in units.
    pub(crate) across: f32,
    pub(crate) random: Random,
    texture: Vec<f32>,
    /// Of a deviation of 1, made once: it takes most of the time.
    noise: Vec<f32>,
    pub(crate) n: usize,
    /// The last picture.
    pub(crate) samples: Vec<f32>,
}

impl Scene {
    pub(crate) fn new(seed: u64, canvas: Canvas) -> Self {
        let Canvas { width, height, .. } = canvas;
        let mut random = Random::new(seed);
        let across = DOWN * width as f32 / height as f32;
        let n = width * height;
        let noise = (0..4 * n.max(1 << 13)).map(|_| {
            // Six numbers of the same chance are as good as a normal one here.
            (0..6).map(|_| random.between(-1.0, 1.0)).sum::<f32>() / 2_f32.sqrt()
        });
        let noise = noise.collect();
        let mut new = Self {
            canvas,
            across,
            random,
            texture: vec![0.0; n],
            noise,
            n: 0,
            samples: Vec::new(),
        };
        new.furnish(seed);
        new
    }

    /// Walls, windows, hedges: rectangles of any brightness over one another, on a slope.
    fn furnish(&mut self, seed: u64) {
        let across = self.across;
        let (slope_x, slope_y) = (self.random.between(-1.5, 1.5), self.random.between(-1.5, 1.5));
        for (i, sample) in self.texture.iter_mut().enumerate() {
            let (x, y) = (i % self.canvas.width, i / self.canvas.width);
            let unit = DOWN / self.canvas.height as f32;
            *sample =
                110.0 + slope_x * (x as f32 * unit - 20.0) + slope_y * (y as f32 * unit - 15.0);
        }
        // An empty wall, a room, a street.
        for _ in 0..[3, 12, 40][(seed % 3) as usize] {
            let thing = Thing {
                x: self.random.between(-4.0, across),
                y: self.random.between(-4.0, DOWN),
                width: self.random.between(1.0, 14.0),
                height: self.random.between(1.0, 10.0),
                brightness: self.random.between(20.0, 230.0),
            };
            put(&mut self.texture, self.canvas, &thing);
        }
        // Plaster, grass, leaves: coarser than a block.
        let grain = [0.0, 3.0, 10.0, 25.0][(seed / 3 % 4) as usize];
        let side = (self.canvas.height / 60).max(1);
        let n = self.canvas.width / side + 1;
        let grains: Vec<f32> = (0..n * (self.canvas.height / side + 1))
            .map(|_| self.random.between(-grain, grain))
            .collect();
        for (i, sample) in self.texture.iter_mut().enumerate() {
            let (x, y) = (i % self.canvas.width / side, i / self.canvas.width / side);
            *sample = (*sample + grains[y * n + x]).clamp(8.0, 245.0);
        }
    }

    /// The mean brightness behind a rectangle.
    pub(crate) fn behind(&self, thing: &Thing) -> f32 {
        let scale = self.canvas.height as f32 / DOWN;
        let at = |units: f32, n: usize| ((units * scale).max(0.0) as usize).min(n);
        let (left, right) =
            (at(thing.x, self.canvas.width), at(thing.x + thing.width, self.canvas.width));
        let (top, bottom) =
            (at(thing.y, self.canvas.height), at(thing.y + thing.height, self.canvas.height));
        let (mut sum, mut n) = (0.0, 0.0);
        for y in top..bottom.max(top + 1).min(self.canvas.height) {
            for x in left..right.max(left + 1).min(self.canvas.width) {
                sum += self.texture[y * self.canvas.width + x];
                n += 1.0;
            }
        }
        if n > 0.0 { sum / n } else { 128.0 }
    }

    /// Draws the next picture: the texture with things before it, under a light, which gets
    /// a place in units and a brightness.
    pub(crate) fn draw(&mut self, things: &[Thing], light: impl Fn(f32, f32, f32) -> f32) {
        self.n += 1;
        self.samples.clone_from(&self.texture);
        for thing in things {
            put(&mut self.samples, self.canvas, thing);
        }
        let unit = DOWN / self.canvas.height as f32;
        let from = self.random.below(self.noise.len() - self.samples.len());
        let noise = &self.noise[from..];
        let rows = self.samples.chunks_mut(self.canvas.width).zip(noise.chunks(self.canvas.width));
        for (y, (row, noise)) in rows.enumerate() {
            let y = (y as f32 + 0.5) * unit;
            for (x, (sample, noise)) in row.iter_mut().zip(noise).enumerate() {
                let lit = light((x as f32 + 0.5) * unit, y, *sample).clamp(0.0, 255.0);
                *sample = (lit + self.canvas.sigma * noise).clamp(0.0, 255.0);
            }
        }
    }
}

/// Mixes a rectangle in, by the part of each sample that it covers.
fn put(samples: &mut [f32], canvas: Canvas, thing: &Thing) {
    let scale = canvas.height as f32 / DOWN;
    let span = |from: f32, length: f32, n: usize| {
        let (from, to) = (from * scale, (from + length) * scale);
        let first = (from.max(0.0) as usize).min(n);
        (first..(to.max(0.0).ceil() as usize).min(n), from, to)
    };
    let (columns, left, right) = span(thing.x, thing.width, canvas.width);
    let (rows, top, bottom) = span(thing.y, thing.height, canvas.height);
    let part = |at: usize, from: f32, to: f32| ((at + 1) as f32).min(to) - (at as f32).max(from);
    for y in rows {
        let down = part(y, top, bottom).clamp(0.0, 1.0);
        for x in columns.clone() {
            let share = down * part(x, left, right).clamp(0.0, 1.0);
            let sample = &mut samples[y * canvas.width + x];
            *sample += share * (thing.brightness - *sample);
        }
    }
}
