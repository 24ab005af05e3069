//! `--help` in the names of another program, made from its table.

use super::table::{Meaning, Row};

/// The options with what they mean here, for people.
pub(super) fn options(rows: &[Row], dashes: &str) -> String {
    let mut text = String::from("\nOptions, and what they are to mjpegd:\n");
    for row in rows {
        let meaning = match &row.meaning {
            Meaning::Mapped(to, _) => (*to).to_owned(),
            Meaning::Prints(what, _) => format!("prints {what}"),
            Meaning::Accepted(why) => format!("accepted, without effect: {why}"),
            Meaning::Refused(why) => format!("refused: {why}"),
        };
        text.push_str(&format!("  {}\n        {meaning}\n", row.usage(dashes)));
    }
    text.push_str(
        "\n  --print-config\n        print the same as a command line of mjpegd and as a file for it\n",
    );
    text
}
