//! `#[activity]`

use proc_macro2::{Literal, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::{arguments, marker, output, parse_function, place, runtime};
use crate::args::{ActivityArgs, Backoff, RetryArgs};
use crate::mistakes::Mistakes;
use crate::model::{Function, Kind, Role};
use crate::{check, fallback};

pub(crate) fn activity(args: TokenStream, item: TokenStream) -> TokenStream {
    let function = match parse_function("#[activity]", &item) {
        Ok(function) => function,
        Err(tokens) => return tokens,
    };
    let mut mistakes = Mistakes::default();
    if check::is_method(&function, Kind::Activity, &mut mistakes) {
        return fallback::as_written(&item, mistakes);
    }
    let args = ActivityArgs::parse(args, &mut mistakes);
    let (_, rt) = runtime(args.runtime.as_ref());
    let before = mistakes.count();
    let function = Function::read(Kind::Activity, function);
    check::signature(&function, &mut mistakes);
    check::local(&function, &args, &mut mistakes);
    let expanded =
        if mistakes.count() > before { fallback::stand_in(&rt, &function) } else { whole(&rt, &function, &args) };
    let mistakes = mistakes.into_tokens();
    quote!(#expanded #mistakes)
}

fn whole(rt: &TokenStream, function: &Function, args: &ActivityArgs) -> TokenStream {
    let (caller, marker) = (caller(rt, function), marker(function));
    let (body, plumbing) = (body(function, args), plumbing(rt, function, args));
    quote!(#caller #marker #body #plumbing)
}

/// What orchestrations call.
pub(crate) fn caller(rt: &TokenStream, function: &Function) -> TokenStream {
    let attributes = &function.attributes;
    let (conditions, docs, lints) = (&attributes.conditions, &attributes.caller, &attributes.lints);
    let (vis, ident, tuple) = (&function.vis, function.ident(), arguments::tuple(function));
    let parameters = function.payloads().map(|argument| (&argument.name, argument.ty()));
    let parameters = parameters.map(|(name, ty)| quote!(#name: #ty));
    // A name that an argument cannot take: it belongs to the macro.
    let ctx = quote_spanned!(proc_macro2::Span::mixed_site()=> ctx);
    quote! {
        #(#conditions)* #(#docs)* #(#lints)*
        #[allow(dead_code, clippy::too_many_arguments)]
        #[track_caller]
        #vis fn #ident(#ctx: &#rt::OrchestrationContext, #(#parameters),*) -> #rt::ActivityCall<#ident> {
            #rt::call_activity::<#ident>(#ctx, ::core::convert::From::from(#tuple))
        }
    }
}

/// What the user wrote, where unit tests find it.
fn body(function: &Function, args: &ActivityArgs) -> TokenStream {
    let attributes = &function.attributes;
    let (conditions, lints, others) = (&attributes.conditions, &attributes.lints, &attributes.body);
    let (vis, ident, block, name) = (&function.vis, function.ident(), &function.body, name(function, args));
    let mut signature = function.signature.clone();
    signature.ident = format_ident!("run", span = ident.span());
    let docs =
        format!("The body of the activity `{ident}`, run here and now: nothing is recorded and nothing retried.");
    quote! {
        #(#conditions)*
        impl #ident {
            /// The name under which the activity is stored and found.
            #[allow(dead_code)]
            #vis const NAME: &'static str = #name;

            #[doc = #docs]
            #(#lints)* #(#others)*
            #[allow(dead_code, private_interfaces)]
            #vis #signature #block
        }
    }
}

fn name(function: &Function, args: &ActivityArgs) -> String {
    args.name.clone().unwrap_or_else(|| function.plain_name())
}

fn plumbing(rt: &TokenStream, function: &Function, args: &ActivityArgs) -> TokenStream {
    let (conditions, ident) = (&function.attributes.conditions, function.ident());
    let (arguments, types) = (arguments::items(rt, function), output::types(rt, function));
    let in_order = output::in_order(rt, function);
    let (options, place, invoke) = (options(rt, args), place(rt, ident), invoke(rt, function));
    let terminal = terminal(rt, ident, args);
    let states = function.with_role(Role::State).map(|state| {
        let ty = state.state_type();
        quote!(#rt::StateKey::of::<#ty>())
    });
    quote! {
        #(#conditions)*
        const _: () = {
            #[allow(unused_imports)]
            use #rt::NotResult as _;
            #[allow(unused_imports)]
            use #rt::NeverTerminal as _;

            #arguments
            #in_order

            impl #rt::Activity for #ident {
                const NAME: &'static str = #ident::NAME;
                type Arguments = __Arguments;
                #types
                const OPTIONS: #rt::ActivityOptions = #options;
                const PLACE: #rt::Place = #place;
                #invoke
                #terminal
                fn states() -> ::std::vec::Vec<#rt::StateKey> {
                    ::std::vec![#(#states),*]
                }
            }

            #rt::inventory::submit! { #rt::ActivityRegistration::of::<#ident>() }
        };
    }
}

/// Takes the arguments apart and calls `run`: on a worker if it is async, on a thread that may block if not.
fn invoke(rt: &TokenStream, function: &Function) -> TokenStream {
    let ident = function.ident();
    let states = function.with_role(Role::State).enumerate().map(|(at, state)| {
        let (name, ty) = (format_ident!("state_{}", at), state.state_type());
        quote!(let #name = #rt::state::<#ty>(&context)?;)
    });
    let mut state_count = 0_usize;
    let passed = function.arguments.iter().map(|argument| match argument.role {
        Role::Payload => {
            let name = &argument.name;
            quote!(arguments.#name)
        }
        Role::State => {
            let name = format_ident!("state_{}", state_count);
            state_count += 1;
            quote!(#name)
        }
        Role::Context | Role::WrongContext => quote!(context),
    });
    let written = function.output();
    let (ty, is_result) = (&written.ty, output::is_result(rt, &written));
    let call = quote!(#ident::run(#(#passed),*));
    // The span of the name: an error about the future as a whole (`Send`) then stands there.
    let started = if function.is_async() {
        quote_spanned!(ident.span()=> #rt::async_body::<Self, #ty, #is_result, _>(#call))
    } else {
        quote_spanned!(ident.span()=> #rt::blocking_body::<Self, #ty, #is_result, _>(move || #call))
    };
    quote! {
        #[allow(unused_variables)]
        fn invoke(context: #rt::ActivityContext, arguments: Self::Arguments) -> ::core::result::Result<#rt::ActivityBody, #rt::MissingState> {
            #(#states)*
            ::core::result::Result::Ok(#started)
        }
    }
}

/// Says which errors no other attempt can help: those that say so themselves, and those that the attribute names.
fn terminal(rt: &TokenStream, ident: &syn::Ident, args: &ActivityArgs) -> TokenStream {
    // The type as it is, not as the associated type of `Self`: only then the compiler looks at what it implements.
    let by_itself = quote!(<#rt::TerminalProbe<<#ident as #rt::Activity>::Error>>::is_terminal(error));
    let by_attribute = args.terminal.as_ref().map(|path| {
        // An error about what it takes stands where it is named.
        let call = quote_spanned!(Span::call_site().located_at(path.span())=> (error));
        quote!(|| #path #call)
    });
    quote! {
        fn is_terminal(error: &Self::Error) -> bool {
            #by_itself #by_attribute
        }
    }
}

fn options(rt: &TokenStream, args: &ActivityArgs) -> TokenStream {
    let mut options = quote!(#rt::ActivityOptions::NONE);
    if let Some(retry) = &args.retry {
        let retry = retry_policy(rt, retry);
        options.extend(quote!(.retry(#retry)));
    }
    if let Some(ms) = args.timeout_ms {
        options.extend(quote!(.timeout_ms(#ms)));
    }
    if let Some(ms) = args.heartbeat_timeout_ms {
        options.extend(quote!(.heartbeat_timeout_ms(#ms)));
    }
    if let Some(ms) = args.schedule_to_start_ms {
        options.extend(quote!(.schedule_to_start_ms(#ms)));
    }
    if let Some(ms) = args.schedule_to_close_ms {
        options.extend(quote!(.schedule_to_close_ms(#ms)));
    }
    if let Some(most) = args.concurrent_max {
        options.extend(quote!(.max_concurrent(#most)));
    }
    if let Some(tag) = &args.tag {
        options.extend(quote!(.tag(#tag)));
    }
    if args.local.is_some() {
        options.extend(quote!(.local()));
    }
    options
}

fn retry_policy(rt: &TokenStream, retry: &RetryArgs) -> TokenStream {
    let attempts = retry.attempts_max;
    let mut policy = quote!(#rt::RetryPolicy::attempts(#attempts));
    let duration = |ms: u64| quote!(::core::time::Duration::from_millis(#ms));
    if let Some(initial) = retry.initial_ms.map(duration) {
        policy.extend(quote!(.initial(#initial)));
    }
    if let Some(factor) = retry.factor.map(Literal::f64_suffixed) {
        policy.extend(quote!(.factor(#factor)));
    }
    match retry.backoff {
        Some(Backoff::Fixed) => policy.extend(quote!(.fixed())),
        Some(Backoff::Linear) => policy.extend(quote!(.linear())),
        Some(Backoff::Exponential) | None => {}
    }
    if let Some(jitter) = retry.jitter.map(Literal::f64_suffixed) {
        policy.extend(quote!(.jitter(#jitter)));
    }
    if let Some(total) = retry.total_ms.map(duration) {
        policy.extend(quote!(.total(#total)));
    }
    if let Some(max) = retry.max_ms.map(duration) {
        policy.extend(quote!(.max(#max)));
    }
    policy
}
