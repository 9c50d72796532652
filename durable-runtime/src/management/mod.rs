//! Looking after many instances: finding them, ending and deleting them in bulk, explaining and moving them.
//!
//! Everything here is asked of a [`Client`](crate::Client), with a runtime or without one, and works through the port alone;
//! so it works on every store.

mod bulk;
mod cleaning;
mod delete;
mod hold;
mod moving;
mod prune;
mod query;
mod registry;
mod retention;
mod stats;
mod tree;
mod why;

pub use self::bulk::{Bulk, BulkReport, Skipped};
pub use self::cleaning::Purge;
pub use self::delete::DeleteError;
pub use self::moving::{
    Export, ExportError, ExportReport, FORMAT_VERSION, IfPresent, Import, ImportError, ImportReport,
};
pub use self::prune::{Prune, PruneError, PruneReport};
pub use self::query::{Query, QueryPage};
pub use self::registry::{RegisteredActivity, RegisteredOrchestration, RegistryListing};
pub(crate) use self::retention::{Retention, keep as keep_retention};
pub use self::stats::InstanceStats;
pub use self::tree::Tree;
pub use self::why::{Stage, Wait, WaitingActivity, WaitsOn, Why};
