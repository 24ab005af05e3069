//! An option of another program as a row: its names, its value, and what it means
//! here. The parser, `--help` and the table of the guide are made from the same
//! rows.

/// One option of another program.
#[derive(Debug)]
pub(super) struct Row {
    /// The long name without its dashes.
    pub(super) name: &'static str,
    /// The short one; for plugins of mjpg-streamer a second long one. May be empty.
    pub(super) short: &'static str,
    pub(super) value: Value,
    pub(super) meaning: Meaning,
}

/// Which values an option takes.
#[derive(Debug, PartialEq)]
pub(super) enum Value {
    /// None.
    Flag,
    /// Any text; the word is what `--help` calls it.
    Text(&'static str),
    /// A whole number in this range.
    Number(i64, i64),
    /// Seconds in this range.
    Seconds(i64, i64),
    /// `WxH`.
    Size,
    /// `WxH`, or the name of a size.
    NamedSize,
    /// One of these words, in any case. The value is the second of its pair.
    Word(&'static [(&'static str, &'static str)]),
    /// A whole number, or one of these words.
    NumberOr(&'static [&'static str]),
    /// True or false, in one of several spellings.
    Bool,
    /// The mode of a file in octal digits.
    Mode,
}

/// What an option means here.
#[derive(Debug)]
pub(super) enum Meaning {
    /// The option or source of this program, as people write it, and how to get it.
    Mapped(&'static str, Rule),
    /// Nothing, and why not. One line of the log says so.
    Accepted(&'static str),
    /// It cannot be had here: the reason, and what to do instead.
    Refused(&'static str),
    /// Prints something and ends.
    Prints(&'static str, Print),
}

/// How a value becomes an option of this program.
#[derive(Debug)]
pub(super) enum Rule {
    /// It is the value of this option of the server.
    Server(&'static str),
    /// It is the value of this option of the camera.
    Camera(&'static str),
    /// It is a value of this control, or of the control that sets it
    /// automatically.
    Control(&'static str, Option<&'static str>),
    /// The file of the program combines it with others.
    Keep,
}

/// What an option prints.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Print {
    Help,
    Version,
    Features,
}

/// Names of sizes that mjpg-streamer knows.
pub(super) const SIZES: [(&str, &str); 14] = [
    ("QQVGA", "160x120"),
    ("QSIF", "160x120"),
    ("QCIF", "176x144"),
    ("CGA", "320x200"),
    ("QVGA", "320x240"),
    ("CIF", "352x288"),
    ("VGA", "640x480"),
    ("PAL", "720x576"),
    ("SVGA", "800x600"),
    ("XGA", "1024x768"),
    ("HD", "1280x720"),
    ("SXGA", "1280x1024"),
    ("UXGA", "1600x1200"),
    ("FHD", "1920x1080"),
];

impl Row {
    /// The option as people type it, with its value.
    pub(super) fn usage(&self, dashes: &str) -> String {
        let value = self.value.metavar();
        let short = match self.short {
            "" => String::new(),
            short => format!("-{short}, "),
        };
        let space = if value.is_empty() { "" } else { " " };
        format!("{short}{dashes}{}{space}{value}", self.name)
    }
}

impl Value {
    fn metavar(&self) -> String {
        match self {
            Self::Flag => String::new(),
            Self::Text(name) => (*name).to_owned(),
            Self::Number(..) => "N".into(),
            Self::Seconds(..) => "SECONDS".into(),
            Self::Size => "WxH".into(),
            Self::NamedSize => "WxH|NAME".into(),
            Self::Word(words) => words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join("|"),
            Self::NumberOr(words) => {
                ["N"].iter().chain(*words).copied().collect::<Vec<_>>().join("|")
            }
            Self::Bool => "true|false".into(),
            Self::Mode => "MODE".into(),
        }
    }

    /// The value in the form that this program reads.
    ///
    /// # Errors
    /// What would be right.
    pub(super) fn read(&self, text: &str) -> Result<String, String> {
        let known = |words: &[(&'static str, &str)]| {
            let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
            found.map(|(_, value)| (*value).to_owned())
        };
        let value = match self {
            Self::Flag | Self::Text(_) => Some(text.to_owned()),
            Self::Number(min, max) => in_range(text, *min, *max).map(|n| n.to_string()),
            Self::Seconds(min, max) => in_range(text, *min, *max).map(|n| format!("{n}s")),
            Self::Size => size(text),
            Self::NamedSize => known(&SIZES).or_else(|| size(text)),
            Self::Word(words) => known(words),
            Self::NumberOr(words) => {
                let word = words.iter().find(|word| word.eq_ignore_ascii_case(text));
                let word = word.map(|word| (*word).to_owned());
                word.or_else(|| number(text).map(|n| n.to_string()))
            }
            Self::Bool => known(&[
                ("true", "1"),
                ("1", "1"),
                ("on", "1"),
                ("yes", "1"),
                ("false", "0"),
                ("0", "0"),
                ("off", "0"),
                ("no", "0"),
            ]),
            Self::Mode => {
                let is_mode = (1..=4).contains(&text.len()) && u32::from_str_radix(text, 8).is_ok();
                is_mode.then(|| text.to_owned())
            }
        };
        value.ok_or_else(|| match self {
            Self::Number(min, max) | Self::Seconds(min, max) => {
                format!("use a number from {min} to {max}")
            }
            Self::Size => "use WIDTHxHEIGHT, such as 640x480".into(),
            Self::Mode => "use octal digits, such as 660".into(),
            _ => format!("use {}", self.metavar().replace('|', ", ")),
        })
    }
}

fn in_range(text: &str, min: i64, max: i64) -> Option<i64> {
    number(text).filter(|n| (min..=max).contains(n))
}

/// A whole number as C's `strtoll` reads it with base 0: blanks and a sign in
/// front, hexadecimal behind 0x, octal behind 0. Nothing may stand behind it.
fn number(text: &str) -> Option<i64> {
    let text = text.trim_start();
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let small = digits.to_ascii_lowercase();
    let (digits, radix) = match small.strip_prefix("0x") {
        Some(hex) => (hex, 16),
        None if small.len() > 1 && small.starts_with('0') => (&small[1..], 8),
        None => (&small[..], 10),
    };
    // A second sign would be read as well.
    let is_plain = digits.bytes().all(|b| b.is_ascii_alphanumeric());
    let n = i64::from_str_radix(digits, radix).ok().filter(|_| is_plain)?;
    Some(if is_negative { -n } else { n })
}

/// `640x480`. Scripts also write `640X480` and `640*480`.
fn size(text: &str) -> Option<String> {
    let (width, height) = text.split_once(['x', 'X', '*'])?;
    let side = |text: &str| text.trim().parse::<u16>().ok();
    Some(format!("{}x{}", side(width)?, side(height)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_c_reads_them() {
        for (text, n) in [
            ("8080", Some(8080)),
            ("0x1F90", Some(8080)),
            ("010", Some(8)),
            (" 5", Some(5)),
            ("+5", Some(5)),
            ("-1", Some(-1)),
            ("0", Some(0)),
            ("080", None),
            ("18x", None),
            ("", None),
            ("--1", None),
            ("+-1", None),
            ("5 ", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(number(text), n, "{text:?}");
        }
    }

    #[test]
    fn values_are_read_or_answered_with_what_would_be_right() {
        for (value, text, read) in [
            (Value::Number(1, 65535), "0", Err("use a number from 1 to 65535")),
            (Value::Seconds(1, 60), "2", Ok("2s")),
            (Value::Size, "640X480", Ok("640x480")),
            (Value::Size, "640*480", Ok("640x480")),
            (Value::Size, "VGA", Err("use WIDTHxHEIGHT, such as 640x480")),
            (Value::NamedSize, "qvga", Ok("320x240")),
            (Value::NamedSize, "1x", Err("use WxH, NAME")),
            (Value::Word(&[("PAL", "pal")]), "Pal", Ok("pal")),
            (Value::Word(&[("PAL", "pal"), ("NTSC", "ntsc")]), "x", Err("use PAL, NTSC")),
            (Value::NumberOr(&["auto"]), "AUTO", Ok("auto")),
            (Value::NumberOr(&["auto"]), "-3", Ok("-3")),
            (Value::NumberOr(&["auto"]), "x", Err("use N, auto")),
            (Value::Bool, "True", Ok("1")),
            (Value::Bool, "2", Err("use true, false")),
            (Value::Mode, "0660", Ok("0660")),
            (Value::Mode, "999", Err("use octal digits, such as 660")),
        ] {
            let got = value.read(text);
            let got = got.as_ref().map(String::as_str).map_err(String::as_str);
            assert_eq!(got, read, "{value:?} {text}");
        }
    }
}
