//! Macros whose arguments we can read: their expansions do not exist yet when an attribute sees the call.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Macro, Pat, Path, Token};

use crate::expand::Select;
use crate::scattered;

/// How the arguments of a macro are read.
#[derive(Clone, Copy)]
enum Shape {
    /// `join!` or `try_join!`: ours, whatever is imported under these names.
    Join,
    Select,
    /// Expressions, and what stands between them.
    List,
    Matches,
    /// Expands to a constant, whatever it is given.
    Constant,
}

/// Macros that are known by name, and the crates that they come from.
const KNOWN: &[(Shape, &[&str], &[&str])] = &[
    (Shape::Join, &["join", "try_join"], &[]),
    (Shape::Select, &["select"], &[]),
    (Shape::Matches, &["matches", "assert_matches", "debug_assert_matches"], &["std"]),
    (
        Shape::List,
        &[
            "assert",
            "assert_eq",
            "assert_ne",
            "dbg",
            "debug_assert",
            "debug_assert_eq",
            "debug_assert_ne",
            "eprint",
            "eprintln",
            "format",
            "format_args",
            "panic",
            "pin",
            "print",
            "println",
            "ready",
            "todo",
            "unimplemented",
            "unreachable",
            "vec",
            "write",
            "writeln",
        ],
        &["std"],
    ),
    (
        Shape::Constant,
        &[
            "cfg",
            "column",
            "compile_error",
            "concat",
            "env",
            "file",
            "include_bytes",
            "include_str",
            "line",
            "module_path",
            "offset_of",
            "option_env",
            "stringify",
        ],
        &["std"],
    ),
    (Shape::List, &["trace", "debug", "info", "warn", "error"], &["tracing", "log"]),
    (
        Shape::List,
        &["event", "span", "trace_span", "debug_span", "info_span", "warn_span", "error_span", "enabled"],
        &["tracing"],
    ),
    (Shape::List, &["log", "log_enabled"], &["log"]),
    (Shape::List, &["anyhow", "bail", "ensure"], &["anyhow", "eyre", "color_eyre"]),
    (Shape::List, &["eyre"], &["eyre", "color_eyre"]),
    (Shape::List, &["json"], &["serde_json"]),
];

fn known(name: &str) -> Option<&'static (Shape, &'static [&'static str], &'static [&'static str])> {
    KNOWN.iter().find(|(_, names, _)| names.contains(&name))
}

/// Whether we know what the macro expands to: by its name, if nothing says that it is another one of this name; or
/// because the user vouches for it. `candidates` are the paths that it may have.
pub(crate) fn is_known(call: &Macro, candidates: &[Vec<String>], listed: &[Path]) -> bool {
    if is_listed(call, listed) {
        return true;
    }
    let Some((shape, _, crates)) = known(&name(call)) else { return false };
    let may_be = |path: &Vec<String>| match path.as_slice() {
        [_] => true,
        [root, ..] => crates.contains(&root.as_str()),
        [] => false,
    };
    matches!(shape, Shape::Join | Shape::Select) || candidates.iter().any(may_be)
}

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
    /// Expressions between other tokens, as in `json!` and `info!`: they can be read, but not rewritten.
    Scattered(Vec<Expr>),
    /// A macro of somebody else.
    Opaque,
}

impl Arguments {
    /// Reads the call; `listed` are the macros of the user's `macros(..)`.
    pub(crate) fn of(call: &Macro, listed: &[Path]) -> Self {
        let tokens = call.tokens.clone();
        let shape = match known(&name(call)) {
            Some((shape, ..)) => *shape,
            None if is_listed(call, listed) => Shape::List,
            None => return Self::Opaque,
        };
        match shape {
            Shape::Join => list(tokens).map_or(Self::Opaque, Self::Join),
            Shape::Select => syn::parse2(tokens).map_or(Self::Opaque, Self::Select),
            Shape::Matches => matches.parse2(tokens).unwrap_or(Self::Opaque),
            Shape::Constant => Self::Scattered(Vec::new()),
            Shape::List => {
                let whole = repeat.parse2(tokens.clone()).ok().or_else(|| list(tokens.clone()).map(Self::List));
                whole.unwrap_or_else(|| Self::Scattered(scattered::expressions(tokens)))
            }
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
            Self::Scattered(all) => all.iter().collect(),
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
            Self::Scattered(_) | Self::Opaque => Vec::new(),
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
            Self::Scattered(_) | Self::Opaque => {}
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(call: &str) -> Vec<String> {
        let call: Macro = syn::parse_str(call).unwrap();
        let arguments = Arguments::of(&call, &[]);
        arguments.expressions().into_iter().map(|expr| expr.to_token_stream().to_string().replace(' ', "")).collect()
    }

    #[test]
    fn expressions_are_found_wherever_they_stand() {
        for (call, expected) in [
            ("vec![a(); 3]", vec!["a()", "3"]),
            ("format!(\"{x}\", x = b::c())", vec!["\"{x}\"", "x=b::c()"]),
            (
                "json!({ \"a\": b::c(), \"d\": [e(), { \"f\": g.h() }] })",
                vec!["\"a\"", "b::c()", "\"d\"", "e()", "\"f\"", "g.h()"],
            ),
            ("info!(order.id = %a.b(), ?c, \"text\")", vec!["order.id", "a.b()", "c", "\"text\""]),
            ("info!(a=%b.c(), d=?e::f())", vec!["a", "b.c()", "d", "e::f()"]),
            ("info!(target: \"x\", a == b, c => d)", vec!["target", "\"x\"", "a==b", "c", "d"]),
            ("matches!(a(), Some(b) if c())", vec!["a()", "c()"]),
            ("line!()", vec![]),
            ("mine!(a())", vec![]),
        ] {
            assert_eq!(read(call), expected, "{call}");
        }
    }

    #[test]
    fn a_macro_is_known_by_its_name_unless_it_comes_from_elsewhere() {
        let known = |call: &str, path: &str| {
            let call: Macro = syn::parse_str(call).unwrap();
            is_known(&call, &[path.split("::").map(ToOwned::to_owned).collect()], &[])
        };
        assert!(known("format!()", "std::format!"));
        assert!(known("info!()", "info!"));
        assert!(known("info!()", "tracing::info!"));
        assert!(known("join!()", "crate::join!"));
        assert!(!known("info!()", "slog::info!"));
        assert!(!known("format!()", "crate::format!"));
        assert!(!known("mine!()", "mine!"));
    }
}
