//! The letters, as strokes on a grid of units.
//!
//! `glyphs.txt` has a line for each drawn letter. A stroke is a word of points, two characters
//! each: x as a digit of base 36, y as a letter from A, the bottom of `g`, over G, the base
//! line, and S, the top of `x`, to Y, the top of `X`. The stroke passes through points in
//! capitals and is bent by those in small letters, as the quadratic curves of TrueType are: two
//! of these in a row have a point of the stroke between them. A word `|a` sets the width.
//!
//! `same.txt` has pairs: a letter, and the one that looks the same. `composed.txt` has triples:
//! a letter, its base and its mark.

const GLYPHS: &str = include_str!("glyphs.txt");
const SAME: &str = include_str!("same.txt");
const COMPOSED: &str = include_str!("composed.txt");

/// The box that stands for a letter that the font lacks.
const MISSING: &str = "0G0YaYaG0G";

pub(super) const X_HEIGHT: f32 = 12.0;
pub(super) const CAP_HEIGHT: f32 = 18.0;
pub(super) const DESCENDER: f32 = -6.0;

/// A point of a stroke, in units from the left end of the base line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: f32,
    pub(super) y: f32,
    /// Whether the stroke passes through it; otherwise it bends the stroke.
    pub(super) is_on: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Glyph {
    pub(super) strokes: Vec<Vec<Point>>,
    pub(super) width: f32,
}

impl Glyph {
    /// What is drawn for a letter: the missing box if the font lacks it.
    pub(super) fn new(letter: char) -> Self {
        Self::find(letter).unwrap_or_else(|| Self::parse(MISSING))
    }

    pub(super) fn find(letter: char) -> Option<Self> {
        if letter == ' ' {
            return Some(Self { strokes: Vec::new(), width: 4.0 });
        }
        let drawn =
            |letter| GLYPHS.lines().find_map(|line| line.strip_prefix(letter)?.strip_prefix(' '));
        if let Some(text) = drawn(letter) {
            return Some(Self::parse(text));
        }
        let [_, same] = find_group(SAME, letter).unwrap_or([letter; 2]);
        if same != letter {
            return Self::find(same);
        }
        let [_, base, mark] = find_group(COMPOSED, letter)?;
        Some(Self::find(base)?.with_mark(mark, Self::parse(drawn(mark)?)))
    }

    fn parse(text: &str) -> Self {
        let mut glyph = Self::default();
        let mut width = None;
        for word in text.split(' ') {
            match word.strip_prefix('|') {
                Some(digits) => width = digits.chars().next().map(digit),
                None => glyph.strokes.push(stroke(word)),
            }
        }
        glyph.width = width.unwrap_or_else(|| glyph.extent(|point| point.x).1);
        glyph
    }

    fn points(&self) -> impl Iterator<Item = &Point> {
        self.strokes.iter().flatten()
    }

    /// The least and the greatest coordinate.
    fn extent(&self, of: fn(&Point) -> f32) -> (f32, f32) {
        self.points().map(of).fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(v), high.max(v)))
    }

    fn moved(mut self, x: f32, y: f32) -> Self {
        for point in self.strokes.iter_mut().flatten() {
            (point.x, point.y) = (point.x + x, point.y + y);
        }
        self
    }

    /// This letter with an accent or another mark, which are drawn for small letters.
    fn with_mark(mut self, letter: char, mark: Self) -> Self {
        let top = self.extent(|point| point.y).1;
        let up = if top > X_HEIGHT + 1.0 { CAP_HEIGHT - X_HEIGHT } else { 0.0 };
        let centre = ((self.width - mark.width) / 2.0).round();
        let (x, y) = match letter {
            '¸' | 'ˏ' => (centre, 0.0),
            '˛' => (self.width - mark.width, 0.0),
            'ˈ' => (self.width, up),
            'ʼ' => (self.width + 2.0, 0.0),
            // Greek puts this accent before a capital letter.
            '΄' if up > 0.0 => (-4.0, 0.0),
            _ => (centre, up),
        };
        self.strokes.extend(mark.moved(x, y).strokes);
        let (left, right) = self.extent(|point| point.x);
        self.width = right.max(self.width) - left.min(0.0);
        self.moved(-left.min(0.0), 0.0)
    }
}

/// The group of `N` letters that begins with this one.
fn find_group<const N: usize>(groups: &str, letter: char) -> Option<[char; N]> {
    let mut letters = groups.chars().filter(|c| *c != '\n');
    loop {
        let mut group = [letters.next()?; N];
        for other in &mut group[1..] {
            *other = letters.next()?;
        }
        if group[0] == letter {
            return Some(group);
        }
    }
}

fn stroke(word: &str) -> Vec<Point> {
    let mut letters = word.chars();
    let mut points = Vec::new();
    while let (Some(x), Some(y)) = (letters.next(), letters.next()) {
        // The letter A is digit 10 of base 36, and lies 6 units below the base line.
        points.push(Point { x: digit(x), y: digit(y) - 16.0, is_on: y.is_ascii_uppercase() });
    }
    points
}

fn digit(letter: char) -> f32 {
    letter.to_digit(36).and_then(|n| u8::try_from(n).ok()).map_or(0.0, f32::from)
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use super::*;

    const ALPHABETS: [(&str, RangeInclusive<char>); 5] = [
        ("ASCII", ' '..='~'),
        ("Latin-1", '\u{a0}'..='ÿ'),
        ("Latin Extended-A", 'Ā'..='ſ'),
        ("Greek", 'Α'..='ώ'),
        ("Cyrillic", 'Ѐ'..='џ'),
    ];
    /// Not assigned in the Greek block.
    const NO_LETTER: char = '\u{3a2}';
    const SINGLE: &str = "ΆΈΉΊΌΎΏΐҐґȘșȚț–—‘’“”„•…‹›€№←↑→↓−°µ";

    fn all() -> impl Iterator<Item = char> {
        let letters = ALPHABETS.into_iter().flat_map(|(_, letters)| letters);
        letters.filter(|letter| *letter != NO_LETTER).chain(SINGLE.chars())
    }

    #[test]
    fn every_letter_of_the_alphabets_is_drawn() {
        let missing: String = all().filter(|letter| Glyph::find(*letter).is_none()).collect();
        assert_eq!(missing, "");
        assert!(all().all(|letter| Glyph::new(letter) != Glyph::parse(MISSING)));
        assert_eq!(Glyph::new('漢'), Glyph::parse(MISSING));
    }

    #[test]
    fn letters_of_an_alphabet_differ_from_each_other() {
        for (name, letters) in ALPHABETS {
            let letters = letters.filter(|letter| *letter != NO_LETTER);
            let drawn: Vec<_> = letters.map(|letter| (letter, Glyph::new(letter))).collect();
            for (i, (letter, glyph)) in drawn.iter().enumerate() {
                let twin = drawn[..i].iter().find(|(_, other)| other == glyph);
                assert_eq!(twin, None, "{letter} of {name}");
            }
        }
        for [a, b] in [['З', '3'], ['О', '0'], ['І', '1'], ['б', '6'], ['β', 'ß'], ['-', '–']]
        {
            assert_ne!(Glyph::new(a), Glyph::new(b));
        }
    }

    #[test]
    fn strokes_stay_within_the_line_and_the_width() {
        for letter in all() {
            let glyph = Glyph::new(letter);
            for point in glyph.points() {
                assert!((0.0..=glyph.width).contains(&point.x), "{letter}: {point:?}");
                assert!((-7.0..=25.0).contains(&point.y), "{letter}: {point:?}");
            }
            let ends_on = |stroke: &Vec<Point>| stroke[0].is_on && stroke[stroke.len() - 1].is_on;
            assert!(glyph.strokes.iter().all(ends_on), "{letter} has an open curve");
        }
    }

    #[test]
    fn digits_have_one_width() {
        assert!(('0'..='9').all(|digit| Glyph::new(digit).width == 10.0));
    }

    #[test]
    fn tables_have_whole_groups_and_no_letter_twice() {
        let letters = |table: &str| table.chars().filter(|c| *c != '\n').count();
        assert_eq!((letters(SAME) % 2, letters(COMPOSED) % 3), (0, 0));
        for line in GLYPHS.lines() {
            let letter = line.chars().next().unwrap();
            assert_eq!(find_group::<2>(SAME, letter), None, "{letter}");
            assert_eq!(find_group::<3>(COMPOSED, letter), None, "{letter}");
        }
    }
}
