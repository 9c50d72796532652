//! What stands in the parentheses of an attribute: `name = value`, `name(..)`, separated by commas.

mod activity;
mod event;
pub(crate) mod near;
mod orchestration;
mod values;

pub(crate) use activity::{ActivityArgs, Backoff, RetryArgs};
pub(crate) use event::EventArgs;
pub(crate) use orchestration::{DeterministicArgs, OrchestrationArgs};

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, Token, parenthesized};

use crate::mistakes::Mistakes;

/// One argument as it was written.
pub(crate) struct Given {
    name: Ident,
    value: Value,
}

enum Value {
    Bare,
    Equals(Expr),
    List(TokenStream),
}

impl Given {
    /// The expression after `=`; a mistake if the argument has another shape.
    fn expr(&self, mistakes: &mut Mistakes) -> Option<&Expr> {
        match &self.value {
            Value::Equals(expr) => Some(expr),
            Value::Bare | Value::List(_) => {
                mistakes.at(&self.name, format!("`{0}` takes a value; write `{0} = ..`", self.name));
                None
            }
        }
    }

    /// The name, which says all; a mistake if there is more.
    fn alone(&self, mistakes: &mut Mistakes) -> Option<Ident> {
        if !matches!(self.value, Value::Bare) {
            mistakes.at(&self.name, format!("`{0}` stands alone; write `{0}`", self.name));
            return None;
        }
        Some(self.name.clone())
    }

    /// The tokens in parentheses; a mistake if the argument has another shape.
    fn list(&self, example: &str, mistakes: &mut Mistakes) -> Option<TokenStream> {
        match &self.value {
            Value::List(tokens) => Some(tokens.clone()),
            Value::Bare | Value::Equals(_) => {
                mistakes.at(&self.name, format!("`{}` takes a list; write `{example}`", self.name));
                None
            }
        }
    }
}

/// Reads all arguments, and hands each known one to `take`; unknown and repeated ones are mistakes.
fn read(
    owner: &str,
    known: &[&str],
    tokens: TokenStream,
    mistakes: &mut Mistakes,
    mut take: impl FnMut(&str, &Given, &mut Mistakes),
) {
    let mut seen: Vec<String> = Vec::new();
    for given in parse(tokens, mistakes) {
        let name = given.name.unraw().to_string();
        if !known.contains(&name.as_str()) {
            mistakes.at(&given.name, near::unknown(owner, &name, known));
        } else if seen.contains(&name) {
            mistakes.at(&given.name, format!("`{name}` is given twice; keep one of them"));
        } else {
            take(&name, &given, mistakes);
            seen.push(name);
        }
    }
}

/// Splits at commas; after a syntax error it goes on behind the next comma.
fn parse(tokens: TokenStream, mistakes: &mut Mistakes) -> Vec<Given> {
    let mut all = Vec::new();
    let outcome = (|input: ParseStream| {
        while !input.is_empty() {
            match parse_one(input) {
                Ok(given) => all.push(given),
                Err(error) => {
                    mistakes.push(error);
                    skip_to_comma(input)?;
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    })
    .parse2(tokens);
    if let Err(error) = outcome {
        mistakes.push(error);
    }
    all
}

fn parse_one(input: ParseStream) -> syn::Result<Given> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error("here stands the name of an argument, as in `name = \"..\"`"));
    }
    let name = Ident::parse_any(input)?;
    let value = if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        Value::Equals(input.parse()?)
    } else if input.peek(syn::token::Paren) {
        let list;
        parenthesized!(list in input);
        Value::List(list.parse()?)
    } else {
        Value::Bare
    };
    Ok(Given { name, value })
}

fn skip_to_comma(input: ParseStream) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}
