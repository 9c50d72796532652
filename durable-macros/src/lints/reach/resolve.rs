//! From a path that begins with `crate` to what it stands for: through modules, `use` items and type aliases.

use super::tree::Tree;
use crate::lints::table;

/// What a path leads to.
pub(super) enum Target {
    /// Functions of this crate; several, if conditions choose between them.
    Functions(Vec<usize>),
    /// A path into another crate.
    Outside(Vec<String>),
    Nothing,
}

/// Re-exports are followed so far.
const STEPS_MAX: usize = 8;

pub(super) fn resolve(tree: &mut Tree, path: &[String]) -> Target {
    step(tree, path, STEPS_MAX)
}

fn step(tree: &mut Tree, path: &[String], steps_left: usize) -> Target {
    let Some((_, mut rest)) = path.split_first().filter(|(first, _)| *first == "crate") else {
        return if path.is_empty() { Target::Nothing } else { Target::Outside(path.to_vec()) };
    };
    let mut module = 0;
    while let [name, below @ ..] = rest
        && !below.is_empty()
        && let Some(child) = tree.child(module, name)
    {
        (module, rest) = (child, below);
    }
    if let Some(functions) = declared(tree, module, rest) {
        return Target::Functions(functions);
    }
    if steps_left == 0 {
        return Target::Nothing;
    }
    reexported(tree, module, rest, steps_left - 1)
}

/// The functions of this name in the module; those of a type may stand in an `impl` one module below.
fn declared(tree: &mut Tree, module: usize, rest: &[String]) -> Option<Vec<usize>> {
    let key = rest.join("::");
    if let Some(functions) = tree.modules.get(module)?.functions.get(&key) {
        return Some(functions.clone());
    }
    let [ty, function] = rest else { return None };
    let may_be_below = tree.modules.get(module)?.scope.declares(ty) && !function.starts_with(char::is_uppercase);
    let children = if may_be_below { tree.children(module) } else { Vec::new() };
    children.into_iter().find_map(|child| tree.modules.get(child)?.functions.get(&key).cloned())
}

/// What `use` items and aliases of the module make of the first name that it does not declare itself.
fn reexported(tree: &mut Tree, module: usize, rest: &[String], steps_left: usize) -> Target {
    let Some(first) = rest.first() else { return Target::Nothing };
    let Some(scope) = tree.modules.get(module).map(|module| module.scope.clone()) else { return Target::Nothing };
    let names = tree.names(module);
    let imported = scope.imported(first).map(|path| vec![path.to_vec()]);
    let through = imported.unwrap_or_else(|| {
        scope.globs().iter().map(|above| above.iter().cloned().chain([first.clone()]).collect()).collect()
    });
    for path in through {
        let full: Vec<String> = path.into_iter().chain(rest.iter().skip(1).cloned()).collect();
        for target in names.resolve(&full, false) {
            match step(tree, &target, steps_left) {
                Target::Functions(functions) => return Target::Functions(functions),
                Target::Outside(path) if table::find(&path).is_some() => return Target::Outside(path),
                Target::Outside(_) | Target::Nothing => {}
            }
        }
    }
    Target::Nothing
}
