//! The tables of the guide's chapter on command lines of other programs.

use super::table::{Meaning, Row};

/// The options as a table in Markdown. Neighbours that mean the same share a row.
pub(super) fn table(rows: &[Row], dashes: &str) -> String {
    let mut text = String::from("| option | in mjpegd | |\n| --- | --- | --- |\n");
    for alike in rows.chunk_by(|a, b| meaning(a) == meaning(b)) {
        // A bar would end the cell.
        let usage = |row: &Row| format!("`{}`", row.usage(dashes).replace('|', "\\|"));
        let options = alike.iter().map(usage).collect::<Vec<_>>().join(", ");
        let (kind, text_of_it) = meaning(&alike[0]);
        text.push_str(&format!("| {options} | {kind} | {} |\n", code(text_of_it)));
    }
    text
}

fn meaning(row: &Row) -> (&'static str, &'static str) {
    match row.meaning {
        Meaning::Mapped(to, _) => ("is", to),
        Meaning::Prints(what, _) => ("prints", what),
        Meaning::Accepted(why) => ("accepted", why),
        Meaning::Refused(why) => ("refused", why),
    }
}

/// Options and sources of this program, set as code: an option with its value in
/// one piece.
pub(super) fn code(text: &str) -> String {
    let mut pieces: Vec<String> = Vec::new();
    let mut words = text.split(' ').peekable();
    while let Some(word) = words.next() {
        let is_option = word.starts_with("--");
        let is_value = |word: &&str| {
            word.len() > 1 && word.contains(['=', ':', '/', '_'])
                || word.starts_with(|c: char| c.is_ascii_uppercase())
        };
        let mut piece = word.to_owned();
        if is_option && !word.ends_with([',', ';']) {
            piece.extend(words.next_if(is_value).map(|value| format!(" {value}")));
        }
        let is_source = word.len() > 1 && word.contains(['=', ':', '/', '_']);
        let bare = piece.trim_end_matches([';', ',', ':']);
        let end = &piece[bare.len()..];
        pieces.push(if is_option || is_source { format!("`{bare}`{end}") } else { piece });
    }
    pieces.join(" ")
}
