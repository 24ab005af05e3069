//! Draws the picture that viewers see while the camera is lost.

use std::time::SystemTime;

use crate::camera::{Canvas, Colour};

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
    // Scaled so that about 40 letters fit into a line at any size.
    let scale = (canvas.width() / 320).max(1);
    let margin = 8 * scale;
    let n_letters = (canvas.width() - 2 * margin) / Canvas::text_width(scale, " ");
    let since = format!("since {}", humantime::format_rfc3339_seconds(since));
    let mut lines = wrap(cause, n_letters);
    lines.push(String::new());
    lines.extend(wrap(&since, n_letters));
    let step = Canvas::text_height(scale) * 3 / 2;
    let mut y = canvas.height() / 4;
    canvas.text(margin, y, 2 * scale, TITLE, Colour::WHITE);
    y += 3 * Canvas::text_height(scale);
    for line in lines {
        canvas.text(margin, y, scale, &line, Colour::rgb(255, 196, 84));
        y += step;
    }
    canvas
}

/// Breaks a text at its blanks into lines of at most `n` letters. A longer word,
/// such as a path, is broken anywhere.
fn wrap(text: &str, n: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        loop {
            let line = lines.last_mut().expect("there is always a line");
            let used = line.chars().count();
            let blank = usize::from(used > 0);
            if used + blank + word.len() <= n {
                line.extend([" "].iter().take(blank).copied());
                line.extend(word);
                break;
            }
            if used == 0 {
                line.extend(word.drain(..n));
            }
            lines.push(String::new());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_blanks_and_long_words_anywhere() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("/a/very/long/path is", 8), ["/a/very/", "long/pat", "h is"]);
        assert_eq!(wrap("", 8), [""]);
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
