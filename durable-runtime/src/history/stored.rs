//! The stored form of an event: one JSON object, with user payloads embedded as they are.

use bytes::Bytes;

use super::event::Event;
use crate::ids::EventId;
use crate::providers::StoredEvent;

/// The newest format of histories that this version writes; it reads all up to this one.
pub const HISTORY_FORMAT: u32 = 1;

/// A stored event cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {event} cannot be read: {message}; it may come from a newer version of `durable-runtime`")]
pub struct HistoryError {
    /// Which one.
    pub event: EventId,
    /// Why.
    pub message: String,
}

/// Encodes an event for a store.
pub(crate) fn write(event: &Event) -> Result<Bytes, HistoryError> {
    serde_json::to_vec(event)
        .map(Bytes::from)
        .map_err(|error| HistoryError { event: event.id, message: error.to_string() })
}

/// Decodes an event from a store.
pub(crate) fn read(stored: &StoredEvent) -> Result<Event, HistoryError> {
    let unreadable = |message: String| HistoryError { event: stored.id, message };
    let event: Event = serde_json::from_slice(&stored.data).map_err(|error| unreadable(error.to_string()))?;
    if event.id == stored.id { Ok(event) } else { Err(unreadable(format!("it says that it is event {}", event.id))) }
}
