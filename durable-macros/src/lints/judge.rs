//! What comes of a walk over a body that we rewrite: one mistake for each cause, at the token.

use std::collections::HashSet;

use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{ExprAwait, Macro};

use super::allow::Allows;
use super::reach::{Reached, Surroundings};
use super::table::Row;
use super::walk::{self, Listener, Strictness, Subject};
use super::{Checked, Denied};
use crate::mistakes::Mistakes;

/// Walks over a function, and reports what it finds.
pub(super) fn judge(checked: &Checked<'_>, strictness: Strictness, mistakes: &mut Mistakes) -> Denied {
    let surroundings = Surroundings::of(checked.signature);
    let mut allows = Allows::default();
    allows.enter(checked.attributes, Some(checked.body));
    let Checked { signature, body, macros, .. } = *checked;
    let subject = Subject { strictness, signature, body, macros, names: surroundings.names() };
    let mut judge = Judge { strictness, surroundings, reported: HashSet::new(), mistakes, denied: Denied::default() };
    walk::walk(subject, &mut allows, &mut judge);
    let Judge { mut denied, .. } = judge;
    denied.off = allows.finish(mistakes);
    denied
}

struct Judge<'m> {
    strictness: Strictness,
    surroundings: Surroundings,
    /// Places in helpers that were reported: they are named once, whoever calls them how often.
    reported: HashSet<String>,
    mistakes: &'m mut Mistakes,
    denied: Denied,
}

impl Judge<'_> {
    /// A plain function is judged where it is called; here only its allowances are.
    fn is_silent(&self) -> bool {
        self.strictness == Strictness::Helper
    }

    fn report(&mut self, at: &dyn ToTokens, written: &[String], reached: &Reached) {
        if !self.is_silent() && self.reported.insert(reached.place.clone()) {
            self.mistakes.at(at, reached_message(&written.join("::"), reached));
        }
    }
}

impl Listener for Judge<'_> {
    fn refused(&mut self, at: &dyn ToTokens, row: &'static Row, shown: &str) {
        if !self.is_silent() {
            self.mistakes.at(at, row.message(shown));
        }
    }

    fn mentioned(&mut self, at: &dyn ToTokens, written: &[String], target: Vec<String>, allows: &mut Allows) {
        for reached in self.surroundings.reach(&target) {
            if !allows.covers(reached.row) {
                self.report(at, written, &reached);
            }
        }
    }

    fn awaits_refused(&mut self, awaited: &ExprAwait) {
        self.denied.add(awaited.await_token.span);
    }

    fn macro_refused(&mut self, call: &Macro) {
        self.denied.add(call.path.span());
    }

    fn count(&self) -> usize {
        self.mistakes.count()
    }
}

/// The way to it, a line for each step, below the message itself.
fn reached_message(written: &str, reached: &Reached) -> String {
    let Reached { row, shown, chain, .. } = reached;
    if chain.is_empty() {
        return row.message(&format!("`{written}` (that is, {shown})"));
    }
    let first = row.message(&format!("`{written}` reaches {shown}, which"));
    std::iter::once(first).chain(chain.iter().map(|step| format!("  {step}"))).collect::<Vec<_>>().join("\n")
}
