//! A history as text: a line for each event, the same for the same history.

use std::fmt::Write as _;

use humantime::format_duration;
use serde_json::{Map, Value};

use super::event::{Event, EventKind};

/// Fields that stand first, in this order; the others follow by name.
const FIRST: [&str; 6] = ["command", "name", "version", "instance", "fire_at", "reason"];
/// What depends on the build and decides nothing.
const LEFT_OUT: [&str; 3] = ["place", "format", "fingerprint"];

/// The events, a line each: when, counted from the first one, what, and its fields. Lines of code and fingerprints are left out, so
/// that the text stays the same while the code around a step changes. For tests and for reading; it shows payloads.
///
/// ```standalone_crate
/// use durable_runtime::history::to_text;
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestRuntime;
///
/// #[orchestration]
/// async fn remind(ctx: OrchestrationContext, text: String) -> String {
///     ctx.timer(Duration::from_secs(3_600)).await;
///     text
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = TestRuntime::start().await?;
/// let handle = remind(&runtime.client(), "tea".to_owned()).id("remind-1").start().await?;
/// runtime.finish(&handle).await?;
/// let expected = "\
/// 1 +0s started name=remind version=1.0.0 input={\"text\":\"tea\"}
/// 2 +0s timer_set command=1 fire_at=2026-01-01T01:00:00.000Z
/// 3 +1h timer_fired command=1
/// 4 +1h completed output=\"tea\"
/// ";
/// assert_eq!(to_text(&handle.history().await?), expected);
/// runtime.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub fn to_text(history: &[Event]) -> String {
    let begin = history.first().map(|event| event.at);
    let mut text = String::new();
    for event in history {
        let passed = begin.map(|begin| event.at.saturating_since(begin)).unwrap_or_default();
        let _ = writeln!(text, "{} +{} {}{}", event.id, format_duration(passed), event.kind.name(), fields(event));
    }
    text
}

fn fields(event: &Event) -> String {
    let Some(mut fields) = object(event) else { return String::new() };
    LEFT_OUT.iter().for_each(|name| drop(fields.remove(*name)));
    if let EventKind::TimerSet { fire_at, .. } = &event.kind {
        fields.insert("fire_at".to_owned(), Value::String(fire_at.to_string()));
    }
    let mut names: Vec<String> = fields.keys().cloned().collect();
    names.sort_by_key(|name| (FIRST.iter().position(|first| first == name).unwrap_or(FIRST.len()), name.clone()));
    names.iter().fold(String::new(), |mut text, name| {
        let _ = match fields.get(name) {
            Some(Value::String(value)) if FIRST.contains(&name.as_str()) => write!(text, " {name}={value}"),
            Some(value) => write!(text, " {name}={value}"),
            None => Ok(()),
        };
        text
    })
}

/// The fields as they are stored.
fn object(event: &Event) -> Option<Map<String, Value>> {
    match serde_json::to_value(&event.kind).ok()? {
        Value::Object(kind) => kind.into_iter().find_map(|(_, fields)| match fields {
            Value::Object(fields) => Some(fields),
            _ => None,
        }),
        _ => None,
    }
}
