//! The text over the pictures of a camera, drawn again only when it changes.

use std::time::SystemTime;

use crate::config::{OverlayConfig, Place};
use crate::frame::since_epoch;
use crate::jpeg::Stamp;
use crate::local_time;
use crate::text::Face;

/// How far the box darkens the picture, of 255.
const BOX_ALPHA: u8 = 160;
/// The sides of the box lie between the blocks of the picture, also where colour has half the
/// resolution: so all that changes is the box.
const BLOCK: usize = 16;
const SMALLEST: u16 = 9;

/// The text over the pictures of a camera.
pub(super) struct Overlay {
    config: OverlayConfig,
    drawn: Drawn,
}

/// The text as it was drawn last.
struct Drawn {
    text: String,
    /// Of the pictures.
    size: (u16, u16),
    /// When it was last compared with the time.
    second: Option<u64>,
    letters: Letters,
    x: usize,
    y: usize,
    pixels: Pixels,
}

/// The font at the size of the text.
struct Letters {
    size: u16,
    face: Face,
    edge: Face,
    /// How far the edge reaches around the letters.
    reach: u8,
}

#[derive(Default)]
struct Pixels {
    width: usize,
    height: usize,
    luma: Vec<u8>,
    alpha: Vec<u8>,
}

impl Overlay {
    /// Draws nothing yet.
    pub(super) fn new(config: OverlayConfig) -> Self {
        let drawn = Drawn {
            text: String::new(),
            size: (0, 0),
            second: None,
            letters: Letters::new(SMALLEST),
            x: 0,
            y: 0,
            pixels: Pixels::default(),
        };
        Self { config, drawn }
    }

    /// The text for a picture of this size, which was taken at this time.
    pub(super) fn stamp(&mut self, size: (u16, u16), at: SystemTime) -> Stamp<'_> {
        let second = Some(since_epoch(at).as_secs());
        if (self.drawn.size, self.drawn.second) != (size, second) {
            let text = local_time::format(&self.config.fields, at);
            if self.drawn.size != size || self.drawn.text != text {
                self.drawn.text = text;
                self.drawn.size = size;
                self.draw();
            }
            self.drawn.second = second;
        }
        let Drawn { x, y, pixels: Pixels { width, height, luma, alpha }, .. } = &self.drawn;
        Stamp { x: *x, y: *y, width: *width, height: *height, luma, alpha }
    }

    fn draw(&mut self) {
        let drawn = &mut self.drawn;
        let lines: Vec<_> = drawn.text.split('\n').collect();
        let (width, height) = (usize::from(drawn.size.0), usize::from(drawn.size.1));
        let wanted = self.config.size.pixels(drawn.size.1);
        let text_width = drawn.letters.fit(&lines, wanted, width);
        let letters = &mut drawn.letters;
        let text_height = letters.face.height() * lines.len();
        let (is_boxed, reach) = (self.config.has_box, usize::from(letters.reach));
        // Lines have room above and below their letters, which is enough for the box.
        let border = if is_boxed { (letters.border(), 0) } else { (reach, reach) };
        let whole = |length: usize| if is_boxed { length.next_multiple_of(BLOCK) } else { length };
        let pixels = &mut drawn.pixels;
        pixels.clear(whole(text_width + 2 * border.0), whole(text_height + 2 * border.1));
        // What is left over by whole blocks is shared by both sides.
        let (left, top) = ((pixels.width - text_width) / 2, (pixels.height - text_height) / 2);
        for (i, line) in lines.iter().enumerate() {
            let free = text_width - letters.face.width(line).min(text_width);
            let x = left + self.config.position.across.offset(free, 0);
            let y = top + i * letters.face.height();
            pixels.cover(Layer::Luma, &mut letters.face, line, (x, y));
            if !is_boxed {
                pixels.cover(Layer::Alpha, &mut letters.edge, line, (x - reach, y - reach));
            }
        }
        if is_boxed {
            pixels.alpha.fill(BOX_ALPHA);
        }
        pixels.mix();
        let gap = usize::from(letters.size) / 2;
        let start = |place: Place, free: usize| match (is_boxed, place.offset(free, gap)) {
            (false, at) => at,
            // Away from the nearest side, so that gaps are alike.
            (true, at) if place == Place::Start => at.next_multiple_of(BLOCK).min(free),
            (true, at) => at - at % BLOCK,
        };
        drawn.x = start(self.config.position.across, width.saturating_sub(pixels.width));
        drawn.y = start(self.config.position.down, height.saturating_sub(pixels.height));
    }
}

impl Place {
    /// How much of what is free lies before it, with `gap` to the nearest end.
    fn offset(self, free: usize, gap: usize) -> usize {
        match self {
            Self::Start => gap.min(free),
            Self::Middle => free / 2,
            Self::End => free - gap.min(free),
        }
    }
}

impl Letters {
    fn new(size: u16) -> Self {
        let reach = u8::try_from(size / 16 + 1).unwrap_or(u8::MAX);
        let face = Face::new(size);
        Self { size, edge: face.outline(reach), face, reach }
    }

    /// What is left free on both sides of the text.
    fn border(&self) -> usize {
        usize::from(self.reach) + usize::from(self.size) / 4
    }

    /// Takes the wanted size, or the largest below it at which the text fits into the width,
    /// and returns the width of the text.
    fn fit(&mut self, lines: &[&str], wanted: u16, width: usize) -> usize {
        let mut size = wanted.max(SMALLEST);
        loop {
            if self.size != size {
                *self = Self::new(size);
            }
            let text_width = lines.iter().map(|line| self.face.width(line)).max().unwrap_or(0);
            let room = width.saturating_sub(2 * self.border());
            if text_width <= room || size == SMALLEST {
                return text_width;
            }
            // In proportion, so that a long text at a large size takes few attempts.
            let fits = usize::from(size) * room / text_width;
            size = u16::try_from(fits).unwrap_or(u16::MAX).clamp(SMALLEST, size - 1);
        }
    }
}

/// What is covered by letters, and what by their edge, until both are mixed.
#[derive(Clone, Copy)]
enum Layer {
    Luma,
    Alpha,
}

impl Pixels {
    fn clear(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        for layer in [&mut self.luma, &mut self.alpha] {
            layer.clear();
            layer.resize(width * height, 0);
        }
    }

    fn cover(&mut self, layer: Layer, face: &mut Face, text: &str, at: (usize, usize)) {
        let width = self.width;
        let layer = match layer {
            Layer::Luma => &mut self.luma,
            Layer::Alpha => &mut self.alpha,
        };
        face.draw(text, &mut |x, y, row| {
            let start = (at.1 + y) * width + at.0 + x;
            for (pixel, value) in layer.iter_mut().skip(start).zip(row) {
                *pixel = (*pixel).max(*value);
            }
        });
    }

    /// White letters over what is dark behind them.
    fn mix(&mut self) {
        for (luma, alpha) in self.luma.iter_mut().zip(&mut self.alpha) {
            let (letter, dark) = (u32::from(*luma), u32::from(*alpha));
            let whole = letter + dark * (255 - letter) / 255;
            let share = (letter * 255).checked_div(whole).unwrap_or(0);
            *luma = u8::try_from(share).unwrap_or(u8::MAX);
            *alpha = u8::try_from(whole).unwrap_or(u8::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{Position, TextSize};

    const NOON: SystemTime = SystemTime::UNIX_EPOCH;

    fn overlay(fields: &str, across: Place, down: Place, has_box: bool) -> Overlay {
        let position = Position { across, down };
        let size = TextSize::Share(40);
        Overlay::new(OverlayConfig { fields: fields.into(), position, size, has_box })
    }

    #[test]
    fn text_lies_where_it_is_wanted_and_inside() {
        use Place::{End, Middle, Start};
        for has_box in [false, true] {
            for (across, down) in
                [Start, Middle, End].map(|a| [Start, Middle, End].map(|d| (a, d))).concat()
            {
                for size in [(640, 480), (1920, 1080), (176, 144), (100, 77)] {
                    let mut overlay = overlay("12:34", across, down, has_box);
                    let stamp = overlay.stamp(size, NOON);
                    let (width, height) = (usize::from(size.0), usize::from(size.1));
                    assert!(stamp.x + stamp.width <= width && stamp.y + stamp.height <= height);
                    let thirds = |at: usize, of: usize| at * 3 / of;
                    let middle = (stamp.x + stamp.width / 2, stamp.y + stamp.height / 2);
                    let place =
                        |p: Place| [Start, Middle, End].iter().position(|q| *q == p).unwrap();
                    if size.0 >= 640 {
                        assert_eq!(thirds(middle.0, width), place(across));
                        assert_eq!(thirds(middle.1, height), place(down));
                    }
                    assert_eq!(stamp.luma.len(), stamp.width * stamp.height);
                    assert_eq!(stamp.alpha.len(), stamp.luma.len());
                }
            }
        }
    }

    #[test]
    fn text_is_drawn_again_only_when_it_or_the_picture_changes() {
        let mut overlay = overlay("%H:%M", Place::Start, Place::End, true);
        let mut drawn = |size, seconds| {
            overlay.drawn.pixels.luma.iter_mut().for_each(|luma| *luma = 77);
            let stamp = overlay.stamp(size, NOON + Duration::from_secs(seconds));
            stamp.luma.iter().any(|luma| *luma != 77)
        };
        assert!(drawn((640, 480), 0));
        assert!(!drawn((640, 480), 0));
        assert!(!drawn((640, 480), 59));
        assert!(drawn((640, 480), 60));
        assert!(drawn((320, 240), 60));
    }

    #[test]
    fn long_text_is_made_smaller_until_it_fits() {
        let mut short = overlay("1", Place::Start, Place::End, false);
        let mut long = overlay(&"long text ".repeat(8), Place::Start, Place::End, false);
        assert_eq!(short.stamp((640, 480), NOON).height, long.stamp((1900, 480), NOON).height);
        let stamp = long.stamp((640, 480), NOON);
        assert!(stamp.x + stamp.width <= 640 && long.drawn.letters.size < 19);
        // Nothing smaller can be read: the rest is cut off.
        assert!(long.stamp((64, 48), NOON).width > 64);
        assert_eq!(long.drawn.letters.size, SMALLEST);
    }

    #[test]
    fn lines_lie_below_each_other_and_at_their_side() {
        let mut overlay = overlay("HHHH\nH", Place::End, Place::Start, false);
        let stamp = overlay.stamp((640, 480), NOON);
        let lowest = stamp.luma.chunks(stamp.width).rev().find(|row| row.contains(&255)).unwrap();
        assert!(lowest[..stamp.width / 2].iter().all(|luma| *luma == 0));
        assert!(lowest[stamp.width / 2..].contains(&255));
    }

    #[test]
    fn letters_are_white_and_what_is_behind_them_dark() {
        for has_box in [false, true] {
            let mut overlay = overlay("I", Place::Start, Place::End, has_box);
            let stamp = overlay.stamp((640, 480), NOON);
            let pixels: Vec<_> = stamp.luma.iter().zip(stamp.alpha).collect();
            assert!(pixels.contains(&(&255, &255)), "the letter");
            let dark = if has_box { BOX_ALPHA } else { 255 };
            assert!(pixels.contains(&(&0, &dark)), "behind it");
            assert_eq!(pixels.contains(&(&0, &0)), !has_box, "the picture");
        }
    }
}
