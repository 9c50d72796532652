//! One walk over a body. It knows names and positions; what is refused is in the table, and what comes of it is up to
//! who listens.

use std::collections::HashSet;

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    Block, Expr, ExprAssign, ExprAwait, ExprCast, ExprClosure, ExprMethodCall, ExprPath, ExprRawAddr, ExprUnsafe, Item,
    ItemMacro, Macro, PatIdent, Path, Signature, Stmt, Type,
};

use super::allow::{self, Allows};
use super::format;
use super::names::{Names, Scope, segments};
use super::table::{self, Row};
use crate::known_macros::{self, Arguments};

/// What a walk finds is told to a listener. Tokens are lent: what outlives the walk is text.
pub(super) trait Listener {
    /// `shown` is refused by `row`, and no allowance stands around it.
    fn refused(&mut self, at: &dyn ToTokens, row: &'static Row, shown: &str);
    /// A path into this crate: perhaps that of a helper.
    fn mentioned(&mut self, at: &dyn ToTokens, written: &[String], target: Vec<String>, allows: &mut Allows);
    /// Something was found in what is awaited here.
    fn awaits_refused(&mut self, _awaited: &ExprAwait) {}
    /// This call of a macro is refused as a whole.
    fn macro_refused(&mut self, _call: &Macro) {}
    /// How much was refused so far.
    fn count(&self) -> usize;
}

/// What may stand in the code that is walked over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    /// A body that we rewrite: all rules.
    Body,
    /// A plain function that a body calls: no more than what names say.
    Helper,
}

/// What a walk is about.
pub(super) struct Subject<'a> {
    pub(super) strictness: Strictness,
    pub(super) signature: &'a Signature,
    pub(super) body: &'a Block,
    /// The user's `macros(..)`.
    pub(super) macros: &'a [Path],
    /// The names around the function.
    pub(super) names: Names,
}

pub(super) fn walk(subject: Subject<'_>, allows: &mut Allows, listener: &mut dyn Listener) {
    let Subject { strictness, signature, body, macros, mut names } = subject;
    names.push(Scope::of_generics(&signature.generics));
    let locals = locals(signature, body);
    Walk { strictness, names, macros, locals, allows, listener, entered: None }.visit_block(body);
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
    strictness: Strictness,
    names: Names,
    macros: &'a [Path],
    locals: HashSet<String>,
    allows: &'m mut Allows,
    listener: &'m mut dyn Listener,
    /// The attributes of the statement around: syn has them on the first expression in it, too.
    entered: Option<*const syn::Attribute>,
}

impl<'ast> Visit<'ast> for Walk<'_, '_> {
    fn visit_block(&mut self, block: &'ast Block) {
        self.names.push(Scope::of_block(block));
        visit::visit_block(self, block);
        self.names.pop();
    }

    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        let attributes = allow::of_stmt(statement);
        self.under(attributes, statement, |walk| {
            let outside = walk.entered.replace(attributes.as_ptr());
            visit::visit_stmt(walk, statement);
            walk.entered = outside;
        });
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.under(&arm.attrs, arm, |walk| visit::visit_arm(walk, arm));
    }

    fn visit_expr(&mut self, expr: &'ast Expr) {
        let attributes = allow::of_expr(expr);
        let is_entered = attributes.is_empty() || self.entered == Some(attributes.as_ptr());
        let attributes = if is_entered { &[] } else { attributes };
        self.under(attributes, expr, |walk| visit::visit_expr(walk, expr));
    }

    /// Items are code of their own, but for what they keep from one run to the next.
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Static(item) => self.form(&item.static_token, "`static`", &table::STATIC),
            Item::Macro(ItemMacro { ident: None, mac, .. }) => self.visit_macro(mac),
            _ => {}
        }
    }

    fn visit_expr_unsafe(&mut self, block: &'ast ExprUnsafe) {
        self.form(&block.unsafe_token, "`unsafe`", &table::UNSAFE);
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_expr_closure(&mut self, closure: &'ast ExprClosure) {
        if let Some(token) = &closure.asyncness {
            self.form(token, "an `async` closure", &table::ASYNC_CLOSURE);
        }
        visit::visit_expr_closure(self, closure);
    }

    fn visit_expr_cast(&mut self, cast: &'ast ExprCast) {
        if let Type::Ptr(pointer) = cast.ty.as_ref() {
            self.form(pointer, "a pointer", &table::ADDRESS);
        }
        visit::visit_expr_cast(self, cast);
    }

    fn visit_expr_raw_addr(&mut self, address: &'ast ExprRawAddr) {
        self.form(address, "`&raw`", &table::ADDRESS);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let name = call.method.to_string();
        if ["as_ptr", "as_mut_ptr"].contains(&name.as_str()) && call.args.is_empty() {
            self.form(&call.method, &format!("`{name}`"), &table::ADDRESS);
        }
        if matches!(call.receiver.as_ref(), Expr::Path(path) if path.path.is_ident("self")) {
            self.path(&call.method, &["Self".to_owned(), name.clone()], false);
        }
        // What a side effect does is recorded: its closure may do anything.
        let recorded = name == "side_effect";
        self.visit_expr(&call.receiver);
        call.args.iter().filter(|arg| !(recorded && is_code(arg))).for_each(|arg| self.visit_expr(arg));
    }

    fn visit_expr_await(&mut self, awaited: &'ast ExprAwait) {
        let before = self.listener.count();
        visit::visit_expr_await(self, awaited);
        if self.listener.count() > before {
            self.listener.awaits_refused(awaited);
        }
    }

    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        let written = segments(&path.path);
        match &path.qself {
            None => self.path(path, &written, path.path.leading_colon.is_some()),
            Some(own) => {
                // `<Instant>::now`, or `<StdRng as SeedableRng>::from_os_rng`, where type and trait both may tell.
                let before = self.listener.count();
                if let (Type::Path(ty), Some(name)) = (own.ty.as_ref(), written.last()) {
                    let full: Vec<String> = segments(&ty.path).into_iter().chain([name.clone()]).collect();
                    self.path(path, &full, ty.path.leading_colon.is_some());
                }
                if own.as_token.is_some() && self.listener.count() == before {
                    self.path(path, &written, path.path.leading_colon.is_some());
                }
            }
        }
        visit::visit_expr_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let path = segments(&call.path);
        let candidates = self.names.resolve_macro(&path, call.path.leading_colon.is_some());
        let arguments = Arguments::of(call, self.macros);
        let before = self.listener.count();
        // Whoever's `join!` it is: in a body that we rewrite it becomes ours.
        let becomes_ours = self.strictness == Strictness::Body && matches!(arguments, Arguments::Join(_));
        let found = becomes_ours || self.look_up(&call.path, &path, &candidates);
        if !found && !known_macros::is_known(call, &candidates, self.macros) {
            self.form(&call.path, &format!("`{}!`", path.join("::")), &table::UNKNOWN_MACRO);
        }
        if self.listener.count() > before {
            self.listener.macro_refused(call);
        }
        if let Some(literal) = format::address(call) {
            self.form(&literal, "`{:p}`", &table::ADDRESS);
        }
        arguments.expressions().into_iter().for_each(|expr| self.within_macro(expr));
    }
}

fn is_code(expr: &Expr) -> bool {
    matches!(expr, Expr::Closure(_) | Expr::Path(_))
}

impl Walk<'_, '_> {
    /// The arguments of a macro were parsed just now, and do not live as long as the body.
    fn within_macro(&mut self, expr: &Expr) {
        let mut walk = Walk {
            strictness: self.strictness,
            names: std::mem::take(&mut self.names),
            macros: self.macros,
            locals: std::mem::take(&mut self.locals),
            allows: self.allows,
            listener: self.listener,
            entered: None,
        };
        match expr {
            // `name = value` names an argument of the macro.
            Expr::Assign(ExprAssign { left, right, .. }) if matches!(left.as_ref(), Expr::Path(_)) => {
                walk.visit_expr(right);
            }
            _ => walk.visit_expr(expr),
        }
        (self.names, self.locals) = (walk.names, walk.locals);
    }

    /// Visits something under the allowances among its attributes.
    fn under(&mut self, attributes: &[syn::Attribute], node: &dyn ToTokens, visit: impl FnOnce(&mut Self)) {
        let entered = self.allows.enter(attributes, Some(node));
        visit(self);
        self.allows.leave(entered);
    }

    fn path(&mut self, at: &dyn ToTokens, written: &[String], absolute: bool) {
        if let [single] = written
            && self.locals.contains(single)
        {
            return;
        }
        let candidates = self.names.resolve(written, absolute);
        if !self.look_up(at, written, &candidates) {
            let own = candidates.into_iter().find(|path| path.first().is_some_and(|first| first == "crate"));
            if let Some(target) = own {
                self.listener.mentioned(at, written, target, self.allows);
            }
        }
    }

    /// Whether a rule is about one of these paths.
    fn look_up(&mut self, at: &dyn ToTokens, written: &[String], candidates: &[Vec<String>]) -> bool {
        let found = candidates.iter().find_map(|path| table::find(path).map(|row| (path, row)));
        let Some((full, row)) = found else { return false };
        if !self.allows.covers(row) {
            self.listener.refused(at, row, &described(written, full));
        }
        true
    }

    /// A rule about the form of the code: for bodies, not for the plain functions they call.
    fn form(&mut self, at: &dyn ToTokens, shown: &str, row: &'static Row) {
        if self.strictness == Strictness::Body && !self.allows.covers(row) {
            self.listener.refused(at, row, shown);
        }
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
