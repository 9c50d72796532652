//! The tree of modules of a crate, read as far as somebody asked.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::fallback;
use syn::{Attribute, Expr, ExprLit, Item, ItemMod, Lit, Meta};

use super::Surroundings;
use super::functions::{self, Function};
use super::roots;
use crate::lints::names::{Names, Scope};

/// Modules by number; the first is the root.
pub(super) struct Tree {
    pub(super) modules: Vec<Module>,
    pub(super) functions: Vec<Function>,
    /// Dependencies with another name.
    crates: Scope,
    /// Files that were not found or not understood are not asked for twice.
    given_up: Vec<PathBuf>,
}

pub(super) struct Module {
    /// From `crate` on.
    pub(super) path: Vec<String>,
    parent: Option<usize>,
    file: PathBuf,
    /// Where the files of its children are.
    folder: PathBuf,
    pub(super) scope: Scope,
    children: BTreeMap<String, Child>,
    /// By `name`, or `Type::name`.
    pub(super) functions: BTreeMap<String, Vec<usize>>,
}

/// A child is read when it is asked for.
enum Child {
    Read(usize),
    InFile(Vec<PathBuf>),
}

impl Tree {
    /// The tree that begins with this file.
    pub(super) fn of(root: PathBuf) -> Self {
        let crates = Scope::of_crates(roots::renamed());
        let mut tree = Self { modules: Vec::new(), functions: Vec::new(), crates, given_up: Vec::new() };
        let folder = root.parent().map(Path::to_owned).unwrap_or_default();
        tree.read_file(&root, folder, vec!["crate".to_owned()], None);
        tree
    }

    /// The module that is the whole of this file. The names of the folders mostly tell where it is.
    pub(super) fn find(&mut self, file: &Path) -> Option<usize> {
        let root = self.modules.first()?;
        let below = file.strip_prefix(&root.folder).map(|below| below.with_extension("")).unwrap_or_default();
        let mut at = Some(0);
        for part in below.components().filter_map(|part| part.as_os_str().to_str()) {
            at = at.and_then(|module| self.child(module, part)).or(at.filter(|_| part == "mod"));
        }
        let guessed = at.filter(|at| self.is_file(*at, file));
        guessed.or_else(|| self.find_anywhere(file))
    }

    /// Reads all modules: the last resort, for `#[path]`.
    fn find_anywhere(&mut self, file: &Path) -> Option<usize> {
        let mut at = 0;
        while at < self.modules.len() {
            if self.is_file(at, file) {
                return Some(at);
            }
            self.children(at);
            at += 1;
        }
        None
    }

    /// All modules below another one, read if they were not yet.
    pub(super) fn children(&mut self, module: usize) -> Vec<usize> {
        let names = self.modules.get(module).map(|module| module.children.keys().cloned().collect::<Vec<_>>());
        names.into_iter().flatten().filter_map(|name| self.child(module, &name)).collect()
    }

    fn is_file(&self, module: usize, file: &Path) -> bool {
        // An inline module has the file of its parent, and comes behind it.
        self.modules.get(module).is_some_and(|module| module.file == file)
    }

    /// The module below another one, read if it was not yet.
    pub(super) fn child(&mut self, module: usize, name: &str) -> Option<usize> {
        let parent = self.modules.get(module)?;
        let candidates = match parent.children.get(name)? {
            Child::Read(child) => return Some(*child),
            Child::InFile(candidates) => candidates.clone(),
        };
        let path: Vec<String> = parent.path.iter().cloned().chain([name.to_owned()]).collect();
        let file =
            candidates.iter().find(|file| !self.given_up.contains(file) && file.is_file())?.canonicalize().ok()?;
        let is_folder_of_its_own = file.file_stem().is_some_and(|stem| stem == name);
        let above = file.parent()?;
        // `a/mod.rs`, or a file with another name by `#[path]`, keeps its children beside itself.
        let folder = if is_folder_of_its_own { above.join(name) } else { above.to_owned() };
        let child = self.read_file(&file, folder, path, Some(module))?;
        self.modules.get_mut(module)?.children.insert(name.to_owned(), Child::Read(child));
        Some(child)
    }

    fn read_file(&mut self, file: &Path, folder: PathBuf, path: Vec<String>, parent: Option<usize>) -> Option<usize> {
        let parsed = fs::read_to_string(file).ok().and_then(|text| {
            with_own_tokens(|| {
                let items = syn::parse_file(&text).ok()?.items;
                Some(self.read(&items, file, folder, path, parent))
            })
        });
        if parsed.is_none() {
            self.given_up.push(file.to_owned());
        }
        parsed
    }

    /// Notes what a module declares, then the modules in it.
    fn read(
        &mut self,
        items: &[Item],
        file: &Path,
        folder: PathBuf,
        path: Vec<String>,
        parent: Option<usize>,
    ) -> usize {
        let number = self.modules.len();
        self.modules.push(Module {
            scope: Scope::of_module(path.clone(), items),
            path,
            parent,
            file: file.to_owned(),
            folder,
            children: BTreeMap::new(),
            functions: BTreeMap::new(),
        });
        let found = functions::read(items, &self.names(number), file);
        for mut function in found {
            function.module = number;
            let at = self.functions.len();
            if let Some(module) = self.modules.get_mut(number).filter(|_| !function.is_nested) {
                module.functions.entry(function.key.clone()).or_default().push(at);
            }
            self.functions.push(function);
        }
        for item in items {
            if let Item::Mod(item) = item {
                self.note(number, item);
            }
        }
        number
    }

    fn note(&mut self, parent: usize, item: &ItemMod) {
        let Some(Module { file, folder, path, .. }) = self.modules.get(parent) else { return };
        let name = item.ident.to_string();
        let (file, inside) = (file.clone(), folder.join(&name));
        let child = match &item.content {
            Some((_, items)) => {
                let path = path.iter().cloned().chain([name.clone()]).collect();
                Child::Read(self.read(items, &file, inside, path, Some(parent)))
            }
            None => Child::InFile(match path_attribute(&item.attrs) {
                Some(path) => vec![self.above(parent, &file, folder).join(path)],
                None => vec![folder.join(format!("{name}.rs")), inside.join("mod.rs")],
            }),
        };
        if let Some(parent) = self.modules.get_mut(parent) {
            parent.children.entry(name).or_insert(child);
        }
    }

    /// What `#[path]` is relative to: the folder of the file, or that of the children inside of an inline module.
    fn above(&self, module: usize, file: &Path, folder: &Path) -> PathBuf {
        let parent = self.modules.get(module).and_then(|module| self.modules.get(module.parent?));
        let is_inline = parent.is_some_and(|parent| parent.file == file);
        if is_inline { folder.to_owned() } else { file.parent().map(Path::to_owned).unwrap_or_default() }
    }

    /// The scopes that count in a module: its own, below those that it inherits with `use super::*`.
    pub(super) fn names(&self, module: usize) -> Names {
        let mut scopes = Vec::new();
        let mut at = self.modules.get(module);
        while let Some(module) = at {
            scopes.push(module.scope.clone());
            at = module.parent.filter(|_| module.scope.inherits).and_then(|parent| self.modules.get(parent));
        }
        let mut names = Names::default();
        names.push(self.crates.clone());
        scopes.into_iter().rev().for_each(|scope| names.push(scope));
        names
    }

    /// Where a function is; if no function is found at its line, one of its name in its file, if there is but one.
    pub(super) fn place(&mut self, file: &Path, name: &str, line: usize) -> Surroundings {
        let Some(whole) = file.canonicalize().ok().and_then(|file| self.find(&file)) else {
            return Surroundings::default();
        };
        let file = self.modules.get(whole).map(|module| module.file.clone()).unwrap_or_default();
        let in_file = |function: &&Function| {
            function.name == name && self.modules.get(function.module).is_some_and(|module| module.file == file)
        };
        let named: Vec<&Function> = self.functions.iter().filter(in_file).collect();
        let here = named.iter().find(|function| function.line == line).or(match named.as_slice() {
            [single] => Some(single),
            _ => None,
        });
        Surroundings {
            tree: None,
            associated: here.is_some_and(|function| function.is_associated()),
            // A function that occurs twice and is at neither place: nothing is assumed.
            names: match here {
                Some(function) => function.names(self.names(function.module)),
                None if named.is_empty() => self.names(whole),
                None => Names::default(),
            },
        }
    }
}

/// Parses with tokens of our own: those of the compiler would give no lines, and stay in its tables.
fn with_own_tokens<T>(parse: impl FnOnce() -> T) -> T {
    if !proc_macro::is_available() {
        return parse();
    }
    fallback::force();
    let parsed = parse();
    proc_macro2::extra::invalidate_current_thread_spans();
    fallback::unforce();
    parsed
}

/// `#[path = ".."]`
fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.path().is_ident("path"))?;
    match &attribute.meta {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(path), .. }) => Some(path.value()),
            _ => None,
        },
        _ => None,
    }
}
