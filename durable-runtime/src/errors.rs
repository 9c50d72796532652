//! The rules that code of an orchestration is held to: each with its code, an example, and the way out.
//!
//! A message of the compiler ends with the code of its rule, as in `(DUR0101)`. The page of that rule is the module of
//! this name. An exception that cannot do harm is written where it stands, with its reason:
//!
//! ```
//! use durable_runtime::prelude::*;
//!
//! #[orchestration]
//! async fn process(ctx: OrchestrationContext) {
//!     #[allow_nondeterminism(wall_clock, reason = "only shown to whoever reads the log")]
//!     let started = std::time::SystemTime::now();
//!     tracing::info!(?started);
//! }
//! # fn main() {}
//! ```
//!
//! A macro sees names, not types, so a rule does not see through a glob of another crate, a method of a value, or a
//! function of another crate that does what is refused.
//!
//! # With clippy
//!
//! `clippy` does see through globs and aliases. [`CLIPPY_TOML`] is the same table for it, and
//! `cargo run --example clippy_rules` prints it: put it into the `clippy.toml` of a workspace, and
//! `#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]` into the crate. The
//! attributes turn these lints on again for orchestrations and deterministic helpers, and nowhere else.

/// A rule: what a message of the compiler says, without the name of what broke it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// Stable, such as `DUR0101`.
    pub code: &'static str,
    /// Stable, such as `wall_clock`: what `#[allow_nondeterminism]` takes.
    pub name: &'static str,
    /// Goes on behind the name of what is refused.
    pub why: &'static str,
    /// What to write instead.
    pub instead: &'static str,
}

/// All rules, by code.
///
/// ```
/// let rule = durable_runtime::errors::RULES.iter().find(|rule| rule.code == "DUR0101").unwrap();
/// assert_eq!((rule.name, rule.instead), ("wall_clock", "use `ctx.now()`"));
/// ```
pub const RULES: &[Rule] = durable_macros::rules!();

/// The part of `clippy.toml` that says what the rules say.
pub const CLIPPY_TOML: &str = durable_macros::clippy_rules!();

macro_rules! pages {
    ($($module:ident $code:literal)*) => {
        $(
            #[doc = include_str!(concat!("../errors/", $code, ".md"))]
            pub mod $module {}
        )*
    };
}

pages! {
    dur0101 "DUR0101"
    dur0102 "DUR0102"
    dur0201 "DUR0201"
    dur0202 "DUR0202"
    dur0203 "DUR0203"
    dur0301 "DUR0301"
    dur0302 "DUR0302"
    dur0303 "DUR0303"
    dur0304 "DUR0304"
    dur0305 "DUR0305"
    dur0306 "DUR0306"
    dur0307 "DUR0307"
    dur0308 "DUR0308"
    dur0401 "DUR0401"
    dur0402 "DUR0402"
    dur0403 "DUR0403"
    dur0404 "DUR0404"
    dur0405 "DUR0405"
    dur0406 "DUR0406"
    dur0407 "DUR0407"
    dur0408 "DUR0408"
    dur0409 "DUR0409"
    dur0501 "DUR0501"
    dur0502 "DUR0502"
    dur0601 "DUR0601"
    dur0602 "DUR0602"
    dur0603 "DUR0603"
    dur0604 "DUR0604"
    dur0605 "DUR0605"
    dur0606 "DUR0606"
    dur0607 "DUR0607"
    dur0608 "DUR0608"
    dur0701 "DUR0701"
    dur0702 "DUR0702"
}
