//! Coefficients to samples, in whole or at a smaller size.
//!
//! The whole transform is that of libjpeg's `jidctint.c`, to the bit. The smaller ones are
//! those of the lowest frequencies alone, which are the picture without what a smaller one
//! cannot show.

const CONST_BITS: i32 = 13;
const PASS1_BITS: i32 = 2;
/// Samples are level-shifted by so much.
const MIDDLE: i32 = 128;

/// A sample of each of 64, in rows.
pub(super) fn whole(coefficients: &[i32; 64]) -> [u8; 64] {
    let mut lines = [0; 64];
    for x in 0..8 {
        let column = pass(std::array::from_fn(|y| coefficients[8 * y + x]));
        for (y, value) in column.into_iter().enumerate() {
            lines[8 * y + x] = rounded(value, CONST_BITS - PASS1_BITS);
        }
    }
    let mut samples = [0; 64];
    for (line, out) in lines.as_chunks::<8>().0.iter().zip(samples.as_chunks_mut::<8>().0) {
        *out = pass(*line).map(|value| sample(value, CONST_BITS + PASS1_BITS + 3));
    }
    samples
}

/// One dimension of the transform.
fn pass(c: [i32; 8]) -> [i32; 8] {
    let mul = |value: i32, by: i32| value.wrapping_mul(by);
    let z1 = mul(c[2] + c[6], 4433);
    let (t2, t3) = (z1 - mul(c[6], 15137), z1 + mul(c[2], 6270));
    let (t0, t1) = ((c[0] + c[4]) << CONST_BITS, (c[0] - c[4]) << CONST_BITS);
    let [t10, t13, t11, t12] = [t0 + t3, t0 - t3, t1 + t2, t1 - t2];

    let [z1, z2, z3, z4] = [c[7] + c[1], c[5] + c[3], c[7] + c[3], c[5] + c[1]];
    let z5 = mul(z3 + z4, 9633);
    let (z1, z2) = (mul(z1, -7373), mul(z2, -20995));
    let (z3, z4) = (mul(z3, -16069) + z5, mul(z4, -3196) + z5);
    let t0 = mul(c[7], 2446) + z1 + z3;
    let t1 = mul(c[5], 16819) + z2 + z4;
    let t2 = mul(c[3], 25172) + z2 + z3;
    let t3 = mul(c[1], 12299) + z1 + z4;
    [t10 + t3, t11 + t2, t12 + t1, t13 + t0, t13 - t0, t12 - t1, t11 - t2, t10 - t3]
}

/// Four by four samples, of the lowest frequencies in rows of four.
pub(super) fn half(c: &[i32; 16]) -> [u8; 16] {
    let mut lines = [0; 16];
    for x in 0..4 {
        let column = pass_of_four([c[x], c[4 + x], c[8 + x], c[12 + x]]);
        for (y, value) in column.into_iter().enumerate() {
            lines[4 * y + x] = rounded(value, CONST_BITS - PASS1_BITS);
        }
    }
    let mut samples = [0; 16];
    for (line, out) in lines.as_chunks::<4>().0.iter().zip(samples.as_chunks_mut::<4>().0) {
        *out = pass_of_four(*line).map(|value| sample(value, CONST_BITS + PASS1_BITS));
    }
    samples
}

/// One dimension of the transform of four points, for coefficients of eight.
fn pass_of_four([c0, c1, c2, c3]: [i32; 4]) -> [i32; 4] {
    // 2^13 / sqrt(8), and 2^13 / 2 by the cosine and the sine of a sixteenth turn.
    let (even, odd) =
        ([(c0 + c2) * 2896, (c0 - c2) * 2896], [c1 * 3784 + c3 * 1567, c1 * 1567 - c3 * 3784]);
    [even[0] + odd[0], even[1] + odd[1], even[1] - odd[1], even[0] - odd[0]]
}

/// Two by two samples, of the lowest frequencies.
pub(super) fn quarter([c0, c1, c2, c3]: [i32; 4]) -> [u8; 4] {
    let (top, bottom) = ([c0 + c2, c1 + c3], [c0 - c2, c1 - c3]);
    [top[0] + top[1], top[0] - top[1], bottom[0] + bottom[1], bottom[0] - bottom[1]]
        .map(|value| sample(value, 3))
}

/// One sample.
pub(super) fn eighth(dc: i32) -> u8 {
    sample(dc, 3)
}

fn rounded(value: i32, by: i32) -> i32 {
    (value + (1 << (by - 1))) >> by
}

fn sample(value: i32, by: i32) -> u8 {
    (rounded(value, by) + MIDDLE).clamp(0, 255) as u8
}
