//! What a name means: which full path it stands for, as far as `use` and declarations tell.

use std::collections::HashMap;

use syn::{Generics, Item, ItemUse, Stmt, Type, UseTree};

/// The names that one module or block brings into scope. Plain text only: no tokens of the compiler are kept.
#[derive(Default, Clone, Debug)]
pub(super) struct Scope {
    /// The path of the module, from `crate` on; `None` for a block.
    home: Option<Vec<String>>,
    names: HashMap<String, Meaning>,
    /// `use a::b::*`
    globs: Vec<Vec<String>>,
    /// `use super::*`
    pub(super) inherits: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Meaning {
    /// Stands for this path, as it was written beside the name.
    Path(Vec<String>),
    /// Declared here.
    Item,
}

impl Scope {
    /// The names of the module with this path.
    pub(super) fn of_module<'a>(home: Vec<String>, items: impl IntoIterator<Item = &'a Item>) -> Self {
        let mut scope = Self { home: Some(home), ..Self::default() };
        items.into_iter().for_each(|item| scope.add(item));
        scope
    }

    /// The items of a block are in scope in all of it.
    pub(super) fn of_block(block: &syn::Block) -> Self {
        let mut scope = Self::default();
        for statement in &block.stmts {
            if let Stmt::Item(item) = statement {
                scope.add(item);
            }
        }
        scope
    }

    /// Crates that are known under another name here.
    pub(super) fn of_crates(renamed: Vec<(String, String)>) -> Self {
        let names = renamed.into_iter().map(|(name, package)| (name, Meaning::Path(vec![package])));
        Self { names: names.collect(), ..Self::default() }
    }

    /// Type parameters, which may have the name of a crate or type.
    pub(super) fn of_generics(generics: &Generics) -> Self {
        let names = generics.type_params().map(|parameter| (parameter.ident.to_string(), Meaning::Item));
        Self { names: names.collect(), ..Self::default() }
    }

    /// What `Self` is in an `impl`.
    pub(super) fn of_self(ty: &Type) -> Self {
        let meaning = alias(ty).map_or(Meaning::Item, Meaning::Path);
        Self { names: HashMap::from([("Self".to_owned(), meaning)]), ..Self::default() }
    }

    /// The path that a name of this module stands for, as it was written there.
    pub(super) fn imported(&self, name: &str) -> Option<&[String]> {
        match self.names.get(name)? {
            Meaning::Path(path) => Some(path),
            Meaning::Item => None,
        }
    }

    /// Whether an item of this name stands here.
    pub(super) fn declares(&self, name: &str) -> bool {
        self.names.get(name) == Some(&Meaning::Item)
    }

    /// What `use a::b::*` names.
    pub(super) fn globs(&self) -> &[Vec<String>] {
        &self.globs
    }

    fn add(&mut self, item: &Item) {
        match item {
            Item::Use(item) => self.add_use(item),
            Item::ExternCrate(item) => {
                let name = item.rename.as_ref().map_or(&item.ident, |(_, name)| name);
                self.names.insert(name.to_string(), Meaning::Path(vec![item.ident.to_string()]));
            }
            Item::Type(item) => {
                let meaning = alias(&item.ty).map_or(Meaning::Item, Meaning::Path);
                self.names.insert(item.ident.to_string(), meaning);
            }
            Item::Macro(item) => {
                if let Some(name) = &item.ident {
                    self.names.insert(format!("{name}!"), Meaning::Item);
                }
            }
            other => {
                if let Some(name) = declared(other) {
                    self.names.insert(name, Meaning::Item);
                }
            }
        }
    }

    fn add_use(&mut self, item: &ItemUse) {
        self.add_tree(&mut Vec::new(), &item.tree);
    }

    fn add_tree(&mut self, above: &mut Vec<String>, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => {
                above.push(path.ident.to_string());
                self.add_tree(above, &path.tree);
                above.pop();
            }
            UseTree::Name(name) if name.ident == "self" => {
                if let Some(last) = above.last() {
                    self.names.insert(last.clone(), Meaning::Path(above.clone()));
                }
            }
            UseTree::Name(name) => self.import(above, &name.ident.to_string(), &name.ident.to_string()),
            UseTree::Rename(rename) if rename.ident == "self" => {
                self.names.insert(rename.rename.to_string(), Meaning::Path(above.clone()));
            }
            UseTree::Rename(rename) => self.import(above, &rename.ident.to_string(), &rename.rename.to_string()),
            UseTree::Glob(_) if above.iter().all(|part| part == "super") => self.inherits = !above.is_empty(),
            UseTree::Glob(_) => self.globs.push(above.clone()),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_tree(above, tree)),
        }
    }

    fn import(&mut self, above: &[String], name: &str, as_name: &str) {
        let path = above.iter().cloned().chain([name.to_owned()]).collect();
        self.names.insert(as_name.to_owned(), Meaning::Path(path));
    }
}

/// The path behind `type Name = path;`.
fn alias(ty: &Type) -> Option<Vec<String>> {
    match ty {
        Type::Path(path) if path.qself.is_none() => Some(segments(&path.path)),
        _ => None,
    }
}

pub(super) fn segments(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

fn declared(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Mod(item) => &item.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// The scopes around a place, the innermost last.
#[derive(Default, Debug, Clone)]
pub(super) struct Names {
    scopes: Vec<Scope>,
}

/// Chains of renames are followed so far.
const STEPS_MAX: usize = 8;

impl Names {
    pub(super) fn push(&mut self, scope: Scope) {
        self.scopes.push(scope);
    }

    pub(super) fn pop(&mut self) {
        self.scopes.pop();
    }

    /// The full paths that a path may stand for: one, or several if it may come from a glob; none if it is local to a
    /// block. A path into this crate begins with `crate`.
    pub(super) fn resolve(&self, path: &[String], absolute: bool) -> Vec<Vec<String>> {
        if absolute {
            return vec![canonical(path.to_vec())];
        }
        self.resolve_step(path, STEPS_MAX)
    }

    /// The full paths that the name of a macro may stand for, each with `!` at its end.
    pub(super) fn resolve_macro(&self, path: &[String], absolute: bool) -> Vec<Vec<String>> {
        let [name] = path else { return with_bang(self.resolve(path, absolute)) };
        if self.scopes.iter().any(|scope| scope.names.contains_key(&format!("{name}!"))) {
            return vec![vec!["crate".to_owned(), format!("{name}!")]];
        }
        let imported = with_bang(self.resolve(path, absolute));
        if self.scopes.iter().any(|scope| scope.imported(name).is_some()) {
            return imported;
        }
        let prelude = vec!["std".to_owned(), format!("{name}!")];
        imported.into_iter().chain([prelude]).collect()
    }

    fn resolve_step(&self, path: &[String], steps_left: usize) -> Vec<Vec<String>> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        if let Some(above) = self.relative(first) {
            return Vec::from_iter(above.and_then(|above| up(above, rest)));
        }
        let found = self.scopes.iter().rev().find_map(|scope| Some((scope, scope.names.get(first)?)));
        match found {
            Some((Scope { home, .. }, Meaning::Item)) => Vec::from_iter(home.as_ref().map(|home| joined(home, path))),
            Some((_, Meaning::Path(target))) => {
                let full = joined(target, rest);
                if target.first() == Some(first) || steps_left == 0 {
                    vec![canonical(full)]
                } else {
                    self.resolve_step(&full, steps_left - 1)
                }
            }
            None => self.unknown(path),
        }
    }

    /// Where `crate`, `self` and `super` lead; the inner `None` if that is not known.
    #[allow(clippy::option_option, reason = "a name that leads nowhere is not a name that does not lead")]
    fn relative(&self, first: &str) -> Option<Option<Vec<String>>> {
        match first {
            "crate" => Some(Some(vec!["crate".to_owned()])),
            "self" => Some(self.home().cloned()),
            "super" => Some(self.home().and_then(|home| Some(home.split_last()?.1.to_vec()))),
            _ => None,
        }
    }

    fn home(&self) -> Option<&Vec<String>> {
        self.scopes.iter().rev().find_map(|scope| scope.home.as_ref())
    }

    /// A crate, a name of the prelude, or something that a glob imports.
    fn unknown(&self, path: &[String]) -> Vec<Vec<String>> {
        let globs = self.scopes.iter().flat_map(|scope| &scope.globs);
        let through_globs = globs.flat_map(|above| {
            let full = joined(above, path);
            // The glob itself may begin with a name that is declared here.
            match above.first() {
                Some(first) if self.is_known(first) => self.resolve_step(&full, 1),
                _ => vec![canonical(full)],
            }
        });
        std::iter::once(canonical(path.to_vec())).chain(through_globs).collect()
    }

    fn is_known(&self, name: &str) -> bool {
        self.relative(name).is_some() || self.scopes.iter().any(|scope| scope.names.contains_key(name))
    }
}

/// Takes further `super::` off the front; none if they lead out of the crate.
fn up(above: Vec<String>, rest: &[String]) -> Option<Vec<String>> {
    let supers = rest.iter().take_while(|part| *part == "super").count();
    let left = above.len().checked_sub(supers).filter(|left| *left > 0)?;
    Some(above.into_iter().take(left).chain(rest.iter().skip(supers).cloned()).collect())
}

fn joined(above: &[String], below: &[String]) -> Vec<String> {
    above.iter().chain(below).cloned().collect()
}

fn with_bang(paths: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let mut paths = paths;
    for path in &mut paths {
        if let Some(last) = path.last_mut() {
            last.push('!');
        }
    }
    paths
}

/// Crates that are parts of others, and shown again by them.
const PARTS: &[(&str, &[&str])] = &[
    ("core", &["std"]),
    ("alloc", &["std"]),
    ("futures_util", &["futures"]),
    ("futures_channel", &["futures", "channel"]),
    ("futures_executor", &["futures", "executor"]),
];

/// One name for what has several.
fn canonical(path: Vec<String>) -> Vec<String> {
    let part = path.first().and_then(|first| PARTS.iter().find(|(part, _)| part == first));
    match part {
        Some((_, whole)) => whole.iter().map(ToString::to_string).chain(path.into_iter().skip(1)).collect(),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(file: &str, path: &str) -> Vec<String> {
        let file: syn::File = syn::parse_str(file).unwrap();
        let mut names = Names::default();
        names.push(Scope::of_module(vec!["crate".into(), "m".into()], &file.items));
        let path: Vec<String> = path.split("::").map(ToOwned::to_owned).collect();
        names.resolve(&path, false).into_iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn imports_and_declarations_are_followed() {
        for (file, path, expected) in [
            ("use std::time::Instant;", "Instant::now", vec!["std::time::Instant::now"]),
            ("use std::time::{self, Instant as Clock};", "Clock::now", vec!["std::time::Instant::now"]),
            ("use std::time::{self};", "time::Instant::now", vec!["std::time::Instant::now"]),
            ("use core::time as t; use t::Instant;", "Instant::now", vec!["std::time::Instant::now"]),
            ("use futures_util::future;", "future::join", vec!["futures::future::join"]),
            ("extern crate chrono as t;", "t::Utc::now", vec!["chrono::Utc::now"]),
            ("type Clock = std::time::Instant;", "Clock::now", vec!["std::time::Instant::now"]),
            ("use tokio;", "tokio::spawn", vec!["tokio::spawn"]),
            ("use std::time::*;", "Instant::now", vec!["Instant::now", "std::time::Instant::now"]),
            ("struct Instant;", "Instant::now", vec!["crate::m::Instant::now"]),
            ("mod tokio {}", "tokio::spawn", vec!["crate::m::tokio::spawn"]),
            ("mod clocks {} use clocks::*;", "now", vec!["now", "crate::m::clocks::now"]),
            ("use super::clocks as c;", "c::now", vec!["crate::clocks::now"]),
            ("", "crate::rand::random", vec!["crate::rand::random"]),
            ("", "self::random", vec!["crate::m::random"]),
            ("", "super::random", vec!["crate::random"]),
            ("", "super::super::random", vec![]),
        ] {
            assert_eq!(resolved(file, path), expected, "{file} {path}");
        }
    }

    #[test]
    fn a_circle_ends() {
        assert_eq!(resolved("use a::b as c; use c::b as a;", "a::x").len(), 1);
    }
}
