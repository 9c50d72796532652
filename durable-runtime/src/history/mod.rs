//! What happened, in which order: the events of an execution and their stored form.

mod attempts;
mod event;
mod failure;
mod kind;
mod place;
mod settings;
mod started;
mod stored;
mod text;
mod validate;

pub use self::attempts::FailedAttempt;
pub(crate) use self::attempts::note as note_failed_attempt;
pub use self::event::{Event, EventKind};
pub use self::failure::Failure;
pub(crate) use self::failure::cut;
pub use self::place::Place;
pub use self::settings::ActivitySettings;
pub use self::started::{Carried, ClosePolicy, KvTotals, Parent, Started};
pub use self::stored::{HISTORY_FORMAT, HistoryError};
pub(crate) use self::stored::{read, write};
pub use self::text::to_text;
pub use self::validate::{InvalidHistory, validate};
