//! A chart of the figure that a workload is about: a bar for each engine, a thin line from the least to the most.

use std::path::Path;

use durable_workloads::Result;
use plotters::coord::Shift;
use plotters::prelude::{
    Color as _, DrawingArea, IntoDrawingArea as _, IntoFont as _, PathElement, RGBColor, Rectangle, SVGBackend, Text,
    WHITE,
};

use super::document::{Document, Spread};
use super::table::number;

const WIDTH: i32 = 860;
const ROW: i32 = 26;
const HEADING: i32 = 34;
/// Where bars begin, and how long the longest is.
const LEFT: i32 = 210;
const LENGTH: i32 = 480;
const OURS: RGBColor = RGBColor(0x1f, 0x6f, 0xb5);
const PEER: RGBColor = RGBColor(0xb8, 0xbe, 0xc6);
const INK: RGBColor = RGBColor(0x22, 0x26, 0x2b);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Bars under a heading: what each is of, and whether it is ours.
struct Section<'a> {
    heading: &'a str,
    bars: Vec<(&'a str, Spread, RGBColor)>,
}

/// The figure that a document is about.
pub(crate) fn headline(name: &str) -> &'static str {
    match name {
        "W1" => "p50_ms",
        "W2" | "growth-open" => "orchestrations_per_s",
        "P1" => "commits_per_s",
        "W3" => "total_ms",
        "W4" | "growth-steps" | "growth-fan-out" => "ms_per_activity",
        "W5" => "late_p50_ms",
        "W6" => "events_per_s",
        "W7" => "ms_per_generation",
        "W8" | "growth-restart" => "restart_first_progress_ms",
        "W9" => "first_progress_ms",
        "growth-waiting" => "resident_bytes_each_evicted",
        "growth-disk" => "disk_bytes_per_instance",
        "open" => "first_open_ms",
        "space" => "disk_mib",
        "turn" => "instructions_per_turn",
        "growth-idle" => "idle_cpu_percent_of_a_core",
        _ => "replay_ms",
    }
}

/// Draws it. The scale is logarithmic where engines are apart by factors.
pub(super) fn draw(document: &Document, path: &Path) -> Result {
    let figure = headline(&document.name);
    let sections = if document.name.starts_with(['W', 'P', 'o', 's']) {
        by_part(document, figure)
    } else {
        by_engine(document, figure)
    };
    let rows: usize = sections.iter().map(|section| section.bars.len()).sum();
    let height = HEADING * (1 + i32::try_from(sections.len())?) + ROW * i32::try_from(rows)?;
    let size = (u32::try_from(WIDTH)?, u32::try_from(height)?);
    let root = SVGBackend::new(path, size).into_drawing_area();
    root.fill(&WHITE)?;
    let better = if figure.contains("_per_s") { "more is better" } else { "less is better" };
    let scale = Scale::of(sections.iter().flat_map(|section| section.bars.iter().map(|(_, spread, _)| *spread)));
    let kind = if scale.is_logarithmic() { "; logarithmic" } else { "" };
    let title = format!("{}: {} ({better}{kind})", document.name, figure.replace('_', " "));
    write(&root, &title, (12, 10), 17)?;
    let mut top = HEADING;
    for section in &sections {
        write(&root, section.heading, (12, top + 8), 14)?;
        top += if section.heading.is_empty() { 8 } else { HEADING };
        for (label, spread, colour) in &section.bars {
            bar(&root, top, label, *spread, scale, *colour)?;
            top += ROW;
        }
    }
    Ok(root.present()?)
}

/// Engines side by side, for each part.
fn by_part<'a>(document: &'a Document, figure: &str) -> Vec<Section<'a>> {
    let section = |heading| {
        let engines = document.engines().into_iter();
        let bars = engines.filter_map(|engine| {
            let colour = if engine.starts_with("durable-runtime") { OURS } else { PEER };
            Some((engine, document.figure(engine, heading, figure)?, colour))
        });
        Section { heading, bars: bars.collect() }
    };
    document.parts().into_iter().map(section).collect()
}

/// Parts side by side, for each engine: what grows.
fn by_engine<'a>(document: &'a Document, figure: &str) -> Vec<Section<'a>> {
    let section = |heading| {
        let parts = document.parts().into_iter();
        let bars = parts.filter_map(|part| Some((part, document.figure(heading, part, figure)?, OURS)));
        Section { heading, bars: bars.collect() }
    };
    document.engines().into_iter().map(section).collect()
}

fn bar(root: &Area<'_>, top: i32, label: &str, spread: Spread, scale: Scale, colour: RGBColor) -> Result {
    let (end, least, most) = (scale.at(spread.median), scale.at(spread.least), scale.at(spread.most));
    write(root, label, (12, top + 4), 13)?;
    root.draw(&Rectangle::new([(LEFT, top + 2), (end, top + ROW - 6)], colour.filled()))?;
    let middle = top + ROW / 2 - 2;
    root.draw(&PathElement::new(vec![(least, middle), (most, middle)], INK))?;
    write(root, &number(spread.median), (most.max(end) + 8, top + 4), 13)
}

fn write(root: &Area<'_>, text: &str, at: (i32, i32), size: i32) -> Result {
    Ok(root.draw(&Text::new(text.to_owned(), at, ("sans-serif", size).into_font().color(&INK)))?)
}

/// From figures to places on a line: by their logarithms, if they are far apart.
#[derive(Debug, Clone, Copy)]
struct Scale {
    least: f64,
    most: f64,
}

impl Scale {
    /// Begins a little below the least, so that its bar can be seen.
    fn of(spreads: impl Iterator<Item = Spread>) -> Self {
        let (mut least, mut most) = (f64::MAX, f64::MIN_POSITIVE);
        for spread in spreads {
            least = least.min(spread.least.max(0.001));
            most = most.max(spread.most);
        }
        Self { least: least / 2.0, most: most.max(least) }
    }

    fn is_logarithmic(self) -> bool {
        self.most > 20.0 * self.least
    }

    #[expect(clippy::cast_possible_truncation, reason = "a place on the picture")]
    fn at(self, value: f64) -> i32 {
        let part = if self.is_logarithmic() {
            (value.max(self.least) / self.least).ln() / (self.most / self.least).ln()
        } else {
            value / self.most
        };
        LEFT + (part * f64::from(LENGTH)) as i32
    }
}
