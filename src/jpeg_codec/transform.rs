//! Transforms the samples of a block to coefficients.
//!
//! The transform is that of libjpeg's `jfdctint.c` (Loeffler, Ligtenberg and
//! Moschytz with 13 bits behind the point), in the shape that libjpeg-turbo's
//! vector versions give it: each rotation is a sum of two products, which is
//! one instruction for eight of 16 bits. The result is the same to the bit.

/// Fraction bits of the factors, and of the values between both passes.
const CONST_BITS: i32 = 13;
pub(crate) const PASS1_BITS: i32 = 2;

/// How many bits each pass drops from its products.
pub(crate) const DOWN_1: i32 = CONST_BITS - PASS1_BITS;
pub(crate) const DOWN_2: i32 = CONST_BITS + PASS1_BITS;

/// Makes `pass`, one dimension of the transform, out of what is in scope: lanes
/// `V` with `add`, `sub`, `shl` and `round` (half up, by `PASS1_BITS`), and sums
/// of products `W` with `dot`, `sum` and `narrow`.
///
/// A macro instead of a trait, because a trait method cannot have `target_feature`.
macro_rules! pass {
    ($(#[$attribute:meta])*) => {
        $(#[$attribute])*
        #[inline]
        fn pass<const DOWN: i32, const IS_FIRST: bool>(d: [V; 8]) -> [V; 8] {
            use crate::transform::PASS1_BITS;
            let [s07, s16, s25, s34] =
                [add(d[0], d[7]), add(d[1], d[6]), add(d[2], d[5]), add(d[3], d[4])];
            let [t10, t13, t11, t12] =
                [add(s07, s34), sub(s07, s34), add(s16, s25), sub(s16, s25)];
            let [out0, out4] = [add(t10, t11), sub(t10, t11)];
            let [out0, out4] = if IS_FIRST {
                [shl::<PASS1_BITS>(out0), shl::<PASS1_BITS>(out4)]
            } else {
                [round(out0), round(out4)]
            };
            let out2 = narrow::<DOWN>(dot(t13, t12, 4433 + 6270, 4433));
            let out6 = narrow::<DOWN>(dot(t13, t12, 4433, 4433 - 15137));

            let [t4, t5, t6, t7] =
                [sub(d[3], d[4]), sub(d[2], d[5]), sub(d[1], d[6]), sub(d[0], d[7])];
            let [z3, z4] = [add(t4, t6), add(t5, t7)];
            let [z3, z4] = [dot(z3, z4, 9633 - 16069, 9633), dot(z3, z4, 9633, 9633 - 3196)];
            let out7 = narrow::<DOWN>(sum(dot(t4, t7, 2446 - 7373, -7373), z3));
            let out5 = narrow::<DOWN>(sum(dot(t5, t6, 16819 - 20995, -20995), z4));
            let out3 = narrow::<DOWN>(sum(dot(t5, t6, -20995, 25172 - 20995), z3));
            let out1 = narrow::<DOWN>(sum(dot(t4, t7, -7373, 12299 - 7373), z4));
            [out0, out1, out2, out3, out4, out5, out6, out7]
        }
    };
}

/// Makes `transform`, which takes and gives the rows of blocks, out of `pass`
/// and `transposed`.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! transform {
    ($(#[$attribute:meta])*) => {
        $(#[$attribute])*
        #[inline]
        fn transform(rows: [V; 8]) -> [V; 8] {
            use crate::transform::{DOWN_1, DOWN_2};
            let lines = pass::<DOWN_1, true>(transposed(rows));
            pass::<DOWN_2, false>(transposed(lines))
        }
    };
}

pub(crate) use pass;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) use transform;
