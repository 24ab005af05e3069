//! Pictures that are turned and mirrored, beside jpegtran.

use super::{File, changed, encoded, output, shown};
use crate::{Edit, Orientation};

/// All orientations, as EXIF and as jpegtran name them.
const ORIENTATIONS: [(u8, &[&str]); 8] = [
    (1, &[]),
    (2, &["-flip", "horizontal"]),
    (3, &["-rotate", "180"]),
    (4, &["-flip", "vertical"]),
    (5, &["-transpose"]),
    (6, &["-rotate", "90"]),
    (7, &["-transverse"]),
    (8, &["-rotate", "270"]),
];

/// cjpeg's options for each sampling.
pub(super) const SAMPLINGS: [&[&str]; 9] = [
    &["-sample", "2x2"],
    &["-sample", "2x1"],
    &["-sample", "1x1"],
    &["-sample", "1x2"],
    &["-sample", "4x1"],
    &["-sample", "2x2,1x2,1x2"],
    &["-grayscale"],
    &["-grayscale", "-sample", "2x2"],
    &["-rgb"],
];

const SIZES: [(usize, usize); 6] = [(64, 48), (70, 53), (33, 31), (16, 17), (9, 100), (5, 3)];

/// Every orientation gives the pixels that jpegtran gives.
fn compare(jpeg: &[u8], is_gray: bool, what: &str) {
    for (exif, args) in ORIENTATIONS {
        let orientation = Orientation::from_exif(exif).unwrap();
        let ours = changed(jpeg, &Edit { orientation, is_gray, ..Edit::default() });
        let gray: &[&str] = if is_gray { &["-grayscale"] } else { &[] };
        let theirs = output("jpegtran", &[args, &["-trim", "-copy", "all"], gray].concat(), jpeg);
        assert!(shown(&ours) == shown(&theirs), "{what}, {args:?}");
        let has_comment = ours.windows(10).any(|w| w == b"a comment.");
        assert!(has_comment, "{what}: what the source says of itself is gone");
    }
}

#[test]
fn every_orientation_of_every_sampling_and_size_is_that_of_jpegtran() {
    for sampling in SAMPLINGS {
        for size in SIZES {
            let jpeg = encoded(size, sampling);
            compare(&jpeg, false, &format!("{sampling:?} {size:?}"));
        }
    }
}

#[test]
fn luma_alone_is_that_of_jpegtran() {
    for sampling in &SAMPLINGS[..8] {
        compare(&encoded((70, 53), sampling), true, &format!("{sampling:?}"));
    }
}

#[test]
fn any_layout_of_tables_and_scans_is_read() {
    let scans = File::new("scans", b"0; 1 2;");
    let alone = File::new("alone", b"0; 2; 1;");
    let deep = File::new(
        "tables",
        format!("{}", "300 ".repeat(64) + &"20 ".repeat(64) + &"9 ".repeat(64)).as_bytes(),
    );
    let path = |file: &File| file.0.to_str().unwrap().to_owned();
    let (scans, alone, deep) = (path(&scans), path(&alone), path(&deep));
    for args in [
        &["-optimize"][..],
        &["-restart", "1"],
        &["-restart", "3B"],
        &["-restart", "1B", "-optimize", "-sample", "2x1"],
        &["-scans", &scans, "-sample", "2x1"],
        &["-scans", &alone, "-restart", "2B"],
        &["-scans", &alone, "-optimize", "-sample", "4x1"],
        &["-qtables", &deep, "-qslots", "0,1,1"],
        &["-qtables", &deep, "-qslots", "1,0,1"],
        &["-qtables", &deep, "-qslots", "2,1,0"],
    ] {
        compare(&encoded((75, 43), args), false, &format!("{args:?}"));
    }
}
