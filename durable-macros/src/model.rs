//! A function under one of our attributes, in our own words: rules and output read only this.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::{Attribute, Block, FnArg, ItemFn, Pat, PatType, ReturnType, Signature, Type, TypePath, Visibility};

/// Which attribute stands on the function.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Activity,
    Orchestration,
}

impl Kind {
    /// The noun with its article, for messages.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Activity => "an activity",
            Self::Orchestration => "an orchestration",
        }
    }

    /// The name of the context type.
    pub(crate) fn context(self) -> &'static str {
        match self {
            Self::Activity => "ActivityContext",
            Self::Orchestration => "OrchestrationContext",
        }
    }
}

/// A free function with an attribute of ours.
pub(crate) struct Function {
    pub(crate) kind: Kind,
    pub(crate) attributes: Attributes,
    pub(crate) vis: Visibility,
    pub(crate) signature: Signature,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) body: Block,
}

/// One argument, the context included.
pub(crate) struct Argument {
    /// The name under which a payload is stored; a stand-in if the user wrote a pattern.
    pub(crate) name: Ident,
    pub(crate) written: PatType,
    pub(crate) role: Role,
}

/// Where the value of an argument comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The runtime, for this run.
    Context,
    /// `Runtime::builder(..).state(..)`.
    State,
    /// The caller: it crosses as JSON.
    Payload,
    /// The context of the other attribute: always a mistake.
    WrongContext,
}

impl Function {
    pub(crate) fn read(kind: Kind, item: ItemFn) -> Self {
        let arguments = item.sig.inputs.iter().enumerate().filter_map(|(at, input)| Argument::read(kind, at, input));
        Self {
            kind,
            arguments: arguments.collect(),
            attributes: Attributes::sort(item.attrs),
            vis: item.vis,
            signature: item.sig,
            body: *item.block,
        }
    }

    pub(crate) fn ident(&self) -> &Ident {
        &self.signature.ident
    }

    /// The name of the function without `r#`.
    pub(crate) fn plain_name(&self) -> String {
        self.ident().unraw().to_string()
    }

    pub(crate) fn is_async(&self) -> bool {
        self.signature.asyncness.is_some()
    }

    pub(crate) fn with_role(&self, role: Role) -> impl Iterator<Item = &Argument> + Clone {
        self.arguments.iter().filter(move |argument| argument.role == role)
    }

    pub(crate) fn payloads(&self) -> impl Iterator<Item = &Argument> + Clone {
        self.with_role(Role::Payload)
    }

    /// What the user called the context, if it has a name.
    pub(crate) fn context_name(&self) -> Option<&Ident> {
        match self.with_role(Role::Context).next()?.written.pat.as_ref() {
            Pat::Ident(pattern) => Some(&pattern.ident),
            _ => None,
        }
    }

    pub(crate) fn output(&self) -> Output<'_> {
        Output::of(&self.signature.output)
    }
}

impl Argument {
    fn read(kind: Kind, at: usize, input: &FnArg) -> Option<Self> {
        let FnArg::Typed(written) = input else { return None };
        let name = match written.pat.as_ref() {
            Pat::Ident(pattern) => pattern.ident.clone(),
            _ => format_ident!("argument_{}", at),
        };
        Some(Self { name, role: Role::of(kind, &written.ty), written: written.clone() })
    }

    pub(crate) fn ty(&self) -> &Type {
        &self.written.ty
    }

    /// The `T` of a `State<T>`.
    pub(crate) fn state_type(&self) -> Option<&Type> {
        parameters(self.ty()).first().copied()
    }

    /// The key in the stored JSON object.
    pub(crate) fn key(&self) -> String {
        self.name.unraw().to_string()
    }

    /// The type behind a `&`, if the argument is borrowed.
    pub(crate) fn borrowed(&self) -> Option<&Type> {
        match self.ty() {
            Type::Reference(reference) => Some(&reference.elem),
            _ => None,
        }
    }
}

impl Role {
    /// A macro sees names, not types: the last segment of the path decides.
    fn of(kind: Kind, ty: &Type) -> Self {
        match last_segment(ty).as_deref() {
            Some("ActivityContext" | "OrchestrationContext") if last_segment(ty).as_deref() != Some(kind.context()) => {
                Self::WrongContext
            }
            Some("ActivityContext" | "OrchestrationContext") => Self::Context,
            Some("State") if has_one_parameter(ty) => Self::State,
            _ => Self::Payload,
        }
    }
}

fn last_segment(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(TypePath { path, .. }) => path.segments.last().map(|segment| segment.ident.to_string()),
        Type::Reference(reference) => last_segment(&reference.elem),
        Type::Group(group) => last_segment(&group.elem),
        Type::Paren(paren) => last_segment(&paren.elem),
        _ => None,
    }
}

fn has_one_parameter(ty: &Type) -> bool {
    parameters(ty).len() == 1
}

/// The types in the angle brackets behind the last segment.
fn parameters(ty: &Type) -> Vec<&Type> {
    let Type::Path(TypePath { path, .. }) = ty else { return Vec::new() };
    let Some(syn::PathArguments::AngleBracketed(list)) = path.segments.last().map(|segment| &segment.arguments) else {
        return Vec::new();
    };
    let types = list.args.iter().map(|argument| match argument {
        syn::GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect::<Option<_>>().unwrap_or_default()
}

/// What a function returns.
pub(crate) struct Output<'a> {
    /// `()` if nothing is written.
    pub(crate) ty: TokenStream,
    /// The tokens to underline if the success type is wrong.
    pub(crate) ok: TokenStream,
    /// The tokens to underline if the error type is wrong.
    pub(crate) error: TokenStream,
    pub(crate) written: Option<&'a Type>,
}

impl<'a> Output<'a> {
    pub(crate) fn of(output: &'a ReturnType) -> Self {
        let ReturnType::Type(_, ty) = output else {
            let unit = quote::quote!(());
            return Self { ty: unit.clone(), ok: unit.clone(), error: unit, written: None };
        };
        let whole = ty.to_token_stream();
        let (ok, error) = match (last_segment(ty).as_deref(), parameters(ty).as_slice()) {
            (Some("Result"), [ok, error]) => (ok.to_token_stream(), error.to_token_stream()),
            (Some("Result"), [ok]) => (ok.to_token_stream(), whole.clone()),
            _ => (whole.clone(), whole.clone()),
        };
        Self { ty: whole, ok, error, written: Some(ty) }
    }
}

/// The attributes of a function, by where they go.
#[derive(Default)]
pub(crate) struct Attributes {
    /// `cfg`: on everything that is emitted.
    pub(crate) conditions: Vec<Attribute>,
    /// What a reader and a caller need: docs, deprecation.
    pub(crate) caller: Vec<Attribute>,
    /// Lint levels: on both.
    pub(crate) lints: Vec<Attribute>,
    /// Everything else is about the code in the body.
    pub(crate) body: Vec<Attribute>,
    /// `#[allow_nondeterminism]`: for our own rules.
    pub(crate) allowances: Vec<Attribute>,
    /// Attributes of ours, of which only one can be.
    pub(crate) ours: Vec<Attribute>,
}

impl Attributes {
    pub(crate) fn sort(all: Vec<Attribute>) -> Self {
        let mut sorted = Self::default();
        for attribute in all {
            sorted.place(&attribute).push(attribute);
        }
        sorted
    }

    pub(crate) fn is_ours(attribute: &Attribute) -> bool {
        matches!(attribute_name(attribute).as_str(), "activity" | "orchestration" | "deterministic")
    }

    fn place(&mut self, attribute: &Attribute) -> &mut Vec<Attribute> {
        match attribute_name(attribute).as_str() {
            _ if Self::is_ours(attribute) => &mut self.ours,
            "allow_nondeterminism" => &mut self.allowances,
            "cfg" => &mut self.conditions,
            "doc" | "deprecated" | "must_use" => &mut self.caller,
            "allow" | "warn" | "deny" | "forbid" => &mut self.lints,
            _ => &mut self.body,
        }
    }
}

fn attribute_name(attribute: &Attribute) -> String {
    attribute.path().segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
}

/// The first and the last span of some tokens: what a message about them underlines.
pub(crate) fn edges(tokens: &TokenStream) -> (Span, Span) {
    let mut spans = tokens.clone().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    (first, spans.last().unwrap_or(first))
}
