//! Man pages, completions and the file of options, made from the command line's definition. They are files in
//! `src/deploy`, and not made by the program: the two crates would add 180 kB to it. The test says
//! when they are old, and with `WRITE_HELP=1` in the environment it writes them.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use clap_complete::{Shell, generate};
use clap_mangen::Man;

use super::config_template;
use crate::camera;
use crate::config::CommandLine;

/// All files by their paths in `src/deploy`.
fn files() -> BTreeMap<String, Vec<u8>> {
    let mut command = CommandLine::definition(&camera::help());
    let mut files = BTreeMap::new();
    for (shell, name) in
        [(Shell::Bash, "mjpegd"), (Shell::Fish, "mjpegd.fish"), (Shell::Zsh, "_mjpegd")]
    {
        let mut text = Vec::new();
        generate(shell, &mut command, "mjpegd", &mut text);
        files.insert(format!("completions/{name}"), text);
    }
    // In full, as `mjpegd probe` and not `probe`.
    command.build();
    let pages = command.get_subcommands().filter(|tool| tool.get_name() != "help");
    for page in pages.chain([&command]) {
        let name = page.get_display_name().unwrap_or(page.get_name()).to_owned();
        let mut text = Vec::new();
        Man::new(page.clone()).title(&name).render(&mut text).unwrap();
        files.insert(format!("man/{name}.1"), text);
    }
    files.insert("mjpegd.toml".into(), config_template::text(&command).into_bytes());
    files
}

#[test]
fn files_are_as_the_command_line_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/deploy");
    for (path, due) in files() {
        let path = folder.join(path);
        if env::var_os("WRITE_HELP").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &due).unwrap();
        }
        let is_same = fs::read(&path).is_ok_and(|text| text == due);
        assert!(
            is_same,
            "{}: write it with: WRITE_HELP=1 cargo test --lib help_files",
            path.display()
        );
    }
}
