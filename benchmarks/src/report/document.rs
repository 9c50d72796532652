//! Results as they are kept: every line of every turn, nothing summed up.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use durable_workloads::{Line, Result};
use serde::{Deserialize, Serialize};

use super::{chart, machine, table};

/// What was run, when, on what.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Document {
    /// `W1`, or `growth-steps`.
    pub(crate) name: String,
    /// The day and hour.
    pub(crate) date: String,
    /// The machine in words.
    pub(crate) machine: String,
    /// How many rounds.
    pub(crate) runs: usize,
    /// All that was measured, in order.
    pub(crate) lines: Vec<Line>,
}

impl Document {
    /// What was just run.
    pub(crate) fn new(name: impl Into<String>, runs: usize, lines: Vec<Line>) -> Result<Self> {
        let date = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        Ok(Self { name: name.into(), date, machine: machine::describe()?, runs, lines })
    }

    /// Writes it and its chart into a folder, and prints its tables.
    #[expect(clippy::print_stdout, reason = "the result of the program")]
    pub(crate) fn publish(&self, folder: &Path) -> Result {
        std::fs::create_dir_all(folder)?;
        let name = self.name.to_lowercase();
        std::fs::write(folder.join(format!("{name}.json")), serde_json::to_string_pretty(self)?)?;
        chart::draw(self, &folder.join(format!("{name}.svg")))?;
        println!("{}", table::in_full(self));
        Ok(())
    }

    /// The parts, in the order they were run.
    pub(crate) fn parts(&self) -> Vec<&str> {
        in_order(self.lines.iter().filter(|line| line.is_measured()).map(|line| line.part.as_str()))
    }

    /// The engines, in the order of their turns.
    pub(crate) fn engines(&self) -> Vec<&str> {
        in_order(self.lines.iter().map(|line| line.engine.as_str()))
    }

    /// All lines of an engine.
    pub(crate) fn of<'a>(&'a self, engine: &'a str) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(move |line| line.engine == engine)
    }

    /// In how many rounds an engine failed, and how it did first.
    pub(crate) fn failures(&self, engine: &str) -> Option<(usize, &str)> {
        let mut failures =
            self.lines.iter().filter(|line| line.engine == engine).filter_map(|line| line.failed.as_deref());
        let first = failures.next()?;
        Some((failures.count() + 1, first))
    }

    /// One figure of an engine.
    pub(crate) fn figure(&self, engine: &str, part: &str, figure: &str) -> Option<Spread> {
        let lines = self.of(engine).filter(|line| line.part == part);
        Spread::of(lines.filter_map(|line| line.figures.get(figure).copied()).collect())
    }

    /// The figures of a part, each with what every engine has reached.
    pub(crate) fn figures(&self, part: &str) -> BTreeMap<&str, Vec<(&str, Spread)>> {
        let mut figures = BTreeMap::<&str, Vec<(&str, Spread)>>::new();
        let lines = self.lines.iter().filter(|line| line.part == part);
        for name in in_order(lines.flat_map(|line| line.figures.keys().map(String::as_str))) {
            let reached = |engine| Some((engine, self.figure(engine, part, name)?));
            figures.insert(name, self.engines().into_iter().filter_map(reached).collect());
        }
        figures
    }

    /// The raw flush beside all of it.
    pub(crate) fn raw_flush(&self) -> Option<Spread> {
        Spread::of(self.lines.iter().filter(|line| line.is_measured()).map(|line| line.raw_flush_ms).collect())
    }

    /// The load average meanwhile.
    pub(crate) fn load(&self) -> Option<Spread> {
        Spread::of(self.lines.iter().map(|line| line.load_1min).collect())
    }
}

fn in_order<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

/// Median, least and most of some runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Of these values, if there is one.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let upper = *values.get(middle)?;
        let lower = if values.len().is_multiple_of(2) { *values.get(middle.saturating_sub(1))? } else { upper };
        Some(Self { median: f64::midpoint(lower, upper), least, most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_between_the_two_in_the_middle() {
        let spread = Spread::of(vec![4.0, 1.0, 2.0, 10.0]);
        assert_eq!(spread, Some(Spread { median: 3.0, least: 1.0, most: 10.0 }));
        assert_eq!(Spread::of(Vec::new()), None);
    }
}
