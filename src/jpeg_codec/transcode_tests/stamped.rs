//! Texts over pictures.

use super::moved::SAMPLINGS;
use super::{encoded, output, samples};
use crate::{Edit, Orientation, Simd, Stamp, Transcoder};

/// A picture without and with a stamp.
fn stamped(jpeg: &[u8], edit: &Edit, stamps: &[Stamp<'_>]) -> [Vec<u8>; 2] {
    let mut transcoder = Transcoder::new(Simd::best());
    transcoder.read(jpeg, edit).unwrap();
    let (mut plain, mut out) = (Vec::new(), Vec::new());
    transcoder.write(&mut plain);
    stamps.iter().for_each(|stamp| transcoder.stamp(stamp));
    transcoder.write(&mut out);
    [plain, out]
}

/// Columns and rows of a picture.
fn size(pnm: &[u8]) -> (usize, usize) {
    let text = String::from_utf8_lossy(&pnm[..20]);
    let mut words = text.split_ascii_whitespace().skip(1).map(|word| word.parse().unwrap());
    (words.next().unwrap(), words.next().unwrap())
}

#[test]
fn a_stamp_changes_what_is_under_it_and_no_other_block() {
    for sampling in SAMPLINGS {
        let jpeg = encoded((149, 101), sampling);
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).unwrap();
            let (luma, alpha) = ([200; 40 * 20], [255; 40 * 20]);
            let stamp = Stamp { x: 27, y: 17, width: 40, height: 20, luma: &luma, alpha: &alpha };
            let edit = Edit { orientation, ..Edit::default() };
            let [plain, out] = stamped(&jpeg, &edit, &[stamp])
                .map(|jpeg| output("djpeg", &["-grayscale", "-nosmooth"], &jpeg));
            let (width, height) = size(&plain);
            let (plain, out) = (samples(&plain), samples(&out));
            // The colours of RGB are luma, too; other colours are no part of luma.
            let near =
                |v: usize, from: usize, to: usize| (from / 8 * 8..to.div_ceil(8) * 8).contains(&v);
            for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
                let (before, after) = (plain[y * width + x], out[y * width + x]);
                if (27..67).contains(&x) && (17..37).contains(&y) {
                    assert!(after.abs_diff(200) < 30, "{sampling:?} {exif} {x} {y}: {after}");
                } else if !near(x, 27, 67) || !near(y, 17, 37) {
                    assert_eq!(after, before, "{sampling:?} {exif} {x} {y}");
                }
            }
        }
    }
}

#[test]
fn colour_goes_towards_grey_and_only_there() {
    let jpeg = encoded((128, 96), &["-sample", "2x1", "-quality", "95"]);
    let (luma, alpha) = ([90; 32 * 32], [255; 32 * 32]);
    let stamp = Stamp { x: 32, y: 32, width: 32, height: 32, luma: &luma, alpha: &alpha };
    let [plain, out] = stamped(&jpeg, &Edit::default(), &[stamp])
        .map(|jpeg| output("djpeg", &["-nosmooth"], &jpeg));
    let pixels = samples(&plain).as_chunks::<3>().0.iter().zip(samples(&out).as_chunks::<3>().0);
    for (i, (before, after)) in pixels.enumerate() {
        let is_inside = (32..64).contains(&(i % 128)) && (32..64).contains(&(i / 128));
        let is_grey = after.iter().all(|level| level.abs_diff(90) <= 4);
        assert!(if is_inside { is_grey } else { after == before }, "{i}: {before:?} {after:?}");
    }
}

#[test]
fn blocks_without_alpha_and_places_outside_stay() {
    let jpeg = encoded((128, 96), &[]);
    let full = [255; 64 * 64];
    let at = |x, y, alpha| Stamp { x, y, width: 64, height: 64, luma: &full, alpha };
    let edit = Edit::default();
    let outside = [(128, 0), (0, 96), (usize::MAX, usize::MAX)].map(|(x, y)| at(x, y, &full));
    for stamps in [&[at(3, 3, &[0; 64 * 64])][..], &outside, &[at(0, 0, &[])]] {
        let [plain, out] = stamped(&jpeg, &edit, stamps);
        assert!(plain == out);
    }
    // Half a stamp outside, a stamp over a stamp, one over a picture of less quality.
    let [_, once] = stamped(&jpeg, &edit, &[at(96, 64, &full)]);
    let [_, twice] = stamped(&jpeg, &edit, &[at(100, 70, &full), at(96, 64, &full)]);
    assert!(once == twice, "a full stamp hides the one below");
    let coarse = Edit { quality: Some(20), ..edit };
    let [plain, out] = stamped(&jpeg, &coarse, &[at(96, 64, &full)]);
    assert!(plain != out && out.len() < once.len());
}
