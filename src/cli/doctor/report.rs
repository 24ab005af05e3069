//! What was found, as aligned lines for people.

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

    /// What is well. The pieces of each text are put together as they are: here, once, as a
    /// string that is built where it is found takes more code.
    pub(super) fn ok(&mut self, what: &[&str]) {
        self.add("ok", what, &[]);
    }

    /// What may be meant as it is, and how to change it.
    pub(super) fn note(&mut self, what: &[&str], act: &[&str]) {
        self.add("note", what, act);
    }

    /// What is wrong and what that means, and the command or option that helps.
    pub(super) fn fault(&mut self, what: &[&str], act: &[&str]) {
        self.n_to_do += 1;
        self.add("to do", what, act);
    }

    /// The whole text, and how many findings ask for something.
    pub(super) fn end(self) -> (String, usize) {
        (self.text, self.n_to_do)
    }

    fn add(&mut self, mark: &str, what: &[&str], act: &[&str]) {
        let mut at = self.text.len();
        self.text += self.topic;
        self.fill(at, COLUMN - 7);
        self.text += mark;
        self.fill(at, COLUMN - 1);
        for word in what.concat().split_whitespace() {
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
            act.iter().for_each(|piece| self.text += piece);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_aligned_and_only_text_is_broken() {
        let mut report = Report::default();
        report.topic("port");
        report.ok(&["free"]);
        report.topic("camera");
        let command = "sudo x ".repeat(20);
        report.fault(&["It is broken. ", &"word ".repeat(20)], &[&command]);
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
