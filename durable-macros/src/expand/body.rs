//! The body of an async function as a durable future.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::visit::{self, Visit};
use syn::{Attribute, Block, TypeImplTrait, parse_quote};

use crate::lints::{self, Checked};
use crate::model::Output;
use crate::model::edges;

/// `-> impl DurableFuture<Output = T>`. The tokens are ours, and our edition is 2024: so the type captures every
/// lifetime in scope, even in a crate of edition 2021.
pub(crate) fn return_type(rt: &TokenStream, output: &Output<'_>) -> TokenStream {
    let ty = &output.ty;
    quote!(-> impl #rt::DurableFuture<Output = #ty>)
}

/// `{ scope(async move { body }) }`
pub(crate) fn scoped(rt: &TokenStream, output: &Output<'_>, body: &Block) -> TokenStream {
    let (hint, statements) = (type_hint(output, body), &body.stmts);
    let mut block = TokenStream::new();
    body.brace_token.surround(&mut block, |tokens| {
        tokens.extend(quote!(#hint #(#statements)*));
    });
    quote! {
        {
            #rt::scope(async move #block)
        }
    }
}

/// Turns on what `clippy` knows by itself, for those whose `clippy.toml` has our list: it sees through aliases, globs
/// and macros. Not where a body has exceptions: attributes cannot stand on every expression, so those of ours have none
/// of `clippy` to take their place.
pub(crate) fn for_clippy(checked: &Checked<'_>) -> Option<Attribute> {
    (!lints::has_exceptions(checked)).then(|| {
        parse_quote! {
            #[deny(
                clippy::disallowed_macros,
                clippy::disallowed_methods,
                clippy::disallowed_types,
                clippy::iter_over_hash_type
            )]
        }
    })
}

/// Tells the compiler what the body returns before it reads it, as the signature of an `async fn` does; without it,
/// `?` and `return` have nothing to convert to.
fn type_hint(output: &Output<'_>, body: &Block) -> TokenStream {
    if is_opaque(output) {
        return TokenStream::new();
    }
    let ty = &output.ty;
    // Errors about the type of the body point here.
    let span = output.written.map_or(body.brace_token.span.open(), |written| edges(&written.to_token_stream()).0);
    quote_spanned! {span=>
        #[allow(unused, clippy::all, clippy::pedantic)]
        if false {
            let output: #ty = loop {};
            return output;
        }
    }
}

fn is_opaque(output: &Output<'_>) -> bool {
    struct Search(bool);
    impl<'ast> Visit<'ast> for Search {
        fn visit_type_impl_trait(&mut self, opaque: &'ast TypeImplTrait) {
            self.0 = true;
            visit::visit_type_impl_trait(self, opaque);
        }
    }
    let mut search = Search(false);
    if let Some(written) = output.written {
        search.visit_type(written);
    }
    search.0 || output.ty.to_token_stream().to_string() == "!"
}
