//! Events that are raised from outside.

use crate::payload::PayloadValue;

/// What can be raised for an instance and awaited by it. Derive it:
///
/// ```
/// use durable_runtime::prelude::*;
///
/// #[derive(Event, Serialize, Deserialize)]
/// struct Approved {
///     by: String,
/// }
///
/// assert_eq!(Approved::NAME, "approved");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "this type has no name under which it could be raised",
    note = "write `#[derive(Event, Serialize, Deserialize)]` above it"
)]
pub trait Event: PayloadValue {
    /// What it is called: the name of the type in snake case, unless `#[event(name = "..")]` says otherwise.
    const NAME: &'static str;
}
