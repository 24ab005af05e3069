//! Whole scans, looked at by a decoder that others wrote, on every level of
//! SIMD that this processor has.

use crate::simd::levels;
use crate::{Line, McuRow, Order, Range, Scan, Simd, Tables};

/// Tables of T.81, annex K: K.3 for DC and K.5 for AC, in a DHT segment's form.
const DC: ([u8; 16], [u8; 12]) =
    ([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);

/// A code of 8 bits for each AC symbol up to 0xEF, of 9 bits and more for the
/// others: any table will do.
fn ac() -> ([u8; 16], Vec<u8>) {
    let mut symbols = vec![0x00, 0xF0];
    symbols.extend((0..16_u8).flat_map(|run| (1..11).map(move |n| run << 4 | n)));
    let mut lengths = [0; 16];
    lengths[7] = u8::try_from(symbols.len()).unwrap();
    (lengths, symbols)
}

/// A picture of planes, as large as whole MCUs.
struct Picture {
    n_components: usize,
    factors: (usize, usize),
    n_mcus: (usize, usize),
    divisor: u8,
}

impl Picture {
    fn tables(&self) -> Tables {
        let mut tables = Tables::new(self.n_components, self.factors);
        for nth in 0..2 {
            tables.set_divisors(nth, &[self.divisor; 64]);
            tables.set_codes(0, nth, &DC.0, &DC.1);
            let (lengths, symbols) = ac();
            tables.set_codes(1, nth, &lengths, &symbols);
        }
        tables
    }

    fn size(&self) -> (usize, usize) {
        let (across, down) = if self.n_components == 1 { (1, 1) } else { self.factors };
        (self.n_mcus.0 * 8 * across, self.n_mcus.1 * 8 * down)
    }

    /// The JPEG of what `sample` says of a component, a column and a row.
    fn encode(&self, simd: Simd, sample: impl Fn(usize, usize, usize) -> u8) -> Vec<u8> {
        let (tables, (width, height)) = (self.tables(), self.size());
        let mut jpeg = self.header();
        let mut scan = Scan::new(&tables, simd, &mut jpeg);
        let mut row = McuRow::default();
        row.set_width(&tables, width);
        let (across, down) = (width / self.n_mcus.0 / 8, height / self.n_mcus.1 / 8);
        for mcu in 0..self.n_mcus.1 {
            for c in 0..self.n_components {
                let (width, n) = if c == 0 { (width, 8 * down) } else { (width / across, 8) };
                for y in 0..n {
                    let line: Vec<u8> = (0..width).map(|x| sample(c, x, mcu * n + y)).collect();
                    let line = [Line::Luma(&line), Line::Cb(&line), Line::Cr(&line)][c];
                    row.set_line(simd, y, line, Range::Full);
                }
            }
            scan.row(&row);
        }
        scan.end();
        jpeg.extend([0xFF, 0xD9]);
        jpeg
    }

    fn header(&self) -> Vec<u8> {
        let mut bytes = vec![0xFF, 0xD8];
        let mut segment = |marker: u8, body: &[u8]| {
            let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
            bytes.extend([&[0xFF, marker], &length[..], body].concat());
        };
        for nth in 0..2 {
            segment(0xDB, &[&[nth], &[self.divisor; 64][..]].concat());
            segment(0xC4, &[&[nth], &DC.0[..], &DC.1].concat());
            segment(0xC4, &[&[0x10 | nth], &ac().0[..], &ac().1].concat());
        }
        let (width, height) = self.size();
        let side = |n: usize| u16::try_from(n).unwrap().to_be_bytes();
        let n = u8::try_from(self.n_components).unwrap();
        let factors = u8::try_from(self.factors.0 << 4 | self.factors.1).unwrap();
        let (mut sof, mut sos) = ([&[8][..], &side(height), &side(width), &[n]].concat(), vec![n]);
        for c in 0..n {
            sof.extend([c + 1, if c == 0 { factors } else { 0x11 }, c.min(1)]);
            sos.extend([c + 1, c.min(1) * 0x11]);
        }
        sos.extend([0, 63, 0]);
        segment(0xC0, &sof);
        segment(0xDA, &sos);
        bytes
    }
}

/// The samples that `jpeg-decoder` sees, component by component in a pixel.
fn decoded(jpeg: &[u8]) -> Vec<u8> {
    let mut decoder = jpeg_decoder::Decoder::new(jpeg);
    // As they are.
    decoder.set_color_transform(jpeg_decoder::ColorTransform::RGB);
    decoder.decode().unwrap()
}

fn dice(mut state: u32) -> impl FnMut() -> u8 {
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    }
}

const PICTURES: [(usize, (usize, usize)); 5] =
    [(1, (1, 1)), (1, (2, 2)), (3, (1, 1)), (3, (2, 1)), (3, (2, 2))];

#[test]
fn samples_are_those_that_a_decoder_sees() {
    // A plane is flat within a block, so that nothing is lost but what the
    // division rounds away, and nothing is mixed when colours are enlarged.
    for (n_components, factors) in PICTURES {
        for n_mcus in [(1, 1), (2, 3), (5, 2)] {
            let picture = Picture { n_components, factors, n_mcus, divisor: 1 };
            let (across, down) = if n_components == 1 { (1, 1) } else { factors };
            let level = |c: usize, x: usize, y: usize| {
                u8::try_from((x / 16 * 37 + y / 16 * 91 + c * 50) % 256).unwrap()
            };
            let sample = |c: usize, x: usize, y: usize| {
                let (x, y) = if c == 0 { (x, y) } else { (x * across, y * down) };
                level(c, x, y)
            };
            for simd in levels() {
                let got = decoded(&picture.encode(simd, sample));
                let (width, height) = picture.size();
                assert_eq!(got.len(), width * height * n_components);
                for (i, got) in got.iter().enumerate() {
                    let (c, at) = (i % n_components, i / n_components);
                    let (x, y) = (at % width, at / width);
                    let near_edge = c > 0 && [x, y].iter().any(|v| matches!(v % 16, 0 | 15));
                    let due = level(c, x, y);
                    assert!(
                        near_edge || got.abs_diff(due) <= 1,
                        "{n_components} {factors:?} {n_mcus:?} {simd:?}: {c} at {x}, {y}: {got}, not {due}"
                    );
                }
            }
        }
    }
}

#[test]
fn noise_comes_back_and_all_levels_give_the_same_bytes() {
    for (n_components, factors) in PICTURES {
        for (divisor, most) in [(1, 2), (3, 7), (40, 90)] {
            let picture = Picture { n_components, factors, n_mcus: (7, 3), divisor };
            let (width, height) = picture.size();
            // Of all levels, and of the two ends alone, which give the largest coefficients.
            for is_extreme in [false, true] {
                let mut dice = dice(u32::from(divisor));
                let noise: Vec<u8> = (0..n_components * width * height)
                    .map(|_| if is_extreme { dice() / 128 * 255 } else { dice() })
                    .collect();
                let sample = |c: usize, x: usize, y: usize| noise[(c * height + y) * width + x];
                let jpegs: Vec<_> =
                    levels().into_iter().map(|simd| picture.encode(simd, sample)).collect();
                assert!(jpegs.windows(2).all(|two| two[0] == two[1]), "{factors:?} {divisor}");
                let got = decoded(&jpegs[0]);
                for (at, got) in got.iter().step_by(n_components).enumerate() {
                    let due = sample(0, at % width, at / width);
                    assert!(got.abs_diff(due) <= most, "{factors:?} {divisor}: {got}, not {due}");
                }
            }
        }
    }
}

/// A line's samples, pixel by pixel.
fn by_pixel(line: Line<'_>, x: usize) -> [Option<u8>; 3] {
    let bt601 = |r: u8, g: u8, b: u8| {
        let [r, g, b] = [r, g, b].map(f64::from);
        let y = 0.299 * r + 0.587 * g + 0.114 * b;
        [y, 128.0 + (b - y) / 1.772, 128.0 + (r - y) / 1.402]
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let bytes = |v: [f64; 3]| v.map(|v| Some(v.round().clamp(0.0, 255.0) as u8));
    let colours = |[one, other]: [u8; 2], order| match order {
        Order::CbCr => [None, Some(one), Some(other)],
        Order::CrCb => [None, Some(other), Some(one)],
    };
    match line {
        Line::LumaFirst(l, order) => {
            let [_, cb, cr] = colours([l[x / 2 * 4 + 1], l[x / 2 * 4 + 3]], order);
            [Some(l[2 * x]), cb, cr]
        }
        Line::ColourFirst(l, order) => {
            let [_, cb, cr] = colours([l[x / 2 * 4], l[x / 2 * 4 + 2]], order);
            [Some(l[2 * x + 1]), cb, cr]
        }
        Line::Luma(l) => [Some(l[x]), None, None],
        Line::Colours(l, order) => colours([l[2 * x], l[2 * x + 1]], order),
        Line::Cb(l) => [None, Some(l[x]), None],
        Line::Cr(l) => [None, None, Some(l[x])],
        Line::Rgb(l) => bytes(bt601(l[3 * x], l[3 * x + 1], l[3 * x + 2])),
        Line::Bgr(l) => bytes(bt601(l[3 * x + 2], l[3 * x + 1], l[3 * x])),
        Line::Rgb565(l) => {
            let bits = u16::from_le_bytes([l[2 * x], l[2 * x + 1]]);
            let [r, g, b] = [bits >> 11, bits >> 5 & 0x3F, bits & 0x1F].map(|v| v.to_le_bytes()[0]);
            bytes(bt601(r << 3 | r >> 2, g << 2 | g >> 4, b << 3 | b >> 2))
        }
    }
}

#[test]
fn lines_are_taken_apart_as_their_pixels_say() {
    let mut dice = dice(7);
    let bytes: Vec<u8> = (0..3 * 300).map(|_| dice()).collect();
    for width in [2, 4, 14, 16, 30, 32, 34, 62, 64, 128, 130, 258, 300] {
        let (one, two, three) = (&bytes[..width], &bytes[..2 * width], &bytes[..3 * width]);
        let [cb_cr, cr_cb] = [Order::CbCr, Order::CrCb];
        for (across, line) in [
            (2, Line::LumaFirst(two, cb_cr)),
            (2, Line::LumaFirst(two, cr_cb)),
            (2, Line::ColourFirst(two, cb_cr)),
            (2, Line::ColourFirst(two, cr_cb)),
            (2, Line::Colours(one, cb_cr)),
            (2, Line::Colours(one, cr_cb)),
            (2, Line::Cb(&one[..width / 2])),
            (2, Line::Cr(&one[..width / 2])),
            (2, Line::Luma(one)),
            (1, Line::Rgb(three)),
            (1, Line::Bgr(three)),
            (1, Line::Rgb565(two)),
        ] {
            let mut rows = Vec::new();
            for simd in levels() {
                let mut row = McuRow::default();
                row.set_width(&Tables::new(3, (across, 1)), width);
                row.set_line(simd, 3, line, Range::Full);
                check_line(&row, line, across, width, simd);
                row.set_line(simd, 3, line, Range::Limited);
                rows.push((0..3).map(|c| row.plane(c).0.to_vec()).collect::<Vec<_>>());
            }
            assert!(rows.windows(2).all(|two| two[0] == two[1]), "limited {line:?}");
        }
    }
}

fn check_line(row: &McuRow, line: Line<'_>, across: usize, width: usize, simd: Simd) {
    for c in line.components() {
        let (samples, stride) = row.plane(c);
        let width = if c == 0 { width } else { width / across };
        let got = &samples[3 * stride..][..stride];
        for x in 0..width {
            let at = if c > 0 && across == 2 && line.components() == (0..3) { 2 * x } else { x };
            if let Some(due) = by_pixel(line, at)[c] {
                assert!(
                    got[x].abs_diff(due) <= 1,
                    "{simd:?} {line:?} {c} {x}: {}, not {due}",
                    got[x]
                );
                if !matches!(line, Line::Rgb(_) | Line::Bgr(_) | Line::Rgb565(_)) {
                    assert_eq!(got[x], due);
                }
                assert!(got[width..].iter().all(|v| *v == got[width - 1]), "the end goes on");
            }
        }
    }
}

/// A sample of every component for each of 256 levels.
fn line_of(simd: Simd, range: Range, line: fn(&[u8]) -> Line<'_>) -> Vec<u8> {
    let levels: Vec<u8> = (0..=255).collect();
    let mut row = McuRow::default();
    row.set_width(&Tables::new(3, (1, 1)), levels.len());
    let line = line(&levels);
    row.set_line(simd, 0, line, range);
    row.plane(line.components().start).0[..levels.len()].to_vec()
}

#[test]
fn limited_range_is_widened_to_the_ends() {
    // `level` is `zero` and `span` around it is widened to 255.
    let widened = |level: u8, from_zero: f64, zero: f64, span: f64| {
        let full = zero + ((f64::from(level) - from_zero) * 255.0 / span).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        return full.clamp(0.0, 255.0) as u8;
    };
    for simd in levels() {
        let luma = line_of(simd, Range::Limited, |levels| Line::Luma(levels));
        let cb = line_of(simd, Range::Limited, |levels| Line::Cb(levels));
        assert_eq!(cb, line_of(simd, Range::Limited, |levels| Line::Cr(levels)));
        for level in 0..=255 {
            let at = usize::from(level);
            assert_eq!(luma[at], widened(level, 16.0, 0.0, 219.0), "{simd:?} luma {level}");
            assert_eq!(cb[at], widened(level, 128.0, 128.0, 224.0), "{simd:?} chroma {level}");
        }
        assert_eq!([0, 16, 235, 255].map(|i| luma[i]), [0, 0, 255, 255]);
        assert_eq!([0, 16, 128, 240, 255].map(|i| cb[i]), [0, 0, 128, 255, 255]);
    }
}

#[test]
fn rgb565_reaches_both_ends() {
    for simd in levels() {
        let mut row = McuRow::default();
        row.set_width(&Tables::new(3, (1, 1)), 4);
        row.set_line(simd, 0, Line::Rgb565(&[0xFF, 0xFF, 0, 0, 0, 0xF8, 0xE0, 7]), Range::Full);
        assert_eq!(row.plane(0).0[..4], [255, 0, 76, 150], "{simd:?}");
        assert_eq!(row.plane(1).0[..2], [128, 128], "{simd:?}");
        row.set_line(simd, 0, Line::Rgb565(&[0xFF, 0xFF, 0, 0, 0, 0xF8, 0x1F, 0]), Range::Full);
        assert_eq!((row.plane(2).0[2], row.plane(1).0[3]), (255, 255), "{simd:?}");
    }
}
