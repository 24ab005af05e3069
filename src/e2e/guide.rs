//! The texts beside the program: the guide has each option and no other, and
//! README, guide and CONTRIBUTING name only files and targets that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Daemon, TempDir};

/// README is a way in; what does not fit belongs into the guide.
const MAX_README_LINES: usize = 250;
/// clap gives these to each command; the guide names them once.
const OF_CLAP: [&str; 2] = ["--help", "--version"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The texts for people, by their path from the root.
fn texts() -> Vec<PathBuf> {
    let guide = fs::read_dir(root().join("src/guide")).unwrap();
    let chapters = guide.map(|entry| Path::new("src/guide").join(entry.unwrap().file_name()));
    let is_chapter = |path: &PathBuf| path.extension().is_some_and(|e| e == "md");
    // It holds items of the crate for rustdoc, which checks them.
    let is_for_rustdoc = |path: &PathBuf| path.ends_with("links.md");
    ["README.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md"]
        .map(PathBuf::from)
        .into_iter()
        .chain(chapters.filter(|path| is_chapter(path) && !is_for_rustdoc(path)))
        .collect()
}

/// The long options that a text names.
fn options(text: &str) -> BTreeSet<String> {
    let is_option_byte = |c: char| c.is_ascii_lowercase() || c == '-';
    let words = text.split(|c: char| !is_option_byte(c));
    let is_option = |word: &&str| word.len() > 3 && word.starts_with("--");
    words.filter(is_option).map(str::to_owned).collect()
}

/// The subcommands, as `--help` lists them.
fn subcommands(help: &str) -> Vec<&str> {
    let list = help.split("\nCommands:\n").nth(1).expect("--help lists the commands");
    let rows = list.lines().take_while(|line| !line.is_empty());
    let names = rows.filter_map(|row| row.split_whitespace().next());
    names.filter(|name| *name != "help").collect()
}

/// The first cells of the rows of all tables of a text.
fn first_cells(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
}

#[test]
fn chapter_on_options_has_each_option_of_help_and_no_other() {
    let (_, help, _) = Daemon::run(&["--help"]);
    let chapter = read("src/guide/options.md");
    let rows = first_cells(&chapter).collect::<Vec<_>>().join("\n");
    let typed = |help: &str| -> BTreeSet<String> {
        // Not those that a sentence of the help refers to.
        let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
        lines.flat_map(|line| options(line.split("  ").next().unwrap())).collect()
    };
    let mut server = typed(&help);
    for option in OF_CLAP {
        assert!(server.remove(option), "--help does not list {option}");
        assert!(chapter.contains(&format!("`{option}`")), "options.md does not name {option}");
    }
    assert_eq!(options(&rows), server, "left: rows of options.md, right: mjpegd --help");
    for name in subcommands(&help) {
        let (_, help, _) = Daemon::run(&[name, "--help"]);
        let mut listed = typed(&help);
        listed.remove("--help");
        let of_name = |line: &&str| line.starts_with(&format!("| `{name}"));
        let rows: Vec<_> = chapter.lines().filter(of_name).collect();
        let documented: BTreeSet<_> =
            rows.iter().flat_map(|row| options(row.split(" | ").nth(1).unwrap())).collect();
        assert_eq!(documented, listed, "left: rows of options.md, right: mjpegd {name} --help");
        assert!(chapter.contains(&format!("`{name}")), "options.md does not name {name}");
    }
}

#[test]
fn chapter_on_options_has_each_variable_and_default_of_help() {
    let (_, help, _) = Daemon::run(&["--help"]);
    let chapter = read("src/guide/options.md");
    for block in help.split("\n      --").skip(1) {
        // A switch has its value in brackets, or none.
        let name = block.split([' ', '\n', '[']).next().unwrap();
        let starts = [' ', '`'].map(|end| format!("| `--{name}{end}"));
        let is_row = |line: &&str| starts.iter().any(|start| line.starts_with(start));
        let row = chapter.lines().find(is_row).unwrap_or_else(|| {
            panic!("options.md has no row that begins with {}", starts[0]);
        });
        let cells: Vec<_> = row.split(" | ").collect();
        let value = |key: &str| Some(block.split_once(key)?.1.split([']', '=']).next().unwrap());
        let variable = value("[env: ").expect(name);
        assert_eq!(cells[1], format!("`{variable}`"), "the variable of --{name}");
        if let Some(default) = value("[default: ") {
            assert_eq!(cells[2], format!("`{default}`"), "the default of --{name}");
        }
    }
}

#[test]
fn chapter_on_cameras_has_each_source_of_help_and_no_other() {
    let (_, help, _) = Daemon::run(&["--help"]);
    let list = help.split("\nCameras:\n").nth(1).expect("--help lists the sources");
    let rows = list.split("\n\n").next().unwrap().lines();
    let rows = rows.filter(|row| row.starts_with("  ") && !row.starts_with("   "));
    let listed: BTreeSet<_> = rows.filter_map(|row| row.split_whitespace().next()).collect();
    let chapter = read("src/guide/cameras.md");
    let table = chapter.split("| source |").nth(1).unwrap().split("\n\n").next().unwrap();
    let rows = table.lines().filter_map(|row| row.strip_prefix("| `")?.split('`').next());
    assert_eq!(rows.collect::<BTreeSet<_>>(), listed, "left: cameras.md, right: mjpegd --help");
    assert!(listed.len() > 5, "{listed:?}");
}

/// The words in backticks of a text.
fn in_backticks(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The table of a chapter that has this head, without the head.
fn table<'a>(chapter: &'a str, head: &str) -> &'a str {
    let behind = chapter.split_once(head).unwrap_or_else(|| panic!("no table has {head:?}")).1;
    behind.split("\n\n").next().unwrap()
}

/// The names in the first column of a table.
fn names_of(table: &str) -> BTreeSet<&str> {
    first_cells(table).flat_map(in_backticks).collect()
}

/// A daemon that records, with figures of every kind.
fn recorder(dir: &TempDir) -> Daemon {
    Daemon::start(&["--record", dir.path().to_str().unwrap()])
}

#[test]
fn chapter_on_status_has_each_metric_and_no_other() {
    let dir = TempDir::new();
    let metrics = recorder(&dir).get("/metrics").text();
    let helps = metrics.lines().filter_map(|line| line.strip_prefix("# HELP "));
    let shown: BTreeSet<_> = helps.filter_map(|help| help.split(' ').next()).collect();
    let chapter = read("src/guide/status.md");
    let names = chapter.split(|c: char| !(c.is_ascii_lowercase() || c == '_'));
    let listed: BTreeSet<_> = names.filter(|name| name.starts_with("mjpegd_")).collect();
    assert_eq!(listed, shown, "left: status.md, right: /metrics");
    assert!(shown.len() > 30, "{shown:?}");
}

#[test]
fn chapters_have_each_cause_and_state_and_no_other() {
    let dir = TempDir::new();
    let metrics = recorder(&dir).get("/metrics").text();
    let values = |start: &str| -> BTreeSet<&str> {
        let lines = metrics.lines().filter(|line| line.starts_with(start));
        let labels = lines.filter_map(|line| line.rsplit_once("=\"")?.1.split('"').next());
        labels.collect()
    };
    let [cameras, status] = ["cameras", "status"].map(|name| read(&format!("src/guide/{name}.md")));
    let row = |name: &str| status.lines().find(|line| line.contains(name)).expect(name);
    for (counter, listed) in [
        ("mjpegd_camera_faults_total{", names_of(table(&cameras, "| cause | meaning |"))),
        ("mjpegd_camera_state{", names_of(table(&cameras, "| state | meaning |"))),
        ("mjpegd_frames_dropped_total{", names_of(table(&status, "| cause | meaning |"))),
        ("mjpegd_connections_cut_total{", names_of(table(&status, "| cause of a cut | meaning |"))),
    ] {
        assert_eq!(listed, values(counter), "left: the guide, right: {counter}");
        assert!(listed.len() > 3, "{counter}");
    }
    // These are named in the row of their counter.
    for counter in
        ["mjpegd_camera_state{", "mjpegd_frames_repaired_total{", "mjpegd_recording_state{"]
    {
        let named = in_backticks(row(counter));
        let missing: Vec<_> = values(counter).into_iter().filter(|v| !named.contains(v)).collect();
        assert!(missing.is_empty(), "status.md does not name {missing:?} of {counter}");
    }
}

#[test]
fn chapter_on_status_has_each_figure_of_connections_and_no_other() {
    let daemon = Daemon::start(&[]);
    let status = daemon.status();
    let shown: BTreeSet<_> = status["connections"].as_object().unwrap().keys().cloned().collect();
    let chapter = read("src/guide/status.md");
    let behind = chapter.split_once("## Connections").unwrap().1;
    let rows = table(behind, "| `/status` | `/metrics` | meaning |");
    let listed: BTreeSet<_> = names_of(rows).into_iter().map(str::to_owned).collect();
    assert_eq!(listed, shown, "left: status.md, right: /status");
}

#[test]
fn readme_is_short() {
    let n_lines = read("README.md").lines().count();
    assert!(n_lines <= MAX_README_LINES, "README.md has {n_lines} lines");
}

/// The words behind "make" in the code of a text: in a line, or a line of a block.
fn targets(text: &str) -> BTreeSet<&str> {
    let in_line = text.split("`make ").skip(1);
    let blocks = text.split("```").skip(1).step_by(2).flat_map(str::lines);
    let found = in_line.chain(blocks.filter_map(|line| line.strip_prefix("make ")));
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    found.filter_map(|rest| rest.split(|c| !is_name(c)).next()).collect()
}

#[test]
fn targets_of_make_that_the_texts_name_exist() {
    let makefile = read("Makefile");
    let known: BTreeSet<_> = makefile.lines().filter_map(|line| line.split_once(": ")).collect();
    let known: BTreeSet<_> = known.into_iter().map(|(name, _)| name).collect();
    for path in texts() {
        for target in targets(&read(path.to_str().unwrap())) {
            assert!(known.contains(target), "{}: there is no make {target}", path.display());
        }
    }
    assert!(targets(&read("README.md")).contains("run"));
}

/// The targets of the links of a text, in a line or as a definition.
fn links(text: &str) -> Vec<&str> {
    let in_line = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let defined = text.lines().filter(|line| line.starts_with('['));
    in_line.chain(defined.filter_map(|line| Some(line.split_once("]: ")?.1))).collect()
}

/// The name by which a heading can be linked to.
fn anchor(heading: &str) -> String {
    let is_kept = |c: &char| c.is_alphanumeric() || "-_ ".contains(*c);
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars().filter(is_kept).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn relative_links_of_the_texts_lead_somewhere() {
    let mut n_links = 0;
    for path in texts() {
        let text = read(path.to_str().unwrap());
        let folder = root().join(path.parent().unwrap());
        for link in links(&text).into_iter().filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let file = if file.is_empty() { root().join(&path) } else { folder.join(file) };
            assert!(file.is_file(), "{}: {link} is no file", path.display());
            if !heading.is_empty() {
                let text = fs::read_to_string(&file).unwrap();
                let mut headings = text.lines().filter(|line| line.starts_with('#')).map(anchor);
                assert!(
                    headings.any(|h| h == heading),
                    "{}: {link}: no such heading",
                    path.display()
                );
            }
            n_links += 1;
        }
    }
    assert!(n_links > 30, "only {n_links} links are found: the texts are read wrongly");
}

#[test]
fn chapters_link_to_each_other_by_labels_that_rustdoc_knows() {
    let labels = read("src/guide/links.md");
    let list = read("src/guide/mod.rs");
    for path in texts().into_iter().filter(|path| path.starts_with("src/guide")) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        // A module has no dash in its name.
        let module = name.replace('-', "_");
        let label = format!("[{name}]: crate::guide::{module}\n");
        assert!(labels.contains(&label), "links.md: {name}");
        let is_word = |word: &str| word == module;
        assert!(
            list.rsplit("chapters! {").next().unwrap().split_whitespace().any(is_word),
            "{name}"
        );
        for link in links(&read(path.to_str().unwrap())) {
            // A link to a file is dead in rustdoc where no label stands before it.
            let file = link.split('#').next().unwrap();
            let label = file.strip_suffix(".md").map(|name| format!("[{name}]: {file}"));
            let is_known = label.is_none_or(|l| read(path.to_str().unwrap()).contains(&l));
            assert!(is_known, "{}: write {link} as a label", path.display());
        }
    }
}

/// `make bench-figures` writes what was measured between two comments.
#[test]
fn each_measured_figure_has_a_name_and_an_end() {
    let benches =
        ["run", "server", "relay", "encode", "transcode", "board", "v4l2", "latency", "motion"];
    let mut n_figures = 0;
    for path in ["README.md", "src/guide/measurements.md", "src/guide/events.md"] {
        for piece in read(path).split("<!-- = ").skip(1) {
            let (name, behind) = piece.split_once(" -->").expect("a name has an end");
            let bench = name.trim_start_matches('^').split(": ").next();
            assert!(bench.is_some_and(|bench| benches.contains(&bench)), "{path}: {name}");
            let (figure, _) = behind.split_once("<!-- . -->").expect("a figure has an end");
            assert!((1..80).contains(&figure.len()), "{path}: {name}: {figure}");
            n_figures += 1;
        }
    }
    assert!(n_figures > 50, "{n_figures} figures");
}
