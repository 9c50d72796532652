//! One walk over a body. It knows names and positions; what is refused is in the table.

use std::collections::HashSet;

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprAwait, ExprPath, ExprUnsafe, Item, ItemMacro, Macro, PatIdent, Path, Signature, Type};

use super::Denied;
use super::names::{Names, Scope, segments};
use super::table::{self, Row};
use crate::known_macros::Arguments;
use crate::mistakes::Mistakes;

pub(super) fn walk(
    signature: &Signature,
    body: &Block,
    macros: &[Path],
    names: Names,
    mistakes: &mut Mistakes,
) -> Denied {
    let mut walk = Walk { names, macros, locals: locals(signature, body), mistakes, denied: Denied::default() };
    walk.visit_block(body);
    walk.denied
}

/// The names of all local variables, so that one that is called `random` is not taken for a function.
fn locals(signature: &Signature, body: &Block) -> HashSet<String> {
    struct Search(HashSet<String>);
    impl<'ast> Visit<'ast> for Search {
        fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
            self.0.insert(pattern.ident.to_string());
            visit::visit_pat_ident(self, pattern);
        }
    }
    let mut search = Search(HashSet::new());
    search.visit_signature(signature);
    search.visit_block(body);
    search.0
}

struct Walk<'a, 'm> {
    names: Names,
    macros: &'a [Path],
    locals: HashSet<String>,
    mistakes: &'m mut Mistakes,
    denied: Denied,
}

impl<'ast> Visit<'ast> for Walk<'_, '_> {
    fn visit_block(&mut self, block: &'ast Block) {
        self.names.push(Scope::of_block(block));
        visit::visit_block(self, block);
        self.names.pop();
    }

    /// Items are code of their own, but for what they keep from one run to the next.
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Static(item) => self.refuse(item.static_token, "`static`", &table::STATIC),
            Item::Macro(ItemMacro { ident: None, mac, .. }) => self.visit_macro(mac),
            _ => {}
        }
    }

    fn visit_expr_unsafe(&mut self, block: &'ast ExprUnsafe) {
        self.refuse(block.unsafe_token, "`unsafe`", &table::UNSAFE);
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_expr_await(&mut self, awaited: &'ast ExprAwait) {
        let before = self.mistakes.count();
        visit::visit_expr_await(self, awaited);
        if self.mistakes.count() > before {
            self.denied.add(awaited.await_token.span);
        }
    }

    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        let (mut full, absolute) = match &path.qself {
            // `<Instant>::now`
            Some(own) if own.as_token.is_none() => match own.ty.as_ref() {
                Type::Path(ty) => (segments(&ty.path), ty.path.leading_colon.is_some()),
                _ => return,
            },
            Some(_) => return,
            None => (Vec::new(), path.path.leading_colon.is_some()),
        };
        full.extend(segments(&path.path));
        if let [single] = full.as_slice()
            && self.locals.contains(single)
        {
            return;
        }
        let candidates = self.names.resolve(&full, absolute);
        self.look_up(path, &full, candidates);
        visit::visit_expr_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let path = segments(&call.path);
        let candidates = self.names.resolve_macro(&path, call.path.leading_colon.is_some());
        let before = self.mistakes.count();
        self.look_up(&call.path, &path, candidates);
        if self.mistakes.count() > before {
            self.denied.add(syn::spanned::Spanned::span(&call.path));
        }
        let arguments = Arguments::of(call, self.macros);
        arguments.expressions().into_iter().for_each(|expr| self.within_macro(expr));
    }
}

impl Walk<'_, '_> {
    /// The arguments of a macro were parsed just now, and do not live as long as the body.
    fn within_macro(&mut self, expr: &Expr) {
        let mut walk = Walk {
            names: std::mem::take(&mut self.names),
            macros: self.macros,
            locals: std::mem::take(&mut self.locals),
            mistakes: self.mistakes,
            denied: std::mem::take(&mut self.denied),
        };
        walk.visit_expr(expr);
        (self.names, self.locals, self.denied) = (walk.names, walk.locals, walk.denied);
    }

    fn look_up(&mut self, at: impl ToTokens, written: &[String], candidates: Vec<Vec<String>>) {
        let Some((full, row)) = candidates.iter().find_map(|path| table::find(path).map(|row| (path, row))) else {
            return;
        };
        self.mistakes.at(at, row.message(&described(written, full)));
    }

    fn refuse(&mut self, at: impl ToTokens, name: &str, row: &Row) {
        self.mistakes.at(at, row.message(name));
    }
}

/// The name as it was written, and what it stands for if it does not say so itself.
fn described(written: &[String], full: &[String]) -> String {
    let is_macro = full.last().is_some_and(|last| last.ends_with('!'));
    let shown = written.join("::") + if is_macro { "!" } else { "" };
    let full = full.join("::");
    let says_it = full.ends_with(&shown) && (written.len() > 1 || is_macro);
    if says_it { format!("`{shown}`") } else { format!("`{shown}` (that is, `{full}`)") }
}
