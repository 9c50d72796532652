//! What is refused before it is stored.

/// What is refused, with a typed error, before anything is stored (defaults: INVARIANTS S17).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest input, output, event or error, in bytes of JSON: 2 MiB.
    pub payload_bytes_max: usize,
    /// The longest history of one execution, in events: 50,000. Longer work continues as new.
    pub history_events_max: u64,
    /// How many activities, timers, children and waits of one instance may be open at once: 10,000.
    pub open_commands_max: usize,
    /// How many raised events of one instance may wait to be taken: 10,000.
    pub buffered_events_max: usize,
    /// How often an activity is begun anew after its process died or lost its lease: 10 times. Then it fails, so that a
    /// body that kills its process does not do so for ever. Its retries do not count.
    pub deliveries_max: u32,
    /// How many instances may stand above a child: 64. A child of itself would have no end.
    pub child_depth_max: u32,
    /// The longest error text, in bytes; what is longer is cut and marked: 32 KiB.
    pub error_text_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            payload_bytes_max: 2 * 1024 * 1024,
            history_events_max: 50_000,
            open_commands_max: 10_000,
            buffered_events_max: 10_000,
            deliveries_max: 10,
            child_depth_max: 64,
            error_text_bytes_max: 32 * 1024,
        }
    }
}
