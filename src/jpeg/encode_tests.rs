//! Each format is encoded and given to decoders that others wrote.

#[path = "encode_reference.rs"]
mod reference;

use std::process::Command;

use super::super::pixels::PixelFormat;
use super::super::raw::Range;
use super::*;

/// White, yellow, cyan, green, magenta, red, blue, black.
const BARS: [[u8; 3]; 8] = [
    [255, 255, 255],
    [255, 255, 0],
    [0, 255, 255],
    [0, 255, 0],
    [255, 0, 255],
    [255, 0, 0],
    [0, 0, 255],
    [0, 0, 0],
];

/// What a picture shows: the RGB of a place.
type Scene = fn(usize, usize) -> [u8; 3];

/// Fields of one MCU each, so that nothing but the levels can differ.
fn bars(x: usize, y: usize) -> [u8; 3] {
    BARS[(x / 16 + y / 16 * 3) % 8]
}

/// Slopes: a row or column too many or too few shows.
fn slopes(x: usize, y: usize) -> [u8; 3] {
    let wave = |v: usize| u8::try_from((v % 200).min(200 - v % 200) * 2 + 20).unwrap();
    [wave(x), wave(y), wave((x + y) / 2)]
}

/// JFIF's formulas, then the range of the camera.
fn ycbcr([r, g, b]: [u8; 3], range: Range) -> [u8; 3] {
    let [r, g, b] = [r, g, b].map(f64::from);
    let y = 0.299 * r + 0.587 * g + 0.114 * b;
    let [cb, cr] = [(b - y) / 1.772, (r - y) / 1.402];
    let levels = match range {
        Range::Full => [y, 128.0 + cb, 128.0 + cr],
        Range::Limited => {
            [16.0 + y * 219.0 / 255.0, 128.0 + cb * 224.0 / 255.0, 128.0 + cr * 224.0 / 255.0]
        }
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "levels of a byte")]
    levels.map(|v| v.round() as u8)
}

/// A picture as a camera would give it; padding is filled with noise.
fn shot(
    format: PixelFormat,
    (width, height): (usize, usize),
    stride: usize,
    range: Range,
    scene: Scene,
) -> Vec<u8> {
    let at = |x: usize, y: usize| ycbcr(scene(x, y), range);
    let mut data: Vec<u8> = (0..=250).cycle().take(stride * height * 3).collect();
    let n_half = height.div_ceil(2);
    let chroma = stride * height;
    let name = format.name();
    for y in 0..height {
        for x in 0..width {
            let [luma, _, _] = at(x, y);
            let [_, cb, cr] = at(x & !1, y & !1);
            let [_, cb_row, cr_row] = at(x & !1, y);
            let [_, cb_own, cr_own] = at(x, y);
            let [r, g, b] = scene(x, y);
            let i = y * stride;
            let pair = chroma + y / 2 * stride + x / 2 * 2;
            let plane = chroma + y / 2 * (stride / 2) + x / 2;
            let next = n_half * (stride / 2);
            let quad = i + x / 2 * 4;
            // At 4:2:2 each line has its colours, at 4:4:4 each pixel has.
            let (pair_row, pair_own) = (chroma + i + x / 2 * 2, chroma + 2 * (i + x));
            let (row, next_row) = (chroma + y * (stride / 2) + x / 2, height * (stride / 2));
            let mut put = |bytes: &[(usize, u8)]| bytes.iter().for_each(|(i, v)| data[*i] = *v);
            match name {
                "YUYV" => put(&[(i + 2 * x, luma), (quad + 1, cb_row), (quad + 3, cr_row)]),
                "YVYU" => put(&[(i + 2 * x, luma), (quad + 1, cr_row), (quad + 3, cb_row)]),
                "UYVY" => put(&[(i + 2 * x + 1, luma), (quad, cb_row), (quad + 2, cr_row)]),
                "NV12" => put(&[(i + x, luma), (pair, cb), (pair + 1, cr)]),
                "NV21" => put(&[(i + x, luma), (pair, cr), (pair + 1, cb)]),
                "YU12" => put(&[(i + x, luma), (plane, cb), (plane + next, cr)]),
                "YV12" => put(&[(i + x, luma), (plane, cr), (plane + next, cb)]),
                "NV16" => put(&[(i + x, luma), (pair_row, cb_row), (pair_row + 1, cr_row)]),
                "NV61" => put(&[(i + x, luma), (pair_row, cr_row), (pair_row + 1, cb_row)]),
                "NV24" => put(&[(i + x, luma), (pair_own, cb_own), (pair_own + 1, cr_own)]),
                "NV42" => put(&[(i + x, luma), (pair_own, cr_own), (pair_own + 1, cb_own)]),
                "422P" => put(&[(i + x, luma), (row, cb_row), (row + next_row, cr_row)]),
                "YM61" => put(&[(i + x, luma), (row, cr_row), (row + next_row, cb_row)]),
                "YM24" => {
                    put(&[(i + x, luma), (chroma + i + x, cb_own), (2 * chroma + i + x, cr_own)]);
                }
                "YM42" => {
                    put(&[(i + x, luma), (chroma + i + x, cr_own), (2 * chroma + i + x, cb_own)]);
                }
                "RGB3" => put(&[(i + 3 * x, r), (i + 3 * x + 1, g), (i + 3 * x + 2, b)]),
                "BGR3" => put(&[(i + 3 * x, b), (i + 3 * x + 1, g), (i + 3 * x + 2, r)]),
                "RGBP" => {
                    let [r, g, b] = [r >> 3, g >> 2, b >> 3].map(u16::from);
                    let [low, high] = (r << 11 | g << 5 | b).to_le_bytes();
                    put(&[(i + 2 * x, low), (i + 2 * x + 1, high)]);
                }
                _ => put(&[(i + x, luma)]),
            }
        }
    }
    data.truncate(format.min_len(width, height, stride));
    data
}

/// RGB is full range in V4L2 unless a driver says otherwise.
fn usual_range(format: PixelFormat) -> Range {
    match format {
        PixelFormat::Rgb3 | PixelFormat::Bgr3 | PixelFormat::Rgbp => Range::Full,
        _ => Range::Limited,
    }
}

fn encoded(
    format: PixelFormat,
    size: (usize, usize),
    pad: usize,
    (range, scene): (Range, Scene),
    n_threads: usize,
) -> Vec<u8> {
    let stride = format.line_len(size.0) + pad;
    let data = shot(format, size, stride, range, scene);
    let raw = Raw::new(format, size, stride, range, &data).unwrap();
    let mut jpeg = Vec::new();
    Encoder::new(90, n_threads, Simd::best()).encode(&raw, &mut jpeg).unwrap();
    jpeg
}

/// The largest and the mean distance of what `jpeg-decoder` sees to the scene.
fn distance(jpeg: &[u8], size: (usize, usize), scene: Scene) -> (u8, f64) {
    distance_at(jpeg, size, scene, |_, _| true)
}

/// The same at some places only.
fn distance_at(
    jpeg: &[u8],
    size: (usize, usize),
    scene: Scene,
    is_looked_at: fn(usize, usize) -> bool,
) -> (u8, f64) {
    let mut decoder = jpeg_decoder::Decoder::new(jpeg);
    let pixels = decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    assert_eq!((usize::from(info.width), usize::from(info.height)), size);
    let grey = info.pixel_format == jpeg_decoder::PixelFormat::L8;
    let n_bytes = if grey { 1 } else { 3 };
    let distances: Vec<u8> = pixels
        .chunks_exact(n_bytes)
        .enumerate()
        .filter(|(i, _)| is_looked_at(i % size.0, i / size.0))
        .flat_map(|(i, got)| {
            let rgb = scene(i % size.0, i / size.0);
            let wanted = if grey { [ycbcr(rgb, Range::Full)[0]; 3] } else { rgb };
            got.iter().zip(wanted).map(|(got, wanted)| got.abs_diff(wanted)).collect::<Vec<_>>()
        })
        .collect();
    let sum: f64 = distances.iter().map(|d| f64::from(*d)).sum();
    #[allow(clippy::cast_precision_loss, reason = "some million samples")]
    (distances.iter().copied().max().unwrap(), sum / distances.len() as f64)
}

#[test]
fn every_format_keeps_the_colours_and_white_is_white() {
    for format in PixelFormat::ALL {
        for range in [Range::Limited, Range::Full] {
            if range == Range::Limited && usual_range(format) == Range::Full {
                continue;
            }
            let jpeg = encoded(format, (256, 128), 0, (range, bars), 2);
            // The decoder lets colours flow into each other at the edges.
            let inside = |x, y| (2..14).contains(&(x % 16)) && (2..14).contains(&(y % 16));
            let (max, mean) = distance_at(&jpeg, (256, 128), bars, inside);
            assert!(max <= 4 && mean < 1.5, "{format} {range:?}: {max}, {mean}");
            for (level, colour) in [(255, BARS[0]), (0, BARS[7])] {
                let flat: Scene = if level == 255 { |_, _| BARS[0] } else { |_, _| BARS[7] };
                let jpeg = encoded(format, (32, 32), 0, (range, flat), 1);
                let (max, _) = distance(&jpeg, (32, 32), flat);
                assert!(max <= 1, "{format} {range:?} {colour:?}: {max}");
            }
        }
    }
}

#[test]
fn every_size_and_stride_shows_what_was_put_in() {
    for format in PixelFormat::ALL {
        for (size, pad) in
            [((16, 16), 0), ((2, 1), 0), ((50, 37), 14), ((322, 250), 62), ((64, 1080), 0)]
        {
            let jpeg = encoded(format, size, pad, (usual_range(format), slopes), 2);
            let (max, mean) = distance(&jpeg, size, slopes);
            // Five bits a colour are up to seven steps away before encoding.
            let more = if format == PixelFormat::Rgbp { 6 } else { 0 };
            assert!(
                max <= 14 + more && mean < 2.0 + f64::from(more) / 4.0,
                "{format} {size:?}: {max}, {mean}"
            );
        }
    }
}

#[test]
fn an_odd_width_is_no_matter_where_colour_is_not_in_pairs() {
    for format in [PixelFormat::Rgb3, PixelFormat::Grey] {
        let jpeg = encoded(format, (51, 37), 3, (Range::Full, slopes), 2);
        let (max, mean) = distance(&jpeg, (51, 37), slopes);
        assert!(max <= 14 && mean < 2.0, "{format}: {max}, {mean}");
    }
}

#[test]
fn any_number_of_threads_makes_the_same_bytes() {
    for format in [PixelFormat::Yuyv, PixelFormat::Nv12, PixelFormat::Rgb3] {
        let one = encoded(format, (640, 360), 0, (Range::Full, slopes), 1);
        for n_threads in [0, 2, 3, 64] {
            let more = encoded(format, (640, 360), 0, (Range::Full, slopes), n_threads);
            assert!(one == more, "{format} on {n_threads}");
        }
    }
}

#[test]
fn an_encoder_is_used_again_for_other_sizes_and_formats() {
    let mut encoder = Encoder::new(90, 2, Simd::best());
    for (format, size) in [
        (PixelFormat::Yuyv, (640, 480)),
        (PixelFormat::Yuyv, (640, 480)),
        (PixelFormat::Nv12, (64, 48)),
        (PixelFormat::Grey, (640, 480)),
        (PixelFormat::Grey, (480, 640)),
    ] {
        let stride = format.line_len(size.0);
        let data = shot(format, size, stride, Range::Full, slopes);
        let raw = Raw::new(format, size, stride, Range::Full, &data).unwrap();
        let mut jpeg = Vec::new();
        encoder.encode(&raw, &mut jpeg).unwrap();
        assert!(jpeg == encoded(format, size, 0, (Range::Full, slopes), 1));
    }
}

#[test]
fn strips_are_even_and_fit_into_a_restart_interval() {
    for (format, size) in [
        (PixelFormat::Yuyv, (1280, 720)),
        (PixelFormat::Nv12, (1920, 1080)),
        (PixelFormat::Grey, (65535, 300)),
        (PixelFormat::Grey, (1, 65535)),
        (PixelFormat::Grey, (65535, 1)),
    ] {
        let data = vec![0; format.min_len(size.0, size.1, format.line_len(size.0))];
        let raw = Raw::new(format, size, format.line_len(size.0), Range::Full, &data).unwrap();
        let cut = StripPlan::new(&raw);
        assert!(cut.n_mcus <= 65535, "{cut:?}");
        assert!(cut.n_rows * (cut.n_strips - 1) < size.1, "{cut:?}");
        assert!(cut.n_rows * cut.n_strips >= size.1, "{cut:?}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let data = [128; 64];
    let raw = Raw::new(PixelFormat::Grey, (8, 8), 8, Range::Full, &data).unwrap();
    let mut short = [0; 100];
    let fault = Encoder::new(80, 1, Simd::best()).encode(&raw, &mut &mut short[..]).unwrap_err();
    assert!(matches!(fault, EncodeError::Output(_)), "{fault}");
}

#[test]
fn ffmpeg_decodes_without_a_warning() {
    let folder = std::env::temp_dir().join(format!("mjpegd-encode-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let small = PixelFormat::ALL.map(|f| (f, (322, 250)));
    let large = [PixelFormat::Yuyv, PixelFormat::Nv12].map(|f| (f, (1920, 1080)));
    for (format, size) in small.into_iter().chain(large) {
        // Noise, since ffmpeg has a flaw: while it probes, it takes the EOI
        // behind a scan with less than two stuffed bytes for a part of it.
        let stride = format.line_len(size.0);
        let data: Vec<u8> = (0..format.min_len(size.0, size.1, stride))
            .scan(1_u32, |state, _| {
                *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                Some(state.to_be_bytes()[0])
            })
            .collect();
        let raw = Raw::new(format, size, stride, usual_range(format), &data).unwrap();
        let mut jpeg = Vec::new();
        Encoder::new(80, 2, Simd::best()).encode(&raw, &mut jpeg).unwrap();
        let info = crate::jpeg::check(&jpeg).unwrap();
        assert_eq!((usize::from(info.width), usize::from(info.height)), size);
        assert_eq!(info.len, jpeg.len());
        let path = folder.join(format!("{format}-{}.jpg", size.0));
        std::fs::write(&path, jpeg).unwrap();
        let run = Command::new("ffmpeg")
            .args(["-v", "warning", "-xerror", "-err_detect", "explode", "-i"])
            .arg(&path)
            .args(["-f", "null", "-"])
            .output()
            .expect("make test needs ffmpeg");
        let stderr = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success() && stderr.is_empty(), "{format} {size:?}: {stderr}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// jpeg-encoder makes the same of it, to the byte. Its vector instructions
/// round otherwise at high qualities, so its feature `simd` is off.
#[test]
fn every_byte_is_the_one_of_jpeg_encoder() {
    for format in PixelFormat::ALL {
        for size in [(16, 16), (2, 2), (50, 38), (82, 50)] {
            for quality in [1, 10, 50, 80, 95, 100] {
                for noise in [0, 40, 255, 4000] {
                    let stride = format.line_len(size.0);
                    let data = noisy(format.min_len(size.0, size.1, stride), noise);
                    let raw = Raw::new(format, size, stride, Range::Limited, &data).unwrap();
                    let mut jpeg = Vec::new();
                    Encoder::new(quality, 2, Simd::best()).encode(&raw, &mut jpeg).unwrap();
                    let same = reference::by_jpeg_encoder(&raw, quality);
                    assert!(jpeg == same, "{format} {size:?} of quality {quality}, noise {noise}");
                }
            }
        }
    }
}

/// Slopes under noise; under much of it, black and white.
fn noisy(len: usize, noise: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let bytes = (0..len).map(|i| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = usize::from(state.to_be_bytes()[0]) * noise / 255;
        if noise > 255 {
            (noise % 2 * 255).to_le_bytes()[0]
        } else {
            (i / 7 + noise).to_le_bytes()[0]
        }
    });
    bytes.collect()
}
