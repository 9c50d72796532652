//! What the file around a function says: its `use` items are not among the tokens that an attribute sees.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use proc_macro2::fallback;
use syn::visit::{self, Visit};
use syn::{ImplItemFn, Item, ItemFn, ItemMod, Signature, TraitItemFn};

use super::names::{Names, Scope};

/// The scopes around a function. None where there is no file, as in an editor: then only what stands in the body
/// itself is known.
pub(super) fn names(signature: &Signature) -> Names {
    let mut names = Names::default();
    if let Some(file) = around(signature) {
        file.scopes(&signature.ident.to_string()).into_iter().for_each(|scope| names.push(scope));
    }
    names
}

/// Whether the function stands in an `impl` or `trait`: without `self`, its own tokens do not tell.
pub(crate) fn is_associated(signature: &Signature) -> bool {
    around(signature).is_some_and(|file| file.is_associated(&signature.ident.to_string()))
}

/// What is kept of a file: plain text only, since tokens of the compiler do not outlive one call of a macro.
#[derive(Default)]
struct File {
    /// The file itself, then its inline modules.
    modules: Vec<Module>,
}

#[derive(Default)]
struct Module {
    scope: Scope,
    parent: Option<usize>,
    functions: HashSet<String>,
    associated: HashSet<String>,
}

/// How a file is known again: its path, length and time of change.
type Version = (PathBuf, u64, SystemTime);

thread_local! {
    /// The file read last: attributes come file by file.
    static LAST: RefCell<Option<(Version, Rc<File>)>> = const { RefCell::new(None) };
}

fn around(signature: &Signature) -> Option<Rc<File>> {
    if !proc_macro::is_available() {
        return None;
    }
    let path = signature.ident.span().unwrap().local_file()?;
    let version = version(&path)?;
    let known =
        LAST.with_borrow(|last| last.as_ref().filter(|(known, _)| *known == version).map(|(_, file)| file.clone()));
    known.or_else(|| {
        let file = Rc::new(File::parse(&std::fs::read_to_string(&path).ok()?));
        LAST.set(Some((version, file.clone())));
        Some(file)
    })
}

fn version(path: &Path) -> Option<Version> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((path.to_owned(), metadata.len(), metadata.modified().ok()?))
}

impl File {
    /// Parses with tokens of our own: those of the compiler would give no lines, and stay in its tables.
    fn parse(text: &str) -> Self {
        fallback::force();
        let file = syn::parse_file(text).map(|file| Self::read(&file.items)).unwrap_or_default();
        fallback::unforce();
        file
    }

    fn read(items: &[Item]) -> Self {
        let mut reader = Reader { file: Self::default(), current: 0 };
        reader.module(items, None);
        reader.file
    }

    fn is_associated(&self, function: &str) -> bool {
        self.modules.iter().any(|module| module.associated.contains(function))
            && !self.modules.iter().any(|module| module.functions.contains(function))
    }

    /// The scope of the module that has the function, below those that it inherits with `use super::*`.
    fn scopes(&self, function: &str) -> Vec<Scope> {
        let has = |module: &&Module| module.functions.contains(function) || module.associated.contains(function);
        let mut found = self.modules.iter().filter(has);
        match (found.next(), found.next()) {
            (Some(module), None) => self.chain(module),
            // The name occurs more than once: which one is meant cannot be told, so nothing is assumed.
            (Some(_), Some(_)) => Vec::new(),
            (None, _) => self.modules.first().map(|module| self.chain(module)).unwrap_or_default(),
        }
    }

    fn chain(&self, module: &Module) -> Vec<Scope> {
        let parent = module.parent.filter(|_| module.scope.inherits).and_then(|parent| self.modules.get(parent));
        let mut scopes = parent.map(|parent| self.chain(parent)).unwrap_or_default();
        scopes.push(module.scope.clone());
        scopes
    }
}

struct Reader {
    file: File,
    current: usize,
}

impl Reader {
    fn module(&mut self, items: &[Item], parent: Option<usize>) {
        self.current = self.file.modules.len();
        self.file.modules.push(Module { scope: Scope::of_items(items), parent, ..Module::default() });
        items.iter().for_each(|item| self.visit_item(item));
    }

    fn note(&mut self, signature: &Signature, list: impl Fn(&mut Module) -> &mut HashSet<String>) {
        if let Some(module) = self.file.modules.get_mut(self.current) {
            list(module).insert(signature.ident.to_string());
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if let Some((_, items)) = &module.content {
            let outside = self.current;
            self.module(items, Some(outside));
            self.current = outside;
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.note(&function.sig, |module| &mut module.functions);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.note(&function.sig, |module| &mut module.associated);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        self.note(&function.sig, |module| &mut module.associated);
        visit::visit_trait_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Vec<String> {
        let mut names = Names::default();
        File::parse(text).scopes("f").into_iter().for_each(|scope| names.push(scope));
        names.resolve(&["Instant".to_owned()], false).into_iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn the_module_of_the_function_counts() {
        assert_eq!(resolved("use std::time::Instant; fn f() {}"), ["std::time::Instant"]);
        assert_eq!(resolved("use std::time::Instant; fn outer() { fn f() {} }"), ["std::time::Instant"]);
        assert_eq!(resolved("use std::time::Instant; mod m { fn f() {} }"), ["Instant"]);
        assert_eq!(resolved("use std::time::Instant; mod m { use super::*; fn f() {} }"), ["std::time::Instant"]);
        assert_eq!(
            resolved("struct Instant; mod m { use std::time::Instant; impl X { fn f() {} } }"),
            ["std::time::Instant"]
        );
        assert_eq!(resolved("use std::time::Instant; fn f() {} mod m { fn f() {} }"), ["Instant"]);
        assert_eq!(resolved("no rust at all"), ["Instant"]);
    }

    #[test]
    fn associated_functions_are_told_from_free_ones() {
        let is_associated = |text: &str| File::parse(text).is_associated("f");
        assert!(is_associated("impl X { fn f() {} }"));
        assert!(is_associated("mod m { trait X { fn f(); } }"));
        assert!(!is_associated("impl X { fn f() {} } fn f() {}"));
        assert!(!is_associated("fn main() { fn f() {} }"));
    }
}
