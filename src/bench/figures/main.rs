//! The last step of `make bench-all`: writes what the benchmarks measured into
//! the guide and the README.
//!
//! Each figure there stands between two comments, of which the first has its
//! name: `<!-- = relay: ... -->0.2<!-- . -->`. A name begins with that of the
//! benchmark. `^` before it rounds up to a whole number. The figures of a
//! benchmark that was not run stay as they are. Of one that was run all must be
//! there, or nothing is written.
#![allow(clippy::print_stdout, reason = "what is missing is printed")]

#[path = "../shared/results.rs"]
#[allow(dead_code, reason = "the benchmarks write them")]
mod results;
mod run;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use results::Results;

const FILES: [&str; 3] = ["README.md", "src/guide/measurements.md", "src/guide/events.md"];
const OPENING: &str = "<!-- = ";
const NAME_END: &str = " -->";
const CLOSING: &str = "<!-- . -->";

fn main() -> Result<()> {
    let folder = std::env::var_os("BENCH_RESULTS").context("BENCH_RESULTS is not set")?;
    let mut results = Results::read(Path::new(&folder))?;
    run::add(&mut results)?;
    for what in ["x libjpeg-turbo", "without AVX2"] {
        // Not the delay on several threads.
        let is_wanted = |name: &str| name.ends_with(what) && !name.contains("delay");
        results.add_range("encode", what, is_wanted);
    }
    let (mut missing, mut written) = (Vec::new(), Vec::new());
    for file in FILES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text = fs::read_to_string(&path)?;
        written.push((path, filled(&text, &results, &mut missing)?));
    }
    missing.iter().for_each(|name| println!("not measured: {name}"));
    ensure!(missing.is_empty(), "nothing was written, as {} figures are missing", missing.len());
    for (path, text) in written {
        fs::write(&path, text)?;
        println!("{}: up to date", path.display());
    }
    Ok(())
}

/// The text with each figure exchanged.
///
/// # Errors A comment that opens a figure is not followed by one that closes it.
fn filled(text: &str, results: &Results, missing: &mut Vec<String>) -> Result<String> {
    let (mut filled, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once(OPENING) {
        let (name, behind) = behind.split_once(NAME_END).context("a name without its end")?;
        let (old, behind) =
            behind.split_once(CLOSING).with_context(|| format!("{name}: not closed"))?;
        let figure = figure(name, results, missing).unwrap_or_else(|| old.to_owned());
        filled += &[before, OPENING, name, NAME_END, &figure, CLOSING].concat();
        rest = behind;
    }
    Ok(filled + rest)
}

/// The figure of this name; `None` if its benchmark was not run.
fn figure(name: &str, results: &Results, missing: &mut Vec<String>) -> Option<String> {
    let exact = name.trim_start_matches('^');
    let Some(figure) = results.get(exact) else {
        let bench = exact.split_inclusive(':').next().unwrap_or(exact);
        if results.has(bench) {
            missing.push(exact.to_owned());
        }
        return None;
    };
    if exact == name {
        return Some(figure.to_owned());
    }
    figure.parse::<f64>().map(|figure| figure.ceil().to_string()).ok()
}
