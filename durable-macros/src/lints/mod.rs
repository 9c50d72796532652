//! What may not stand in the body of an orchestration or helper, as far as tokens tell.

mod allow;
mod format;
mod judge;
mod names;
mod published;
mod reach;
mod table;
mod walk;

pub(crate) use allow::{consume as consume_allowances, has_exceptions, is_allowance};
pub(crate) use published::{clippy, rules};

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::{Attribute, Block, Macro, Path, Signature};

use crate::mistakes::Mistakes;
use reach::Surroundings;
use walk::Strictness;

/// A function whose body is to be checked.
pub(crate) struct Checked<'a> {
    pub(crate) attributes: &'a [Attribute],
    pub(crate) signature: &'a Signature,
    pub(crate) body: &'a Block,
    /// The user's `macros(..)`.
    pub(crate) macros: &'a [Path],
}

/// Reports everything in a body that would differ in a second run.
pub(crate) fn check(checked: &Checked<'_>, mistakes: &mut Mistakes) -> Denied {
    judge::judge(checked, Strictness::Body, mistakes)
}

/// Reports allowances on a plain function that are wrong or not needed; the rest is reported where it is called.
pub(crate) fn check_allowances(checked: &Checked<'_>, mistakes: &mut Mistakes) {
    judge::judge(checked, Strictness::Helper, mistakes);
}

/// Whether the function stands in an `impl` or `trait`: without `self`, its own tokens do not tell.
pub(crate) fn is_associated(signature: &Signature) -> bool {
    Surroundings::of(signature).is_associated()
}

/// What a message stands at already, so that no other layer says the same once more.
#[derive(Default)]
pub(crate) struct Denied {
    places: HashSet<Place>,
    /// Where rules about types are allowed to be broken: the rule, from, to.
    off: Vec<(&'static table::Row, (Place, Place))>,
}

type Place = (usize, usize);

impl Denied {
    /// Whether this `await` waits for something refused.
    pub(crate) fn has(&self, span: Span) -> bool {
        place(span).is_some_and(|place| self.places.contains(&place))
    }

    /// Whether this call of a macro was refused.
    pub(crate) fn has_macro(&self, call: &Macro) -> bool {
        self.has(call.path.span())
    }

    /// Whether `#[allow_nondeterminism]` switches this rule off at this place; for the rules that types decide.
    pub(crate) fn allows(&self, rule: &str, span: Span) -> bool {
        let is_within =
            |place: Place| self.off.iter().any(|(row, (from, to))| row.name == rule && (*from..=*to).contains(&place));
        place(span).is_some_and(is_within)
    }

    /// Whether something in here was refused already: what it evaluates to needs no second message.
    pub(crate) fn touches(&self, tokens: TokenStream) -> bool {
        !self.places.is_empty()
            && tokens.into_iter().any(|token| match token {
                TokenTree::Group(group) => self.touches(group.stream()),
                token => self.has(token.span()),
            })
    }

    fn add(&mut self, span: Span) {
        self.places.extend(place(span));
    }
}

/// Line and column tell the tokens of one body apart. Outside of the compiler there are none.
fn place(span: Span) -> Option<Place> {
    proc_macro::is_available().then(|| (span.unwrap().line(), span.unwrap().column()))
}
