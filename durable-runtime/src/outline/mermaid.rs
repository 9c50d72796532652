//! An outline as a flowchart, in the language of mermaid.

use std::fmt::Write as _;

use super::{OutlineKind, OutlineStep};

/// Where a flow comes from: nodes by number.
type Ends = Vec<usize>;

/// Writes nodes and arrows, one a line.
pub(super) struct Chart {
    text: String,
    nodes: usize,
}

impl Chart {
    pub(super) fn of(steps: &[OutlineStep]) -> String {
        let mut chart = Self { text: "flowchart TD\n".to_owned(), nodes: 0 };
        let start = chart.node("([start])", Vec::new());
        let ends = chart.in_turn(steps, vec![start]);
        chart.node("([end])", ends);
        chart.text
    }

    /// A node with this shape and text, and arrows to it.
    fn node(&mut self, shape: &str, from: Ends) -> usize {
        let number = self.nodes;
        self.nodes += 1;
        // Writing to a text does not fail.
        let _ = writeln!(self.text, "    n{number}{shape}");
        for before in from {
            let _ = writeln!(self.text, "    n{before} --> n{number}");
        }
        number
    }

    fn in_turn(&mut self, steps: &[OutlineStep], from: Ends) -> Ends {
        steps.iter().fold(from, |ends, step| self.step(step, ends))
    }

    fn step(&mut self, step: &OutlineStep, from: Ends) -> Ends {
        let node = self.node(&shape(step), from);
        match step.kind {
            OutlineKind::Branch | OutlineKind::Select => self.each(step.steps, node),
            OutlineKind::Join => {
                let ends = self.each(step.steps, node);
                vec![self.node("[[all done]]", ends)]
            }
            OutlineKind::Loop => {
                for end in self.in_turn(step.steps, vec![node]) {
                    let _ = writeln!(self.text, "    n{end} --> n{node}");
                }
                vec![node]
            }
            _ => self.in_turn(step.steps, vec![node]),
        }
    }

    /// All arms begin at the same node.
    fn each(&mut self, arms: &[OutlineStep], node: usize) -> Ends {
        let mut ends = Ends::new();
        for arm in arms {
            ends.extend(self.in_turn(arm.steps, vec![node]));
        }
        if arms.is_empty() {
            ends.push(node);
        }
        ends.dedup();
        ends
    }
}

/// The text of a node in the brackets of its kind.
fn shape(step: &OutlineStep) -> String {
    let what = match step.kind {
        OutlineKind::Child => "child",
        OutlineKind::Timer => "timer",
        OutlineKind::Event => "event",
        OutlineKind::SideEffect => "side effect",
        OutlineKind::Await => "await",
        // The name says it.
        _ => "",
    };
    let name = step.name.replace('"', "#quot;");
    let text = format!("{what} {name}");
    let label = format!("\"{}<br/>line {}\"", text.trim(), step.line);
    match step.kind {
        OutlineKind::Branch => format!("{{{label}}}"),
        OutlineKind::Loop => format!("{{{{{label}}}}}"),
        OutlineKind::Timer | OutlineKind::Await => format!("([{label}])"),
        OutlineKind::Event => format!("[/{label}/]"),
        OutlineKind::Join | OutlineKind::Select => format!("[[{label}]]"),
        OutlineKind::Call | OutlineKind::Child | OutlineKind::SideEffect | OutlineKind::Arm => format!("[{label}]"),
    }
}
