//! Figures by name, for the guide: `make bench-all` writes them into it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The folder of the figures. Without it they are printed only.
const FOLDER: &str = "BENCH_RESULTS";

/// Figures of one benchmark.
#[derive(Default)]
pub(crate) struct Results(Vec<(String, String)>);

impl Results {
    pub(crate) fn add(&mut self, name: impl Into<String>, figure: impl Into<String>) {
        self.0.push((name.into(), figure.into()));
    }

    /// Writes them to a file, if there is a folder for it, instead of those of before.
    ///
    /// # Errors The file cannot be written.
    pub(crate) fn keep(&self, bench: &str) -> Result<()> {
        let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return Ok(()) };
        fs::create_dir_all(&folder)?;
        let date = Command::new("date").arg("+%-d %B %Y").env("LC_ALL", "C").output()?.stdout;
        let mut text = format!("date\t{}\n", String::from_utf8_lossy(&date).trim());
        text.extend(self.0.iter().map(|(name, figure)| format!("{name}\t{figure}\n")));
        let file = folder.join(bench);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    }

    /// The same for a part of a benchmark: figures of before that it did not measure stay.
    ///
    /// # Errors The file cannot be read or written.
    pub(crate) fn keep_part(&self, bench: &str) -> Result<()> {
        let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return Ok(()) };
        let before = match fs::read_to_string(folder.join(bench)) {
            Err(e) if e.kind() == ErrorKind::NotFound => String::new(),
            before => before?,
        };
        let mut all = Self(self.0.clone());
        for line in before.lines() {
            let (name, figure) = line.split_once('\t').context("a line without a figure")?;
            if name != "date" && all.get(name).is_none() {
                all.add(name, figure);
            }
        }
        all.keep(bench)
    }

    /// Reads what [`Results::keep`] wrote: the name of each figure begins with its
    /// benchmark's.
    ///
    /// # Errors A file cannot be read.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut all = Self::default();
        for file in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            let file = file?;
            let bench = file.file_name().to_string_lossy().into_owned();
            for line in fs::read_to_string(file.path())?.lines() {
                let (name, figure) = line.split_once('\t').context("a line without a figure")?;
                all.add(format!("{bench}: {name}"), figure);
            }
        }
        Ok(all)
    }

    /// Adds the least and the most of the figures that are wanted, if there are any, as `bench: least
    /// what` and `bench: most what`.
    pub(crate) fn add_range(&mut self, bench: &str, what: &str, is_wanted: impl Fn(&str) -> bool) {
        let wanted = self.0.iter().filter(|(name, _)| name.starts_with(bench) && is_wanted(name));
        let mut figures: Vec<(f64, String)> =
            wanted.filter_map(|(_, figure)| Some((figure.parse().ok()?, figure.clone()))).collect();
        figures.sort_by(|a, b| a.0.total_cmp(&b.0));
        if let [(_, least), .., (_, most)] = &figures[..] {
            self.add(format!("{bench}: least {what}"), least.clone());
            self.add(format!("{bench}: most {what}"), most.clone());
        }
    }

    /// Whether there is a figure whose name begins so.
    pub(crate) fn has(&self, start: &str) -> bool {
        self.0.iter().any(|(name, _)| name.starts_with(start))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, figure)| figure.as_str())
    }
}
