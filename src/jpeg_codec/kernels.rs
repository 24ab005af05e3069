//! Computes the samples of sixteen pixels at a time.
//!
//! The vectors are explicit: the daemon is optimized for size when it is linked, and the
//! compiler then does not vectorize loops, whatever the options of a package are.

/// Makes `split`, `rgb`, `rgb565`, `widen_luma` and `widen_chroma` out of what
/// is in scope: what `pass!` takes, and
/// - `H`, how many `V` hold sixteen lanes, and `B`, sixteen bytes;
/// - `lanes` of two bytes each, the low one first;
/// - `halves` and `joined`: a byte to a lane, and back with saturation;
/// - `taken_apart`: three bytes a pixel to three `B`;
/// - `splat`, `and`, `shr` (without a sign), and `less_one` of each sum;
/// - `scaled`: a rounded product with 15 bits behind the point, of at most 2047.
macro_rules! kernels {
    ($(#[$attribute:meta])*) => {
        /// Every first byte of two and every second.
        $(#[$attribute])*
        #[inline]
        fn split(pairs: &[[u8; 2]], first: &mut [u8], second: &mut [u8]) {
            by_sixteen(pairs, [first, second], |pairs| {
                let pairs = lanes(pairs);
                [joined(pairs.map(|v| and(v, splat(0xFF)))), joined(pairs.map(|v| shr::<8>(v)))]
            });
        }

        /// Y, Cb and Cr of red, green and blue, or of the reverse.
        $(#[$attribute])*
        #[inline]
        fn rgb(pixels: &[[u8; 3]], is_reversed: bool, range: Range, planes: [&mut [u8]; 3]) {
            by_sixteen(pixels, planes, |pixels| {
                let [first, g, last] = taken_apart(pixels).map(|plane| halves(plane));
                let rgb = if is_reversed { [last, g, first] } else { [first, g, last] };
                ycbcr(rgb, range)
            });
        }

        /// Y, Cb and Cr of five, six and five bits, widened so that all ones
        /// are 255.
        $(#[$attribute])*
        #[inline]
        fn rgb565(pixels: &[[u8; 2]], range: Range, planes: [&mut [u8]; 3]) {
            by_sixteen(pixels, planes, |pixels| {
                let bits = lanes(pixels);
                let r = bits.map(|v| shr::<11>(v));
                let g = bits.map(|v| and(shr::<5>(v), splat(0x3F)));
                let b = bits.map(|v| and(v, splat(0x1F)));
                let [r, b] = [r, b].map(|five| five.map(|v| add(shl::<3>(v), shr::<2>(v))));
                ycbcr([r, g.map(|six| add(shl::<2>(six), shr::<4>(six))), b], range)
            });
        }

        /// JFIF's BT.601 with 16 fraction bits. A factor has at most 15 bits, so a
        /// greater one is split in two, as 38470 = 22086 + 16384 for green.
        $(#[$attribute])*
        #[inline]
        fn ycbcr(rgb: [[V; H]; 3], range: Range) -> [[u8; 16]; 3] {
            let [r, g, b] = match range {
                Range::Full => rgb,
                Range::Limited => rgb.map(|v| halves(cast(joined(v.map(|v| full_luma(v)))))),
            };
            let mut samples = [[splat(0); H]; 3];
            for i in 0..H {
                let [r, g, b] = [r[i], g[i], b[i]];
                // Half is rounded down, as jpeg-encoder does.
                let down = |a, b| narrow::<16>(less_one(sum(a, b)));
                samples[0][i] = down(dot(r, g, 19595, 22086), dot(b, g, 7471, 16384));
                let cb = down(dot(r, g, -11059, -21709), dot(b, b, 16384, 16384));
                let cr = down(dot(g, b, -27439, -5329), dot(r, r, 16384, 16384));
                samples[1][i] = add(cb, splat(128));
                samples[2][i] = add(cr, splat(128));
            }
            samples.map(|plane| joined(plane))
        }

        $(#[$attribute])*
        #[inline]
        fn widen_luma(levels: &mut [u8]) {
            in_sixteens(levels, |levels| joined(halves(cast(levels)).map(|v| full_luma(v))));
        }

        /// Widens 16 to 235 to 0 to 255, by 36 / 219 (5387 of 2^15). Levels outside are
        /// clamped later.
        $(#[$attribute])*
        #[inline]
        fn full_luma(v: V) -> V {
            let v = sub(v, splat(16));
            add(v, scaled::<5387>(v))
        }

        /// Widens 16 to 240 to 0.5 to 255.5 around 128, by 31 / 224. The factor (4535 of
        /// 2^15) is slightly too large, so that half is rounded away from 128.
        $(#[$attribute])*
        #[inline]
        fn widen_chroma(levels: &mut [u8]) {
            in_sixteens(levels, |levels| {
                joined(halves(cast(levels)).map(|v| add(v, scaled::<4535>(sub(v, splat(128))))))
            });
        }
    };
}

pub(crate) use kernels;

/// Computes `N` samples for each pixel, sixteen pixels at a time. The last pixels are
/// padded to sixteen.
#[inline(always)]
pub(crate) fn by_sixteen<const BYTES: usize, const N: usize>(
    pixels: &[[u8; BYTES]],
    mut planes: [&mut [u8]; N],
    samples: impl Fn([[u8; BYTES]; 16]) -> [[u8; 16]; N],
) {
    let n = planes.iter().fold(pixels.len(), |n, plane| n.min(plane.len()));
    let (whole, rest) = pixels[..n].as_chunks::<16>();
    for (i, pixels) in whole.iter().enumerate() {
        for (plane, samples) in planes.iter_mut().zip(samples(*pixels)) {
            if let Some(place) = plane[16 * i..].first_chunk_mut() {
                *place = samples;
            }
        }
    }
    if !rest.is_empty() {
        let mut last = [[0; BYTES]; 16];
        last[..rest.len()].copy_from_slice(rest);
        for (plane, samples) in planes.iter_mut().zip(samples(last)) {
            plane[n - rest.len()..n].copy_from_slice(&samples[..rest.len()]);
        }
    }
}

/// Replaces bytes, sixteen at a time. The last bytes are padded to sixteen.
#[inline(always)]
pub(crate) fn in_sixteens(levels: &mut [u8], replaced: impl Fn([u8; 16]) -> [u8; 16]) {
    let (whole, rest) = levels.as_chunks_mut();
    for levels in whole {
        *levels = replaced(*levels);
    }
    let mut last = [0; 16];
    last[..rest.len()].copy_from_slice(rest);
    rest.copy_from_slice(&replaced(last)[..rest.len()]);
}
