//! The rules as others read them: `durable_runtime::errors`, and `clippy.toml`.

use std::fmt::Write;

use proc_macro2::TokenStream;
use quote::quote;

use super::table::{self, Row};

/// `&[Rule { code: "..", .. }, ..]`, by code.
pub(crate) fn rules() -> TokenStream {
    let rules = by_code().into_iter().map(
        |Row { code, name, why, instead, .. }| quote!(Rule { code: #code, name: #name, why: #why, instead: #instead }),
    );
    quote!(&[#(#rules),*])
}

fn by_code() -> Vec<&'static Row> {
    let mut rows: Vec<&Row> = table::all().collect();
    rows.sort_by_key(|row| row.code);
    rows
}

/// The three lists that `clippy` knows. A `*` means nothing to it: there, the names that are spelled out stand for it.
pub(crate) fn clippy() -> String {
    let entries = by_code().into_iter().flat_map(|row| {
        let paths = row.paths.iter().chain(row.spelled).filter(|path| !path.contains('*'));
        paths.map(move |path| (*path, row))
    });
    let (mut methods, mut types, mut macros) = (String::new(), String::new(), String::new());
    for (path, Row { code, why, instead, .. }) in entries {
        let list = match path.strip_suffix('!') {
            Some(_) => &mut macros,
            None if is_type(path) => &mut types,
            None => &mut methods,
        };
        let path = path.trim_end_matches('!');
        // Writing into a text cannot fail.
        let _ = writeln!(
            list,
            "    {{ path = \"{path}\", reason = \"{why}; {instead} ({code})\", allow-invalid = true }},"
        );
    }
    format!("disallowed-methods = [\n{methods}]\ndisallowed-types = [\n{types}]\ndisallowed-macros = [\n{macros}]\n")
}

fn is_type(path: &str) -> bool {
    path.rsplit("::").next().is_some_and(|last| last.starts_with(char::is_uppercase))
}

#[cfg(test)]
mod tests;
