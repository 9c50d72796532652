//! Everything that is wrong with an item, gathered so that it is shown at once.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The mistakes found so far. Dropping them unread would hide an error, so it is an error in itself.
#[derive(Default)]
pub(crate) struct Mistakes {
    found: Vec<syn::Error>,
    read: bool,
}

impl Mistakes {
    /// A mistake that is underlined from the first to the last of these tokens.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.found.push(syn::Error::new_spanned(tokens, message));
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        self.found.push(error);
    }

    /// How many there are; those found by one step are told from those of another by comparing.
    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    /// One `compile_error!` for each; nothing if all is well.
    pub(crate) fn into_tokens(mut self) -> TokenStream {
        self.read = true;
        self.found.iter().map(syn::Error::to_compile_error).collect()
    }
}

impl Drop for Mistakes {
    fn drop(&mut self) {
        debug_assert!(self.read || std::thread::panicking(), "mistakes were gathered and never shown");
    }
}

#[cfg(test)]
impl Mistakes {
    /// The messages alone, for tests.
    pub(crate) fn into_texts(mut self) -> Vec<String> {
        self.read = true;
        self.found.iter().map(ToString::to_string).collect()
    }
}
