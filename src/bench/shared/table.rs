//! The printed table of results.

use std::fmt;

use crate::shared::numbers::Series;
use crate::shared::results::Results;

/// Rows in the order of measurement.
pub(crate) struct Table {
    rows: Vec<[String; N_COLUMNS]>,
}

const N_COLUMNS: usize = 7;
const HEAD: [&str; N_COLUMNS] =
    ["what", "mjpegd", "limit", "limit-threads", "goal", "holds", "spread, remarks"];

/// One row.
#[derive(Default)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) mjpegd: String,
    pub(crate) limit: String,
    pub(crate) limit_threads: String,
    pub(crate) goal: String,
    pub(crate) holds: Option<bool>,
    pub(crate) remark: String,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self { rows: vec![HEAD.map(String::from)] }
    }

    pub(crate) fn add(&mut self, row: Row) {
        let holds = match row.holds {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "",
        };
        let Row { what, mjpegd, limit, limit_threads, goal, remark, .. } = row;
        self.rows.push([what, mjpegd, limit, limit_threads, goal, holds.into(), remark]);
    }

    /// Adds a figure of the daemon whose goal is at most `goal`.
    pub(crate) fn at_most(&mut self, what: &str, figure: f64, goal: f64, unit: &str, remark: &str) {
        self.add(Row {
            what: what.into(),
            mjpegd: short(figure, unit),
            goal: format!("<= {}", short(goal, unit)),
            holds: Some(figure <= goal),
            remark: remark.into(),
            ..Row::default()
        });
    }

    /// Adds a figure of the daemon whose goal is at least `goal`.
    pub(crate) fn at_least(
        &mut self,
        what: &str,
        figure: f64,
        goal: f64,
        unit: &str,
        remark: &str,
    ) {
        self.add(Row {
            what: what.into(),
            mjpegd: short(figure, unit),
            goal: format!(">= {}", short(goal, unit)),
            holds: Some(figure >= goal),
            remark: remark.into(),
            ..Row::default()
        });
    }

    /// Adds the ratio of the daemon to a bare loop, with its goal if there is
    /// one.
    pub(crate) fn ratio(&mut self, what: &str, ratios: &Series, goal: Option<f64>) {
        let (median, spread) = (ratios.median(), ratios.spread());
        match goal {
            Some(goal) => self.at_most(what, median, goal, "x", &spread),
            None => self.add(Row {
                what: what.into(),
                mjpegd: short(median, "x"),
                remark: spread,
                ..Row::default()
            }),
        }
    }
}

impl Table {
    /// The daemon's figures by the names of their rows. That of an indented row begins
    /// with the row above that it belongs to, and that of a ratio with its quantity.
    pub(crate) fn results(&self) -> Results {
        let (mut results, mut group, mut quantity) = (Results::default(), "", String::new());
        for [what, mjpegd, ..] in &self.rows[1..] {
            let name = match what.strip_prefix("  ") {
                Some(ratio) if ratio.starts_with("x ") => format!("{quantity}: {ratio}"),
                Some(part) => format!("{group}: {part}"),
                None => what.clone(),
            };
            if !what.starts_with("  ") {
                group = what;
            }
            if !what.starts_with("  x ") {
                quantity.clone_from(&name);
            }
            // The unit stands in the text around.
            results.add(name, mjpegd.split(' ').next().unwrap_or_default());
        }
        results
    }
}

/// A figure with its significant digits and its unit.
fn short(figure: f64, unit: &str) -> String {
    let digits = if figure.fract() == 0.0 || figure.abs() >= 100.0 { 0 } else { 2 };
    format!("{figure:.digits$} {unit}").trim_end().into()
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&aligned(&self.rows))
    }
}

/// The text of a table. Its first row is the head. Columns without an entry are left out: not
/// every benchmark has bare loops.
pub(crate) fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let widest = |column: usize, rows: &[[String; N]]| {
        rows.iter().map(|row| row[column].len()).max().unwrap_or(0)
    };
    let used = (0..N).filter(|column| widest(*column, rows.get(1..).unwrap_or_default()) > 0);
    let columns: Vec<_> = used.map(|column| (column, widest(column, rows))).collect();
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        let cells: Vec<_> =
            columns.iter().map(|&(column, width)| format!("{:width$}", row[column])).collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
        if at == 0 {
            text += &"-".repeat(columns.iter().map(|(_, width)| width + 2).sum());
            text.push('\n');
        }
    }
    text
}
