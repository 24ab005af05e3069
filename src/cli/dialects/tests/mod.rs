//! What command lines of other programs mean, and the tables behind it.

mod lines;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::table::{Meaning, Rule};
use super::*;
use crate::config::print_config;
use lines::{LINES, REFUSED};

const LOST_SNAPSHOT: &str = " --lost-snapshot picture";

fn start(line: &str) -> Result<Start, String> {
    let words: Vec<_> = getopt::split(line).into_iter().map(OsString::from).collect();
    let (dialect, rest) = find(&words).unwrap_or_else(|| panic!("{line}: no dialect"));
    dialect.start(rest)
}

fn run(line: &str) -> (CommandLine, Started) {
    match start(line) {
        Ok(Start::Run(run)) => *run,
        Ok(Start::Print(text)) => panic!("{line}: {text}"),
        Err(e) => panic!("{line}: {e}"),
    }
}

fn printed(line: &str) -> String {
    match start(line) {
        Ok(Start::Print(text)) => text,
        _ => panic!("{line}: it prints nothing"),
    }
}

#[test]
fn published_command_lines_mean_the_same_here() {
    assert!(LINES.len() >= 30);
    for (line, due) in LINES {
        let (command_line, started) = run(line);
        let text = print_config(&command_line).unwrap_or_else(|e| panic!("{line}: {e:#}"));
        // What all lines of a program have in common does not stand in the list.
        let mut first = text.lines().next().unwrap().to_owned();
        for (option, is_due) in [
            (LOST_SNAPSHOT, started.program == "ustreamer"),
            (" --lock-controls=true", line.split("output_http").skip(1).any(|o| o.contains(" -n"))),
        ] {
            assert_eq!(first.contains(option), is_due, "{line}: {first}");
            first = first.replace(option, "");
        }
        let due = format!("# mjpegd --camera {due}");
        assert_eq!(options(&first), options(&due), "{line}");
        assert!(!text.contains("SECRET") && !started.notes.concat().contains("SECRET"), "{line}");
        assert_eq!(text.contains("auth-file"), line.contains("SECRET"), "{line}");
    }
}

/// The options of a line; their order means nothing.
fn options(line: &str) -> Vec<&str> {
    let mut options: Vec<_> = line.split(" --").collect();
    options[1..].sort_unstable();
    options
}

#[test]
fn what_cannot_be_had_is_refused_with_what_to_do() {
    for (line, says) in REFUSED {
        let Err(error) = start(line) else { panic!("{line} is accepted") };
        assert!(error.contains(says) && !error.contains('\n'), "{line}: {error}");
        assert!(!error.contains("SECRET"), "{line}: {error}");
        assert!(
            error.starts_with("ustreamer: ") || error.starts_with("mjpg_streamer: "),
            "{error}"
        );
    }
}

#[test]
fn several_inputs_are_cameras_with_options_of_their_own() {
    let (command_line, _) =
        run("mjpg_streamer -i 'input_uvc.so -d /dev/video5 -q 50 -r 1920x1080 -f 30' \
         -i 'input_uvc.so -d /dev/video4' -o 'output_http.so -p 8080'");
    let text = print_config(&command_line).unwrap();
    assert!(
        text.ends_with(
            "bind = \":8080\"\n\n\
             [[camera]]\nname = \"camera\"\nsource = \"v4l2:/dev/video5\"\nfps = 30\n\
             resolution = \"1920x1080\"\nquality = 50\n\n\
             [[camera]]\nname = \"camera2\"\nsource = \"v4l2:/dev/video4\"\n\
             resolution = \"640x480\"\n"
        ),
        "{text}"
    );
}

#[test]
fn name_of_the_program_or_first_word_chooses_the_dialect() {
    let found = |words: &[&str]| {
        let words: Vec<_> = words.iter().map(OsString::from).collect();
        find(&words).map(|(dialect, rest)| (dialect.program, rest.len()))
    };
    assert_eq!(found(&["ustreamer", "-h"]), Some(("ustreamer", 1)));
    assert_eq!(found(&["/a/b/ustreamer.bin"]), Some(("ustreamer", 0)));
    assert_eq!(found(&["./mjpg_streamer", "-b"]), Some(("mjpg_streamer", 1)));
    assert_eq!(found(&["mjpegd", "mjpg_streamer", "-b", "-h"]), Some(("mjpg_streamer", 2)));
    for own in
        [&["mjpegd"][..], &["mjpegd", "probe", "ustreamer"], &["mjpegd", "/bin/ustreamer"], &[]]
    {
        assert_eq!(found(own), None, "{own:?}");
    }
}

#[test]
fn version_help_and_features_are_printed_as_scripts_expect() {
    assert_eq!(printed("ustreamer --version"), "6.62\n");
    assert_eq!(printed("ustreamer -nv"), "6.62\n");
    let features = printed("ustreamer --features");
    assert!(features.contains("- WITH_GPIO\n") && features.contains("+ HAS_PDEATHSIG\n"));
    let help = printed("ustreamer --help");
    for option in ["-d, --device PATH", "--exit-on-no-clients SECONDS", "--print-config"] {
        assert!(help.contains(option), "{help}");
    }
    assert!(printed("mjpg_streamer -v").starts_with("MJPG Streamer Version: mjpegd "));
    assert!(printed("mjpg_streamer --help").contains("output_http.so"));
    assert!(printed("mjpg_streamer -i 'input_uvc.so --help'").contains("-r, -resolution WxH"));
}

#[test]
fn what_has_no_meaning_here_and_what_is_risky_is_said_once() {
    let (_, started) = run("ustreamer -w 3 -w 4 --slowdown --user a --passwd SECRET --log-level 3");
    let says = |text: &str| started.notes.iter().filter(|note| note.contains(text)).count();
    assert_eq!([says("--workers: "), says("--slowdown: "), says("--passwd: ")], [1, 1, 1]);
    assert_eq!(started.log_level, Some("debug"));
    let (_, started) = run("mjpg_streamer -i 'input_raspicam -ex snow -awb auto -rot 90'");
    let due =
        ["-rot 90: rpicam-vid turns by 180 degrees only", "-ex snow: rpicam-vid has no such mode"];
    assert_eq!(started.notes, due);
    let (_, started) =
        run("mjpg_streamer -o 'output_http.so -p 80 -c a:SECRET' -o 'output_http.so -p 81'");
    assert!(started.notes.concat().contains("port 81 wants a login too"), "{:?}", started.notes);
    let (_, started) = run("mjpg_streamer -b -o 'output_http.so -c a:SECRET -n'");
    assert!(started.background.is_some() && started.notes.concat().contains("list of processes"));
}

#[test]
fn print_config_works_in_each_dialect() {
    for line in ["ustreamer -f 5 --print-config", "mjpegd mjpg_streamer --print-config"] {
        assert!(run(line).0.is_to_print(), "{line}");
    }
    assert!(!run("ustreamer -f 5").0.is_to_print());
}

#[test]
fn damaged_command_lines_are_errors_and_no_panics() {
    let mut seed = 1_u32;
    let mut random = |n: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % n.max(1)
    };
    for _ in 0..30 {
        for (line, _) in LINES {
            let mut letters: Vec<_> = line.chars().collect();
            let name = line.find(' ').unwrap_or(line.len());
            for _ in 0..=random(3) {
                let at = name + random(letters.len() - name);
                match random(3) {
                    0 => letters.insert(at, ['-', '=', '\'', ' ', 'é', ':', '0', '\\'][random(8)]),
                    1 if at < letters.len() => drop(letters.remove(at)),
                    _ => letters.truncate(at),
                }
            }
            let words = getopt::split(&letters.into_iter().collect::<String>());
            let words: Vec<_> = words.into_iter().map(OsString::from).collect();
            if let Some((dialect, rest)) = find(&words)
                && let Ok(Start::Run(run)) = dialect.start(rest)
            {
                let _ = print_config(&run.0);
            }
        }
    }
}

#[test]
fn tables_have_all_options_and_name_only_options_that_there_are() {
    let all = ustreamer::rows();
    assert_eq!(all.len(), 98);
    for rows in mjpg_streamer::all_rows().chain([all]) {
        let names: BTreeSet<_> = rows.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), rows.len());
        let shorts: Vec<_> = rows.iter().map(|row| row.short).filter(|s| !s.is_empty()).collect();
        assert_eq!(shorts.iter().collect::<BTreeSet<_>>().len(), shorts.len(), "{shorts:?}");
        for row in rows {
            if let Meaning::Mapped(to, Rule::Server(key) | Rule::Camera(key)) = &row.meaning {
                let is_known = crate::config::has_option(key);
                assert!(is_known && to.starts_with(&format!("--{key}")), "{}: {to}", row.name);
            }
        }
    }
}

/// The chapter of the guide, where the tables stand between marks. With
/// `WRITE_GUIDE=1` in the environment this test writes them.
#[test]
fn chapter_of_the_guide_has_the_tables_of_the_parsers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/guide/drop-in.md");
    let text = fs::read_to_string(&path).unwrap();
    let mut due = text.clone();
    for dialect in &DIALECTS {
        let (begin, end) = (
            format!("<!-- {} -->\n", dialect.program),
            format!("<!-- end of {} -->\n", dialect.program),
        );
        let (before, rest) = due.split_once(&begin).expect(&begin);
        let (_, behind) = rest.split_once(&end).expect(&end);
        due = format!("{before}{begin}\n{}\n{end}{behind}", (dialect.table)());
    }
    if std::env::var_os("WRITE_GUIDE").is_some() {
        fs::write(&path, &due).unwrap();
    }
    let is_same = text == due || std::env::var_os("WRITE_GUIDE").is_some();
    assert!(is_same, "write the tables with: WRITE_GUIDE=1 cargo test --lib chapter_of_the_guide");
}
