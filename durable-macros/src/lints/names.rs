//! What a name in a body means: which full path it stands for, as far as `use` and declarations tell.

use std::collections::HashMap;

use syn::{Item, ItemUse, Stmt, Type, UseTree};

/// The names that one module or block brings into scope. Plain text only: no tokens of the compiler are kept.
#[derive(Default, Clone, Debug)]
pub(super) struct Scope {
    names: HashMap<String, Meaning>,
    /// `use a::b::*`
    globs: Vec<Vec<String>>,
    /// `use super::*`
    pub(super) inherits: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Meaning {
    /// Stands for this full path.
    Path(Vec<String>),
    /// Declared here: none of what our rules are about.
    Local,
}

impl Scope {
    /// The names of a module.
    pub(super) fn of_items<'a>(items: impl IntoIterator<Item = &'a Item>) -> Self {
        let mut scope = Self::default();
        items.into_iter().for_each(|item| scope.add(item));
        scope
    }

    /// The items of a block are in scope in all of it.
    pub(super) fn of_block(block: &syn::Block) -> Self {
        Self::of_items(block.stmts.iter().filter_map(|statement| match statement {
            Stmt::Item(item) => Some(item),
            _ => None,
        }))
    }

    fn add(&mut self, item: &Item) {
        match item {
            Item::Use(item) => self.add_use(item),
            Item::ExternCrate(item) => {
                let name = item.rename.as_ref().map_or(&item.ident, |(_, name)| name);
                self.names.insert(name.to_string(), Meaning::Path(vec![item.ident.to_string()]));
            }
            Item::Type(item) => {
                let meaning = alias(&item.ty).map_or(Meaning::Local, Meaning::Path);
                self.names.insert(item.ident.to_string(), meaning);
            }
            Item::Macro(item) => {
                if let Some(name) = &item.ident {
                    self.names.insert(format!("{name}!"), Meaning::Local);
                }
            }
            other => {
                if let Some(name) = declared(other) {
                    self.names.insert(name, Meaning::Local);
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
#[derive(Default, Debug)]
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

    /// The full paths that a path may stand for: one, or several if it may come from a glob; none if it is local.
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
            return Vec::new();
        }
        let imported = with_bang(self.resolve(path, absolute));
        let prelude = vec!["std".to_owned(), format!("{name}!")];
        imported.into_iter().chain([prelude]).collect()
    }

    fn resolve_step(&self, path: &[String], steps_left: usize) -> Vec<Vec<String>> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        if matches!(first.as_str(), "crate" | "self" | "super" | "Self") {
            return Vec::new();
        }
        match self.scopes.iter().rev().find_map(|scope| scope.names.get(first)) {
            Some(Meaning::Local) => Vec::new(),
            Some(Meaning::Path(target)) => {
                let full: Vec<String> = target.iter().chain(rest).cloned().collect();
                if target.first() == Some(first) || steps_left == 0 {
                    vec![canonical(full)]
                } else {
                    self.resolve_step(&full, steps_left - 1)
                }
            }
            None => self.unknown(path),
        }
    }

    /// A crate, a name of the prelude, or something that a glob imports.
    fn unknown(&self, path: &[String]) -> Vec<Vec<String>> {
        let globs = self.scopes.iter().flat_map(|scope| &scope.globs);
        let through_globs = globs.map(|above| canonical(above.iter().chain(path).cloned().collect()));
        std::iter::once(canonical(path.to_vec())).chain(through_globs).collect()
    }
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

/// `core` and `alloc` are `std`.
fn canonical(mut path: Vec<String>) -> Vec<String> {
    if let Some(first) = path.first_mut()
        && matches!(first.as_str(), "core" | "alloc")
    {
        *first = "std".to_owned();
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(file: &str, path: &str) -> Vec<String> {
        let file: syn::File = syn::parse_str(file).unwrap();
        let mut names = Names::default();
        names.push(Scope::of_items(&file.items));
        let path: Vec<String> = path.split("::").map(ToOwned::to_owned).collect();
        names.resolve(&path, false).into_iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn imports_are_followed_and_declarations_cleared() {
        for (file, path, expected) in [
            ("use std::time::Instant;", "Instant::now", vec!["std::time::Instant::now"]),
            ("use std::time::{self, Instant as Clock};", "Clock::now", vec!["std::time::Instant::now"]),
            ("use std::time::{self};", "time::Instant::now", vec!["std::time::Instant::now"]),
            ("use core::time as t; use t::Instant;", "Instant::now", vec!["std::time::Instant::now"]),
            ("extern crate chrono as t;", "t::Utc::now", vec!["chrono::Utc::now"]),
            ("type Clock = std::time::Instant;", "Clock::now", vec!["std::time::Instant::now"]),
            ("use tokio;", "tokio::spawn", vec!["tokio::spawn"]),
            ("use std::time::*;", "Instant::now", vec!["Instant::now", "std::time::Instant::now"]),
            ("struct Instant;", "Instant::now", vec![]),
            ("mod tokio {}", "tokio::spawn", vec![]),
            ("", "crate::rand::random", vec![]),
            ("use a::b as c; use c::b as a;", "a::x", vec!["a::b::b::b::b::b::b::b::b::b::x"]),
        ] {
            let found = resolved(file, path);
            if file.starts_with("use a::b") {
                assert_eq!(found.len(), 1, "a circle ends");
            } else {
                assert_eq!(found, expected, "{file} {path}");
            }
        }
    }
}
