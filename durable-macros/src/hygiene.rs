//! Under which name the user's crate knows `durable-runtime`.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};

/// The absolute path of the runtime crate in the user's crate; prints as that path.
#[derive(Clone)]
pub(crate) struct Runtime(TokenStream);

impl Runtime {
    /// What `crate = path` said, or else the name in the user's `Cargo.toml`.
    pub(crate) fn find(given: Option<&syn::Path>) -> Self {
        match given {
            Some(path) => Self(path.to_token_stream()),
            None => Self::named(crate_name("durable-runtime").ok().as_ref()),
        }
    }

    /// `Itself` is the library, one of its tests or one of its examples; all of them see it under its own name,
    /// since the library has an `extern crate self`.
    fn named(found: Option<&FoundCrate>) -> Self {
        let name = match found {
            Some(FoundCrate::Name(name)) => name.as_str(),
            Some(FoundCrate::Itself) | None => "durable_runtime",
        };
        let name = Ident::new(name, Span::call_site());
        Self(quote!(::#name))
    }

    /// The one module that expansions name.
    pub(crate) fn private(&self) -> TokenStream {
        let Self(path) = self;
        quote!(#path::__private)
    }

    /// The same, where errors about it shall stand.
    pub(crate) fn private_at(&self, span: Span) -> TokenStream {
        respan(self.private(), span)
    }
}

/// The same tokens in another place.
pub(crate) fn respan(tokens: TokenStream, span: Span) -> TokenStream {
    let respanned = tokens.into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    respanned.collect()
}

impl ToTokens for Runtime {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.0.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_dependency_is_found_and_everything_else_has_the_usual_name() {
        let path = |found: Option<FoundCrate>| Runtime::named(found.as_ref()).private().to_string();
        assert_eq!(path(Some(FoundCrate::Name("steps".into()))), ":: steps :: __private");
        assert_eq!(path(Some(FoundCrate::Itself)), ":: durable_runtime :: __private");
        assert_eq!(path(None), ":: durable_runtime :: __private");
    }
}
