//! What the figures are to be, and whether they are.

use super::document::{Document, Spread};
use super::table::{better_by, number};

/// A figure and what it is held against.
struct Target {
    document: &'static str,
    /// How the name of the engine ends; empty for the one that has the first turn.
    engine: &'static str,
    part: &'static str,
    figure: &'static str,
    bound: Bound,
}

enum Bound {
    AtMost(f64),
    AtLeast(f64),
    /// So many raw flushes and so many milliseconds more.
    Flushes(f64, f64),
    /// So many times better than the engine whose name begins so.
    Better(&'static str, f64),
    /// At most so many times the same figure of another part.
    Flat(&'static str, f64),
    /// At least so many times the same figure of another part.
    Grows(&'static str, f64),
}

const fn target(document: &'static str, part: &'static str, figure: &'static str, bound: Bound) -> Target {
    Target { document, engine: "", part, figure, bound }
}

/// A target for one of the stores.
const fn of(engine: &'static str, target: Target) -> Target {
    let Target { document, part, figure, bound, .. } = target;
    Target { document, engine, part, figure, bound }
}

const OPEN_RESTING: &str = "1000000 keys, nothing waits";
const OPEN_WAITING: &str = "1000000 keys, a message due for each instance";

const TARGETS: &[Target] = &[
    target("W1", "", "p50_ms", Bound::Flushes(3.0, 0.3)),
    target("W1", "", "p50_ms", Bound::Better("restate", 4.0)),
    target("W1", "", "p50_ms", Bound::Better("duroxide tuned", 12.0)),
    target("W2", "", "orchestrations_per_s", Bound::AtLeast(2_500.0)),
    target("W2", "", "cpu_ms_per_orchestration", Bound::AtMost(0.5)),
    target("W2", "", "orchestrations_per_s", Bound::Better("restate", 3.0)),
    target("W2", "", "orchestrations_per_s", Bound::Better("duroxide", 25.0)),
    target("W3", "1 x 1000 activities", "total_ms", Bound::Better("restate", 3.0)),
    target("W3", "1 x 1000 activities", "total_ms", Bound::Better("duroxide", 40.0)),
    target("W4", "5000 activities", "ms_per_activity", Bound::Flushes(2.0, 0.1)),
    target("W4", "5000 activities", "ms_per_activity", Bound::Flat("200 activities", 1.1)),
    target("W4", "5000 activities", "ms_per_activity", Bound::Better("restate", 2.0)),
    target("W4", "1000 activities", "ms_per_activity", Bound::Better("duroxide", 30.0)),
    target("W5", "", "late_p99_ms", Bound::AtMost(20.0)),
    target("W5", "", "idle_cpu_percent_of_a_core", Bound::AtMost(0.5)),
    target("W6", "", "events_per_s", Bound::Better("restate", 3.0)),
    target("W7", "", "ms_per_generation", Bound::Flushes(2.0, 0.1)),
    target("growth-waiting", "100000 waiting", "resident_bytes_each_evicted", Bound::AtMost(1_024.0)),
    target("growth-restart", "100000 waiting", "restart_first_progress_ms", Bound::AtMost(2_000.0)),
    target("growth-disk", "10000 finished", "disk_bytes_per_instance", Bound::AtMost(8_192.0)),
    target("growth-disk", "10000 finished", "disk_bytes_per_instance_compacted", Bound::AtMost(3_072.0)),
    target("W9", "", "first_progress_ms", Bound::AtMost(1_000.0)),
    target("W9", "", "lost", Bound::AtMost(0.0)),
    target("W9", "", "doubled_completions", Bound::AtMost(0.0)),
    target("P1", "64 committers", "part_of_bare_sled_per_s", Bound::AtLeast(0.6)),
    target("P1", "64 committers", "commits_per_s", Bound::Grows("1 committers", 4.0)),
    of("sqlite", target("P1", "64 committers", "commits_per_s", Bound::Grows("1 committers", 4.0))),
    of("fs", target("P1", "1 committers", "commits_per_s", Bound::Better("durable-runtime sled", 1.0))),
    of("fs", target("P1", "64 committers", "commits_per_s", Bound::Better("durable-runtime sled", 1.0))),
    target("open", OPEN_RESTING, "first_open_ms", Bound::AtMost(2_000.0)),
    target("open", OPEN_WAITING, "first_open_ms", Bound::AtMost(2_000.0)),
    target("open", OPEN_RESTING, "first_resident_mib", Bound::AtMost(150.0)),
    target("open", OPEN_WAITING, "first_resident_mib", Bound::AtMost(150.0)),
    of("fs", target("open", OPEN_RESTING, "first_open_ms", Bound::AtMost(2_000.0))),
    of("fs", target("open", OPEN_WAITING, "first_open_ms", Bound::AtMost(2_000.0))),
    of("fs", target("open", OPEN_RESTING, "first_resident_mib", Bound::AtMost(150.0))),
    of("fs", target("open", OPEN_WAITING, "first_resident_mib", Bound::AtMost(150.0))),
    of("sqlite", target("open", OPEN_RESTING, "first_open_ms", Bound::AtMost(2_000.0))),
    of("sqlite", target("open", OPEN_WAITING, "first_open_ms", Bound::AtMost(2_000.0))),
    of("sqlite", target("open", OPEN_RESTING, "first_resident_mib", Bound::AtMost(150.0))),
    of("sqlite", target("open", OPEN_WAITING, "first_resident_mib", Bound::AtMost(150.0))),
    target("space", "1000000 commits", "disk_beyond_6_times_live_mib", Bound::AtMost(128.0)),
    of("fs", target("space", "1000000 commits", "disk_beyond_6_times_live_mib", Bound::AtMost(128.0))),
    of("sqlite", target("space", "1000000 commits", "disk_beyond_6_times_live_mib", Bound::AtMost(128.0))),
    target("growth-replay", "50000 events", "replay_ms", Bound::AtMost(1_000.0)),
];

/// A target and what was reached.
pub(super) struct Verdict {
    pub(super) what: String,
    pub(super) bound: String,
    pub(super) reached: String,
    pub(super) met: bool,
}

/// Every target that these documents say something about, for the engine that has the first turn in each.
pub(super) fn judge(documents: &[Document]) -> Vec<Verdict> {
    TARGETS.iter().filter_map(|target| target.judge(documents)).collect()
}

impl Target {
    fn judge(&self, documents: &[Document]) -> Option<Verdict> {
        let document = documents.iter().find(|document| document.name == self.document)?;
        let ours = document.engines().into_iter().find(|engine| engine.ends_with(self.engine))?;
        let reached = document.figure(ours, self.part, self.figure)?.median;
        let what = format!("{} {} {} `{}`", self.document, self.engine, self.part, self.figure);
        let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
        let verdict =
            |bound: String, shown: String, met| Some(Verdict { what: what.clone(), bound, reached: shown, met });
        match self.bound {
            Bound::AtMost(most) => verdict(format!("≤ {}", number(most)), number(reached), reached <= most),
            Bound::AtLeast(least) => verdict(format!("≥ {}", number(least)), number(reached), reached >= least),
            Bound::Flushes(flushes, more) => {
                let most = flushes * raw_flush_of(document, ours)?.median + more;
                let bound = format!("≤ {flushes} raw flushes + {more} ms = {}", number(most));
                verdict(bound, number(reached), reached <= most)
            }
            Bound::Better(peer, times) => {
                let (engine, theirs) = self.best_of(document, peer)?;
                let ratio = better_by(self.figure, reached, theirs)?;
                verdict(format!("{times} × better than {engine}"), format!("{} ×", number(ratio)), ratio >= times)
            }
            Bound::Flat(part, times) => {
                let ratio = reached / document.figure(ours, part, self.figure)?.median;
                verdict(format!("≤ {times} × that at {part}"), format!("{} ×", number(ratio)), ratio <= times)
            }
            Bound::Grows(part, times) => {
                let ratio = reached / document.figure(ours, part, self.figure)?.median;
                verdict(format!("≥ {times} × that at {part}"), format!("{} ×", number(ratio)), ratio >= times)
            }
        }
    }

    /// The best of the engines whose names begin so.
    fn best_of<'a>(&self, document: &'a Document, prefix: &str) -> Option<(&'a str, f64)> {
        let engines = document.engines().into_iter().filter(|engine| engine.starts_with(prefix));
        let figures =
            engines.filter_map(|engine| Some((engine, document.figure(engine, self.part, self.figure)?.median)));
        let better = |a: f64, b: f64| better_by(self.figure, a, b).is_some_and(|ratio| ratio > 1.0);
        figures.reduce(|best, next| if better(next.1, best.1) { next } else { best })
    }
}

/// The raw flush beside what this engine did.
fn raw_flush_of(document: &Document, engine: &str) -> Option<Spread> {
    Spread::of(document.of(engine).filter(|line| line.is_measured()).map(|line| line.raw_flush_ms).collect())
}

#[cfg(test)]
mod tests {
    use durable_workloads::{About, Figures, Line};
    use serde_json::json;

    use super::*;

    fn line(engine: &str, p50_ms: f64) -> Line {
        let about = About { engine: engine.to_owned(), version: String::new(), settings: json!({}) };
        let figures = Figures::from([("p50_ms".to_owned(), p50_ms)]);
        Line::new("W1", about, json!({}), std::time::Duration::from_micros(200), figures)
    }

    #[test]
    fn a_target_is_held_against_the_flush_beside_it_and_the_best_of_a_peer() {
        let lines = vec![line("ours", 0.8), line("duroxide tuned", 20.0), line("restate", 3.0)];
        let verdicts = judge(&[Document::new("W1", 1, lines).unwrap()]);
        let said: Vec<(&str, &str, bool)> =
            verdicts.iter().map(|verdict| (verdict.bound.as_str(), verdict.reached.as_str(), verdict.met)).collect();
        assert_eq!(
            said,
            [
                ("≤ 3 raw flushes + 0.3 ms = 0.900", "0.800", true),
                ("4 × better than restate", "3.75 ×", false),
                ("12 × better than duroxide tuned", "25.0 ×", true),
            ]
        );
    }
}
