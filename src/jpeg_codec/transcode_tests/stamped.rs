//! Texts over pictures.

use super::moved::SAMPLINGS;
use super::{encoded, shown};
use crate::{Edit, Orientation, Simd, Stamp, Transcoder};

#[test]
fn stamp() {
    for sampling in SAMPLINGS {
        let jpeg = encoded((149, 101), sampling);
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).unwrap();
            let edit = Edit { orientation, ..Edit::default() };
            let mut transcoder = Transcoder::new(Simd::best());
            let (width, _) = transcoder.read(&jpeg, &edit).unwrap();
            let (mut plain, mut out) = (Vec::new(), Vec::new());
            transcoder.write(&mut plain);
            let (luma, alpha) = ([200; 40 * 20], [255; 40 * 20]);
            transcoder.stamp(&Stamp {
                x: 24,
                y: 17,
                width: 40,
                height: 20,
                luma: &luma,
                alpha: &alpha,
            });
            transcoder.write(&mut out);
            let (plain, out) = (shown(&plain), shown(&out));
            let channels = if sampling[0] == "-grayscale" { 1 } else { 3 };
            let head = plain.len() % (usize::from(width) * channels);
            let (mut worst_in, mut worst_out) = (0, 0);
            for (i, (before, after)) in plain[head..].iter().zip(&out[head..]).enumerate() {
                let (x, y) = (i / channels % usize::from(width), i / channels / usize::from(width));
                if (24..64).contains(&x) && (17..37).contains(&y) {
                    worst_in = worst_in.max(after.abs_diff(200));
                } else if !(0..96).contains(&x) || !(0..64).contains(&y) {
                    worst_out = worst_out.max(after.abs_diff(*before));
                }
            }
            println!("{sampling:?} {exif} head {head}: {worst_in} {worst_out}");
        }
    }
}
