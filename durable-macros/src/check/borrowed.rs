//! References: what is stored and read back on another day must own what it holds.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Lifetime, Type, TypeReference};

use crate::mistakes::Mistakes;
use crate::model::{Argument, Function};

pub(super) fn check(function: &Function, mistakes: &mut Mistakes) {
    let mut search = Search { mistakes };
    function.payloads().map(Argument::ty).chain(function.output().written).for_each(|ty| search.visit_type(ty));
}

struct Search<'m> {
    mistakes: &'m mut Mistakes,
}

impl<'ast> Visit<'ast> for Search<'_> {
    fn visit_type(&mut self, ty: &'ast Type) {
        match ty {
            // Whatever is in these cannot be stored anyway: the compiler says so.
            Type::FnPtr(_) | Type::TraitObject(_) | Type::ImplTrait(_) => {}
            Type::Reference(reference) => self.refuse(reference),
            _ => visit::visit_type(self, ty),
        }
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if lifetime.ident != "static" {
            self.mistakes.at(lifetime, "this borrows, and what is stored must own what it holds; use an owned type");
        }
    }
}

impl Search<'_> {
    fn refuse(&mut self, reference: &TypeReference) {
        let owned = owned(reference);
        self.mistakes.at(
            reference,
            format!("this borrows, and what is stored must own what it holds; write `{}`", compact(&owned)),
        );
    }
}

/// The owned type to write in the place of a reference.
fn owned(reference: &TypeReference) -> TokenStream {
    let mut elem = reference.elem.as_ref().clone();
    Owner.visit_type_mut(&mut elem);
    match &elem {
        Type::Path(path) if path.path.is_ident("str") => quote!(String),
        Type::Slice(slice) => {
            let elem = &slice.elem;
            quote!(Vec<#elem>)
        }
        other => other.to_token_stream(),
    }
}

/// Puts the owned type in the place of every reference, as the messages advise.
pub(crate) struct Owner;

impl VisitMut for Owner {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        match ty {
            Type::Reference(reference) => *ty = Type::Verbatim(owned(reference)),
            _ => visit_mut::visit_type_mut(self, ty),
        }
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        *lifetime = Lifetime::new("'static", lifetime.span());
    }
}

/// Tokens as people write them: without the spaces that printing puts between.
fn compact(tokens: &TokenStream) -> String {
    let mut text = tokens.to_string();
    for (from, to) in [(" < ", "<"), ("< ", "<"), (" >", ">"), (" ,", ","), (" :: ", "::"), (" ;", ";"), ("& ", "&")] {
        text = text.replace(from, to);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owned_type_is_named() {
        for (borrowed, expected) in [
            ("&str", "String"),
            ("&'a mut Order", "Order"),
            ("&[u8]", "Vec<u8>"),
            ("&[&str]", "Vec<String>"),
            ("&std::collections::BTreeMap<String, &str>", "std::collections::BTreeMap<String, String>"),
        ] {
            let reference: TypeReference = syn::parse_str(borrowed).unwrap();
            assert_eq!(compact(&owned(&reference)), expected, "{borrowed}");
        }
    }
}
