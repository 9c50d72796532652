//! `#[allow_nondeterminism]` where no attribute of ours takes it away: on a plain helper.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, parse_quote};

use super::parse_function;
use crate::lints::{self, Checked};
use crate::mistakes::Mistakes;
use crate::model::Attributes;

pub(crate) fn allow_nondeterminism(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut function = match parse_function("#[allow_nondeterminism]", &item) {
        Ok(function) => function,
        Err(tokens) => return tokens,
    };
    let allowance: Attribute = parse_quote!(#[allow_nondeterminism(#args)]);
    // The attribute below checks the body, and reads this one with it.
    if function.attrs.iter().any(Attributes::is_ours) {
        function.attrs.push(allowance);
        return quote!(#function);
    }
    let (mut allowances, attributes) = function.attrs.into_iter().partition::<Vec<_>, _>(lints::is_allowance);
    function.attrs = attributes;
    allowances.push(allowance);
    let mut mistakes = Mistakes::default();
    let checked = Checked { attributes: &allowances, signature: &function.sig, body: &function.block, macros: &[] };
    lints::check_allowances(&checked, &mut mistakes);
    let mistakes = mistakes.into_tokens();
    quote!(#function #mistakes)
}
