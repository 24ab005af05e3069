//! Command lines as GNU's `getopt_long` and `getopt_long_only` take them apart
//! (glibc manual, "Parsing program options using getopt"): options anywhere, joined
//! values, unique beginnings of long names.

use crate::config::has_option;

use super::table::{Meaning, Row, Value};

/// Which of the two functions the other program calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Style {
    /// `-x` is one letter, `--name` a name.
    Long,
    /// Both are names: the plugins of mjpg-streamer have no options of one letter,
    /// but names of one letter.
    LongOnly,
}

/// An option that was typed, with its value; empty for one without.
pub(super) type Typed = (&'static Row, String);

/// The options in their order. Words that are no options are left out, as the
/// other programs do not look at them.
///
/// # Errors
/// The first mistake, and what would be right.
pub(super) fn parse(
    words: &[String],
    rows: &'static [Row],
    style: Style,
) -> Result<Vec<Typed>, String> {
    let mut typed = Vec::new();
    let mut words = words.iter();
    // What prints something ends those programs, whatever stands behind it.
    let is_over = |typed: &[Typed]| {
        typed.last().is_some_and(|(row, _)| matches!(row.meaning, Meaning::Prints(..)))
    };
    while !is_over(&typed)
        && let Some(word) = words.next()
    {
        let mut next = || words.next().cloned();
        match word.strip_prefix("--") {
            Some("") => break,
            Some(rest) => typed.push(long(word, rest, rows, style, &mut next)?),
            None => match word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
                Some(rest) if style == Style::LongOnly => {
                    typed.push(long(word, rest, rows, style, &mut next)?);
                }
                Some(letters) => short(letters, rows, &mut typed, &mut next)?,
                None => {}
            },
        }
    }
    Ok(typed)
}

/// One option by its long name, or by a beginning of it that no other has.
fn long(
    word: &str,
    rest: &str,
    rows: &'static [Row],
    style: Style,
    next: &mut dyn FnMut() -> Option<String>,
) -> Result<Typed, String> {
    let (name, joined) = match rest.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (rest, None),
    };
    let dashes = &word[..word.len() - rest.len()];
    let row = find(name, dashes, rows, style)?;
    let shown = format!("{dashes}{}", row.name);
    match (&row.value, joined) {
        (Value::Flag, None) => Ok((row, String::new())),
        (Value::Flag, Some(_)) => Err(format!("{shown} takes no value")),
        (value, joined) => {
            let text = joined.or_else(next).ok_or_else(|| format!("no value for {shown}"))?;
            read(value, &shown, &text).map(|text| (row, text))
        }
    }
}

fn find(
    name: &str,
    dashes: &str,
    rows: &'static [Row],
    style: Style,
) -> Result<&'static Row, String> {
    let is_second = |row: &Row| style == Style::LongOnly && row.short == name && !name.is_empty();
    if let Some(row) = rows.iter().find(|row| row.name == name || is_second(row)) {
        return Ok(row);
    }
    let is_begin = |row: &&Row| !name.is_empty() && row.name.starts_with(name);
    let begins: Vec<_> = rows.iter().filter(is_begin).collect();
    match begins[..] {
        [row] => Ok(row),
        [] => Err(unknown(name, dashes, rows)),
        ref several => {
            let names: Vec<_> = several.iter().map(|row| format!("{dashes}{}", row.name)).collect();
            Err(format!("{dashes}{name} may mean {}", names.join(", ")))
        }
    }
}

fn unknown(name: &str, dashes: &str, rows: &[Row]) -> String {
    // The log and the guide name options of this program.
    if has_option(name) {
        return format!(
            "{dashes}{name} is an option of mjpegd itself; --print-config shows the command line \
             that takes it"
        );
    }
    let distance = |row: &&Row| strsim::osa_distance(name, row.name);
    let nearest = rows.iter().min_by_key(distance);
    // A name with more typing errors than this could be any option, and one of two
    // letters is near to all others.
    match nearest.filter(|row| name.len() > 2 && distance(row) <= 1 + name.len() / 4) {
        Some(row) => format!("there is no {dashes}{name}; did you mean {dashes}{}?", row.name),
        None => format!("there is no {dashes}{name}"),
    }
}

/// One word of letters: flags, and at most one option with its value behind it.
fn short(
    letters: &str,
    rows: &'static [Row],
    typed: &mut Vec<Typed>,
    next: &mut dyn FnMut() -> Option<String>,
) -> Result<(), String> {
    for (at, letter) in letters.char_indices() {
        let is_it = |row: &&Row| row.short.chars().eq([letter]);
        let row = rows.iter().find(is_it).ok_or_else(|| format!("there is no -{letter}"))?;
        if row.value == Value::Flag {
            typed.push((row, String::new()));
            continue;
        }
        let joined = &letters[at + letter.len_utf8()..];
        let joined = (!joined.is_empty()).then(|| joined.to_owned());
        let shown = format!("-{letter}");
        let text = joined.or_else(next).ok_or_else(|| format!("no value for {shown}"))?;
        typed.push((row, read(&row.value, &shown, &text)?));
        break;
    }
    Ok(())
}

fn read(value: &Value, option: &str, text: &str) -> Result<String, String> {
    value.read(text).map_err(|right| format!("{option} {text} is wrong: {right}"))
}

/// Splits a text into words as a shell does, for what stands in one argument of
/// mjpg-streamer: blanks end a word, quotes and backslashes keep them.
pub(super) fn split(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (Some(open), _) if letter == open => quote = None,
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(letters.next()),
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::super::table::Rule;
    use super::*;

    const fn row(name: &'static str, short: &'static str, value: Value) -> Row {
        Row { name, short, value, meaning: Meaning::Mapped("", Rule::Keep) }
    }

    static ROWS: [Row; 6] = [
        row("device", "d", Value::Text("PATH")),
        row("device-timeout", "", Value::Number(1, 60)),
        row("resolution", "r", Value::Size),
        row("persistent", "n", Value::Flag),
        row("slowdown", "l", Value::Flag),
        row("fps", "f", Value::Number(0, 120)),
    ];

    fn texts(words: &[&str], style: Style) -> Result<String, String> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let typed = parse(&words, &ROWS, style)?;
        let texts = typed.iter().map(|(row, value)| format!("{}={value}", row.name));
        Ok(texts.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn options_are_taken_apart_as_by_getopt_long() {
        for (words, meant) in [
            (&["--device", "x"][..], "device=x"),
            (&["--device=x=y"], "device=x=y"),
            (&["--device", "--slowdown"], "device=--slowdown"),
            (&["--device="], "device="),
            (&["--res", "640x480"], "resolution=640x480"),
            (&["--resolution=640x480", "-nl"], "resolution=640x480 persistent= slowdown="),
            (&["-r640x480"], "resolution=640x480"),
            (&["-nlr", "640x480", "-f0x10"], "persistent= slowdown= resolution=640x480 fps=16"),
            (&["word", "-n", "-", "word", "-l"], "persistent= slowdown="),
            (&["-n", "--", "-l", "--nonsense"], "persistent="),
            (&[], ""),
        ] {
            assert_eq!(texts(words, Style::Long).as_deref(), Ok(meant), "{words:?}");
        }
    }

    #[test]
    fn names_may_have_one_dash_or_two_for_plugins() {
        for words in [["-fps", "10"], ["--fps", "10"], ["-f", "10"], ["--f", "10"], ["-fp", "10"]] {
            assert_eq!(texts(&words, Style::LongOnly).as_deref(), Ok("fps=10"), "{words:?}");
        }
        assert_eq!(texts(&["-fps=10"], Style::LongOnly).as_deref(), Ok("fps=10"));
        assert!(texts(&["-f10"], Style::LongOnly).is_err());
    }

    #[test]
    fn mistakes_say_what_would_be_right() {
        for (words, says) in [
            (&["--devise", "x"][..], "there is no --devise; did you mean --device?"),
            (&["--nonsense"], "there is no --nonsense"),
            (
                &["--bind", "x"],
                "--bind is an option of mjpegd itself; --print-config shows the command line that \
                 takes it",
            ),
            (&["-Z"], "there is no -Z"),
            (&["--dev", "x"], "--dev may mean --device, --device-timeout"),
            (&["-r"], "no value for -r"),
            (&["--resolution"], "no value for --resolution"),
            (&["--slow=1"], "--slowdown takes no value"),
            (&["-f", "121"], "-f 121 is wrong: use a number from 0 to 120"),
            (&["--=x"], "there is no --"),
        ] {
            assert_eq!(texts(words, Style::Long), Err(says.to_owned()), "{words:?}");
        }
    }

    #[test]
    fn text_is_split_as_by_a_shell() {
        for (text, words) in [
            ("input_uvc.so -d  /dev/video0", &["input_uvc.so", "-d", "/dev/video0"][..]),
            (" a 'b c'd \"e \\\" 'f\" g\\ h ", &["a", "b cd", "e \" 'f", "g h"]),
            ("a '' b", &["a", "", "b"]),
            ("a 'open", &["a", "open"]),
            ("a\\", &["a"]),
            (" \t\n", &[]),
        ] {
            assert_eq!(split(text), words, "{text:?}");
        }
    }
}
