//! Expressions between other tokens: the arguments of macros with a grammar of their own.

use proc_macro2::{Spacing, TokenStream, TokenTree};
use syn::Expr;

/// The expressions among tokens that are no list of them: the parts between `,`, `;`, `:`, `=` and `=>`, without `%`
/// and `?` in front; and where a part is no expression, those inside of its groups.
pub(crate) fn expressions(tokens: TokenStream) -> Vec<Expr> {
    let (mut expressions, mut current) = (Vec::new(), Vec::new());
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let (first, second) = (sign(&token), tokens.peek().and_then(sign).filter(|_| is_joint(&token)));
        match (first, second) {
            // `::`, `==` and the like are one, and stay in their part.
            (Some(':'), Some(':')) | (Some('=' | '<' | '>' | '!'), Some('=')) => {
                current.push(token);
                current.extend(tokens.next());
            }
            (Some(',' | ';' | ':' | '='), _) => {
                expressions.extend(part(std::mem::take(&mut current)));
                if (first, second) == (Some('='), Some('>')) {
                    tokens.next();
                }
            }
            _ => current.push(token),
        }
    }
    expressions.extend(part(current));
    expressions
}

fn sign(token: &TokenTree) -> Option<char> {
    match token {
        TokenTree::Punct(punct) => Some(punct.as_char()),
        _ => None,
    }
}

fn is_joint(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint)
}

fn part(tokens: Vec<TokenTree>) -> Vec<Expr> {
    let is_sigil = |token: &TokenTree| matches!(sign(token), Some('%' | '?'));
    let tokens: Vec<TokenTree> = tokens.into_iter().skip_while(is_sigil).collect();
    match syn::parse2::<Expr>(tokens.iter().cloned().collect()) {
        Ok(expr) => vec![expr],
        Err(_) => {
            let groups = tokens.into_iter().filter_map(|token| match token {
                TokenTree::Group(group) => Some(group.stream()),
                _ => None,
            });
            groups.flat_map(expressions).collect()
        }
    }
}
