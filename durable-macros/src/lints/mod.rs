//! What may not stand in the body of an orchestration or helper, as far as tokens tell.

mod file;
mod names;
mod table;
mod walk;

pub(crate) use file::is_associated;

use std::collections::HashSet;

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Block, Macro, Path, Signature};

use crate::mistakes::Mistakes;

/// Reports everything in a body that would differ in a second run.
pub(crate) fn check(signature: &Signature, body: &Block, macros: &[Path], mistakes: &mut Mistakes) -> Denied {
    let names = file::names(signature);
    walk::walk(signature, body, macros, names, mistakes)
}

/// What a message stands at already, so that no other layer says the same once more.
#[derive(Default)]
pub(crate) struct Denied {
    places: HashSet<(usize, usize)>,
}

impl Denied {
    /// Whether this `await` waits for something refused.
    pub(crate) fn has(&self, span: Span) -> bool {
        place(span).is_some_and(|place| self.places.contains(&place))
    }

    /// Whether this call of a macro was refused.
    pub(crate) fn has_macro(&self, call: &Macro) -> bool {
        self.has(call.path.span())
    }

    fn add(&mut self, span: Span) {
        self.places.extend(place(span));
    }
}

/// Line and column tell the tokens of one body apart. Outside of the compiler there are none.
fn place(span: Span) -> Option<(usize, usize)> {
    proc_macro::is_available().then(|| (span.unwrap().line(), span.unwrap().column()))
}
