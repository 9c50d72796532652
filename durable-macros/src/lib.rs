//! The attributes of `durable-runtime`; depend on that crate, which re-exports them.
//!
//! Each door is thin. Behind it: `args` and `model` turn tokens into our own types, `check` and `lints` look for mistakes,
//! `rewrite` and `expand` write the output, `fallback` stands in after a mistake.

mod args;
mod check;
mod expand;
mod fallback;
mod hygiene;
mod known_macros;
mod lints;
mod mistakes;
mod model;
mod outline;
mod probes;
mod rewrite;
mod scattered;

use proc_macro::TokenStream;

/// A function that touches the world: it is called from orchestrations, retried, and recorded.
///
/// The function keeps its name and its arguments. Its first argument becomes `&OrchestrationContext`, whatever it was,
/// and calling it schedules the activity. The body moves to `name::run(..)`, where unit tests call it.
///
/// All arguments may be left out:
///
/// - `retry(max_attempts = 5, initial = "200ms", factor = 2.0, max = "30s", jitter = 0.2, total = "1h")`: how often it
///   is tried. `backoff = "fixed"`, `"linear"` or `"exponential"` says how waits grow.
/// - `timeout = "1m"`: how long one attempt may take. `heartbeat = "10s"`: how long it may be silent.
///   `schedule_to_start = "5m"`: how long it may wait for its first attempt. `schedule_to_close = "1h"`: how long it may
///   take in all.
/// - `terminal = path::to::function`: which errors no other attempt can help; see `#[derive(ActivityError)]` too.
/// - `max_concurrent = 4`: how many of it run at once in one runtime.
/// - `tag = "gpu"`: only runtimes that serve this tag run it.
/// - `local`: its first attempt runs in the turn that asks for it, without a queue; for what is quick, and can be done
///   again without harm.
/// - `name = ".."`: another name than that of the function.
#[proc_macro_attribute]
pub fn activity(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::activity(args.into(), item.into()).into()
}

/// A function that decides: it survives crashes and deploys, because it is run again over its history.
///
/// It is `async`, takes an `OrchestrationContext` first, and awaits nothing but what comes from that context. What
/// would differ in a second run is refused at compile time.
///
/// Arguments: `name = "..", version = "1.0.0", macros(name, ..)`. All of them may be left out.
#[proc_macro_attribute]
pub fn orchestration(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::orchestration(args.into(), item.into()).into()
}

/// A helper that orchestrations may call, and await if it is `async`; checked by the same rules as they are.
///
/// Arguments: `macros(name, ..)`, which may be left out.
#[proc_macro_attribute]
pub fn deterministic(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::deterministic(args.into(), item.into()).into()
}

/// A justified exception from a rule: on a statement or an expression of an orchestration, on the whole of it, or on a
/// helper that it calls.
///
/// Arguments: the names of the rules, and why breaking them is safe here, as in
/// `#[allow_nondeterminism(wall_clock, reason = "only shown, never decided upon")]`. The reason must be given, and an
/// exception that nothing needs is an error. `durable_runtime::errors` lists the rules.
#[proc_macro_attribute]
pub fn allow_nondeterminism(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::allow_nondeterminism(args.into(), item.into()).into()
}

/// Makes a type an event that can be raised and waited for; its name is that of the type in `snake_case`.
///
/// Argument: `#[event(name = "..")]`.
#[proc_macro_derive(Event, attributes(event))]
pub fn derive_event(item: TokenStream) -> TokenStream {
    expand::event(item.into()).into()
}

/// Says which errors of an activity no other attempt can help: those whose variant is marked by `#[terminal]`. Above an
/// enum or a struct `#[terminal]` means all of it.
///
/// ```text
/// #[derive(Debug, Serialize, Deserialize, thiserror::Error, ActivityError)]
/// enum PaymentError {
///     #[terminal]
///     #[error("card declined")]
///     Declined,
///     #[error("the bank does not answer")]
///     NoAnswer,
/// }
/// ```
#[proc_macro_derive(ActivityError, attributes(terminal))]
pub fn derive_activity_error(item: TokenStream) -> TokenStream {
    expand::activity_error(item.into()).into()
}

/// Waits for the first of several durable futures; which was first is read from the history, so every replay agrees.
///
/// ```text
/// select! {
///     approved = ctx.event::<Approved>() => Some(approved.by),
///     () = ctx.timer(day), if patience => None,
///     else => None, // the value did not match its pattern, or every branch is switched off
/// }
/// ```
///
/// The losers are dropped, and so cancelled, before the body of the winner runs. Bodies belong to the surrounding
/// function: `?`, `return`, `break` and `.await` work in them.
#[proc_macro]
pub fn select(input: TokenStream) -> TokenStream {
    expand::select(input.into()).into()
}

/// The table of rules, for `durable_runtime::errors` alone.
#[doc(hidden)]
#[proc_macro]
pub fn rules(_: TokenStream) -> TokenStream {
    lints::rules().into()
}

/// The table of rules as a text for `clippy.toml`, for `durable_runtime::errors` alone.
#[doc(hidden)]
#[proc_macro]
pub fn clippy_rules(_: TokenStream) -> TokenStream {
    proc_macro::TokenTree::from(proc_macro::Literal::string(&lints::clippy())).into()
}
