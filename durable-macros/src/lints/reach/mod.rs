//! The crate around a function, as far as its files tell: the names in scope, and the helpers that a body reaches.
//!
//! Files are read when something in them is asked for. Kept is plain text only: tokens of the compiler do not outlive
//! one call of a macro.

mod functions;
mod resolve;
mod roots;
mod search;
mod tree;

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use syn::Signature;

pub(super) use search::Reached;
use tree::Tree;

use super::names::Names;

/// The crate that is being compiled, seen from one function. Nothing is known where there is no file, as in an editor:
/// then only what stands in the body itself counts.
#[derive(Clone, Default)]
pub(super) struct Surroundings {
    tree: Option<Rc<RefCell<Tree>>>,
    associated: bool,
    names: Names,
}

impl Surroundings {
    /// Finds the function by its place in its file.
    pub(super) fn of(signature: &Signature) -> Self {
        if !proc_macro::is_available() {
            return Self::default();
        }
        let span = signature.ident.span().unwrap();
        match span.local_file() {
            Some(file) => Self::at(&file, &signature.ident.to_string(), span.line()),
            None => Self::default(),
        }
    }

    fn at(file: &Path, name: &str, line: usize) -> Self {
        let Some(tree) = tree_with(file) else { return Self::default() };
        let mut found = tree.borrow_mut().place(file, name, line);
        found.tree = Some(tree);
        found
    }

    /// The names in scope around the function.
    pub(super) fn names(&self) -> Names {
        self.names.clone()
    }

    /// Whether the function stands in an `impl` or `trait`: without `self`, its own tokens do not tell.
    pub(super) fn is_associated(&self) -> bool {
        self.associated
    }

    /// What a path that begins with `crate` leads to, if that is refused: directly, or through the helpers it names.
    pub(super) fn reach(&self, target: &[String]) -> Vec<Reached> {
        self.tree.as_ref().map(|tree| search::from(&mut tree.borrow_mut(), target)).unwrap_or_default()
    }
}

thread_local! {
    /// A compiler process compiles one crate: its tree is kept from one attribute to the next.
    static TREES: RefCell<Vec<Rc<RefCell<Tree>>>> = const { RefCell::new(Vec::new()) };
}

/// The tree of modules that has this file.
fn tree_with(file: &Path) -> Option<Rc<RefCell<Tree>>> {
    let file = file.canonicalize().ok()?;
    let known = TREES.with_borrow(|trees| trees.iter().find(|tree| tree.borrow_mut().find(&file).is_some()).cloned());
    known.or_else(move || {
        let mut candidates = roots::of_this_crate().into_iter().map(Tree::of);
        let tree = candidates.find_map(|mut tree| tree.find(&file).is_some().then_some(tree));
        // A file that no target leads to is read as if it were a crate of its own.
        let tree = Rc::new(RefCell::new(tree.unwrap_or_else(|| Tree::of(file))));
        TREES.with_borrow_mut(|trees| trees.push(tree.clone()));
        Some(tree)
    })
}

#[cfg(test)]
mod tests;
