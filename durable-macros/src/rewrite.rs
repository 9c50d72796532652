//! The await barrier: every `.await` passes a bound that only durable futures meet. On the same walk, the compiler is
//! asked about values that may be of a type that is refused.

use quote::{quote, quote_spanned};
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ExprAsync, Item, Macro, Path};

use crate::hygiene::{Runtime, respan};
use crate::known_macros::{self, Arguments};
use crate::lints::{self, Denied};
use crate::mistakes::Mistakes;
use crate::probes;

/// What a rewrite needs to know.
pub(crate) struct Rewrite<'a> {
    pub(crate) runtime: &'a Runtime,
    /// The user's `macros(..)`.
    pub(crate) macros: &'a [Path],
    /// Awaits that a lint has refused already: a second message would say the same.
    pub(crate) denied: &'a Denied,
}

/// Rewrites the body of an orchestration or helper. Items inside of it are left alone: they are code of their own.
pub(crate) fn body(rewrite: &Rewrite<'_>, body: &mut Block, mistakes: &mut Mistakes) {
    lints::consume_allowances(body);
    Barrier { rewrite, mistakes }.visit_block_mut(body);
}

struct Barrier<'a, 'm> {
    rewrite: &'a Rewrite<'a>,
    mistakes: &'m mut Mistakes,
}

impl VisitMut for Barrier<'_, '_> {
    fn visit_item_mut(&mut self, _: &mut Item) {}

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        let is_asked = matches!(expr, Expr::ForLoop(each) if probes::is_asked(&each.expr));
        visit_mut::visit_expr_mut(self, expr);
        match expr {
            Expr::Await(awaited) if !self.rewrite.denied.has(awaited.await_token.span) => {
                // The span of `await`, so that errors underline the user's expression and label its `await`.
                let (span, base) = (awaited.await_token.span, &awaited.base);
                let rt = self.rewrite.runtime.private_at(span);
                *awaited.base = Expr::Verbatim(quote_spanned!(span=> #rt::durable(#base)));
            }
            Expr::Async(block) => *expr = self.scoped(block),
            Expr::MethodCall(call) => {
                if let Some(asked) = probes::method(self.rewrite.runtime, self.rewrite.denied, call) {
                    *expr = asked;
                }
            }
            Expr::ForLoop(call) if !is_asked => probes::head(self.rewrite.runtime, self.rewrite.denied, call),
            _ => {}
        }
    }

    fn visit_macro_mut(&mut self, call: &mut Macro) {
        let mut arguments = Arguments::of(call, self.rewrite.macros);
        arguments.expressions_mut().into_iter().for_each(|expr| self.visit_expr_mut(expr));
        match &mut arguments {
            Arguments::Opaque | Arguments::Scattered(_) => return self.opaque(call),
            Arguments::Join(_) if !self.rewrite.denied.has_macro(call) => self.ours(call),
            Arguments::Select(select) if !self.rewrite.denied.has_macro(call) => {
                let runtime = self.rewrite.runtime;
                select.runtime = syn::parse2(quote!(#runtime)).ok();
                self.ours(call);
            }
            _ => {}
        }
        call.tokens = quote!(#arguments);
    }
}

impl Barrier<'_, '_> {
    fn scoped(&self, block: &ExprAsync) -> Expr {
        let span = block.async_token.span;
        let rt = self.rewrite.runtime.private_at(span);
        Expr::Verbatim(quote_spanned!(span=> #rt::scope(#block)))
    }

    /// Names `join!`, `try_join!` and `select!` absolutely: whatever is imported under these names, ours is meant.
    fn ours(&self, call: &mut Macro) {
        let Some(name) = call.path.segments.last().map(|segment| &segment.ident) else { return };
        let (runtime, span) = (self.rewrite.runtime, name.span());
        if let Ok(path) = syn::parse2(respan(quote!(#runtime::#name), span)) {
            call.path = path;
        }
    }

    /// An await that we cannot reach is an await that nobody checks.
    fn opaque(&mut self, call: &Macro) {
        let Some(token) = known_macros::awaits(call.tokens.clone()) else { return };
        if !known_macros::is_listed(call, self.rewrite.macros) && !self.rewrite.denied.has_macro(call) {
            let name = known_macros::name(call);
            self.mistakes.at(
                token,
                format!("this `.await` cannot be checked inside of `{name}!`; await before, and pass the value"),
            );
        }
    }
}
