//! What the user of the daemon writes.

use std::path::Path;

use super::{Rng, Target, hash, shape};
use crate::config::file::File;

#[test]
fn configuration() {
    let words = &[
        "[[camera]]\n",
        "[camera]",
        "name = ",
        "source = ",
        "\"demo\"",
        "threads = ",
        "= 1\n",
        "true",
        "[1, 2]",
        "\"\"\"",
        "'",
        "#",
        "\n",
        "{ a = 1 }",
        "1979-05-27",
        "idle-timeout = \"10s\"\n",
        ".",
    ];
    Target { name: "config", words, run: configured }.fuzz();
}

/// The content of a file as text.
fn parse_config(text: &str) -> anyhow::Result<String> {
    File::parse(Path::new("FILE"), text).map(|file| format!("{file:?}"))
}

fn configured(input: &[u8], _: &mut Rng) -> u64 {
    let Ok(text) = std::str::from_utf8(input) else { return 0 };
    match parse_config(text) {
        Ok(file) => {
            let more = parse_config(&format!("{text}\n# a comment\n"));
            assert_eq!(more.unwrap(), file, "a comment changes nothing");
            hash(shape(&file))
        }
        Err(fault) => {
            let text = format!("{fault:#}");
            assert!(!text.contains('\n') && text.contains("FILE"), "{text:?}");
            hash(shape(&text))
        }
    }
}
