//! What is kept of a function: what it does that is refused, and what it calls.

use std::path::Path;

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, ImplItemFn, Item, ItemFn, ItemImpl, ItemMod, ItemTrait, Signature, TraitItemFn, Type};

use crate::lints::allow::{self, Allows};
use crate::lints::names::{Names, Scope};
use crate::lints::table::Row;
use crate::lints::walk::{self, Listener, Strictness, Subject};
use crate::model::Attributes;

/// A function of the crate, as plain data.
pub(super) struct Function {
    /// `name`, or `Type::name`.
    pub(super) key: String,
    pub(super) name: String,
    pub(super) module: usize,
    /// Whether it stands in the body of another one, where no path leads to.
    pub(super) is_nested: bool,
    /// Where it is named, and in which file, as a reader knows it.
    pub(super) line: usize,
    pub(super) file: String,
    /// Whether its body is checked elsewhere, or cannot be called from an orchestration.
    pub(super) is_closed: bool,
    /// The rules of `#[allow_nondeterminism]` on it.
    pub(super) allowed: Vec<&'static str>,
    pub(super) refused: Vec<Refused>,
    pub(super) calls: Vec<Call>,
    /// The path of `Self`, if it is in an `impl`.
    own: Option<Scope>,
    associated: bool,
}

pub(super) struct Refused {
    pub(super) row: &'static Row,
    pub(super) shown: String,
    pub(super) line: usize,
}

pub(super) struct Call {
    pub(super) written: String,
    pub(super) target: Vec<String>,
    pub(super) line: usize,
}

impl Function {
    pub(super) fn is_associated(&self) -> bool {
        self.associated
    }

    /// The names in its body: those of its module, and `Self`.
    pub(super) fn names(&self, mut names: Names) -> Names {
        self.own.iter().for_each(|own| names.push(own.clone()));
        names
    }
}

/// The functions among these items, and in their `impl`s; modules are read apart.
pub(super) fn read(items: &[Item], names: &Names, file: &Path) -> Vec<Function> {
    let file = shown(file);
    let mut reader = Reader { names, file, owner: None, depth: 0, functions: Vec::new() };
    items.iter().for_each(|item| reader.visit_item(item));
    reader.functions
}

/// The path of a file below the folder of the manifest; elsewhere its name, and that of its folder.
fn shown(file: &Path) -> String {
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").and_then(|folder| Path::new(&folder).canonicalize().ok());
    let below = folder.and_then(|folder| file.strip_prefix(folder).ok().map(Path::to_owned));
    let below = below.unwrap_or_else(|| {
        let parts: Vec<_> = file.components().collect();
        parts.iter().skip(parts.len().saturating_sub(2)).collect()
    });
    below.display().to_string().replace('\\', "/")
}

struct Reader<'a> {
    names: &'a Names,
    file: String,
    /// The type of the `impl`, or the name of the trait.
    owner: Option<(String, Option<Scope>)>,
    /// How many functions are around.
    depth: usize,
    functions: Vec<Function>,
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, _: &'ast ItemMod) {}

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let name = match item.self_ty.as_ref() {
            Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default(),
            _ => String::new(),
        };
        let outside = self.owner.replace((name, Some(Scope::of_self(&item.self_ty))));
        visit::visit_item_impl(self, item);
        self.owner = outside;
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        let outside = self.owner.replace((item.ident.to_string(), None));
        visit::visit_item_trait(self, item);
        self.owner = outside;
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.note(&function.attrs, &function.sig, Some(&function.block));
        self.within(|reader| visit::visit_item_fn(reader, function));
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.note(&function.attrs, &function.sig, Some(&function.block));
        self.within(|reader| visit::visit_impl_item_fn(reader, function));
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        self.note(&function.attrs, &function.sig, function.default.as_ref());
        self.within(|reader| visit::visit_trait_item_fn(reader, function));
    }
}

impl Reader<'_> {
    /// Visits the body of a function: what stands in it belongs to no `impl` around.
    fn within(&mut self, visit: impl FnOnce(&mut Self)) {
        let outside = self.owner.take();
        self.depth += 1;
        visit(self);
        self.depth -= 1;
        self.owner = outside;
    }

    fn note(&mut self, attributes: &[Attribute], signature: &Signature, body: Option<&Block>) {
        let name = signature.ident.to_string();
        let own = self.owner.as_ref().and_then(|(_, own)| own.clone());
        let mut facts = Facts::default();
        let is_closed = body.is_none() || signature.asyncness.is_some() || attributes.iter().any(closes);
        if let Some(body) = body.filter(|_| !is_closed) {
            let mut names = self.names.clone();
            own.iter().for_each(|own| names.push(own.clone()));
            let mut allows = Allows::default();
            let subject = Subject { strictness: Strictness::Helper, signature, body, macros: &[], names };
            walk::walk(subject, &mut allows, &mut facts);
        }
        self.functions.push(Function {
            key: self.owner.as_ref().map_or_else(|| name.clone(), |(owner, _)| format!("{owner}::{name}")),
            name,
            module: 0,
            is_nested: self.depth > 0,
            line: line(&signature.ident),
            file: self.file.clone(),
            is_closed,
            allowed: allow::rules(attributes),
            refused: facts.refused,
            calls: facts.calls,
            own,
            associated: self.owner.is_some(),
        });
    }
}

/// Our attributes check at home; tests are not called.
fn closes(attribute: &Attribute) -> bool {
    Attributes::is_ours(attribute) || attribute.path().is_ident("test") || is_cfg_test(attribute)
}

fn is_cfg_test(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.meta.to_token_stream().to_string().replace(' ', "") == "cfg(test)"
}

fn line(at: &dyn ToTokens) -> usize {
    at.to_token_stream().into_iter().next().map_or(0, |token| token.span().start().line)
}

#[derive(Default)]
struct Facts {
    refused: Vec<Refused>,
    calls: Vec<Call>,
}

impl Listener for Facts {
    fn refused(&mut self, at: &dyn ToTokens, row: &'static Row, shown: &str) {
        self.refused.push(Refused { row, shown: shown.to_owned(), line: line(at) });
    }

    fn mentioned(&mut self, at: &dyn ToTokens, written: &[String], target: Vec<String>, _: &mut Allows) {
        self.calls.push(Call { written: written.join("::"), target, line: line(at) });
    }

    fn count(&self) -> usize {
        self.refused.len()
    }
}
