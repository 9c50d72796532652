//! What a function returns: success and error type, told apart by the type itself, so that aliases of `Result` work.

use proc_macro2::TokenStream;
use quote::quote;

use super::{arguments, underline};
use crate::model::{Function, Output};

/// `type Output = ..; type Error = ..;` of the `Activity` or `Orchestration` trait.
pub(super) fn types(rt: &TokenStream, function: &Function) -> TokenStream {
    let output = function.output();
    let ok = side(rt, &output, &quote!(Ok), &output.ok);
    let error = side(rt, &output, &quote!(Err), &output.error);
    // Errors about the items themselves, such as a private type, are about the whole type; being the same, they are shown once.
    let ok = underline(quote!(type), quote!(Output = #ok), quote!(;), &output.ty);
    let error = underline(quote!(type), quote!(Error = #error), quote!(;), &output.ty);
    quote!(#ok #error)
}

/// The one error for each side, at the type written for it, if its order differs from run to run.
pub(super) fn in_order(rt: &TokenStream, function: &Function) -> TokenStream {
    let output = function.output();
    let (ty, is_result) = (&output.ty, is_result(rt, &output));
    let asked = |side: TokenStream, at| arguments::in_order(rt, &quote!(<#ty as #rt::Shape<#is_result>>::#side), at);
    let (ok, error) = (asked(quote!(Ok), &output.ok), asked(quote!(Err), &output.error));
    quote!(#ok #error)
}

/// An error about one side underlines the part of the type that the user wrote for it.
fn side(rt: &TokenStream, output: &Output<'_>, side: &TokenStream, at: &TokenStream) -> TokenStream {
    let (ty, is_result) = (&output.ty, is_result(rt, output));
    underline(quote!(<), quote!(#ty as #rt::Shape<#is_result>>::), side.clone(), at)
}

/// The constant that is true if the type is a `Result`.
pub(super) fn is_result(rt: &TokenStream, output: &Output<'_>) -> TokenStream {
    let ty = &output.ty;
    quote!({ <#rt::Probe<#ty>>::IS_RESULT })
}
