//! Many instances: finding, ending, deleting, explaining, moving them.

mod bulk;
mod cleaning;
mod damaged;
mod moving;
mod query;
mod registry;
mod stats;
mod tree;
mod why;
