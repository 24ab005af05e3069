//! Draws the picture that viewers see while the camera is lost.

use std::time::SystemTime;

use crate::camera::{Canvas, Colour};
use crate::text::Face;

pub(super) const QUALITY: u8 = 80;
const TITLE: &str = "No picture";
/// On anything smaller, text cannot be read.
const SMALLEST: (u16, u16) = (160, 120);

/// The size in a JPEG's header may be up to 65535 x 65535, and drawing that many
/// pixels would take 12 GB. A browser scales the picture anyway.
const LARGEST: (u16, u16) = (1920, 1080);

/// A dark picture with the cause, and since when the camera is lost.
pub(super) fn draw(size: (u16, u16), cause: &str, since: SystemTime) -> Canvas {
    let (width, height) =
        (size.0.clamp(SMALLEST.0, LARGEST.0), size.1.clamp(SMALLEST.1, LARGEST.1));
    let mut canvas = Canvas::new(width, height, Colour::rgb(24, 28, 36));
    // About 55 letters fit into a line at any size.
    let size = u16::try_from(canvas.width() / 32).unwrap_or(u16::MAX);
    let (mut title, mut face) = (Face::new(size * 2), Face::new(size));
    let margin = face.height() / 2;
    let room = canvas.width() - 2 * margin;
    let since = format!("since {}", humantime::format_rfc3339_seconds(since));
    let mut lines = wrap(cause, room, &mut face);
    lines.push(String::new());
    lines.extend(wrap(&since, room, &mut face));
    let mut y = canvas.height() / 5;
    canvas.text(margin, y, &mut title, TITLE, Colour::WHITE);
    y += title.height() + face.height() / 2;
    for line in lines {
        canvas.text(margin, y, &mut face, &line, Colour::rgb(255, 196, 84));
        y += face.height();
    }
    canvas
}

/// Breaks a text at its blanks into lines of at most `room` pixels. A longer word,
/// such as a path, is broken anywhere.
fn wrap(text: &str, room: usize, face: &mut Face) -> Vec<String> {
    let mut width = |text: &str| face.width(text);
    let (blank, mut lines, mut used) = (width(" "), vec![String::new()], 0);
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        let needed = width(word);
        if used > 0 && used + blank + needed <= room {
            line.push(' ');
            used += blank;
        } else if used > 0 {
            lines.push(String::new());
            used = 0;
        }
        for letter in word.chars() {
            let needed = width(letter.encode_utf8(&mut [0; 4]));
            if used > 0 && used + needed > room {
                lines.push(String::new());
                used = 0;
            }
            lines.last_mut().expect("there is always a line").push(letter);
            used += needed;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_blanks_and_long_words_anywhere() {
        let mut face = Face::new(20);
        let room = face.width("00000000");
        // Digits have the same width, other letters have not.
        assert_eq!(wrap("00 0000 000", room, &mut face), ["00 0000", "000"]);
        assert_eq!(wrap("00 000000000000", room, &mut face), ["00", "00000000", "0000"]);
        assert_eq!(wrap("iiiiiiiiii", room, &mut face), ["iiiiiiiiii"]);
        assert_eq!(wrap("", room, &mut face), [""]);
    }

    #[test]
    fn any_size_and_any_cause_can_be_drawn() {
        for size in [(1, 1), (64, 48), (640, 480), (1920, 1080)] {
            for cause in ["", "gone", &"x".repeat(3000)] {
                let canvas = draw(size, cause, SystemTime::now());
                assert!(canvas.width() >= usize::from(size.0));
            }
        }
    }

    #[test]
    fn claimed_size_takes_no_more_memory_than_a_screen() {
        let canvas = draw((u16::MAX, u16::MAX), "lost", SystemTime::UNIX_EPOCH);
        assert_eq!((canvas.width(), canvas.height()), (1920, 1080));
    }
}
