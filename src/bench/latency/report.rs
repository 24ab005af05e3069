//! The tables of `make bench-latency`.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Result;

use crate::cell::{Ages, CAMERA_STARTS, Cell, First};
use crate::shared::numbers::Series;
use crate::shared::results::Results;
use crate::shared::table::aligned;
use crate::subject::Subject;

/// One picture of a display, and what a server may add to it.
const MOST_ABOVE_FLOOR_MS: f64 = 1000.0 / 60.0 + 2.0;
const MOST_TO_FIRST_MS: f64 = 250.0;

/// All that was measured.
#[derive(Default)]
pub(crate) struct Report {
    /// A round each.
    ages: BTreeMap<Cell, Vec<Ages>>,
    first: BTreeMap<Cell, Vec<First>>,
    remarks: Vec<String>,
    pub(crate) n_failed: usize,
}

/// The medians of all rounds, in milliseconds.
struct Figures {
    p50: f64,
    p99: f64,
    arrived: f64,
    browser: f64,
    shown: f64,
}

impl Report {
    pub(crate) fn add(&mut self, cell: Cell, ages: Result<Ages>) {
        match ages {
            Ok(ages) => self.ages.entry(cell).or_default().push(ages),
            Err(e) => self.fail(format!("{cell}: {e:#}")),
        }
    }

    pub(crate) fn add_first(&mut self, cell: Cell, time: Result<First>) {
        match time {
            Ok(time) => self.first.entry(cell).or_default().push(time),
            Err(e) => self.fail(format!("{e:#}")),
        }
    }

    fn fail(&mut self, why: String) {
        self.n_failed += 1;
        self.remark(why);
    }

    pub(crate) fn remark(&mut self, text: String) {
        self.remarks.push(text);
    }

    fn figures(&self, cell: Cell) -> Option<Figures> {
        let rounds = self.ages.get(&cell)?;
        let median =
            |figure: fn(&Ages) -> f64| rounds.iter().map(figure).collect::<Series>().median();
        Some(Figures {
            p50: median(|ages| ages.seen.median()),
            p99: median(|ages| ages.seen.percentile(99)),
            arrived: median(|ages| ages.arrived.median()),
            browser: median(|ages| ages.browser.median()),
            shown: median(|ages| ages.shown) * 100.0,
        })
    }

    /// How much later than the floor's its pictures are seen: median and p99, medians of all rounds.
    fn above_floor(&self, cell: Cell) -> Option<(f64, f64)> {
        let floor = self.ages.get(&Cell { subject: Subject::Floor, ..cell })?;
        let rounds = || self.ages.get(&cell).into_iter().flatten().zip(floor);
        let median = |figure: fn(&Ages) -> f64| {
            rounds().map(|(ages, floor)| figure(ages) - figure(floor)).collect::<Series>().median()
        };
        Some((median(|ages| ages.seen.median()), median(|ages| ages.seen.percentile(99))))
    }
}

impl Report {
    /// The figures by name, for the guide.
    pub(crate) fn results(&self) -> Results {
        let mut results = Results::default();
        let is_kept = |cell: &&Cell| !matches!(cell.subject, Subject::PageOf(_));
        for cell in self.ages.keys().filter(is_kept) {
            let Some(figures) = self.figures(*cell) else { continue };
            let Figures { p50, p99, arrived, browser, shown } = figures;
            results.add(format!("{cell}: p50"), format!("{p50:.0}"));
            results.add(format!("{cell}: p99"), format!("{p99:.0}"));
            results.add(format!("{cell}: at a client"), format!("{arrived:.1}"));
            results.add(format!("{cell}: browser"), format!("{browser:.0}"));
            results.add(format!("{cell}: shown"), format!("{shown:.0}"));
        }
        for (cell, times) in self.first.iter().filter(|(cell, _)| is_kept(cell)) {
            let median = times.iter().map(|first| first.seen).collect::<Series>().median();
            results.add(format!("{cell}: first picture"), format!("{median:.0}"));
        }
        results
    }

    fn table(&self) -> String {
        let mut rows = vec![
            [
                "fps, browser, server",
                "p50 ms",
                "p99 ms",
                "shown %",
                "at a client",
                "in the browser",
                "above floor p50 / p99",
                "goal",
            ]
            .map(String::from),
        ];
        for cell in self.ages.keys() {
            let Some(f) = self.figures(*cell) else { continue };
            let above = self.above_floor(*cell).filter(|_| cell.subject != Subject::Floor);
            let is_ours = cell.subject.is_own();
            let holds =
                above.filter(|_| is_ours).map(|(p50, p99)| p50.max(p99) <= MOST_ABOVE_FLOOR_MS);
            rows.push([
                cell.to_string(),
                format!("{:.1}", f.p50),
                format!("{:.1}", f.p99),
                format!("{:.0}", f.shown),
                format!("{:.2}", f.arrived),
                format!("{:.1}", f.browser),
                above.map_or(String::new(), |(p50, p99)| format!("{p50:+.1} / {p99:+.1}")),
                holds.map_or("", |holds| if holds { "yes" } else { "NO" }).into(),
            ]);
        }
        aligned(&rows)
    }

    fn first_table(&self) -> String {
        let head =
            format!("click to the first picture, camera of {} ms", CAMERA_STARTS.as_millis());
        let mut rows = vec![
            [head.as_str(), "median ms", "lowest..highest", "camera started after", "goal"]
                .map(String::from),
        ];
        for (cell, times) in &self.first {
            let camera: Series = times.iter().map(|first| first.camera).collect();
            let times: Series = times.iter().map(|first| first.seen).collect();
            let is_ours = cell.subject != Subject::Floor;
            let holds = if times.median() <= MOST_TO_FIRST_MS { "yes" } else { "NO" };
            rows.push([
                format!("{:?}, {}", cell.browser, cell.subject.name()),
                format!("{:.0}", times.median()),
                times.spread(),
                format!("{:.0}", camera.median()),
                if is_ours { holds.into() } else { String::new() },
            ]);
        }
        aligned(&rows)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\nFrom the capture until it is on the display; goal: {MOST_ABOVE_FLOOR_MS:.1} ms above the floor"
        )?;
        write!(f, "{}", self.table())?;
        writeln!(f, "\nGoal: {MOST_TO_FIRST_MS} ms")?;
        write!(f, "{}", self.first_table())?;
        self.remarks.iter().try_for_each(|remark| writeln!(f, "{remark}"))
    }
}
