//! Pictures as cameras give them: shapes, with the noise of an evening or
//! without.

use crate::jpeg::PixelFormat;

/// Y, Cb and Cr of a place, or red, green and blue.
type Samples = [u8; 3];

/// A raw picture without padding. Noise is in levels of deviation; 10 give
/// some 230 kB at 1280x720 and quality 80.
pub(crate) fn drawn(format: PixelFormat, (width, height): (usize, usize), noise: i32) -> Vec<u8> {
    let mut dice = dice(0x2545_F491);
    let samples: Vec<Samples> = (0..width * height)
        .map(|i| {
            let (x, y) = (i % width, i / width);
            // Slopes under a board of fields, and colours that go round.
            let slope = triangle(x, 283) + triangle(y, 220);
            let field = if (x / 80 + y / 60) % 2 == 0 { 20 } else { -20 };
            let mut level = |v: i32, share: i32| byte(128 + v + dice() * noise / 10 / share);
            let luma = level(slope / 4 + field, 1);
            [luma, level(triangle(x + y, 640) / 3, 3), level(triangle(x + 2 * y, 500) / 3, 3)]
        })
        .collect();
    packed(format, width, &samples)
}

fn packed(format: PixelFormat, width: usize, samples: &[Samples]) -> Vec<u8> {
    let name = format.name();
    let pairs = || samples.as_chunks::<2>().0.iter();
    let luma = samples.iter().map(|s| s[0]);
    // A colour of every second pixel of every second row.
    let quarter = |nth: usize| {
        let rows = samples.chunks(width).step_by(2);
        rows.flat_map(move |row| row.iter().step_by(2).map(move |s| s[nth]))
    };
    match name {
        "YUYV" => pairs().flat_map(|[a, b]| [a[0], a[1], b[0], a[2]]).collect(),
        "YVYU" => pairs().flat_map(|[a, b]| [a[0], a[2], b[0], a[1]]).collect(),
        "UYVY" => pairs().flat_map(|[a, b]| [a[1], a[0], a[2], b[0]]).collect(),
        "NV12" => luma.chain(quarter(1).zip(quarter(2)).flat_map(<[u8; 2]>::from)).collect(),
        "NV21" => luma.chain(quarter(2).zip(quarter(1)).flat_map(<[u8; 2]>::from)).collect(),
        "YU12" => luma.chain(quarter(1)).chain(quarter(2)).collect(),
        "YV12" => luma.chain(quarter(2)).chain(quarter(1)).collect(),
        "RGBP" => samples
            .iter()
            .flat_map(|s| {
                let [r, g, b] = [s[0] >> 3, s[1] >> 2, s[2] >> 3].map(u16::from);
                (r << 11 | g << 5 | b).to_le_bytes()
            })
            .collect(),
        "GREY" => luma.collect(),
        _ => samples.as_flattened().to_vec(),
    }
}

/// From -128 to 128 and back in twice `half`.
fn triangle(at: usize, half: usize) -> i32 {
    let phase = (at % (2 * half)).abs_diff(half);
    i32::try_from(phase * 256 / half).unwrap_or(0) - 128
}

/// The sum of four throws of a die is near to a bell curve, here with a
/// deviation of about 10 levels. The state is Marsaglia's xorshift64.
fn dice(mut state: u64) -> impl FnMut() -> i32 {
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let throws = state.to_be_bytes();
        (throws.iter().take(4).map(|b| i32::from(*b)).sum::<i32>() - 510) / 14
    }
}

fn byte(level: i32) -> u8 {
    u8::try_from(level.clamp(16, 235)).unwrap_or(128)
}
