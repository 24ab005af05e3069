//! Smaller pictures, other qualities, and DC alone, beside djpeg and cjpeg.

use super::moved::SAMPLINGS;
use super::{changed, encoded, output, shown};
use crate::{DcReader, Edit, Orientation, Scale};

/// The samples of a PPM or PGM.
fn samples(pnm: &[u8]) -> &[u8] {
    let ends = pnm.iter().enumerate().filter(|(_, byte)| byte.is_ascii_whitespace());
    &pnm[ends.map(|(at, _)| at).nth(3).unwrap() + 1..]
}

/// How alike two pictures are, in dB.
fn psnr(one: &[u8], other: &[u8]) -> f64 {
    let (one, other) = (samples(one), samples(other));
    assert_eq!(one.len(), other.len());
    let squares = one.iter().zip(other).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
    let mean = squares.sum::<f64>() / f64::from(u32::try_from(one.len()).unwrap());
    10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10()
}

#[test]
fn smaller_pictures_are_near_to_those_of_djpeg() {
    for sampling in SAMPLINGS {
        for size in [(160, 120), (149, 101), (21, 9), (3, 2)] {
            let jpeg = encoded(size, sampling);
            for (scale, by) in
                [(Scale::Half, "1/2"), (Scale::Quarter, "1/4"), (Scale::Eighth, "1/8")]
            {
                let edit = Edit { scale, quality: Some(97), ..Edit::default() };
                let ours = shown(&changed(&jpeg, &edit));
                let theirs = output("djpeg", &["-pnm", "-scale", by], &jpeg);
                let db = psnr(&ours, &theirs);
                println!("{sampling:?} {size:?} {by}: {db:.1} dB");
            }
        }
    }
}

#[test]
fn other_qualities() {
    for sampling in SAMPLINGS {
        let jpeg = encoded((149, 101), sampling);
        for quality in [100, 85, 60, 30, 10] {
            let ours = changed(&jpeg, &Edit { quality: Some(quality), ..Edit::default() });
            let db = psnr(&shown(&ours), &shown(&jpeg));
            println!("{sampling:?} {quality}: {} of {}, {db:.1} dB", ours.len(), jpeg.len());
        }
    }
}

#[test]
fn dc() {
    let _ = Orientation::IDENTITY;
    for sampling in SAMPLINGS {
        let jpeg = encoded((149, 101), sampling);
        let mut reader = DcReader::new();
        let dc = reader.read(&jpeg).unwrap();
        assert_eq!((dc.width, dc.height), (19, 13));
        let gray: &[&str] = if sampling == ["-rgb"] { &[] } else { &["-grayscale"] };
        let pnm = output("djpeg", &[gray, &["-pnm", "-scale", "1/8"]].concat(), &jpeg);
        let step = if gray.is_empty() { 3 } else { 1 };
        let theirs: Vec<_> = samples(&pnm).iter().step_by(step).copied().collect();
        for (value, theirs) in dc.values.iter().zip(&theirs) {
            let level = (value + 1024 + 4) / 8;
            assert_eq!(level.clamp(0, 255), i16::from(*theirs));
        }
    }
}
