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
#[path = "../../bench/shared/procfs.rs"]
#[allow(dead_code, reason = "other benchmarks need more of it")]
mod procfs;
#[path = "../../bench/shared/results.rs"]
#[allow(dead_code, reason = "the guide's figures are read elsewhere")]
mod results;
#[path = "../tests/scene.rs"]
mod scene;

use anyhow::Result;

use results::Results;

fn main() -> Result<()> {
    let args: Vec<_> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let args = args.iter().map(String::as_str).collect::<Vec<_>>();
    if let [beside::ROLE, file, times] = args[..] {
        return Ok(beside::play(file, times)?);
    }
    let is_wanted = |part: &str| args.is_empty() || args.contains(&part);
    let mut results = Results::default();
    if is_wanted("cost") {
        cost::main(&mut results)?;
    }
    if is_wanted("cpu") {
        beside::cpu(&mut results)?;
    }
    if is_wanted("quality") {
        beside::quality(&mut results)?;
    }
    results.keep_part("motion")
}
