//! `#[derive(ActivityError)]`

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Attribute, Data, DeriveInput, Meta};

use super::runtime;
use crate::mistakes::Mistakes;

pub(crate) fn activity_error(item: TokenStream) -> TokenStream {
    let input = match syn::parse2::<DeriveInput>(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut mistakes = Mistakes::default();
    let (_, rt) = runtime(None);
    let terminal = terminal(&input, &mut mistakes);
    let ident = &input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    let implementation = quote_spanned! {ident.span()=>
        #[automatically_derived]
        impl #impl_generics #rt::TerminalError for #ident #type_generics #where_clause {
            fn is_terminal(&self) -> bool {
                #terminal
            }
        }
    };
    let mistakes = mistakes.into_tokens();
    quote!(#implementation #mistakes)
}

/// The expression that says so.
fn terminal(input: &DeriveInput, mistakes: &mut Mistakes) -> TokenStream {
    let whole = is_marked(&input.attrs, mistakes);
    let variants = match &input.data {
        Data::Enum(data) => data.variants.iter().collect(),
        Data::Struct(_) | Data::Union(_) => Vec::new(),
    };
    let marked: Vec<_> = variants.into_iter().filter(|variant| is_marked(&variant.attrs, mistakes)).collect();
    for field in fields(&input.data) {
        if is_marked(&field.attrs, mistakes) {
            mistakes.at(field, "`#[terminal]` goes on a variant, or above the whole type");
        }
    }
    if whole {
        return quote!(true);
    }
    let patterns = marked.iter().map(|variant| {
        let name = &variant.ident;
        quote!(Self::#name { .. })
    });
    if marked.is_empty() { quote!(false) } else { quote!(::core::matches!(self, #(#patterns)|*)) }
}

fn fields(data: &Data) -> Vec<&syn::Field> {
    match data {
        Data::Enum(data) => data.variants.iter().flat_map(|variant| variant.fields.iter()).collect(),
        Data::Struct(data) => data.fields.iter().collect(),
        Data::Union(data) => data.fields.named.iter().collect(),
    }
}

fn is_marked(attributes: &[Attribute], mistakes: &mut Mistakes) -> bool {
    let mut marks = attributes.iter().filter(|attribute| attribute.path().is_ident("terminal")).peekable();
    let marked = marks.peek().is_some();
    for mark in marks.filter(|mark| !matches!(mark.meta, Meta::Path(_))) {
        mistakes.at(mark, "`#[terminal]` takes no argument");
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(item: TokenStream) -> String {
        activity_error(item).to_string().replace(' ', "")
    }

    #[test]
    fn marked_variants_are_terminal() {
        let text = expanded(quote!(
            enum PaymentError {
                #[terminal]
                Declined(String),
                #[terminal]
                Fraud {
                    score: u32,
                },
                NoAnswer,
            }
        ));
        assert!(text.contains("matches!(self,Self::Declined{..}|Self::Fraud{..})"), "{text}");
        assert!(
            expanded(quote!(
                enum Never {
                    A,
                    B,
                }
            ))
            .contains("{false}")
        );
        assert!(
            expanded(quote!(
                #[terminal]
                struct Always;
            ))
            .contains("{true}")
        );
    }

    #[test]
    fn a_mark_elsewhere_or_with_an_argument_is_a_mistake() {
        for item in [
            quote!(
                struct Wrong(#[terminal] String);
            ),
            quote!(
                enum Wrong {
                    #[terminal(yes)]
                    A,
                }
            ),
            quote!(
                enum Wrong {
                    A {
                        #[terminal]
                        b: String,
                    },
                }
            ),
        ] {
            assert!(expanded(item).contains("compile_error"));
        }
    }
}
