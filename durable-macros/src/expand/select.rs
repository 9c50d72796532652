//! `select!`: parsed here for the macro itself, and for the attributes that look into the calls of it.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Pat, Path, Token};

use super::runtime;
use crate::mistakes::Mistakes;

/// As many branches as the runtime has races for.
const BRANCHES_MAX: usize = 8;
const SIDES: [&str; BRANCHES_MAX] = ["First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth"];

/// `pattern = future [, if condition] => body, ..  [else => body]`
pub(crate) struct Select {
    /// `@ path;` in front: what an attribute around the call knows about the name of the runtime.
    pub(crate) runtime: Option<Path>,
    /// `biased;`, which other `select!`s have.
    biased: Option<syn::Ident>,
    pub(crate) branches: Vec<Branch>,
    pub(crate) otherwise: Option<Expr>,
}

/// One future, and what follows if it is first.
pub(crate) struct Branch {
    pub(crate) pattern: Pat,
    equals: Token![=],
    pub(crate) future: Expr,
    pub(crate) condition: Option<Expr>,
    pub(crate) body: Expr,
}

impl Parse for Select {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let runtime = parse_runtime(input)?;
        let biased = parse_biased(input)?;
        let (mut branches, mut otherwise) = (Vec::new(), None);
        while !input.is_empty() {
            if let Some(token) = input.parse::<Option<Token![else]>>()? {
                if otherwise.is_some() {
                    return Err(syn::Error::new(token.span, "there is one `else`; take the second one out"));
                }
                otherwise = Some(parse_body(input)?);
            } else {
                branches.push(input.parse()?);
            }
        }
        Ok(Self { runtime, biased, branches, otherwise })
    }
}

fn parse_runtime(input: ParseStream) -> syn::Result<Option<Path>> {
    if input.parse::<Option<Token![@]>>()?.is_none() {
        return Ok(None);
    }
    let path = input.call(Path::parse_mod_style)?;
    input.parse::<Token![;]>()?;
    Ok(Some(path))
}

fn parse_biased(input: ParseStream) -> syn::Result<Option<syn::Ident>> {
    if !(input.peek(syn::Ident) && input.peek2(Token![;])) {
        return Ok(None);
    }
    let word = input.parse()?;
    input.parse::<Token![;]>()?;
    Ok(Some(word))
}

impl Parse for Branch {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let pattern = Pat::parse_multi_with_leading_vert(input)?;
        // A `=>` begins with `=`, too.
        if input.peek(Token![=>]) || !input.peek(Token![=]) {
            let message = "a branch says what its value is; write `pattern = future => body`";
            return Err(syn::Error::new_spanned(pattern, message));
        }
        let equals = input.parse()?;
        let future = input.parse()?;
        let condition = parse_condition(input)?;
        let body = parse_body(input)?;
        Ok(Self { pattern, equals, future, condition, body })
    }
}

fn parse_condition(input: ParseStream) -> syn::Result<Option<Expr>> {
    if input.parse::<Option<Token![,]>>()?.is_none() {
        return Ok(None);
    }
    input.parse::<Token![if]>()?;
    input.parse().map(Some)
}

/// `=> body`, with the comma rule of `match`: none is needed behind a block.
fn parse_body(input: ParseStream) -> syn::Result<Expr> {
    input.parse::<Token![=>]>()?;
    let body = input.call(Expr::parse_with_earlier_boundary_rule)?;
    let comma = input.parse::<Option<Token![,]>>()?;
    if comma.is_none() && !input.is_empty() && !ends_with_block(&body) {
        return Err(syn::Error::new_spanned(body, "a comma stands between this body and the next branch"));
    }
    Ok(body)
}

fn ends_with_block(body: &Expr) -> bool {
    matches!(
        body,
        Expr::Block(_)
            | Expr::If(_)
            | Expr::Match(_)
            | Expr::Loop(_)
            | Expr::While(_)
            | Expr::ForLoop(_)
            | Expr::Unsafe(_)
    )
}

impl ToTokens for Select {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { runtime, biased, branches, otherwise } = self;
        let runtime = runtime.iter();
        let (biased, otherwise) = (biased.iter(), otherwise.iter());
        tokens.extend(quote!(#(@ #runtime;)* #(#biased;)* #(#branches,)* #(else => #otherwise,)*));
    }
}

impl ToTokens for Branch {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { pattern, equals, future, condition, body } = self;
        let condition = condition.iter();
        tokens.extend(quote!(#pattern #equals #future #(, if #condition)* => #body));
    }
}

pub(crate) fn select(input: TokenStream) -> TokenStream {
    let select: Select = match syn::parse2(input) {
        Ok(select) => select,
        Err(error) => return error.to_compile_error(),
    };
    let mut mistakes = Mistakes::default();
    check(&select, &mut mistakes);
    let refused = mistakes.count() > 0;
    let mistakes = mistakes.into_tokens();
    if refused { quote!({ #mistakes }) } else { expand(&select) }
}

fn check(select: &Select, mistakes: &mut Mistakes) {
    if let Some(word) = &select.biased {
        mistakes
            .at(word, format!("the first in the history wins, whatever the order of the branches; take `{word};` out"));
    }
    if select.branches.is_empty() {
        mistakes
            .push(syn::Error::new(Span::call_site(), "there is nothing to wait for; write `pattern = future => body`"));
    }
    if let Some(branch) = select.branches.get(BRANCHES_MAX) {
        mistakes.at(
            &branch.pattern,
            format!("`select!` takes at most {BRANCHES_MAX} branches; use `ctx.race(..)` for more"),
        );
    }
    if select.otherwise.is_none() {
        without_else(&select.branches, mistakes);
    }
}

/// What only an `else` can take care of.
fn without_else(branches: &[Branch], mistakes: &mut Mistakes) {
    for branch in branches {
        if let Some(part) = may_not_match(&branch.pattern) {
            mistakes.at(part, "the value may be another one; add `else => ..`, or take the value apart in the body");
        }
    }
    let conditions: Option<Vec<&Expr>> = branches.iter().map(|branch| branch.condition.as_ref()).collect();
    if let Some(last) = conditions.as_deref().and_then(<[&Expr]>::last) {
        mistakes.at(last, "every branch has an `if`, so there may be none to wait for; add `else => ..`");
    }
}

/// The part of a pattern that surely does not match everything. Of others, the compiler knows more than tokens say.
fn may_not_match(pattern: &Pat) -> Option<&Pat> {
    match pattern {
        Pat::TupleStruct(tuple) => {
            let name = tuple.path.segments.last().map(|segment| segment.ident.to_string());
            matches!(name.as_deref(), Some("Ok" | "Err" | "Some")).then_some(pattern)
        }
        Pat::Ident(ident) if ident.ident == "None" => Some(pattern),
        Pat::Lit(_) | Pat::Range(_) => Some(pattern),
        Pat::Tuple(tuple) => tuple.elems.iter().find_map(may_not_match),
        Pat::Paren(paren) => may_not_match(&paren.pat),
        Pat::Reference(reference) => may_not_match(&reference.pat),
        _ => None,
    }
}

/// The race is over, and its losers are dropped, before the body of the winner runs: hence the `let`.
fn expand(select: &Select) -> TokenStream {
    let (runtime, rt) = runtime(select.runtime.as_ref());
    let at = |branch: &Branch| runtime.private_at(branch.equals.span);
    let count = select.branches.len();
    let (race, either) = (format_ident!("Race{}", count), format_ident!("Either{}", count));
    let futures = select.branches.iter().map(|branch| future(&at(branch), branch));
    let winner = quote_spanned!(Span::mixed_site()=> winner);
    let race = quote!(#rt::select::#race::new(#(#futures),*));
    let arms = select.branches.iter().zip(SIDES).map(|(branch, side)| {
        let (pattern, body, side) = (&branch.pattern, &branch.body, format_ident!("{}", side));
        let won = quote!(#rt::select::#either::#side(#pattern));
        let won = if select.otherwise.is_some() { quote!(::core::option::Option::Some(#won)) } else { won };
        quote!(#won => #body,)
    });
    match &select.otherwise {
        None => quote!({ let #winner = #rt::durable(#race).await; match #winner { #(#arms)* } }),
        Some(otherwise) => quote!({
            let #winner = #rt::durable(#rt::select::OrOff::new(#race)).await;
            #[allow(unreachable_patterns)]
            match #winner { #(#arms)* _ => #otherwise }
        }),
    }
}

/// A branch is `None` if its condition switches it off; its future is then not even made.
fn future(rt: &TokenStream, branch: &Branch) -> TokenStream {
    let (future, span) = (&branch.future, branch.equals.span);
    let runner = quote_spanned!(span=> #rt::select::runner(#future));
    let runner = quote!(::core::option::Option::Some(#runner));
    match &branch.condition {
        None => runner,
        Some(condition) => quote!(if #condition { #runner } else { ::core::option::Option::None }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(tokens: TokenStream) -> Select {
        syn::parse2(tokens).unwrap()
    }

    #[test]
    fn branches_with_and_without_commas() {
        let select = parsed(quote! {
            a = one(&ctx) => { first(a)? }
            Some(b) = two(&ctx), if patience > 3 => if b { return } else { break },
            _ = three() => x + 1,
            else => unlikely()
        });
        assert_eq!(select.branches.len(), 3);
        assert!(select.otherwise.is_some());
        assert_eq!(parsed(select.to_token_stream()).branches.len(), 3);
    }

    #[test]
    fn the_attribute_tells_where_the_runtime_is() {
        let output = select(quote!(@ crate::steps; () = pause() => 1, () = other() => 2)).to_string();
        assert!(output.contains("crate :: steps :: __private :: select :: Race2 :: new"), "{output}");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let refused = |tokens: TokenStream| select(tokens).to_string();
        assert!(refused(quote!()).contains("there is nothing to wait for"));
        assert!(refused(quote!(biased; a = b => c)).contains("take `biased;` out"));
        assert!(refused(quote!(a = b, if c => d)).contains("add `else => ..`"));
        assert!(refused(quote!(ready => d)).contains("a branch says what its value is"));
        assert!(refused(quote!(a = b => c d = e => f)).contains("a comma stands between this body"));
    }
}
