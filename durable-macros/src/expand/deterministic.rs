//! `#[deterministic]`

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, ItemFn};

use super::{body, parse_function, runtime};
use crate::args::DeterministicArgs;
use crate::check;
use crate::lints::{self, Checked};
use crate::mistakes::Mistakes;
use crate::model::{Attributes, Output};
use crate::rewrite::{self, Rewrite};

pub(crate) fn deterministic(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut function = match parse_function("#[deterministic]", &item) {
        Ok(function) => function,
        Err(tokens) => return tokens,
    };
    let mut mistakes = Mistakes::default();
    let args = DeterministicArgs::parse(args, &mut mistakes);
    let (path, rt) = runtime(args.runtime.as_ref());
    check::qualifiers(&function.sig, "a deterministic helper", function.sig.asyncness.is_none(), &mut mistakes);
    one_attribute(&mut function, &mut mistakes);
    let (allowances, attributes) = function.attrs.into_iter().partition(lints::is_allowance);
    function.attrs = attributes;
    let allowances: Vec<Attribute> = allowances;
    let checked =
        Checked { attributes: &allowances, signature: &function.sig, body: &function.block, macros: &args.macros };
    let denied = lints::check(&checked, &mut mistakes);
    let clippy = body::for_clippy(&checked);
    function.attrs.extend(clippy);
    let rewrite = Rewrite { runtime: &path, macros: &args.macros, denied: &denied };
    rewrite::body(&rewrite, &mut function.block, &mut mistakes);
    let expanded = if function.sig.asyncness.is_some() { durable(&rt, &function) } else { quote!(#function) };
    let mistakes = mistakes.into_tokens();
    quote!(#expanded #mistakes)
}

fn one_attribute(function: &mut ItemFn, mistakes: &mut Mistakes) {
    for attribute in function.attrs.iter().filter(|attribute| Attributes::is_ours(attribute)) {
        mistakes.at(attribute, "this function is a deterministic helper already; keep one of the two attributes");
    }
    function.attrs.retain(|attribute| !Attributes::is_ours(attribute));
}

/// The same function, with a durable future in the place of the one that `async` makes.
fn durable(rt: &TokenStream, function: &ItemFn) -> TokenStream {
    let (attributes, vis, written) = (&function.attrs, &function.vis, Output::of(&function.sig.output));
    let mut signature = function.sig.clone();
    (signature.asyncness, signature.output) = (None, syn::ReturnType::Default);
    let condition = signature.generics.where_clause.take();
    let (returns, block) = (body::return_type(rt, &written), body::scoped(rt, &written, &function.block));
    quote!(#(#attributes)* #vis #signature #returns #condition #block)
}
