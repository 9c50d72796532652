//! What a worker asks for.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Skills;
use crate::ids::InstanceId;

/// Who holds a lease: one runtime of one process.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerId(Arc<str>);

impl OwnerId {
    /// Takes a text that no other runtime on the same store uses.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OwnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A wish for turns.
#[derive(Debug, Clone)]
pub struct TurnRequest {
    /// Who asks.
    pub owner: OwnerId,
    /// At most so many instances.
    pub max: usize,
    /// How long the leases last from the moment they are granted.
    pub ttl: Duration,
    /// How long to wait for the first.
    pub wait: Duration,
    /// This instance and no other, with or without messages, existing or not, whatever it needs, without waiting.
    pub instance: Option<InstanceId>,
    /// What this worker can do; other turns are passed over without being leased. `None` for all.
    pub skills: Option<Arc<Skills>>,
}

/// A wish for activities.
#[derive(Debug, Clone)]
pub struct ActivityRequest {
    /// Who asks.
    pub owner: OwnerId,
    /// At most so many.
    pub max: usize,
    /// How long the leases last from the moment they are granted.
    pub ttl: Duration,
    /// How long to wait for the first.
    pub wait: Duration,
    /// The topics this worker can serve; others are passed over without being leased.
    pub topics: Arc<[String]>,
    /// The tags this worker serves, besides messages without a tag.
    pub tags: Arc<[String]>,
    /// Whether this worker takes messages of sessions, beside those without: of its own ones, and of those that nobody
    /// holds. It holds a session for so long from the last time it was given a message of it or renewed a lease on one,
    /// and at least as long as such a lease. Then others may take it over.
    pub session_ttl: Option<Duration>,
}
