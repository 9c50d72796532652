//! The `use` items of the file around: they are not among the tokens that an attribute sees.

use proc_macro2::fallback;
use syn::{ImplItem, Item, Signature, TraitItem};

use super::names::{Names, Scope};

/// The scopes around a function, read from its file. None where there is no file, as in an editor: then only what
/// stands in the body itself is known.
pub(super) fn names(signature: &Signature) -> Names {
    let mut names = Names::default();
    if let Some(text) = text(signature) {
        let name = signature.ident.to_string();
        scopes(&text, &name).into_iter().for_each(|scope| names.push(scope));
    }
    names
}

fn text(signature: &Signature) -> Option<String> {
    if !proc_macro::is_available() {
        return None;
    }
    let path = signature.ident.span().unwrap().local_file()?;
    std::fs::read_to_string(path).ok()
}

/// Parses with tokens of our own: those of the compiler would be kept in its tables until the end of the build.
fn scopes(text: &str, function: &str) -> Vec<Scope> {
    fallback::force();
    let scopes = syn::parse_file(text).map(|file| within(&file.items, function)).unwrap_or_default();
    fallback::unforce();
    scopes
}

/// The scope of the file, or of the inline module in which the function stands.
fn within(items: &[Item], function: &str) -> Vec<Scope> {
    let scope = Scope::of_items(items);
    let mut found = modules(items).filter(|inner| holds_deep(inner, function)).map(|inner| within(inner, function));
    match (declares(items, function), found.next(), found.next()) {
        (false, Some(inner), None) if inner.first().is_some_and(|inner| inner.inherits) => {
            std::iter::once(scope).chain(inner).collect()
        }
        (false, Some(inner), None) => inner,
        // The name occurs more than once: which one is meant cannot be told, so nothing is assumed.
        (false, Some(_), Some(_)) | (true, Some(_), _) => Vec::new(),
        _ => vec![scope],
    }
}

fn modules(items: &[Item]) -> impl Iterator<Item = &[Item]> {
    items.iter().filter_map(|item| match item {
        Item::Mod(module) => module.content.as_ref().map(|(_, items)| items.as_slice()),
        _ => None,
    })
}

fn holds_deep(items: &[Item], function: &str) -> bool {
    declares(items, function) || modules(items).any(|inner| holds_deep(inner, function))
}

/// Whether the function stands here, free or as a method.
fn declares(items: &[Item], function: &str) -> bool {
    items.iter().any(|item| match item {
        Item::Fn(item) => item.sig.ident == function,
        Item::Impl(item) => {
            item.items.iter().any(|item| matches!(item, ImplItem::Fn(item) if item.sig.ident == function))
        }
        Item::Trait(item) => {
            item.items.iter().any(|item| matches!(item, TraitItem::Fn(item) if item.sig.ident == function))
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Vec<String> {
        let mut names = Names::default();
        scopes(text, "f").into_iter().for_each(|scope| names.push(scope));
        names.resolve(&["Instant".to_owned()], false).into_iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn the_module_of_the_function_counts() {
        assert_eq!(resolved("use std::time::Instant; fn f() {}"), ["std::time::Instant"]);
        assert_eq!(resolved("use std::time::Instant; mod m { fn f() {} }"), ["Instant"]);
        assert_eq!(resolved("use std::time::Instant; mod m { use super::*; fn f() {} }"), ["std::time::Instant"]);
        assert_eq!(
            resolved("struct Instant; mod m { use std::time::Instant; impl X { fn f() {} } }"),
            ["std::time::Instant"]
        );
        assert_eq!(resolved("use std::time::Instant; fn f() {} mod m { fn f() {} }"), ["Instant"]);
        assert_eq!(resolved("no rust at all"), ["Instant"]);
    }
}
