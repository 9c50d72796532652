//! What a signature must be like. Each rule is a small function that knows its best span.

mod borrowed;
mod context;
mod local;

pub(crate) use borrowed::Owner;
pub(crate) use local::check as local;

use syn::punctuated::Punctuated;
use syn::{GenericParam, ItemFn, Pat, Safety, Signature, Token, Type};

use crate::lints;
use crate::mistakes::Mistakes;
use crate::model::{Argument, Function, Kind, Role};

/// Looks for everything that is wrong with the signature of an activity or orchestration.
pub(crate) fn signature(function: &Function, mistakes: &mut Mistakes) {
    let noun = function.kind.noun();
    one_attribute(function, mistakes);
    allowances(function, mistakes);
    runners(function, mistakes);
    qualifiers(&function.signature, noun, false, mistakes);
    asynchronous(function, mistakes);
    generics(function, mistakes);
    context::check(function, mistakes);
    function.arguments.iter().for_each(|argument| pattern(argument, mistakes));
    borrowed::check(function, mistakes);
    opaque(function, mistakes);
}

/// Methods and associated functions have no place in the registry, and an `impl` none for what we emit.
pub(crate) fn is_method(item: &ItemFn, kind: Kind, mistakes: &mut Mistakes) -> bool {
    let noun = kind.noun();
    if let Some(receiver) = item.sig.receiver() {
        let advice = match kind {
            Kind::Activity => "make it a free function, and take `State<T>` for what it needs",
            Kind::Orchestration => "make it a free function, and pass what it needs as arguments",
        };
        let cause = format!("{noun} cannot be a method: it is found by its name, without a value to call it on");
        mistakes.at(receiver, format!("{cause}; {advice}"));
        return true;
    }
    let is_associated = lints::is_associated(&item.sig);
    if is_associated {
        mistakes.at(
            &item.sig.ident,
            format!("{noun} is a type beside its function, which an `impl` cannot hold; move it out"),
        );
    }
    is_associated
}

/// `const`, `unsafe`, `extern` and `...` make no sense on a function that the runtime calls.
pub(crate) fn qualifiers(signature: &Signature, noun: &str, may_be_const: bool, mistakes: &mut Mistakes) {
    let mut refuse = |tokens: &dyn quote::ToTokens, word: &str| {
        mistakes.at(
            tokens.to_token_stream(),
            format!("{noun} cannot be `{word}`: the runtime calls it; take `{word}` out"),
        );
    };
    if let Some(token) = &signature.constness
        && !may_be_const
    {
        refuse(token, "const");
    }
    if let Safety::Unsafe(token) = &signature.safety {
        refuse(token, "unsafe");
    }
    if let Some(abi) = &signature.abi {
        refuse(abi, "extern");
    }
    if let Some(variadic) = &signature.variadic {
        refuse(variadic, "...");
    }
}

fn one_attribute(function: &Function, mistakes: &mut Mistakes) {
    for attribute in &function.attributes.ours {
        mistakes.at(
            attribute,
            format!("this function is {} already; keep one of the two attributes", function.kind.noun()),
        );
    }
}

/// Attributes that make something else of an async function.
fn runners(function: &Function, mistakes: &mut Mistakes) {
    for attribute in &function.attributes.body {
        let path = attribute.path();
        let Some(last) = path.segments.last() else { continue };
        let is_runner = path.segments.len() > 1 && (last.ident == "main" || last.ident == "test");
        if is_runner || last.ident == "async_trait" {
            let noun = function.kind.noun();
            mistakes.at(attribute, format!("{noun} is run by the runtime, and stays `async`; take this out"));
        }
    }
}

/// An activity needs no exceptions.
fn allowances(function: &Function, mistakes: &mut Mistakes) {
    if function.kind == Kind::Activity {
        for attribute in &function.attributes.allowances {
            mistakes.at(attribute, "an activity may do anything; take this out");
        }
    }
}

fn asynchronous(function: &Function, mistakes: &mut Mistakes) {
    if function.kind == Kind::Orchestration && !function.is_async() {
        mistakes.at(function.signature.fn_token, "an orchestration waits for what it calls; write `async fn`");
    }
}

/// Lifetimes are refused where they are used.
fn generics(function: &Function, mistakes: &mut Mistakes) {
    let noun = function.kind.noun();
    let is_type = |parameter: &&GenericParam| !matches!(parameter, GenericParam::Lifetime(_));
    let types: Punctuated<&GenericParam, Token![,]> =
        function.signature.generics.params.iter().filter(is_type).collect();
    if !types.is_empty() {
        let cause = format!("{noun} has no generic parameters: the name it is stored under says nothing about types");
        mistakes.at(types, format!("{cause}; write a function for each type"));
    }
}

/// A payload's name is a key in the stored JSON object.
fn pattern(argument: &Argument, mistakes: &mut Mistakes) {
    for attribute in argument.written.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")) {
        mistakes.at(
            attribute,
            "stored arguments cannot differ from build to build; take `cfg` out, or put it on the function",
        );
    }
    if argument.role != Role::Payload {
        return;
    }
    match argument.written.pat.as_ref() {
        Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => {}
        pattern => mistakes.at(
            pattern,
            "the name of an argument is its key in the stored arguments; write a plain name here, and take it apart in the body",
        ),
    }
}

/// `impl Trait` is a generic parameter, or hides what must be encoded.
fn opaque(function: &Function, mistakes: &mut Mistakes) {
    let noun = function.kind.noun();
    let inputs = function.payloads().map(Argument::ty);
    for ty in inputs.chain(function.output().written) {
        if let Type::ImplTrait(opaque) = ty {
            mistakes.at(
                opaque,
                format!("what crosses into or out of {noun} is stored, so its type must be known; name the type"),
            );
        }
    }
}
