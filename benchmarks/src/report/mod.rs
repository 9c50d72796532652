//! What was measured: kept as JSON, shown as tables and charts, gathered in `PERFORMANCE.md`.

mod chart;
mod document;
mod machine;
mod paper;
mod table;
mod targets;

pub(crate) use self::document::Document;
pub(crate) use self::paper::{Arguments, report};
