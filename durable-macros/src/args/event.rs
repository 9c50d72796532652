//! `#[event(name = "..", crate = path)]` beside `#[derive(Event)]`

use proc_macro2::TokenStream;
use syn::{Attribute, Meta, Path};

use super::{read, values};
use crate::mistakes::Mistakes;

const KNOWN: &[&str] = &["name", "crate"];

/// What `#[event(..)]` was given.
#[derive(Default)]
pub(crate) struct EventArgs {
    pub(crate) name: Option<String>,
    pub(crate) runtime: Option<Path>,
}

impl EventArgs {
    pub(crate) fn parse(attributes: &[Attribute], mistakes: &mut Mistakes) -> Self {
        let mut args = Self::default();
        let tokens = attributes.iter().filter(|attribute| attribute.path().is_ident("event"));
        let tokens: TokenStream = tokens.filter_map(|attribute| list(attribute, mistakes)).collect();
        read("`#[event]`", KNOWN, tokens, mistakes, |name, given, mistakes| match name {
            "name" => args.name = values::name(given, "approved", mistakes),
            _ => args.runtime = values::path(given, mistakes),
        });
        args
    }
}

/// The arguments of one attribute, with a comma behind, so that several attributes read as one list.
fn list(attribute: &Attribute, mistakes: &mut Mistakes) -> Option<TokenStream> {
    match &attribute.meta {
        Meta::List(list) if list.tokens.is_empty() => None,
        Meta::List(list) => {
            let tokens = &list.tokens;
            let closed = tokens.clone().into_iter().last().is_some_and(|token| token.to_string() == ",");
            let comma = (!closed).then(<syn::Token![,]>::default);
            Some(quote::quote!(#tokens #comma))
        }
        _ => {
            mistakes.at(attribute, "`event` takes a list; write `#[event(name = \"..\")]`");
            None
        }
    }
}
