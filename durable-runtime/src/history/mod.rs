//! What happened, in which order: the events of an execution and their stored form.

mod attempts;
mod event;
mod failure;
mod stored;
mod text;
mod validate;

pub use self::attempts::FailedAttempt;
pub(crate) use self::attempts::note as note_failed_attempt;
pub use self::event::{ActivitySettings, Carried, ClosePolicy, Event, EventKind, KvTotals, Parent, Place, Started};
pub use self::failure::Failure;
pub use self::stored::{HISTORY_FORMAT, HistoryError};
pub(crate) use self::stored::{read, write};
pub use self::text::to_text;
pub use self::validate::{InvalidHistory, validate};
