//! Which servers are measured in which browsers, and in which order.

use std::thread;

use anyhow::{Result, anyhow};

use crate::browser::{Desk, Kind};
use crate::cell::{self, Ages, Cell};
use crate::picture::Pictures;
use crate::report::Report;
use crate::subject::{Subject, Tools};

/// Pictures a second. At the lowest rate a part that is shown only when the
/// next one begins is a second late.
pub(crate) const RATES: [u32; 4] = [1, 10, 30, 60];
/// The rates at which the other servers are measured.
const RATES_OF_OTHERS: [u32; 2] = [1, 30];
/// At most this number of pictures a second hardly loads the machine, so all browsers
/// are measured at the same time.
const LIGHT: u32 = 1;

/// What is to be measured.
pub(crate) struct Plan<'a> {
    pub(crate) pictures: &'a Pictures,
    pub(crate) tools: &'a Tools,
    pub(crate) seconds: u64,
    /// Parts of names. Empty: everything.
    pub(crate) only: Vec<String>,
}

impl Plan<'_> {
    pub(crate) fn measure(&self, rate: u32, desks: &[Desk], report: &mut Report) {
        if rate > LIGHT {
            let all = desks.iter().flat_map(|desk| self.at(desk, rate));
            all.for_each(|(cell, ages)| report.add(cell, ages));
            return;
        }
        let all = thread::scope(|scope| {
            let threads: Vec<_> =
                desks.iter().map(|desk| scope.spawn(move || self.at(desk, rate))).collect();
            threads
                .into_iter()
                .filter_map(|thread| thread.join().ok())
                .flatten()
                .collect::<Vec<_>>()
        });
        all.into_iter().for_each(|(cell, ages)| report.add(cell, ages));
    }

    fn is_wanted(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| name.contains(only.as_str()))
    }

    /// Whether anything is measured in this browser.
    pub(crate) fn wants(&self, browser: Kind) -> bool {
        let at = |rate| !self.cells(browser, rate).is_empty();
        RATES.into_iter().any(at) || !self.first_cells(browser).is_empty()
    }

    fn subjects(&self) -> impl Iterator<Item = Subject> {
        let pages = (0..self.tools.pages.len()).map(Subject::PageOf);
        Subject::ALL.into_iter().chain(pages).filter(|subject| self.tools.has(*subject))
    }

    /// What is measured in one browser at one rate.
    fn cells(&self, browser: Kind, rate: u32) -> Vec<Cell> {
        let is_due = |subject: &Subject| subject.is_own() || RATES_OF_OTHERS.contains(&rate);
        let subjects = self.subjects().filter(is_due);
        let cells = subjects.map(|subject| Cell { rate, browser, subject });
        cells.filter(|cell| self.is_wanted(&cell.to_string())).collect()
    }

    fn first_cells(&self, browser: Kind) -> Vec<Cell> {
        let subjects = self.subjects().filter(Subject::is_own);
        let cells = subjects.map(|subject| Cell { rate: cell::FIRST_RATE, browser, subject });
        let name = |cell: &Cell| format!("first, {:?}, {}", cell.browser, cell.subject.name());
        cells.filter(|cell| self.is_wanted(&name(cell))).collect()
    }

    /// All servers in turn in one browser.
    fn at(&self, desk: &Desk, rate: u32) -> Vec<(Cell, Result<Ages>)> {
        let measure = |cell: Cell| {
            let ages = cell.measure(desk, self.pictures, self.tools, self.seconds);
            println!(
                "  {cell}: {}",
                ages.as_ref().map_or_else(|e| format!("{e:#}"), Ages::to_string)
            );
            (cell, ages)
        };
        self.cells(desk.kind, rate).into_iter().map(measure).collect()
    }

    pub(crate) fn first_pictures(&self, desks: &[Desk], report: &mut Report) {
        for desk in desks {
            // In turn, so that what else the machine does is shared.
            for _ in 0..cell::N_FIRST {
                for cell in self.first_cells(desk.kind) {
                    let time = cell.first_picture(desk, self.pictures, self.tools);
                    let time = time.map_err(|e| anyhow!("{cell}, first picture: {e:#}"));
                    report.add_first(cell, time);
                }
            }
        }
    }
}
