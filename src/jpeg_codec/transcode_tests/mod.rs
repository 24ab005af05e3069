//! JPEGs of Debian's libjpeg-turbo, changed here, and compared with what its programs
//! make of them.

mod moved;
mod scaled;
mod stamped;

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::{Edit, Simd, Transcoder};

/// What a program writes for an input.
fn output(program: &str, args: &[&str], input: &[u8]) -> Vec<u8> {
    let piped = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = piped.unwrap_or_else(|e| panic!("{program}, of libjpeg-turbo-progs: {e}"));
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().unwrap()
    });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{program} {args:?}: {said}");
    output.stdout
}

/// A picture with shapes, colours and noise, as PPM.
fn drawn(width: usize, height: usize) -> Vec<u8> {
    let mut ppm = format!("P6 {width} {height} 255\n").into_bytes();
    let mut state = 1_u32;
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = usize::from(state.to_be_bytes()[0] >> 4);
        let field = if (x / 11 + y / 7) % 2 == 0 { 60 } else { 0 };
        let level = |v: usize| u8::try_from((v + field + noise).min(255)).unwrap();
        ppm.extend([level(x * 2), level(y * 3), level((x + y) % 150)]);
    }
    ppm
}

/// A JPEG by cjpeg, with a comment.
fn encoded(size: (usize, usize), args: &[&str]) -> Vec<u8> {
    let mut jpeg = output("cjpeg", &[&["-quality", "85"], args].concat(), &drawn(size.0, size.1));
    jpeg.splice(2..2, *b"\xFF\xFE\0\x0Ca comment.");
    jpeg
}

/// The pixels as djpeg shows them: a PPM or PGM.
fn shown(jpeg: &[u8]) -> Vec<u8> {
    output("djpeg", &["-pnm"], jpeg)
}

fn changed(jpeg: &[u8], edit: &Edit) -> Vec<u8> {
    let (mut transcoder, mut out) = (Transcoder::new(Simd::best()), Vec::new());
    let (width, height) = transcoder.read(jpeg, edit).unwrap();
    transcoder.write(&mut out);
    let start = format!(" {width} {height} ");
    let pnm = shown(&out);
    let head = String::from_utf8_lossy(&pnm[2..20]).replace('\n', " ");
    assert!(head.starts_with(&start), "{start} is not {head}");
    out
}

/// A file that is there as long as this.
struct File(std::path::PathBuf);

impl File {
    fn new(name: &str, content: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("codec-{}-{name}", std::process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
