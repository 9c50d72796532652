//! What is refused before it is stored.

/// What is refused, with a typed error, before anything is stored; each with its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest input, output, event or error, in bytes of JSON: 2 MiB.
    pub payload_bytes_max: usize,
    /// The longest history of one execution, in events: 50,000. Longer work continues as new.
    pub history_events_max: u64,
    /// How long the payloads in the history of one execution may be together, in bytes of JSON: 32 MiB. Longer work
    /// continues as new.
    pub history_bytes_max: usize,
    /// How many activities, timers, children and waits of one instance may be open at once: 10,000.
    pub open_commands_max: usize,
    /// How many raised events of one instance may wait to be taken: 10,000.
    pub buffered_events_max: usize,
    /// How often an activity or a turn is begun anew after its process died or lost its lease: 10 times. Then it fails, so that a
    /// body that kills its process does not do so for ever. Its retries do not count.
    pub deliveries_max: u32,
    /// How long these events may be together, in bytes of JSON: 16 MiB.
    pub buffered_event_bytes_max: usize,
    /// How many instances may stand above a child: 64. A child of itself would have no end.
    pub child_depth_max: u32,
    /// How many keys one instance may keep values for: 1,000.
    pub kv_keys_max: usize,
    /// The longest value of a key, in bytes of JSON: 1 MiB.
    pub kv_value_bytes_max: usize,
    /// How long the keys and values of one instance may be together, in bytes: 8 MiB.
    pub kv_bytes_max: usize,
    /// How many labels one instance may have: 64.
    pub labels_max: usize,
    /// The longest error text, in bytes; what is longer is cut and marked: 32 KiB.
    pub error_text_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            payload_bytes_max: 2 * 1024 * 1024,
            history_events_max: 50_000,
            history_bytes_max: 32 * 1024 * 1024,
            open_commands_max: 10_000,
            buffered_events_max: 10_000,
            deliveries_max: 10,
            buffered_event_bytes_max: 16 * 1024 * 1024,
            child_depth_max: 64,
            kv_keys_max: 1_000,
            kv_value_bytes_max: 1024 * 1024,
            kv_bytes_max: 8 * 1024 * 1024,
            labels_max: 64,
            error_text_bytes_max: 32 * 1024,
        }
    }
}
