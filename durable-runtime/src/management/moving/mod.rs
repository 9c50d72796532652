//! Instances as lines of text: out of one store and into another.
//!
//! One JSON object a line, in this order: a head with the version of the format; for each instance its record, its
//! executions with their events, its keys and values, its messages, and a foot with the number of its lines; at last an
//! end with the number of instances, so that what was cut is noticed.

mod export;
mod import;
mod line;

pub use self::export::{Export, ExportError, ExportReport};
pub use self::import::{IfPresent, Import, ImportError, ImportReport};
pub use self::line::FORMAT_VERSION;
