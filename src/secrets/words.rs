//! The words of a command line or of a sentence, with their quotes.

use std::ops::Range;

/// A word, up to the next blank outside of quotes.
pub(super) struct Word {
    pub(super) range: Range<usize>,
    /// What is inside of each pair of quotes.
    quoted: Vec<Range<usize>>,
}

impl Word {
    /// The word without quotes around the whole of it.
    pub(super) fn content(&self) -> Range<usize> {
        match &self.quoted[..] {
            [inner] if inner.start == self.range.start + 1 && inner.end + 1 == self.range.end => {
                inner.clone()
            }
            _ => self.range.clone(),
        }
    }

    /// Where the quotes end that this place is in; `None`: it is in none.
    pub(super) fn end_of_quotes(&self, at: usize) -> Option<usize> {
        self.quoted.iter().find(|inner| inner.start <= at && at <= inner.end).map(|inner| inner.end)
    }
}

/// Splits a text as a shell does. A quote that is never closed, or stands inside
/// of a word as in "it's", is a letter like any other.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut before = ' ';
    let mut rest = text.char_indices();
    while let Some((at, c)) = rest.next() {
        if c.is_whitespace() {
            words.extend(word.take());
            before = c;
            continue;
        }
        let word = word.get_or_insert(Word { range: at..at, quoted: Vec::new() });
        let opens = matches!(c, '"' | '\'') && !before.is_alphanumeric();
        let mut end = at + c.len_utf8();
        before = c;
        if let Some(inner) = opens.then(|| closing(&text[end..], c)).flatten() {
            word.quoted.push(end..end + inner);
            end += inner + 1;
            rest = text.char_indices();
            // Goes on behind the closing quote.
            rest.by_ref().take_while(|(at, _)| at + 1 < end).for_each(drop);
        }
        word.range.end = end;
    }
    words.extend(word);
    words
}

/// How far the closing quote is; one behind a backslash does not close.
fn closing(text: &str, quote: char) -> Option<usize> {
    let is_escaped = |at: usize| quote == '"' && text[..at].ends_with('\\');
    text.match_indices(quote).map(|(at, _)| at).find(|at| !is_escaped(*at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_shell() {
        for (text, expected) in [
            ("a  b", &["a", "b"][..]),
            ("a 'b c' d", &["a", "'b c'", "d"]),
            ("x=\"b c\" 'd", &["x=\"b c\"", "'d"]),
            ("it's a dog's", &["it's", "a", "dog's"]),
            ("\"a \\\" b\" c", &["\"a \\\" b\"", "c"]),
            ("\u{e9}'\u{e9} b' c", &["\u{e9}'\u{e9}", "b'", "c"]),
            ("", &[]),
        ] {
            let found: Vec<_> = words(text).into_iter().map(|w| &text[w.range]).collect();
            assert_eq!(found, expected, "{text}");
        }
        let words = words("'b c' \"d\"e");
        assert_eq!((words[0].content(), words[1].content()), (1..4, 6..10));
        assert_eq!((words[0].end_of_quotes(2), words[1].end_of_quotes(9)), (Some(4), None));
    }
}
