//! Tables of a document.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::Value;

use super::document::{Document, Spread};

/// All that a document says, for a terminal.
pub(super) fn in_full(document: &Document) -> String {
    let mut text = heading(document);
    for part in document.parts() {
        let mut table = figures(document, part);
        let _ = writeln!(text, "\n{part}\n{}", table.load_style(presets::UTF8_BORDERS_ONLY));
    }
    for note in notes(document) {
        let _ = writeln!(text, "  {note}");
    }
    text
}

fn heading(document: &Document) -> String {
    let Document { name, date, machine, runs, .. } = document;
    let (raw, load) = (document.raw_flush(), document.load());
    let mut text = format!("{name}, {runs} rounds in turn, {date}\n{machine}\n");
    if let (Some(raw), Some(load)) = (raw, load) {
        let _ = writeln!(text, "raw append and fdatasync {} ms, load average {}", shown(raw), shown(load));
    }
    text
}

/// A row for each figure and engine: median, least and most, and how many times better the first engine is.
pub(crate) fn figures(document: &Document, part: &str) -> Table {
    let mut table = Table::new();
    table.set_header(["figure", "engine", "median", "min – max", "the first is better by"]);
    for (figure, engines) in document.figures(part) {
        let ours = engines.first().map(|(_, spread)| spread.median);
        for (index, (engine, spread)) in engines.iter().enumerate() {
            let ratio = ours.filter(|_| index > 0).and_then(|ours| better_by(figure, ours, spread.median));
            let range = format!("{} – {}", number(spread.least), number(spread.most));
            let ratio = ratio.map_or_else(String::new, |ratio| format!("{} ×", number(ratio)));
            let name = if index == 0 { figure } else { "" };
            table.add_row([name.to_owned(), (*engine).to_owned(), number(spread.median), range, ratio]);
        }
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// How many times better the first is: of rates more is better, of all else less.
pub(crate) fn better_by(figure: &str, first: f64, second: f64) -> Option<f64> {
    let (better, worse) = if figure.contains("_per_s") { (first, second) } else { (second, first) };
    (better > 0.0 && worse > 0.0).then(|| better / worse)
}

/// What each engine was set to, what it ran, what it cannot do.
pub(crate) fn notes(document: &Document) -> Vec<String> {
    let mut notes = Vec::new();
    for engine in document.engines() {
        let mut options = BTreeMap::new();
        for line in document.of(engine).filter(|line| line.failed.is_none()) {
            options.entry(line.part.as_str()).or_insert(line);
        }
        let failed = document
            .failures(engine)
            .map(|(rounds, why)| format!("failed in {rounds} of {} rounds: {why}", document.runs));
        let Some(line) = options.values().next() else {
            notes.extend(failed.map(|failed| format!("{engine}: {failed}")));
            continue;
        };
        let ran: Vec<String> = options.values().map(|line| words(&line.options)).collect();
        let mut note = format!("{engine} {}: {}; ran {}", line.version, words(&line.settings), ran.join("; "));
        if line.build != "release" {
            note.push_str("; NOT A RELEASE BUILD");
        }
        let says = [line.cannot.as_deref().map(|why| format!("cannot: {why}")), failed, line.remark.clone()];
        for says in says.into_iter().flatten() {
            let _ = write!(note, "; {says}");
        }
        notes.push(note);
    }
    notes
}

/// JSON as a person reads it.
fn words(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{} {}", name.replace('_', " "), words(value))).collect();
            fields.join(", ")
        }
        Value::Array(values) => values.iter().map(words).collect::<Vec<_>>().join(" and "),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The median, and between which figures it lies.
pub(crate) fn shown(spread: Spread) -> String {
    if spread.least == spread.most {
        return number(spread.median);
    }
    format!("{} ({} – {})", number(spread.median), number(spread.least), number(spread.most))
}

/// Three digits that count.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 1_000.0 => thousands(value),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_that_count_and_thousands_apart() {
        let shown: Vec<String> = [0.0, 0.1234, 1.234, 56.78, 999.4, 1_234_567.0].map(number).into();
        assert_eq!(shown, ["0", "0.123", "1.23", "56.8", "999", "1,234,567"]);
    }

    #[test]
    fn of_rates_more_is_better_and_of_times_less() {
        assert_eq!(better_by("orchestrations_per_s", 300.0, 100.0), Some(3.0));
        assert_eq!(better_by("p50_ms", 2.0, 8.0), Some(4.0));
        assert_eq!(better_by("lost", 0.0, 0.0), None);
    }
}
