//! Smaller pictures, other qualities, and DC alone, beside djpeg and cjpeg.

use super::moved::{ORIENTATIONS, SAMPLINGS};
use super::{changed, drawn, encoded, output, samples, shown};
use crate::{DcReader, Edit, Orientation, Scale};

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
                let ours = changed(&jpeg, &Edit { scale, quality: Some(97), ..Edit::default() });
                // Where its own sampling allows, djpeg decodes colours at a larger size.
                for (gray, least) in [(&["-grayscale"][..], 32.0), (&[], 28.5)] {
                    let ours = output("djpeg", &[gray, &["-pnm"]].concat(), &ours);
                    let theirs = output("djpeg", &[gray, &["-pnm", "-scale", by]].concat(), &jpeg);
                    let db = psnr(&ours, &theirs);
                    assert!(db > least, "{sampling:?} {size:?} {by}: {db:.1} dB");
                }
            }
        }
    }
}

#[test]
fn a_smaller_picture_is_turned_as_a_whole_one() {
    for sampling in SAMPLINGS {
        let jpeg = encoded((149, 101), sampling);
        for (exif, args) in ORIENTATIONS {
            let orientation = Orientation::from_exif(exif).unwrap();
            let turned = output("jpegtran", &[args, &["-trim", "-copy", "all"]].concat(), &jpeg);
            for scale in [Scale::Half, Scale::Quarter, Scale::Eighth] {
                let edit = Edit { scale, ..Edit::default() };
                let both = changed(&jpeg, &Edit { orientation, ..edit });
                assert!(
                    shown(&both) == shown(&changed(&turned, &edit)),
                    "{sampling:?} {args:?} {scale:?}"
                );
            }
        }
    }
}

#[test]
fn less_quality_is_near_to_that_of_cjpeg_and_more_changes_nothing() {
    for sampling in SAMPLINGS {
        let jpeg = encoded((149, 101), sampling);
        let edit = |quality| Edit { quality: Some(quality), ..Edit::default() };
        for quality in [75, 50, 25, 10] {
            let ours = changed(&jpeg, &edit(quality));
            let theirs = {
                let quality = quality.to_string();
                let args = [sampling, &["-baseline", "-quality", &quality]].concat();
                output("cjpeg", &args, &drawn(149, 101))
            };
            let db = [&ours, &theirs].map(|other| psnr(&shown(other), &shown(&jpeg)));
            assert!(db[0] > db[1] - 0.5, "{sampling:?} {quality}: {db:?}");
            // Coefficients that were rounded before are rounded up more often.
            assert!(ours.len() < theirs.len() * 12 / 10, "{sampling:?} {quality}");
        }
        assert!(changed(&jpeg, &edit(100)) == changed(&jpeg, &Edit::default()));
    }
}

#[test]
fn dc_alone_is_what_djpeg_shows_at_an_eighth() {
    let mut reader = DcReader::new();
    let alone = super::File::new("dc-scans", b"1; 0; 2;");
    let scans = ["-scans", alone.0.to_str().unwrap()];
    for sampling in SAMPLINGS.into_iter().chain([&["-restart", "2B"][..], &scans]) {
        let jpeg = encoded((149, 101), sampling);
        let dc = reader.read(&jpeg).unwrap();
        assert_eq!((dc.width, dc.height), (19, 13));
        let is_rgb = sampling == ["-rgb"];
        let gray: &[&str] = if is_rgb { &[] } else { &["-grayscale"] };
        let pnm = output("djpeg", &[gray, &["-pnm", "-scale", "1/8"]].concat(), &jpeg);
        // The first of RGB is red.
        let theirs = samples(&pnm).iter().step_by(if is_rgb { 3 } else { 1 });
        for (value, theirs) in dc.values.iter().zip(theirs) {
            assert_eq!(((value + 1024 + 4) / 8).clamp(0, 255), i16::from(*theirs), "{sampling:?}");
        }
    }
}
