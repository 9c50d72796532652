//! Macros whose arguments we can read: their expansions do not exist yet when an attribute sees the call.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Macro, Pat, Path, Token};

use crate::expand::Select;

/// Macros that take a list of expressions.
const LISTS: &[&str] = &[
    "anyhow",
    "assert",
    "assert_eq",
    "assert_ne",
    "bail",
    "dbg",
    "debug",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "ensure",
    "eprint",
    "eprintln",
    "error",
    "event",
    "format",
    "format_args",
    "info",
    "json",
    "panic",
    "pin",
    "print",
    "println",
    "ready",
    "span",
    "todo",
    "trace",
    "unimplemented",
    "unreachable",
    "vec",
    "warn",
    "write",
    "writeln",
];

/// What stands between the delimiters.
pub(crate) enum Arguments {
    /// `join!` or `try_join!`.
    Join(Punctuated<Expr, Token![,]>),
    Select(Select),
    List(Punctuated<Expr, Token![,]>),
    /// `vec![value; count]`
    Repeat(Box<Expr>, Box<Expr>),
    /// `matches!(value, pattern if guard)`
    Matches(Box<Expr>, Pat, Option<Box<Expr>>),
    /// A macro of somebody else, or arguments that are no expressions.
    Opaque,
}

impl Arguments {
    /// Reads the call; `listed` are the macros of the user's `macros(..)`.
    pub(crate) fn of(call: &Macro, listed: &[Path]) -> Self {
        let tokens = call.tokens.clone();
        match name(call).as_str() {
            "join" | "try_join" => list(tokens).map_or(Self::Opaque, Self::Join),
            "select" => syn::parse2(tokens).map_or(Self::Opaque, Self::Select),
            "matches" | "assert_matches" => matches.parse2(tokens).unwrap_or(Self::Opaque),
            "vec" => {
                repeat.parse2(tokens.clone()).ok().or_else(|| list(tokens).map(Self::List)).unwrap_or(Self::Opaque)
            }
            known if LISTS.contains(&known) || is_listed(call, listed) => list(tokens).map_or(Self::Opaque, Self::List),
            _ => Self::Opaque,
        }
    }

    /// The expressions, to be read.
    pub(crate) fn expressions(&self) -> Vec<&Expr> {
        match self {
            Self::Join(list) | Self::List(list) => list.iter().collect(),
            Self::Select(select) => {
                let parts = select.branches.iter().flat_map(|branch| {
                    [Some(&branch.future), branch.condition.as_ref(), Some(&branch.body)].into_iter().flatten()
                });
                parts.chain(&select.otherwise).collect()
            }
            Self::Repeat(value, count) => vec![value, count],
            Self::Matches(value, _, guard) => std::iter::once(value.as_ref()).chain(guard.as_deref()).collect(),
            Self::Opaque => Vec::new(),
        }
    }

    /// The expressions, to be rewritten.
    pub(crate) fn expressions_mut(&mut self) -> Vec<&mut Expr> {
        match self {
            Self::Join(list) | Self::List(list) => list.iter_mut().collect(),
            Self::Select(select) => {
                let parts = select.branches.iter_mut().flat_map(|branch| {
                    [Some(&mut branch.future), branch.condition.as_mut(), Some(&mut branch.body)].into_iter().flatten()
                });
                parts.chain(&mut select.otherwise).collect()
            }
            Self::Repeat(value, count) => vec![value, count],
            Self::Matches(value, _, guard) => std::iter::once(value.as_mut()).chain(guard.as_deref_mut()).collect(),
            Self::Opaque => Vec::new(),
        }
    }
}

impl ToTokens for Arguments {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Join(list) | Self::List(list) => list.to_tokens(tokens),
            Self::Select(select) => select.to_tokens(tokens),
            Self::Repeat(value, count) => tokens.extend(quote!(#value; #count)),
            Self::Matches(value, pattern, guard) => {
                let guard = guard.iter();
                tokens.extend(quote!(#value, #pattern #(if #guard)*));
            }
            Self::Opaque => {}
        }
    }
}

/// The last segment: macros are mostly written without a path.
pub(crate) fn name(call: &Macro) -> String {
    call.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
}

/// Whether the user vouches for this macro with `macros(..)`.
pub(crate) fn is_listed(call: &Macro, listed: &[Path]) -> bool {
    let written = |path: &Path| path.to_token_stream().to_string();
    listed.iter().any(|path| written(path) == written(&call.path))
}

/// Whether `.await` stands somewhere in the tokens.
pub(crate) fn awaits(tokens: TokenStream) -> Option<TokenTree> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == "await" => Some(TokenTree::Ident(ident)),
        TokenTree::Group(group) => awaits(group.stream()),
        _ => None,
    })
}

fn list(tokens: TokenStream) -> Option<Punctuated<Expr, Token![,]>> {
    Punctuated::parse_terminated.parse2(tokens).ok()
}

fn repeat(input: ParseStream) -> syn::Result<Arguments> {
    let value = input.parse()?;
    input.parse::<Token![;]>()?;
    Ok(Arguments::Repeat(Box::new(value), Box::new(input.parse()?)))
}

fn matches(input: ParseStream) -> syn::Result<Arguments> {
    let value = Expr::parse(input)?;
    input.parse::<Token![,]>()?;
    let pattern = Pat::parse_multi_with_leading_vert(input)?;
    let guard = input.parse::<Option<Token![if]>>()?.map(|_| input.parse()).transpose()?;
    input.parse::<Option<Token![,]>>()?;
    Ok(Arguments::Matches(Box::new(value), pattern, guard.map(Box::new)))
}
