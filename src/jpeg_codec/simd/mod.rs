//! The same work for each level of SIMD that a processor may have.
//!
//! The only `unsafe` of this package is in one macro here: the compiler cannot check
//! that the processor has the instructions that a function was compiled for.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod portable;
#[cfg(target_arch = "x86_64")]
mod sse2;

use crate::blocks::Pair;
use crate::divisors::Divisors;
use crate::samples::{Line, McuRow, Range};
use crate::scan::Scan;

/// The instructions to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simd(Level);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    #[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
    Portable,
    /// What every 64-bit Arm with an operating system has.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// What every x86-64 has.
    #[cfg(target_arch = "x86_64")]
    Sse2,
    /// INVARIANT: only `best` creates it, after it found that the processor has AVX2 and
    /// the bit instructions that came with it.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

/// Calls a function of a level. A macro, since a table of function pointers would be one
/// more thing that the compiler cannot check.
macro_rules! call {
    ($level:expr, $function:ident($($argument:expr),*)) => {
        match $level {
            #[cfg(any(test, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
            Level::Portable => portable::$function($($argument),*),
            // SAFETY: the target has the instructions, as all of 64-bit Arm.
            #[cfg(target_arch = "aarch64")]
            Level::Neon => unsafe { neon::$function($($argument),*) },
            // SAFETY: the instructions are a part of x86-64.
            #[cfg(target_arch = "x86_64")]
            Level::Sse2 => unsafe { sse2::$function($($argument),*) },
            // SAFETY: the invariant of `Level::Avx2`.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { avx2::$function($($argument),*) },
        }
    };
}

impl Simd {
    /// The best instructions that this processor has.
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("movbe")
        {
            return Self(Level::Avx2);
        }
        Self::baseline()
    }

    /// The instructions that every processor of the target has, for comparisons.
    pub fn baseline() -> Self {
        #[cfg(target_arch = "x86_64")]
        return Self(Level::Sse2);
        #[cfg(target_arch = "aarch64")]
        return Self(Level::Neon);
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        return Self(Level::Portable);
    }

    #[allow(unsafe_code, reason = "`call` says for each level why it holds")]
    pub(crate) fn row(self, scan: &mut Scan<'_>, samples: &McuRow) {
        call!(self.0, row(scan, samples));
    }

    #[allow(unsafe_code, reason = "`call` says for each level why it holds")]
    pub(crate) fn line(self, line: Line<'_>, range: Range, planes: [&mut [u8]; 3]) {
        call!(self.0, line(line, range, planes));
    }
}

impl Simd {
    /// Transforms and quantizes two blocks side by side.
    #[allow(unsafe_code, reason = "`call` says for each level why it holds")]
    pub(crate) fn pair(self, samples: &[u8], stride: usize, divisors: &Divisors, out: &mut Pair) {
        call!(self.0, one_pair(samples, stride, divisors, out));
    }
}

/// All levels that this processor has.
#[cfg(test)]
pub(crate) fn levels() -> Vec<Simd> {
    vec![Simd::best(), Simd::baseline(), Simd(Level::Portable)]
}

/// Makes the two entry points of a level, out of its `pair` and the functions that
/// `kernels!` makes.
macro_rules! entry_points {
    ($(#[$attribute:meta])*) => {
        $(#[$attribute])*
        pub(super) fn row(scan: &mut crate::scan::Scan<'_>, samples: &crate::samples::McuRow) {
            scan.row_by(samples, |samples, stride, divisors, out| {
                pair(samples, stride, divisors, out);
            });
        }

        $(#[$attribute])*
        pub(super) fn one_pair(samples: &[u8], stride: usize, divisors: &Divisors, out: &mut Pair) {
            pair(samples, stride, divisors, out);
        }

        $(#[$attribute])*
        pub(super) fn line(
            line: crate::samples::Line<'_>,
            range: crate::samples::Range,
            planes: [&mut [u8]; 3],
        ) {
            use crate::convert::{Kernels, Kind, convert};
            let kernels = Kernels {
                split: |pairs: &[_], first: &mut [_], second: &mut [_]| split(pairs, first, second),
                rgb: |pixels: &[_], is_reversed, range, to: [&mut [_]; 3]| {
                    rgb(pixels, is_reversed, range, to);
                },
                rgb565: |pixels: &[_], range, to: [&mut [_]; 3]| rgb565(pixels, range, to),
                widen: |levels: &mut [_], kind| match kind {
                    Kind::Luma => widen_luma(levels),
                    Kind::Chroma => widen_chroma(levels),
                },
            };
            convert(line, range, planes, &kernels);
        }
    };
}

use entry_points;
