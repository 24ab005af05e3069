//! A picture like those of a cheap camera in the evening: shapes and noise.

use crate::shared::noise::Noise;

pub(crate) const WIDTH: usize = 1280;
pub(crate) const HEIGHT: usize = 720;

/// YUYV without padding. About 230 kB at quality 80.
pub(crate) fn noisy() -> Vec<u8> {
    let mut noise = Noise::new(0x2545_F491);
    let mut data = Vec::with_capacity(WIDTH * HEIGHT * 2);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            // Gradients with a checkerboard over them, and colours that change
            // in cycles.
            let slope = triangle(x, 283) + triangle(y, 220);
            let field = if (x / 80 + y / 60) % 2 == 0 { 20 } else { -20 };
            data.push(byte(128 + slope / 4 + field + grain(&mut noise)));
            data.push(byte(128 + triangle(x + y, 640) / 3 + grain(&mut noise) / 3));
        }
    }
    data
}

/// A triangle wave between -128 and 128 with a period of twice `half`.
fn triangle(at: usize, half: usize) -> i32 {
    let phase = (at % (2 * half)).abs_diff(half);
    i32::try_from(phase * 256 / half).unwrap_or(0) - 128
}

/// The sum of four throws of a die is close to a bell curve, here with a
/// standard deviation of about 10 levels.
fn grain(noise: &mut Noise) -> i32 {
    let throws = noise.next().to_be_bytes();
    (throws.iter().take(4).map(|b| i32::from(*b)).sum::<i32>() - 510) / 14
}

fn byte(level: i32) -> u8 {
    u8::try_from(level.clamp(16, 235)).unwrap_or(128)
}
