//! What is emitted in the place of an item with mistakes, so that nothing that uses it fails second-hand.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::visit_mut::VisitMut;
use syn::{GenericParam, ReturnType, Type};

use crate::check::Owner;
use crate::expand;
use crate::mistakes::Mistakes;
use crate::model::{Function, Kind, Role};

/// The item untouched beside its errors: there is nothing better to emit inside of an `impl`.
pub(crate) fn as_written(item: &TokenStream, mistakes: Mistakes) -> TokenStream {
    let mistakes = mistakes.into_tokens();
    quote!(#item #mistakes)
}

/// The function with a signature that callers can use, and no body: it is never run.
pub(crate) fn stand_in(rt: &TokenStream, function: &Function) -> TokenStream {
    let types = Types::of(function);
    let (caller, marker, ident) = (caller(rt, function, &types), expand::marker(function), function.ident());
    let (output, conditions) = (&types.output, &function.attributes.conditions);
    let associated = quote! {
        type Arguments = ();
        type Output = <#output as #rt::Shape<{ <#rt::Probe<#output>>::IS_RESULT }>>::Ok;
        type Error = <#output as #rt::Shape<{ <#rt::Probe<#output>>::IS_RESULT }>>::Err;
    };
    let implementation = match function.kind {
        Kind::Activity => activity(rt, ident, &associated),
        Kind::Orchestration => orchestration(rt, ident, &associated),
    };
    let run = run(rt, function, &types);
    quote! {
        #caller
        #marker
        #run
        #(#conditions)*
        const _: () = {
            #[allow(unused_imports)]
            use #rt::NotResult as _;
            #implementation
        };
    }
}

/// The types of the signature as the messages advise to write them.
struct Types {
    arguments: Vec<(Ident, Type)>,
    output: TokenStream,
}

impl Types {
    fn of(function: &Function) -> Self {
        let arguments = function.payloads().map(|argument| (argument.name.clone(), owned(argument.ty())));
        let output = match &function.signature.output {
            ReturnType::Type(_, ty) if usable(function, ty) => {
                let ty = owned(ty);
                quote!(#ty)
            }
            _ => quote!(()),
        };
        Self { arguments: arguments.collect(), output }
    }
}

fn owned(ty: &Type) -> Type {
    let mut ty = ty.clone();
    Owner.visit_type_mut(&mut ty);
    ty
}

/// Whether a type means something outside of the signature: it names none of its parameters, and hides nothing.
fn usable(function: &Function, ty: &Type) -> bool {
    let text = quote!(#ty).to_string();
    let mut words = text.split(|character: char| !character.is_alphanumeric() && character != '_');
    let parameters: Vec<String> = function.signature.generics.params.iter().filter_map(type_parameter).collect();
    !words.any(|word| word == "impl" || parameters.iter().any(|parameter| parameter == word))
}

fn type_parameter(parameter: &GenericParam) -> Option<String> {
    match parameter {
        GenericParam::Type(parameter) => Some(parameter.ident.to_string()),
        GenericParam::Const(parameter) => Some(parameter.ident.to_string()),
        GenericParam::Lifetime(_) => None,
    }
}

/// The type parameters without the lifetimes, which `owned` has taken out of all types.
fn generics(function: &Function) -> Vec<&GenericParam> {
    let is_type = |parameter: &&GenericParam| !matches!(parameter, GenericParam::Lifetime(_));
    function.signature.generics.params.iter().filter(is_type).collect()
}

fn caller(rt: &TokenStream, function: &Function, types: &Types) -> TokenStream {
    let (vis, ident, generics) = (&function.vis, function.ident(), generics(function));
    let (conditions, condition) = (&function.attributes.conditions, &function.signature.generics.where_clause);
    let arguments = types.arguments.iter().map(|(name, ty)| quote!(#name: #ty));
    let (own, context, returns) = match function.kind {
        Kind::Activity => (quote!(), quote!(#rt::OrchestrationContext), quote!(#rt::ActivityCall<#ident>)),
        Kind::Orchestration => (
            quote!(DurableCaller: #rt::OrchestrationCaller<#ident, DurableCall>, DurableCall),
            quote!(DurableCaller),
            quote!(DurableCall),
        ),
    };
    quote! {
        #(#conditions)*
        #[allow(unused, missing_docs, clippy::all)]
        #vis fn #ident<#(#generics,)* #own>(_: &#context, #(#arguments),*) -> #returns #condition {
            ::core::unreachable!()
        }
    }
}

fn run(rt: &TokenStream, function: &Function, types: &Types) -> TokenStream {
    let (vis, ident, generics, output) = (&function.vis, function.ident(), generics(function), &types.output);
    let (conditions, condition) = (&function.attributes.conditions, &function.signature.generics.where_clause);
    let mut owned = types.arguments.iter();
    let arguments = function.arguments.iter().filter_map(|argument| match argument.role {
        Role::Payload => owned.next().map(|(name, ty)| quote!(#name: #ty)),
        Role::Context | Role::State | Role::WrongContext => {
            let ty = argument.borrowed().unwrap_or_else(|| argument.ty());
            Some(quote!(_: #ty))
        }
    });
    let (asyncness, returns, body) = match function.kind {
        Kind::Activity => (&function.signature.asyncness, quote!(-> #output), quote!(::core::unreachable!())),
        Kind::Orchestration => (
            &None,
            quote!(-> impl #rt::DurableFuture<Output = #output>),
            quote!(#rt::scope(async { ::core::unreachable!() })),
        ),
    };
    let constants = constants(rt, function.kind);
    quote! {
        #(#conditions)*
        #[allow(unused, missing_docs, clippy::all)]
        impl #ident {
            #(#vis const #constants;)*
            #vis #asyncness fn run<#(#generics),*>(#(#arguments),*) #returns #condition { #body }
        }
    }
}

fn constants(rt: &TokenStream, kind: Kind) -> Vec<TokenStream> {
    let name = quote!(NAME: &'static str = "");
    match kind {
        Kind::Activity => vec![name],
        Kind::Orchestration => vec![
            name,
            quote!(VERSION: &'static str = ""),
            quote!(FINGERPRINT: u64 = 0),
            quote!(OUTLINE: &'static #rt::Outline = &#rt::Outline { steps: &[] }),
        ],
    }
}

fn activity(rt: &TokenStream, ident: &Ident, associated: &TokenStream) -> TokenStream {
    quote! {
        impl #rt::Activity for #ident {
            #associated
            const NAME: &'static str = "";
            const OPTIONS: #rt::ActivityOptions = #rt::ActivityOptions::NONE;
            const PLACE: #rt::Place = #rt::Place::new("", 0);
            fn invoke(_: #rt::ActivityContext, _: Self::Arguments) -> ::core::result::Result<#rt::ActivityBody, #rt::MissingState> {
                ::core::unreachable!()
            }
            fn states() -> ::std::vec::Vec<#rt::StateKey> {
                ::std::vec::Vec::new()
            }
        }
    }
}

fn orchestration(rt: &TokenStream, ident: &Ident, associated: &TokenStream) -> TokenStream {
    quote! {
        impl #rt::Orchestration for #ident {
            #associated
            const NAME: &'static str = "";
            const VERSION: &'static str = "";
            const FINGERPRINT: u64 = 0;
            const OUTLINE: &'static #rt::Outline = &#rt::Outline { steps: &[] };
            const PLACE: #rt::Place = #rt::Place::new("", 0);
            fn begin(_: #rt::OrchestrationContext, _: Self::Arguments) -> #rt::BodyFuture {
                ::core::unreachable!()
            }
        }
    }
}
