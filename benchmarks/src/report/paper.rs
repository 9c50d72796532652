//! `PERFORMANCE.md`, from the results that are kept. No number in it is typed by hand.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use comfy_table::{Table, presets};
use durable_workloads::{Line, Result};

use super::chart::headline;
use super::document::Document;
use super::table::{better_by, notes, number, shown};
use super::targets;

/// Where results are, and where the page goes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// The results: JSON and charts
    #[arg(long, default_value = "benchmarks/results")]
    results: PathBuf,
    /// The page
    #[arg(long, default_value = "PERFORMANCE.md")]
    page: PathBuf,
}

impl Arguments {
    /// The page of the project, or another, from these results.
    pub(crate) fn new(results: PathBuf, page: Option<PathBuf>) -> Self {
        Self { results, page: page.unwrap_or_else(|| "PERFORMANCE.md".into()) }
    }
}

/// What each document is about, in the order of the page.
const ABOUT: &[(&str, &str, &str)] = &[
    (
        "W1",
        "W1: latency",
        "One orchestration with one activity, one after another: from the start call to the result in the caller's hands.",
    ),
    ("W2", "W2: throughput", "Orchestrations of three activities in sequence, at most 256 in flight."),
    ("W3", "W3: fan-out", "Fan-out and join: one instance of 1,000 activities, and ten of 100."),
    ("W4", "W4: chain", "A chain of activities in one instance: the time for each at every length."),
    (
        "W5",
        "W5: timers",
        "Orchestrations that sleep a second, started together; then as many asleep for long while nothing happens.",
    ),
    ("W6", "W6: events", "Instances that wait for an event: one to each in a burst, then one by one."),
    ("W7", "W7: continue-as-new", "Continue-as-new, again and again."),
    (
        "W8",
        "W8: waiting instances",
        "Waiting instances: memory and disk of each, and how soon one, and all, go on after a restart.",
    ),
    ("W9", "W9: kill -9", "`kill -9` in the middle of W2, then a restart on the same store."),
    (
        "P1",
        "P1: commits",
        "Commits of a turn each (three events of 200 bytes, a message taken and one put, a change of the metadata), by so many \
         committers; beside bare appends and bare sled in group commit, of the same bytes.",
    ),
    ("growth-steps", "Growth: steps", "Time for a step after so many events of history."),
    ("growth-open", "Growth: open instances", "W2 beside so many instances that wait."),
    ("growth-fan-out", "Growth: fan-out", "One fan-out of so many activities."),
    (
        "growth-waiting",
        "Growth: waiting instances",
        "Memory and disk of each of so many waiting instances: not in memory between turns (evicted), and in memory.",
    ),
    (
        "growth-restart",
        "Growth: restart",
        "From opening the store until it is open, and until one of so many waiting instances has ended.",
    ),
    ("growth-disk", "Growth: disk", "Disk of each finished instance of W2: as left, compacted, deleted and compacted."),
    ("growth-idle", "Growth: idle", "Processor time with so many sleeping instances."),
    (
        "growth-replay",
        "Growth: cold replay",
        "After a restart, an event for an instance with so many events: it is read and replayed before it goes on.",
    ),
    (
        "open",
        "Opening",
        "A store with so many keys, closed, and opened by another process: how long that takes, and the memory of that process; \
         then once more.",
    ),
    (
        "space",
        "Space",
        "The disk after so many commits of the turn of P1, by instances that are deleted at their end, but for one in ten; then \
         closed, and compacted.",
    ),
    ("turn", "One turn", "What one turn costs, independent of the mood of the machine: a step of a chain in memory."),
];

/// Writes the page.
pub(crate) fn report(arguments: &Arguments) -> Result {
    let mut documents = Vec::new();
    for (name, ..) in ABOUT {
        let file = arguments.results.join(format!("{}.json", name.to_lowercase()));
        if let Ok(text) = std::fs::read(&file) {
            documents.push(serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", file.display()))?);
        }
    }
    if documents.is_empty() {
        return Err(format!("no results in `{}`; `durable-bench all` makes them", arguments.results.display()).into());
    }
    Ok(std::fs::write(&arguments.page, page(&documents, &arguments.results)?)?)
}

fn page(documents: &[Document], results: &Path) -> Result<String> {
    let limits = text("limits.md")?;
    let mut text = text("method.md")?;
    machines(&mut text, documents)?;
    let verdicts = targets::judge(documents);
    let mut table = markdown(["figure", "target", "reached", ""]);
    for verdict in verdicts {
        let met = if verdict.met { "met" } else { "**not met**" };
        table.add_row([verdict.what, verdict.bound, verdict.reached, met.to_owned()]);
    }
    writeln!(text, "\n## Targets\n\nMedians; flushes are those measured beside each run.\n\n{table}")?;
    for document in documents {
        section(&mut text, document, results)?;
    }
    writeln!(text, "\n## What limits us now\n\n{}", limits.trim())?;
    Ok(text)
}

/// What stands above the figures, and below them: texts without numbers.
fn text(name: &str) -> Result<String> {
    let file = Path::new("benchmarks").join(name);
    std::fs::read_to_string(&file).map_err(|error| {
        format!("`{}` cannot be read; run this in the folder of the project: {error}", file.display()).into()
    })
}

fn machines(text: &mut String, documents: &[Document]) -> Result {
    let mut machines: Vec<&str> = documents.iter().map(|document| document.machine.as_str()).collect();
    machines.dedup();
    let dates = documents.iter().map(|document| document.date.as_str());
    let (first, last) = (dates.clone().min().unwrap_or_default(), dates.max().unwrap_or_default());
    writeln!(text, "\n## Machine\n\nMeasured from {first} to {last}.")?;
    machines.iter().try_for_each(|machine| writeln!(text, "- {machine}"))?;
    Ok(())
}

fn section(text: &mut String, document: &Document, results: &Path) -> Result {
    let (title, about) =
        ABOUT.iter().find(|(name, ..)| *name == document.name).map_or(("", ""), |(_, title, about)| (title, about));
    writeln!(text, "\n## {title}\n\n{about}\n")?;
    if let (Some(raw), Some(load)) = (document.raw_flush().filter(|raw| raw.median > 0.0), document.load()) {
        let (runs, date) = (document.runs, document.date.as_str());
        let rounds = if runs == 1 { "round" } else { "rounds" };
        writeln!(text, "{runs} {rounds}; raw flush {} ms; load average {}; {date}.\n", shown(raw), shown(load))?;
    }
    writeln!(text, "{}\n", engines(document))?;
    let name = document.name.to_lowercase();
    if results.join(format!("{name}.svg")).is_file() {
        writeln!(text, "![{name}]({}/{name}.svg)\n", results.display())?;
    }
    for note in notes(document) {
        writeln!(text, "- {note}")?;
    }
    Ok(())
}

/// A row for each part and engine, a column for each figure.
fn engines(document: &Document) -> Table {
    let figures: Vec<&str> = document.parts().into_iter().flat_map(|part| document.figures(part).into_keys()).fold(
        Vec::new(),
        |mut seen, figure| {
            if !seen.contains(&figure) {
                seen.push(figure);
            }
            seen
        },
    );
    let headline = headline(&document.name);
    let mut header = vec!["".to_owned(), "engine".to_owned()];
    header.extend(figures.iter().map(|figure| figure.replace('_', " ")));
    let several = document.engines().len() > 1;
    if several {
        let first = document.engines().first().copied().unwrap_or_default();
        header.push(format!("{first} is better in {} by", headline.replace('_', " ")));
    }
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    for part in document.parts() {
        let ours = document.engines().first().and_then(|ours| document.figure(ours, part, headline));
        for (index, engine) in document.engines().into_iter().enumerate() {
            let cells: Vec<String> = figures
                .iter()
                .map(|figure| document.figure(engine, part, figure).map_or_else(String::new, shown))
                .collect();
            if cells.iter().all(String::is_empty) {
                continue;
            }
            let mut row = vec![part.to_owned(), engine.to_owned()];
            row.extend(cells);
            if several {
                let theirs = document.figure(engine, part, headline);
                let ratio = ours.zip(theirs).filter(|_| index > 0);
                let ratio = ratio.and_then(|(ours, theirs)| better_by(headline, ours.median, theirs.median));
                row.push(ratio.map_or_else(String::new, |ratio| format!("{} ×", number(ratio))));
            }
            table.add_row(row);
        }
    }
    for engine in document.engines() {
        let measured = document.of(engine).any(Line::is_measured);
        if let Some((_, why)) = document.failures(engine).filter(|_| !measured) {
            table.add_row([String::new(), engine.to_owned(), format!("failed: {why}")]);
        }
    }
    table
}

fn markdown<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    table
}

#[cfg(test)]
mod tests {
    use durable_workloads::{About, Figures};
    use serde_json::json;

    use super::*;

    fn line(engine: &str) -> Line {
        let about = About { engine: engine.to_owned(), version: "1".to_owned(), settings: json!({}) };
        let figures = Figures::from([("orchestrations_per_s".to_owned(), 40.0)]);
        Line::new("W2", about, json!({}), std::time::Duration::from_micros(200), figures)
    }

    fn failed(engine: &str) -> Line {
        Line::failed("W2", engine, "database is locked".to_owned())
    }

    #[test]
    fn who_fails_has_a_row_that_says_so_and_who_failed_once_a_note() {
        let lines =
            vec![line("ours"), failed("tuned"), line("default"), line("ours"), failed("tuned"), failed("default")];
        let document = Document::new("W2", 2, lines).unwrap();
        let rows = engines(&document).to_string();
        let row = |engine: &str| rows.lines().find(|row| row.contains(&format!("| {engine} "))).unwrap().to_owned();
        assert!(row("tuned").contains("failed: database is locked"), "{rows}");
        assert!(row("default").contains("40.0") && !row("default").contains("failed"), "{rows}");
        let notes = notes(&document);
        assert!(notes.contains(&"tuned: failed in 2 of 2 rounds: database is locked".to_owned()), "{notes:?}");
        assert!(notes.iter().any(|note| note.starts_with("default 1") && note.contains("failed in 1 of 2 rounds")));
    }
}
