//! What is reached from a call: the helpers it names, what they name, and so on; each once, the nearest first.

use std::collections::{HashSet, VecDeque};

use super::resolve::{Target, resolve};
use super::tree::Tree;
use crate::lints::table::{self, Row};

/// Something refused that a call reaches.
pub(crate) struct Reached {
    pub(crate) row: &'static Row,
    /// What it is, in backticks.
    pub(crate) shown: String,
    /// File and line: the same place is not reported twice.
    pub(crate) place: String,
    /// A line for each step of the way.
    pub(crate) chain: Vec<String>,
}

/// A function on the way, and how it was reached.
struct Step {
    function: usize,
    allowed: Vec<&'static str>,
    chain: Vec<String>,
}

/// Everything refused that is reached from a path that begins with `crate`; one for each rule, the nearest.
pub(super) fn from(tree: &mut Tree, target: &[String]) -> Vec<Reached> {
    let mut search = Search { tree, seen: HashSet::new(), waiting: VecDeque::new(), found: Vec::new() };
    search.enter(target, &[], &[], "");
    while let Some(step) = search.waiting.pop_front() {
        search.look(&step);
    }
    search.found
}

struct Search<'a> {
    tree: &'a mut Tree,
    seen: HashSet<(usize, Vec<&'static str>)>,
    waiting: VecDeque<Step>,
    found: Vec<Reached>,
}

impl Search<'_> {
    /// Goes to what a path leads to; `chain` is how the path itself was reached.
    fn enter(&mut self, target: &[String], chain: &[String], allowed: &[&'static str], place: &str) {
        match resolve(self.tree, target) {
            Target::Functions(functions) => {
                for function in functions {
                    let mut allowed = allowed.to_vec();
                    allowed.extend(self.tree.functions.get(function).iter().flat_map(|function| &function.allowed));
                    if self.seen.insert((function, allowed.clone())) {
                        self.waiting.push_back(Step { function, allowed, chain: chain.to_vec() });
                    }
                }
            }
            Target::Outside(path) => {
                if let Some(row) = table::find(&path) {
                    self.report(row, format!("`{}`", path.join("::")), place, chain.to_vec(), allowed);
                }
            }
            Target::Nothing => {}
        }
    }

    fn look(&mut self, step: &Step) {
        let Some(function) = self.tree.functions.get(step.function).filter(|function| !function.is_closed) else {
            return;
        };
        let line = |line: usize| format!("{}:{line}", function.file);
        let chain = |what: &str, at: usize| {
            let link = format!("`{}` ({}) calls {what}", function.key, line(at));
            step.chain.iter().cloned().chain([link]).collect::<Vec<String>>()
        };
        let refused = function.refused.iter().map(|refused| {
            (refused.row, refused.shown.clone(), line(refused.line), chain(&refused.shown, refused.line))
        });
        let refused: Vec<_> = refused.collect();
        let calls = function
            .calls
            .iter()
            .map(|call| (call.target.clone(), chain(&format!("`{}`", call.written), call.line), line(call.line)));
        let calls: Vec<_> = calls.collect();
        for (row, shown, place, chain) in refused {
            self.report(row, shown, &place, chain, &step.allowed);
        }
        for (target, chain, place) in calls {
            self.enter(&target, &chain, &step.allowed, &place);
        }
    }

    fn report(&mut self, row: &'static Row, shown: String, place: &str, chain: Vec<String>, allowed: &[&'static str]) {
        let is_known = self.found.iter().any(|found| found.row.code == row.code);
        if !is_known && !allowed.contains(&row.name) {
            self.found.push(Reached { row, shown, place: place.to_owned(), chain });
        }
    }
}
