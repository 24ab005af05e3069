//! `make bench-motion`: what motion detection costs, and how good it is, beside the program
//! motion on the same streams at the same time.
//!
//! | file | holds |
//! | --- | --- |
//! | `cost` | a picture in one thread, beside a bare Huffman walk |
//! | `clips` | clips with a known truth, as JPEGs |
//! | `beside` | `mjpegd --motion` serves a clip, motion looks at it through HTTP |
//!
//! `cargo bench -p mjpegd-motion-detector -- cost`, `-- quality` and `-- cpu` run one part.
#![allow(clippy::print_stdout, reason = "what is measured is printed")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]

mod beside;
mod clips;
mod cost;
#[path = "../tests/kinds.rs"]
mod kinds;
#[path = "../tests/scene.rs"]
mod scene;

use std::io;

fn main() -> io::Result<()> {
    let args: Vec<_> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [beside::ROLE, file, times] => beside::play(file, times),
        ["cost"] => cost::main(),
        ["quality"] => beside::quality(),
        ["cpu"] => beside::cpu(),
        _ => {
            cost::main()?;
            beside::cpu()?;
            beside::quality()
        }
    }
}
