//! What it costs to change a JPEG by its coefficients, beside libjpeg-turbo's rotation.
//!
//! libjpeg-turbo frees its memory after each picture, and pays for new pages with the
//! next. Here malloc keeps them, as our memory is kept: the ratios are fair.

use std::process::Command;

use mjpegd_jpeg_codec::{DcReader, Edit, Orientation, Scale, Stamp, Transcoder};

use crate::jpeg::{PixelFormat, Range, Simd};
use crate::results::Results;
use crate::{Case, FULL_HD, HD, Ours, VGA, cpu, median, picture};

/// As `ENCODE` names these rows.
pub(crate) const NAME: &str = "transcode";

/// Makes the malloc of glibc keep what is freed. It ignores a larger first value, and maps
/// new memory then for each picture.
const KEPT: [(&str, &str); 3] = [
    ("MALLOC_MMAP_THRESHOLD_", "33554432"),
    ("MALLOC_TRIM_THRESHOLD_", "1073741824"),
    ("MALLOC_TOP_PAD_", "67108864"),
];

/// Measures in a process whose malloc keeps its memory.
pub(crate) fn compare(n_rounds: usize) {
    if std::env::var_os(KEPT[0].0).is_some() {
        return cases(n_rounds);
    }
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(std::env::args_os().skip(1)).env("ENCODE", NAME).envs(KEPT);
    assert!(again.status().unwrap().success());
}

fn cases(n_rounds: usize) {
    let mut results = Results::default();
    for (format, size, noise) in [
        (PixelFormat::Yuyv, FULL_HD, 3),
        (PixelFormat::Nv12, FULL_HD, 3),
        (PixelFormat::Yuyv, HD, 3),
        (PixelFormat::Yuyv, VGA, 3),
    ] {
        let case = Case { format, size, quality: 80, noise };
        let data = picture::drawn(format, size, noise);
        let jpeg = Ours::new(&case, &data, Range::Full, (1, Simd::best())).encode().to_vec();
        rows(&case, &plain(&jpeg), n_rounds, &mut results);
    }
    results.keep(NAME).unwrap();
}

/// The JPEG without restart markers.
fn plain(jpeg: &[u8]) -> Vec<u8> {
    let (mut transcoder, mut out) = (Transcoder::new(Simd::best()), Vec::new());
    transcoder.read(jpeg, &Edit::default()).unwrap();
    transcoder.write(&mut out);
    out
}

fn rows(case: &Case, jpeg: &[u8], n_rounds: usize, results: &mut Results) {
    let identity = Edit::default();
    let scaled = |scale| Edit { scale, ..identity };
    let turned = |orientation| Edit { orientation, ..identity };
    let edits = [
        ("rotate 90", turned(Orientation::ROTATE_90)),
        ("rotate 180", turned(Orientation::ROTATE_180)),
        ("coefficients read and written", identity),
        ("the same with a text of 400x32", identity),
        ("quality 50", Edit { quality: Some(50), ..identity }),
        ("luma alone", Edit { is_gray: true, ..identity }),
        ("1/2 and encoded", scaled(Scale::Half)),
        ("1/4 and encoded", scaled(Scale::Quarter)),
        ("1/8 and encoded", scaled(Scale::Eighth)),
    ];
    let luma: Vec<u8> = (0..400 * 32_u32).map(|i| (i * 7).to_le_bytes()[0]).collect();
    let alpha = vec![255; luma.len()];
    let stamp = Stamp { x: 21, y: 13, width: 400, height: 32, luma: &luma, alpha: &alpha };
    let (mut transcoder, mut dc) = (Transcoder::new(Simd::best()), DcReader::new());
    #[cfg(feature = "bench-turbo")]
    let mut turbo = crate::turbo::Rotation::new();
    let mut times = [const { Vec::new() }; 11];
    let (mut sizes, mut out) = ([0; 11], Vec::new());
    for _ in 0..n_rounds {
        #[cfg(feature = "bench-turbo")]
        times[0].push(cpu(|| turbo.rotate(jpeg)));
        times[1].push(cpu(|| dc.read(jpeg).unwrap().values.len()));
        for (i, (name, edit)) in edits.iter().enumerate() {
            out.clear();
            times[2 + i].push(cpu(|| {
                transcoder.read(jpeg, edit).unwrap();
                if name.contains("text") {
                    transcoder.stamp(&stamp);
                }
                transcoder.write(&mut out);
                out.len()
            }));
            sizes[2 + i] = out.len();
        }
    }
    let times = times.map(median);
    let (width, height) = case.size;
    println!("{} {width}x{height} as a JPEG of {} kB, changed:", case.format, jpeg.len() / 1000);
    let names = ["libjpeg-turbo, rotate 90", "DC alone"].into_iter().chain(edits.map(|e| e.0));
    for ((name, time), size) in names.zip(times).zip(sizes).filter(|((_, time), _)| *time > 0.0) {
        print!("{name:31} {time:6.2} ms");
        if times[0] > 0.0 {
            print!(", {:.2} x", time / times[0]);
            let name = format!("{} {width}x{height}, {name}", case.format);
            results.add(name, format!("{:.2}", time / times[0]));
        }
        println!("{}", if size > 0 { format!(", {} kB", size / 1000) } else { String::new() });
    }
}
