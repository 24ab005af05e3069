//! What the three kinds of files have in common, and the tools that read them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;

use jpeg_encoder::{ColorType, Encoder};

use super::avi::{Avi, Limits};
use super::{Export, Format, PlannedFrame, TooManyFrames};

const START: u64 = 1_795_256_130_123_456;
const INTERVAL: u64 = 40_000;

/// A JPEG of one grey, 64x48.
fn grey(luma: usize) -> Vec<u8> {
    let pixels = vec![u8::try_from(luma % 256).unwrap(); 64 * 48];
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, 90).encode(&pixels, 64, 48, ColorType::Luma).unwrap();
    jpeg
}

fn planned(i: usize, jpeg: &[u8]) -> PlannedFrame {
    let captured = START + i as u64 * INTERVAL;
    PlannedFrame { captured, n_jpeg: u32::try_from(jpeg.len()).unwrap(), is_after_gap: false }
}

/// The file of the frames `first`, of which the second pass finds `second`.
fn write(export: &mut dyn Export, first: &[Vec<u8>], second: &[Option<Vec<u8>>]) -> Vec<u8> {
    for (i, jpeg) in first.iter().enumerate() {
        export.plan(&planned(i, jpeg)).unwrap();
    }
    let mut file = Vec::new();
    export.begin((64, 48), &mut file).unwrap();
    for (i, jpeg) in second.iter().enumerate() {
        match jpeg {
            Some(jpeg) => export.frame(planned(i, jpeg).captured, jpeg, &mut file).unwrap(),
            None => export.missing(&mut file).unwrap(),
        }
    }
    export.finish(&mut file).unwrap();
    assert_eq!(file.len() as u64, export.n_bytes());
    file
}

fn all(jpegs: &[Vec<u8>]) -> Vec<Option<Vec<u8>>> {
    jpegs.iter().cloned().map(Some).collect()
}

/// Each kind, and AVIs of several RIFFs.
fn exports() -> Vec<Box<dyn Export>> {
    let small = Limits { n_bytes: 5_000, n_frames: 4 };
    Format::ALL
        .map(Format::export)
        .into_iter()
        .chain([Box::new(Avi::new(small)) as Box<dyn Export>])
        .collect()
}

/// A file that is deleted with it.
struct Temp(PathBuf);

impl Temp {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("mjpegd-export-{}-{name}", std::process::id())))
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// What a program prints. It must print no error.
fn run(program: &str, args: &[&str]) -> String {
    let made =
        Command::new(program).args(args).output().unwrap_or_else(|e| panic!("{program}: {e}"));
    let errors = String::from_utf8_lossy(&made.stderr).into_owned();
    assert!(made.status.success() && errors.is_empty(), "{program} {args:?}: {errors}");
    String::from_utf8_lossy(&made.stdout).trim().to_owned()
}

/// What ffprobe says of the frames: how many, and their duration.
fn probe(path: &str) -> String {
    run(
        "ffprobe",
        &[
            "-v",
            "error",
            "-count_frames",
            "-show_entries",
            "stream=codec_name,nb_read_frames,duration,width,r_frame_rate",
            "-of",
            "csv=p=0",
            path,
        ],
    )
}

fn grey_at(path: &str, seconds: &str) -> u8 {
    let args = [
        "-v",
        "error",
        "-ss",
        seconds,
        "-i",
        path,
        "-frames:v",
        "1",
        "-pix_fmt",
        "gray",
        "-f",
        "rawvideo",
        "-",
    ];
    let made = Command::new("ffmpeg").args(args).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    made.stdout[64 * 24 + 32]
}

#[test]
fn announced_length_holds_whatever_comes() {
    let jpegs: Vec<_> = (0..11).map(|i| grey(i * 20)).collect();
    let whole = all(&jpegs);
    let mut holes = whole.clone();
    for i in [0, 4, 5, 10] {
        holes[i] = None;
    }
    let longer: Vec<_> =
        jpegs.iter().map(|jpeg| Some([jpeg.as_slice(), &[0; 9]].concat())).collect();
    let shorter: Vec<_> = jpegs.iter().map(|jpeg| Some(jpeg[..jpeg.len() - 3].to_vec())).collect();
    let none = vec![None; 11];
    let more = [whole.clone(), whole.clone()].concat();
    for second in [&whole, &holes, &longer, &shorter, &none, &more, &vec![], &whole[..3].to_vec()] {
        for mut export in exports() {
            write(&mut *export, &jpegs, second);
        }
    }
    for mut export in exports() {
        write(&mut *export, &[], &whole);
    }
}

#[test]
fn avi_is_read_by_ffmpeg_with_its_duration_and_sought() {
    let jpegs: Vec<_> = (0..50).map(|i| grey(i * 5)).collect();
    let bytes = 7 * (jpegs[0].len() + 40);
    let several = Limits { n_bytes: u32::try_from(bytes).unwrap(), n_frames: 1000 };
    for (name, limits) in [("one.avi", Limits::STANDARD), ("dml.avi", several)] {
        let file = write(&mut Avi::new(limits), &jpegs, &all(&jpegs));
        let n_riffs = memchr::memmem::find_iter(&file, b"AVIX").count();
        assert_eq!(n_riffs > 5, name == "dml.avi", "{n_riffs}");
        let temp = Temp::new(name);
        fs::write(&temp.0, file).unwrap();
        let path = temp.0.to_str().unwrap();
        assert_eq!(probe(path), "mjpeg,64,25/1,2.000000,50", "{name}");
        for (seconds, i) in [("0", 0), ("0.48", 12), ("1.0", 25), ("1.96", 49)] {
            let grey = i32::from(grey_at(path, seconds));
            assert!((grey - i * 5).abs() <= 3, "{name}: {grey} at {seconds}");
        }
        run("ffmpeg", &["-v", "error", "-xerror", "-i", path, "-f", "null", "-"]);
    }
}

#[test]
fn damaged_frame_leaves_the_others_of_an_avi_where_they_were() {
    let jpegs: Vec<_> = (0..20).map(|i| grey(i * 10)).collect();
    let mut second = all(&jpegs);
    for i in [0, 1, 7, 12, 13, 19] {
        second[i] = None;
    }
    for (name, n_frames) in [("hole.avi", 1000), ("holes.avi", 6)] {
        let limits = Limits { n_bytes: 1 << 20, n_frames };
        let temp = Temp::new(name);
        fs::write(&temp.0, write(&mut Avi::new(limits), &jpegs, &second)).unwrap();
        let path = temp.0.to_str().unwrap();
        for (seconds, i) in [("0.1", 3), ("0.4", 10), ("0.56", 14), ("0.72", 18)] {
            let grey = i32::from(grey_at(path, seconds));
            assert!((grey - i * 10).abs() <= 3, "{name}: {grey} at {seconds}");
        }
        assert!(probe(path).contains(",0.800000,"), "{name}: {}", probe(path));
    }
}

#[test]
fn zip_is_read_by_others_and_holds_what_was_recorded() {
    let jpegs: Vec<_> = (0..9).map(|i| grey(i * 20)).collect();
    let mut second = all(&jpegs);
    second[4] = None;
    for (n, second) in [(9, all(&jpegs)), (8, second)] {
        let temp = Temp::new("some.zip");
        fs::write(&temp.0, write(&mut *Format::Zip.export(), &jpegs, &second)).unwrap();
        let path = temp.0.to_str().unwrap();
        assert_eq!(python_zip(path), format!("None {n} 2026-11-21T10-15-30.123456Z.jpg"));
        let tested = run("unzip", &["-tqq", path]);
        assert_eq!(tested, "");
        let script = "import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); \
            print(z.read(z.namelist()[-1]).hex())";
        let hex: String = jpegs[8].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(run("/usr/bin/python3", &["-c", script, path]), hex);
    }
}

/// First damaged entry, number of entries, name of the first.
fn python_zip(path: &str) -> String {
    let script = "import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); \
        print(z.testzip(), len(z.namelist()), z.namelist()[0])";
    run("/usr/bin/python3", &["-c", script, path])
}

/// A file on disk in which zeros take no room.
struct Sparse(File, u64);

impl Write for Sparse {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Nothing but zeros is written in pieces as long as this.
        if bytes.len() < 4096 {
            self.0.write_all_at(bytes, self.1)?;
        }
        self.1 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.set_len(self.1)
    }
}

#[test]
fn zip_of_more_than_4_gib_is_a_zip64() {
    let small = grey(7);
    assert!(small.len() < 4096);
    let mut zip = Format::Zip.export();
    for i in 0..16_000 {
        // All but the first of these are gone when the zip is written.
        let n_jpeg = if i == 0 { u32::try_from(small.len()).unwrap() } else { 300_000 };
        zip.plan(&PlannedFrame { n_jpeg, ..planned(i, &small) }).unwrap();
    }
    let temp = Temp::new("zip64.zip");
    let mut out = Sparse(File::create(&temp.0).unwrap(), 0);
    zip.begin((64, 48), &mut out).unwrap();
    zip.frame(START, &small, &mut out).unwrap();
    zip.finish(&mut out).unwrap();
    out.flush().unwrap();
    assert!(out.1 == zip.n_bytes() && out.1 > 1 << 32, "{} bytes", out.1);
    let path = temp.0.to_str().unwrap();
    assert_eq!(python_zip(path), "None 1 2026-11-21T10-15-30.123456Z.jpg");
}

#[test]
fn zip_holds_16384_frames_and_no_more() {
    let mut zip = Format::Zip.export();
    let frame = |i: u64| PlannedFrame { captured: START + i, n_jpeg: 1000, is_after_gap: false };
    assert!((0..1 << 14).all(|i| zip.plan(&frame(i)).is_ok()));
    assert_eq!(zip.plan(&frame(1 << 14)), Err(TooManyFrames { max: 16_384 }));
}

#[test]
fn mjpeg_is_the_jpegs_one_after_the_other() {
    let jpegs: Vec<_> = (0..9).map(|i| grey(i * 20)).collect();
    let file = write(&mut *Format::Mjpeg.export(), &jpegs, &all(&jpegs));
    assert_eq!(file, jpegs.concat());
    let mut second = all(&jpegs);
    second[4] = None;
    let temp = Temp::new("hole.mjpeg");
    fs::write(&temp.0, write(&mut *Format::Mjpeg.export(), &jpegs, &second)).unwrap();
    let args = [
        "-v",
        "error",
        "-count_frames",
        "-f",
        "mjpeg",
        "-show_entries",
        "stream=nb_read_frames",
        "-of",
        "csv=p=0",
        temp.0.to_str().unwrap(),
    ];
    assert_eq!(run("ffprobe", &args), "8");
}

#[test]
fn formats_have_names() {
    for format in Format::ALL {
        assert_eq!(Format::parse(format.name()), Some(format));
        assert!(format.content_type().contains('/'));
    }
    assert_eq!(Format::parse("mp4"), None);
}

/// Run by hand, as it writes 9 GB: `MJPEGD_LARGE=FOLDER cargo test --lib large -- --ignored`
#[test]
#[ignore = "writes files of 3 and 5 GB into the folder MJPEGD_LARGE"]
fn large_files_for_a_look_by_hand() {
    let folder = PathBuf::from(std::env::var_os("MJPEGD_LARGE").unwrap());
    let small: Vec<_> = (0..256).map(grey).collect();
    // Comments make JPEGs large without the cost of encoding more.
    let padded = |i: usize| {
        let jpeg = &small[i % 256];
        let comment = [[0xFF, 0xFE, 0xFF, 0xFF].as_slice(), &[b'.'; 0xFFFD]].concat();
        [&jpeg[..2], &comment.repeat(5), &jpeg[2..]].concat()
    };
    for (format, n) in [(Format::Avi, 10_000), (Format::Zip, 16_384)] {
        let mut export = format.export();
        for i in 0..n {
            export.plan(&planned(i, &padded(i))).unwrap();
        }
        let path = folder.join(format!("large.{}", format.name()));
        let mut out = io::BufWriter::with_capacity(1 << 20, File::create(&path).unwrap());
        export.begin((64, 48), &mut out).unwrap();
        for i in 0..n {
            let jpeg = padded(i);
            export.frame(planned(i, &jpeg).captured, &jpeg, &mut out).unwrap();
        }
        export.finish(&mut out).unwrap();
        out.flush().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), export.n_bytes());
    }
}
