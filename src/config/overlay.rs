//! The text over the pictures of a camera.

use std::iter::Peekable;
use std::str::Chars;

use anyhow::{Context, Result, bail, ensure};

use super::args::Args;

/// The fields of a time: those that every C library knows, in whole seconds.
const FIELDS: &str = "aAbBcCdDeFgGhHIjmMnprRsSTuUVwWxXyYzZ%";
const RIGHT: &str = "use fields of strftime such as %Y-%m-%d %H:%M:%S in whole seconds, or %%";
const RIGHT_NAME: &str = "use {camera}, {host}, or {{ for a brace";
/// More does not fit into a line.
const MAX_LETTERS: usize = 200;

/// The text over the pictures of a camera.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OverlayConfig {
    /// The text, with fields for `strftime`.
    pub(crate) fields: String,
    pub(crate) position: Position,
    pub(crate) size: TextSize,
    /// Whether it stands in a dark box; otherwise its letters have a dark edge.
    pub(crate) has_box: bool,
}

/// Where something lies, along one side of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    Start,
    Middle,
    End,
}

/// Where the text lies in the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Position {
    pub(crate) across: Place,
    pub(crate) down: Place,
}

const POSITIONS: [(&str, Place, Place); 9] = [
    ("top-left", Place::Start, Place::Start),
    ("top", Place::Middle, Place::Start),
    ("top-right", Place::End, Place::Start),
    ("left", Place::Start, Place::Middle),
    ("center", Place::Middle, Place::Middle),
    ("right", Place::End, Place::Middle),
    ("bottom-left", Place::Start, Place::End),
    ("bottom", Place::Middle, Place::End),
    ("bottom-right", Place::End, Place::End),
];

impl Position {
    fn parse(typed: &str) -> Result<Self> {
        let found = POSITIONS.iter().find(|(name, ..)| *name == typed);
        let (_, across, down) = found.with_context(|| {
            let names = POSITIONS.map(|(name, ..)| name).join(", ");
            format!("--overlay-position {typed}: use one of {names}")
        })?;
        Ok(Self { across: *across, down: *down })
    }
}

/// How large letters are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TextSize {
    /// In thousandths of the picture's height.
    Share(u16),
    Pixels(u16),
}

impl TextSize {
    fn parse(typed: &str) -> Result<Self> {
        let right = || {
            format!("--overlay-size {typed}: use small, medium, large, 1% to 25%, or 9px to 256px")
        };
        let number = |digits: &str, range: std::ops::RangeInclusive<u16>| {
            digits.trim().parse().ok().filter(|n| range.contains(n)).with_context(right)
        };
        match typed {
            "small" => Ok(Self::Share(25)),
            "medium" => Ok(Self::Share(40)),
            "large" => Ok(Self::Share(65)),
            _ => match (typed.strip_suffix('%'), typed.strip_suffix("px")) {
                (Some(digits), _) => Ok(Self::Share(number(digits, 1..=25)? * 10)),
                (_, Some(digits)) => Ok(Self::Pixels(number(digits, 9..=256)?)),
                _ => bail!(right()),
            },
        }
    }

    /// In pixels, for a picture of this height.
    pub(crate) fn pixels(self, height: u16) -> u16 {
        match self {
            Self::Pixels(n) => n,
            Self::Share(share) => {
                u16::try_from(u32::from(height) * u32::from(share) / 1000).unwrap_or(u16::MAX)
            }
        }
    }
}

impl OverlayConfig {
    /// `None` without a text.
    ///
    /// # Errors
    /// The first value that cannot be used, with what would be right.
    pub(super) fn new(args: &Args, camera: &str) -> Result<Option<Self>> {
        let position = Position::parse(args.text("overlay-position"))?;
        let size = TextSize::parse(args.text("overlay-size"))?;
        let text = args.text("overlay");
        if text.is_empty() {
            return Ok(None);
        }
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let fields = fields(text, camera, &host).with_context(|| format!("--overlay {text:?}"))?;
        Ok(Some(Self { fields, position, size, has_box: args.is_on("overlay-box") }))
    }
}

/// The text with the names in it, and with fields for `strftime`.
fn fields(typed: &str, camera: &str, host: &str) -> Result<String> {
    ensure!(typed.chars().count() <= MAX_LETTERS, "use at most {MAX_LETTERS} letters");
    let mut fields = String::new();
    let mut letters = typed.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '%' => {
                let field = letters.next().unwrap_or(' ');
                ensure!(FIELDS.contains(field), "%{field} is no field of a time; {RIGHT}");
                fields.extend(['%', field]);
            }
            '{' if letters.next_if_eq(&'{').is_some() => fields.push('{'),
            '}' if letters.next_if_eq(&'}').is_some() => fields.push('}'),
            '{' => match name(&mut letters)?.as_str() {
                "camera" => fields.push_str(&camera.replace('%', "%%")),
                "host" => fields.push_str(&host.replace('%', "%%")),
                other => bail!("{{{other}}} is no name that is known here; {RIGHT_NAME}"),
            },
            '\\' if letters.next_if_eq(&'n').is_some() => fields.push('\n'),
            // A tab, or a line end of Windows.
            letter if letter.is_control() && letter != '\n' => fields.push(' '),
            letter => fields.push(letter),
        }
    }
    Ok(fields)
}

/// What stands before the closing brace, which is there.
fn name(letters: &mut Peekable<Chars<'_>>) -> Result<String> {
    let mut name = String::new();
    for letter in letters.by_ref() {
        if letter == '}' {
            return Ok(name);
        }
        name.push(letter);
    }
    bail!("the brace before {name:?} is not closed; {RIGHT_NAME}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(args: &[&str]) -> Result<Option<OverlayConfig>> {
        OverlayConfig::new(&Args::typed([&["mjpegd"], args].concat()), "gate")
    }

    #[test]
    fn names_are_filled_in_and_fields_stay() {
        for (typed, right) in [
            ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S"),
            ("{camera} at {host}", "100%% at pi"),
            ("{{camera}} 5 %%", "{camera} 5 %%"),
            ("one\\ntwo\nthree\tfour", "one\ntwo\nthree four"),
            ("a\\b", "a\\b"),
        ] {
            assert_eq!(fields(typed, "100%", "pi").unwrap(), right);
        }
    }

    #[test]
    fn wrong_values_are_refused_with_what_would_be_right() {
        let long = "x".repeat(MAX_LETTERS + 1);
        for (args, says) in [
            (["--overlay", "%q"], "--overlay \"%q\": %q is no field of a time; use fields of"),
            (["--overlay", "%H:%M:%S.%N"], "%N is no field of a time; use fields"),
            (["--overlay", "100%"], "or %%"),
            (["--overlay", "{fps}"], "{fps} is no name that is known here; use {camera}, {host}"),
            (["--overlay", "{host"], "the brace before \"host\" is not closed; use {camera}"),
            (["--overlay", &long], "at most 200 letters"),
            (["--overlay-position", "middle"], "use one of top-left, top, top-right, left, center"),
            (["--overlay-size", "huge"], "use small, medium, large, 1% to 25%, or 9px to 256px"),
            (["--overlay-size", "0%"], "use small"),
            (["--overlay-size", "26%"], "use small"),
            (["--overlay-size", "8px"], "use small"),
        ] {
            let error = format!("{:#}", config(&args).unwrap_err());
            assert!(error.contains(says), "{args:?}: {error}");
        }
    }

    #[test]
    fn nothing_is_drawn_without_a_text_and_sizes_follow_the_picture() {
        assert_eq!(config(&[]).unwrap(), None);
        assert_eq!(config(&["--overlay", ""]).unwrap(), None);
        let overlay = config(&["--overlay", "%T"]).unwrap().unwrap();
        assert_eq!(overlay.position, Position { across: Place::Start, down: Place::End });
        assert!(!overlay.has_box);
        assert_eq!((overlay.size.pixels(480), overlay.size.pixels(1080)), (19, 43));
        let pixels = |typed| TextSize::parse(typed).unwrap().pixels(1000);
        assert_eq!(["small", "large", "10%", "30px"].map(pixels), [25, 65, 100, 30]);
    }
}
