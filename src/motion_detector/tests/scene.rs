//! Pictures with a known truth, as grids: a scene with texture, light that changes, noise,
//! and things that move.

use crate::grid::Grid;

pub(super) const WIDTH: usize = 40;
pub(super) const HEIGHT: usize = 30;
/// The pictures of an hour, at the usual rate.
pub(super) const HOUR: usize = 5 * 3600;

/// A generator of numbers that are the same in each run (xorshift64*).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() >> 33) as usize % n
    }

    /// From `low` to `high`.
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * (self.next() >> 40) as f32 / (1_u64 << 24) as f32
    }
}

/// A rectangle, in cells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thing {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) brightness: f32,
}

pub(super) struct Scene {
    pub(super) random: Random,
    texture: Vec<f32>,
    /// Noise of a standard deviation of 1, made once: it takes most of the time.
    noise: Vec<f32>,
    pub(super) n: usize,
    pub(super) sigma: f32,
}

impl Scene {
    pub(super) fn new(seed: u64, sigma: f32) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let mut texture = vec![110.0; WIDTH * HEIGHT];
        // Walls, windows, hedges: rectangles of any brightness over one another.
        for _ in 0..40 {
            let (left, top) = (random.below(WIDTH), random.below(HEIGHT));
            let (width, height) = (1 + random.below(14), 1 + random.below(10));
            let brightness = random.between(20.0, 230.0);
            for y in top..(top + height).min(HEIGHT) {
                for x in left..(left + width).min(WIDTH) {
                    texture[y * WIDTH + x] = brightness + random.between(-12.0, 12.0);
                }
            }
        }
        let noise = (0..1 << 16).map(|_| {
            // Twelve numbers of the same chance are as good as a normal one here.
            (0..12).map(|_| random.between(0.0, 1.0)).sum::<f32>() - 6.0
        });
        let noise = noise.collect();
        Self { random, texture, noise, n: 0, sigma }
    }

    pub(super) fn brightness(&self, x: usize, y: usize) -> f32 {
        self.texture[y * WIDTH + x]
    }

    /// The next picture: the texture with things before it, under a light.
    pub(super) fn picture(
        &mut self,
        things: &[Thing],
        light: impl Fn(usize, usize, f32) -> f32,
    ) -> Grid {
        self.n += 1;
        let mut cells = self.texture.clone();
        for thing in things {
            put(&mut cells, thing);
        }
        let at = self.random.below(self.noise.len() - cells.len());
        for (i, cell) in cells.iter_mut().enumerate() {
            let lit = light(i % WIDTH, i / WIDTH, *cell) + self.sigma * self.noise[at + i];
            // A JPEG of usual quality has steps of 0.75 a block, four of which are a cell.
            *cell = ((lit * 5.0).round() / 5.0).clamp(0.0, 255.0);
        }
        Grid { width: WIDTH, height: HEIGHT, cells }
    }
}

/// Mixes a rectangle in, by the part of each cell that it covers.
fn put(cells: &mut [f32], thing: &Thing) {
    let part = |at: usize, from: f32, length: f32| {
        let at = at as f32;
        ((at + 1.0).min(from + length) - at.max(from)).clamp(0.0, 1.0)
    };
    for y in 0..HEIGHT {
        let down = part(y, thing.y, thing.height);
        if down == 0.0 {
            continue;
        }
        for x in 0..WIDTH {
            let share = down * part(x, thing.x, thing.width);
            let cell = &mut cells[y * WIDTH + x];
            *cell += share * (thing.brightness - *cell);
        }
    }
}
