//! From our own types to tokens. Everything emitted is a small call into ordinary code of the runtime.

mod activity;
mod activity_error;
mod allow;
mod arguments;
mod body;
mod deterministic;
mod event;
mod orchestration;
mod output;
mod select;

pub(crate) use activity::activity;
pub(crate) use activity_error::activity_error;
pub(crate) use allow::allow_nondeterminism;
pub(crate) use deterministic::deterministic;
pub(crate) use event::event;
pub(crate) use orchestration::orchestration;
pub(crate) use select::{Select, select};

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::hygiene::{Runtime, respan};
use crate::model::{Function, edges};

/// The type that shares its name with the function; one `use` imports both, since types and functions have names apart.
pub(crate) fn marker(function: &Function) -> TokenStream {
    let (conditions, vis, ident) = (&function.attributes.conditions, &function.vis, function.ident());
    let docs = match function.kind {
        crate::model::Kind::Activity => format!("The activity `{ident}`: its name, and its body as `{ident}::run`."),
        crate::model::Kind::Orchestration => {
            format!("The orchestration `{ident}`: its name, version and outline, and its body as `{ident}::run`.")
        }
    };
    quote! {
        #(#conditions)*
        #[doc = #docs]
        #[allow(non_camel_case_types, dead_code, clippy::empty_enums)]
        #vis enum #ident {}
    }
}

/// Where the user's function stands.
fn place(rt: &TokenStream, ident: &syn::Ident) -> TokenStream {
    quote_spanned! {ident.span()=> #rt::Place::new(::core::file!(), ::core::line!()) }
}

/// Tokens that an error about `at` underlines from end to end: the compiler takes the first and the last span.
fn underline(open: TokenStream, middle: TokenStream, close: TokenStream, at: &TokenStream) -> TokenStream {
    let (first, last) = edges(at);
    let mut tokens = respan(open, first);
    tokens.extend(middle);
    tokens.extend(respan(close, last));
    tokens
}

/// What every item of ours parses first: the function, or an error that leaves the item as it is.
fn parse_function(attribute: &str, item: &TokenStream) -> Result<syn::ItemFn, TokenStream> {
    syn::parse2::<syn::ItemFn>(item.clone()).map_err(|error| {
        let error = match syn::parse2::<syn::Item>(item.clone()) {
            Ok(_) if let Ok(declared) = syn::parse2::<syn::TraitItemFn>(item.clone()) => {
                let message =
                    format!("`{attribute}` goes on a free function: it is found by its name; move it out of the trait");
                syn::Error::new(declared.sig.ident.span(), message)
            }
            Ok(other) => {
                syn::Error::new(head(&other), format!("`{attribute}` goes on a function; write it above an `fn`"))
            }
            Err(_) => error,
        };
        let error = error.to_compile_error();
        quote!(#item #error)
    })
}

/// The keyword of an item that is no function.
fn head(item: &syn::Item) -> Span {
    match item {
        syn::Item::Struct(item) => item.struct_token.span,
        syn::Item::Enum(item) => item.enum_token.span,
        syn::Item::Impl(item) => item.impl_token.span,
        syn::Item::Trait(item) => item.trait_token.span,
        syn::Item::Mod(item) => item.mod_token.span,
        syn::Item::Const(item) => item.const_token.span,
        syn::Item::Static(item) => item.static_token.span,
        other => other.span(),
    }
}

/// The runtime as the user's crate knows it, and its private module.
fn runtime(given: Option<&syn::Path>) -> (Runtime, TokenStream) {
    let runtime = Runtime::find(given);
    let private = runtime.private();
    (runtime, private)
}
