//! `#[derive(Event)]`

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, Type};

use super::{arguments, runtime};
use crate::args::EventArgs;
use crate::mistakes::Mistakes;

pub(crate) fn event(item: TokenStream) -> TokenStream {
    let input = match syn::parse2::<DeriveInput>(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut mistakes = Mistakes::default();
    let args = EventArgs::parse(&input.attrs, &mut mistakes);
    let refused = shape(&input, &mut mistakes);
    let (_, rt) = runtime(args.runtime.as_ref());
    let ident = &input.ident;
    let name = args.name.unwrap_or_else(|| snake_case(&ident.unraw().to_string()));
    let implementation = quote_spanned! {ident.span()=>
        #[automatically_derived]
        impl #rt::Event for #ident {
            const NAME: &'static str = #name;
        }
    };
    let mistakes = mistakes.into_tokens();
    let in_order = fields(&input.data).map(|field| arguments::in_order(&rt, &quote!(#field), &quote!(#field)));
    if refused { mistakes } else { quote!(#implementation #(#in_order)* #mistakes) }
}

/// The types of all fields.
fn fields(data: &Data) -> impl Iterator<Item = &Type> {
    let all: Vec<&Fields> = match data {
        Data::Struct(data) => vec![&data.fields],
        Data::Enum(data) => data.variants.iter().map(|variant| &variant.fields).collect(),
        Data::Union(_) => Vec::new(),
    };
    all.into_iter().flatten().map(|field| &field.ty)
}

/// Whether the type cannot be an event.
fn shape(input: &DeriveInput, mistakes: &mut Mistakes) -> bool {
    let before = mistakes.count();
    if !input.generics.params.is_empty() {
        mistakes.at(
            &input.generics.params,
            "an event has no generic parameters: the name it is stored under says nothing about types; write a type for each",
        );
    }
    if let Data::Union(union) = &input.data {
        mistakes
            .at(union.union_token, "an event is stored as JSON, which has no unions; write a `struct` or an `enum`");
    }
    mistakes.count() > before
}

/// `NightShift2` is `night_shift2`, `HTTPDone` is `http_done`.
fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let starts_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_numeric()
                    || (before.is_uppercase() && after.is_some_and(|after| after.is_lowercase()))
            });
        if starts_word {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_named_in_snake_case() {
        for (name, expected) in [
            ("Approved", "approved"),
            ("NightShift", "night_shift"),
            ("HTTPDone", "http_done"),
            ("Step2Done", "step2_done"),
            ("A", "a"),
            ("already_snake", "already_snake"),
        ] {
            assert_eq!(snake_case(name), expected);
        }
    }

    #[test]
    fn the_given_name_wins_and_generic_types_are_refused() {
        let named = event(quote!(
            #[event(name = "night.shift")]
            struct Shift;
        ))
        .to_string();
        assert!(named.contains("\"night.shift\"") && !named.contains("compile_error"), "{named}");
        let generic = event(quote!(
            struct Shift<T>(T);
        ))
        .to_string();
        assert!(generic.contains("compile_error") && !generic.contains("impl"), "{generic}");
    }
}
