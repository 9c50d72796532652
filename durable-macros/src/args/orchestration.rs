//! `#[orchestration(name = "..", version = "..", timeout = "..", macros(..), crate = path)]` and `#[deterministic(macros(..), crate = path)]`

use proc_macro2::TokenStream;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Path, Token};

use super::{Given, read, values};
use crate::mistakes::Mistakes;

const KNOWN: &[&str] = &["name", "version", "timeout", "macros", "crate"];
const KNOWN_OF_DETERMINISTIC: &[&str] = &["macros", "crate"];

/// What `#[orchestration(..)]` was given.
#[derive(Default)]
pub(crate) struct OrchestrationArgs {
    pub(crate) name: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) common: DeterministicArgs,
}

/// What `#[deterministic(..)]` was given, and what both have.
#[derive(Default)]
pub(crate) struct DeterministicArgs {
    /// Macros of the user whose arguments are expressions and whose expansions do nothing forbidden.
    pub(crate) macros: Vec<Path>,
    pub(crate) runtime: Option<Path>,
}

impl OrchestrationArgs {
    pub(crate) fn parse(tokens: TokenStream, mistakes: &mut Mistakes) -> Self {
        let mut args = Self::default();
        read("`#[orchestration]`", KNOWN, tokens, mistakes, |name, given, mistakes| match name {
            "name" => args.name = values::name(given, "process_order", mistakes),
            "version" => args.version = values::version(given, mistakes),
            "timeout" => args.timeout_ms = values::limit_ms(given, mistakes),
            _ => args.common.take(name, given, mistakes),
        });
        args
    }
}

impl DeterministicArgs {
    pub(crate) fn parse(tokens: TokenStream, mistakes: &mut Mistakes) -> Self {
        let mut args = Self::default();
        read("`#[deterministic]`", KNOWN_OF_DETERMINISTIC, tokens, mistakes, |name, given, mistakes| {
            args.take(name, given, mistakes);
        });
        args
    }

    fn take(&mut self, name: &str, given: &Given, mistakes: &mut Mistakes) {
        match name {
            "macros" => self.macros = macros(given, mistakes),
            _ => self.runtime = values::path(given, mistakes),
        }
    }
}

fn macros(given: &Given, mistakes: &mut Mistakes) -> Vec<Path> {
    let Some(tokens) = given.list("macros(my_macro, other::macro_name)", mistakes) else { return Vec::new() };
    match Punctuated::<Path, Token![,]>::parse_terminated.parse2(tokens) {
        Ok(paths) => paths.into_iter().collect(),
        Err(error) => {
            mistakes.push(error);
            Vec::new()
        }
    }
}
