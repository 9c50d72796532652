//! `#[orchestration]`

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::{arguments, body, marker, output, parse_function, place, runtime};
use crate::args::OrchestrationArgs;
use crate::lints::{self, Checked};
use crate::mistakes::Mistakes;
use crate::model::{Function, Kind};
use crate::outline::{self, Outline};
use crate::rewrite::{self, Rewrite};
use crate::{check, fallback};

pub(crate) fn orchestration(args: TokenStream, item: TokenStream) -> TokenStream {
    let function = match parse_function("#[orchestration]", &item) {
        Ok(function) => function,
        Err(tokens) => return tokens,
    };
    let mut mistakes = Mistakes::default();
    if check::is_method(&function, Kind::Orchestration, &mut mistakes) {
        return fallback::as_written(&item, mistakes);
    }
    let args = OrchestrationArgs::parse(args, &mut mistakes);
    let (path, rt) = runtime(args.common.runtime.as_ref());
    let before = mistakes.count();
    let mut function = Function::read(Kind::Orchestration, function);
    check::signature(&function, &mut mistakes);
    let refused = mistakes.count() > before;
    let outline = outline::of(&function);
    let checked = Checked {
        attributes: &function.attributes.allowances,
        signature: &function.signature,
        body: &function.body,
        macros: &args.common.macros,
    };
    let denied = lints::check(&checked, &mut mistakes);
    let clippy = body::for_clippy(&checked);
    function.attributes.body.extend(clippy);
    let rewrite = Rewrite { runtime: &path, macros: &args.common.macros, denied: &denied };
    rewrite::body(&rewrite, &mut function.body, &mut mistakes);
    let expanded = if refused { fallback::stand_in(&rt, &function) } else { whole(&rt, &function, &args, &outline) };
    let mistakes = mistakes.into_tokens();
    quote!(#expanded #mistakes)
}

fn whole(rt: &TokenStream, function: &Function, args: &OrchestrationArgs, outline: &Outline) -> TokenStream {
    let (caller, marker) = (caller(rt, function), marker(function));
    let (body, plumbing) = (inherent(rt, function, args, outline), plumbing(rt, function, args));
    quote!(#caller #marker #body #plumbing)
}

/// What orchestrations and clients call; what the call means is decided by what it is called with.
pub(crate) fn caller(rt: &TokenStream, function: &Function) -> TokenStream {
    let attributes = &function.attributes;
    let (conditions, docs, lints) = (&attributes.conditions, &attributes.caller, &attributes.lints);
    let (vis, ident, tuple) = (&function.vis, function.ident(), arguments::tuple(function));
    let parameters = function.payloads().map(|argument| (&argument.name, argument.ty()));
    let parameters = parameters.map(|(name, ty)| quote!(#name: #ty));
    let caller = quote_spanned!(proc_macro2::Span::mixed_site()=> caller);
    let (from, call) = (free_name(function, ["C", "Caller"]), free_name(function, ["K", "Call"]));
    quote! {
        #(#conditions)* #(#docs)* #(#lints)*
        #[allow(dead_code, clippy::too_many_arguments)]
        #[track_caller]
        #vis fn #ident<#from: #rt::OrchestrationCaller<#ident, #call>, #call>(#caller: &#from, #(#parameters),*) -> #call {
            <#from as #rt::OrchestrationCaller<#ident, #call>>::call(#caller, ::core::convert::From::from(#tuple))
        }
    }
}

/// A name for a type parameter that no argument type has.
fn free_name(function: &Function, [short, long]: [&str; 2]) -> Ident {
    let types: TokenStream = function.payloads().map(|argument| argument.ty()).map(|ty| quote!(#ty)).collect();
    let taken = |name: &str| names(types.clone()).iter().any(|ident| ident == name);
    let free = [short, long].into_iter().find(|name| !taken(name));
    free.map_or_else(|| format_ident!("Durable{long}"), |name| format_ident!("{name}"))
}

fn names(tokens: TokenStream) -> Vec<String> {
    let each = tokens.into_iter().flat_map(|token| match token {
        proc_macro2::TokenTree::Ident(ident) => vec![ident.to_string()],
        proc_macro2::TokenTree::Group(group) => names(group.stream()),
        _ => Vec::new(),
    });
    each.collect()
}

/// The constants, and the body as a durable future.
fn inherent(rt: &TokenStream, function: &Function, args: &OrchestrationArgs, outline: &Outline) -> TokenStream {
    let attributes = &function.attributes;
    let (conditions, lints, others) = (&attributes.conditions, &attributes.lints, &attributes.body);
    let (vis, ident, inputs, written) =
        (&function.vis, function.ident(), &function.signature.inputs, function.output());
    let run = format_ident!("run", span = ident.span());
    let (returns, block) = (body::return_type(rt, &written), body::scoped(rt, &written, &function.body));
    let (name, version) =
        (args.name.clone().unwrap_or_else(|| function.plain_name()), args.version.as_deref().unwrap_or("1.0.0"));
    let (fingerprint, steps) = (outline.fingerprint(), outline.to_tokens(rt));
    let docs = format!("The body of the orchestration `{ident}`, for a test that brings its own context.");
    quote! {
        #(#conditions)*
        #[allow(dead_code)]
        impl #ident {
            /// The name under which the orchestration is stored and found.
            #vis const NAME: &'static str = #name;
            /// The version of its code; an instance stays with the version it was started with.
            #vis const VERSION: &'static str = #version;
            /// A number for the outline: it differs if the durable calls, branches or loops differ.
            #vis const FINGERPRINT: u64 = #fingerprint;
            /// The durable calls, branches and loops, in the order of the code.
            #vis const OUTLINE: &'static #rt::Outline = &#steps;

            #[doc = #docs]
            #(#lints)* #(#others)*
            #[allow(private_interfaces)]
            #vis fn #run(#inputs) #returns #block
        }
    }
}

fn plumbing(rt: &TokenStream, function: &Function, args: &OrchestrationArgs) -> TokenStream {
    let (conditions, ident, written) = (&function.attributes.conditions, function.ident(), function.output());
    let (arguments, types, place) = (arguments::items(rt, function), output::types(rt, function), place(rt, ident));
    let in_order = output::in_order(rt, function);
    let (ty, is_result) = (&written.ty, output::is_result(rt, &written));
    let timeout = args.timeout_ms.map(|ms| {
        quote! {
            const TIMEOUT: ::core::option::Option<::core::time::Duration> =
                ::core::option::Option::Some(::core::time::Duration::from_millis(#ms));
        }
    });
    let passed = function.payloads().map(|argument| &argument.name);
    quote! {
        #(#conditions)*
        const _: () = {
            #[allow(unused_imports)]
            use #rt::NotResult as _;

            #arguments
            #in_order

            impl #rt::Orchestration for #ident {
                const NAME: &'static str = #ident::NAME;
                const VERSION: &'static str = #ident::VERSION;
                const FINGERPRINT: u64 = #ident::FINGERPRINT;
                const OUTLINE: &'static #rt::Outline = #ident::OUTLINE;
                const PLACE: #rt::Place = #place;
                #timeout
                type Arguments = __Arguments;
                #types
                #[allow(unused_variables)]
                fn begin(context: #rt::OrchestrationContext, arguments: Self::Arguments) -> #rt::BodyFuture {
                    #rt::body::<Self, #ty, #is_result, _>(#ident::run(context, #(arguments.#passed),*))
                }
            }

            #rt::inventory::submit! { #rt::OrchestrationRegistration::of::<#ident>() }
        };
    }
}
