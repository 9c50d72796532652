//! The arguments of one function as a type of their own: written as a JSON object, with the argument names as keys.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;

use super::underline;
use crate::hygiene::respan;
use crate::model::{Argument, Function};

/// The struct, how it is made from a tuple, written and read, and one assertion for each argument type.
pub(super) fn items(rt: &TokenStream, function: &Function) -> TokenStream {
    let list = List::of(function);
    let assertions = function.payloads().map(|argument| assertion(rt, argument));
    let (definition, write, read) = (list.definition(), list.write(rt), list.read(rt));
    quote! {
        #definition
        #write
        #read
        #(#assertions)*
    }
}

/// The tuple of all arguments, as an expression; the trait's `Arguments` are made `from` it.
pub(super) fn tuple(function: &Function) -> TokenStream {
    let names = function.payloads().map(|argument| &argument.name);
    quote!((#(#names,)*))
}

/// The one error for a type that cannot cross. Nothing else in the expansion asks for it, so nothing repeats it.
fn assertion(rt: &TokenStream, argument: &Argument) -> TokenStream {
    let ty = argument.ty();
    let shown = underline(quote!(), quote!(#ty), quote!(), &quote!(#ty));
    let in_order = in_order(rt, &quote!(#ty), &quote!(#ty));
    quote!(const _: () = #rt::crosses::<#shown>(); #in_order)
}

/// The one error, at what the user wrote, for a type whose order differs from run to run.
pub(super) fn in_order(rt: &TokenStream, ty: &TokenStream, written: &TokenStream) -> TokenStream {
    let span = crate::model::edges(written).0;
    let here = respan(rt.clone(), span);
    let asked = quote_spanned!(span=> #here::Crossing::<#ty>::NEW.in_order());
    quote! {
        const _: fn() = || {
            #[allow(unused_imports)]
            use #rt::Orderly as _;
            #asked;
        };
    }
}

struct List<'a> {
    owner: String,
    keys: Vec<String>,
    names: Vec<&'a Ident>,
    types: Vec<&'a Type>,
}

impl<'a> List<'a> {
    fn of(function: &'a Function) -> Self {
        Self {
            owner: function.plain_name(),
            keys: function.payloads().map(Argument::key).collect(),
            names: function.payloads().map(|argument| &argument.name).collect(),
            types: function.payloads().map(Argument::ty).collect(),
        }
    }

    /// Its name is odd because the user's types are named in the same scope.
    fn definition(&self) -> TokenStream {
        let Self { names, types, .. } = self;
        quote! {
            #[doc(hidden)]
            pub struct __Arguments { #(#names: #types,)* }

            impl ::core::convert::From<(#(#types,)*)> for __Arguments {
                fn from((#(#names,)*): (#(#types,)*)) -> Self {
                    Self { #(#names,)* }
                }
            }
        }
    }

    fn write(&self, rt: &TokenStream) -> TokenStream {
        let Self { owner, keys, names, .. } = self;
        let count = names.len();
        quote! {
            impl #rt::serde::Serialize for __Arguments {
                fn serialize<S: #rt::serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                    use #rt::serde::ser::SerializeStruct as _;
                    #[allow(unused_imports)]
                    use #rt::Unwritable as _;
                    #[allow(unused_mut)]
                    let mut object = serializer.serialize_struct(#owner, #count)?;
                    #(object.serialize_field(#keys, #rt::Writing(&self.#names).value())?;)*
                    object.end()
                }
            }
        }
    }

    fn read(&self, rt: &TokenStream) -> TokenStream {
        let Self { owner, keys, names, types } = self;
        let expected = format!("the arguments of `{owner}`");
        let slots: Vec<Ident> = (0..names.len()).map(|at| format_ident!("slot_{}", at)).collect();
        let positions: Vec<usize> = (0..names.len()).collect();
        quote! {
            impl<'de> #rt::serde::Deserialize<'de> for __Arguments {
                fn deserialize<D: #rt::serde::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                    struct Object;

                    impl<'de> #rt::serde::de::Visitor<'de> for Object {
                        type Value = __Arguments;

                        fn expecting(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                            f.write_str(#expected)
                        }

                        fn visit_map<M: #rt::serde::de::MapAccess<'de>>(self, mut map: M) -> ::core::result::Result<__Arguments, M::Error> {
                            #[allow(unused_imports)]
                            use #rt::Unreadable as _;
                            #(let mut #slots = ::core::option::Option::None;)*
                            while let ::core::option::Option::Some(at) = map.next_key_seed(#rt::ArgumentNames(&[#(#keys),*]))? {
                                match at {
                                    #(::core::option::Option::Some(#positions) => {
                                        #slots = ::core::option::Option::Some(#rt::Reading::<#types>::NEW.value(&mut map)?);
                                    })*
                                    _ => #rt::skip_argument(&mut map)?,
                                }
                            }
                            ::core::result::Result::Ok(__Arguments {
                                #(#names: match #slots {
                                    ::core::option::Option::Some(value) => value,
                                    ::core::option::Option::None => #rt::Reading::<#types>::NEW.missing(#keys)?,
                                },)*
                            })
                        }
                    }

                    deserializer.deserialize_map(Object)
                }
            }
        }
    }
}
