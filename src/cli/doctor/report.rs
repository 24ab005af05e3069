//! What was found, as aligned lines for people.

use std::fmt::Display;

/// Where the text of a finding begins.
const COLUMN: usize = 17;
/// Where its lines are broken. A command is never broken.
const WIDTH: usize = 96;

/// All findings so far.
#[derive(Default)]
pub(super) struct Report {
    topic: &'static str,
    text: String,
    n_to_do: usize,
}

impl Report {
    /// The findings from now on are of this topic.
    pub(super) fn topic(&mut self, topic: &'static str) {
        self.topic = topic;
    }

    /// What is well. In each text an `@` stands for the next of the values: strings that are put
    /// together where something is found take twice the code.
    pub(super) fn ok(&mut self, text: &str, values: &[&str]) {
        self.add("ok", text, values);
    }

    /// What may be meant as it is, and behind a line end how to change it.
    pub(super) fn note(&mut self, text: &str, values: &[&str]) {
        self.add("note", text, values);
    }

    /// What is wrong and what that means, and behind a line end the command or option that
    /// helps.
    pub(super) fn fault(&mut self, text: &str, values: &[&str]) {
        self.n_to_do += 1;
        self.add("to do", text, values);
    }

    /// The whole text, and how many findings ask for something.
    pub(super) fn end(self) -> (String, usize) {
        (self.text, self.n_to_do)
    }

    fn add(&mut self, mark: &str, text: &str, values: &[&str]) {
        let (what, act) = text.split_once('\n').unwrap_or((text, ""));
        let mut values = values.iter();
        let (what, act) = (fill_in(what, &mut values), fill_in(act, &mut values));
        let mut at = self.text.len();
        self.text += self.topic;
        self.fill(at, COLUMN - 7);
        self.text += mark;
        self.fill(at, COLUMN - 1);
        for word in what.split_whitespace() {
            if self.text.len() - at + word.len() >= WIDTH {
                self.text.push('\n');
                at = self.text.len();
                self.fill(at, COLUMN - 1);
            }
            self.text.push(' ');
            self.text += word;
        }
        self.text.push('\n');
        if !act.is_empty() {
            at = self.text.len();
            self.fill(at, COLUMN);
            self.text += "-> ";
            self.text += &act;
            self.text.push('\n');
        }
    }

    /// Appends blanks up to a column of the line that began at `at`.
    fn fill(&mut self, at: usize, column: usize) {
        while self.text.len() < at + column {
            self.text.push(' ');
        }
    }
}

/// A value as text. Never freed, as the program is about to end: code that frees strings, also
/// behind a panic, would be a fifth of this room.
pub(super) fn text(value: &dyn Display) -> &'static str {
    value.to_string().leak()
}

/// A text with values in the places of `@`.
fn fill_in(text: &str, values: &mut std::slice::Iter<'_, &str>) -> String {
    let mut whole = String::new();
    for (i, piece) in text.split('@').enumerate() {
        if i > 0 {
            whole += values.next().copied().unwrap_or_default();
        }
        whole += piece;
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_aligned_and_only_text_is_broken() {
        let mut report = Report::default();
        report.topic("port");
        report.ok("@", &["free"]);
        report.topic("camera");
        let command = "sudo x ".repeat(20);
        report.fault("It is broken. @\n@", &[&"word ".repeat(20), &command]);
        let due = format!(
            "port      ok     free\n\
             camera    to do  It is broken.{}\n{}{}\n{}-> {command}\n",
            " word".repeat(13),
            " ".repeat(16),
            " word".repeat(7),
            " ".repeat(17),
        );
        assert_eq!(report.end(), (due, 1));
    }
}
