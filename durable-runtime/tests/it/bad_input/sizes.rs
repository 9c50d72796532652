//! A value of one byte less than may be, of just as many, and of one more, in each place where one can stand.

use durable_runtime::client::{MessageError, ResultError, StartError};
use durable_runtime::history::{EventKind, validate};
use durable_runtime::prelude::*;
use durable_runtime::{Client, Limits};

use crate::engine::kit::{each_store, end, soon};

/// How long a value may be in these tests.
const MOST: usize = 300;
/// How long the text of an error may be.
const TEXT_MOST: usize = 100;

/// Where the value stands.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Where {
    Argument,
    Event,
    ActivityArgument,
    ActivityOutput,
    ActivityError,
    Heartbeat,
    ChildArgument,
    DetachedArgument,
    ChildOutput,
    ChildError,
    NextArgument,
    Output,
    Error,
    SideEffect,
    Status,
    Kv,
}

/// What is said of a value of one byte too many; each place once.
const TOO_LONG: [(Where, &str); 16] = [
    (Where::Argument, "StartError::TooLong 301"),
    (Where::Event, "MessageError::TooLong 301"),
    (Where::ActivityArgument, "the arguments of `sized_step` have 301 bytes; at most 300 are kept"),
    (Where::ActivityOutput, "the output of the activity has 301 bytes; at most 300 are kept"),
    (Where::ActivityError, "the error of the activity has 301 bytes; at most 300 are kept"),
    (Where::Heartbeat, "the heartbeat has 301 bytes; at most 300 are kept"),
    (Where::ChildArgument, "the arguments of `sized_child` have 301 bytes; at most 300 are kept"),
    (Where::DetachedArgument, "the arguments of `sized_child` have 301 bytes; at most 300 are kept"),
    (Where::ChildOutput, "the output has 301 bytes; at most 300 are kept"),
    (Where::ChildError, "the error has 301 bytes; at most 300 are kept"),
    (Where::NextArgument, "the arguments of `sized` have 301 bytes; at most 300 are kept"),
    (Where::Output, "the output has 301 bytes; at most 300 are kept"),
    (Where::Error, "the error has 301 bytes; at most 300 are kept"),
    (Where::SideEffect, "`large`: the value has 301 bytes; at most 300 are kept"),
    (Where::Status, "`set_status`: the value has 301 bytes; at most 300 are kept"),
    (Where::Kv, "the value of key `large` has 301 bytes; at most 300 are kept"),
];

/// A text that is so long with its quotes, and with what stands around it.
fn text(bytes: usize, around: &str) -> String {
    "x".repeat(bytes - 2 - around.len())
}

#[activity(retry(max_attempts = 3, initial = "1ms"))]
async fn sized_step(ctx: ActivityContext, at: Where, bytes: usize, padding: String) -> Result<String, String> {
    match at {
        Where::ActivityOutput => Ok(text(bytes, "")),
        Where::ActivityError => Err(text(bytes, "")),
        Where::Heartbeat => {
            ctx.heartbeat(&text(bytes, "")).map_err(|error| error.to_string())?;
            Ok(String::new())
        }
        _ => Ok(padding.len().to_string()),
    }
}

#[orchestration]
async fn sized_child(_ctx: OrchestrationContext, at: Where, bytes: usize, padding: String) -> Result<String, String> {
    match at {
        Where::ChildOutput => Ok(text(bytes, "")),
        Where::ChildError => Err(text(bytes, "")),
        _ => Ok(padding.len().to_string()),
    }
}

/// What stands around the padding among the arguments of the three.
fn around(at: Where, bytes: usize) -> String {
    let at = serde_json::to_string(&at).unwrap();
    format!(r#"{{"at":{at},"bytes":{bytes},"padding":}}"#)
}

#[orchestration]
async fn sized(ctx: OrchestrationContext, at: Where, bytes: usize, padding: String) -> Result<String, String> {
    let long = || text(bytes, &around(at, bytes));
    let said = |error: &dyn std::fmt::Display| format!("refused: {error}");
    match at {
        Where::Argument => Ok(padding.len().to_string()),
        Where::Event => Ok(ctx.event_named::<String>("large").await.len().to_string()),
        Where::ActivityArgument => sized_step(&ctx, at, bytes, long()).await.map_err(|error| said(&error)),
        Where::ActivityOutput | Where::ActivityError | Where::Heartbeat => {
            match sized_step(&ctx, at, bytes, String::new()).await {
                // The error itself, as it came.
                Err(ActivityError::Failed(error)) if at == Where::ActivityError => Ok(error.len().to_string()),
                other => other.map_err(|error| said(&error)).map(|text| text.len().to_string()),
            }
        }
        Where::ChildArgument => sized_child(&ctx, at, bytes, long()).await.map_err(|error| said(&error)),
        Where::DetachedArgument => {
            sized_child(&ctx, at, bytes, long()).detach().map(|id| id.to_string()).map_err(|error| said(&error))
        }
        Where::ChildOutput | Where::ChildError => match sized_child(&ctx, at, bytes, String::new()).await {
            Err(ChildError::Failed(error)) => Ok(error.len().to_string()),
            other => other.map_err(|error| said(&error)).map(|text| text.len().to_string()),
        },
        Where::NextArgument if padding.is_empty() => sized(&ctx, at, bytes, long()).continue_as_new().await,
        Where::NextArgument => Ok(padding.len().to_string()),
        Where::Output => Ok(text(bytes, "")),
        Where::Error => Err(text(bytes, "")),
        Where::SideEffect => Ok(ctx.side_effect("large", || text(bytes, "")).len().to_string()),
        Where::Status => {
            ctx.set_status(&text(bytes, ""));
            Ok(String::new())
        }
        Where::Kv => ctx.kv().set("large", &text(bytes, "")).map(|()| String::new()).map_err(|error| said(&error)),
    }
}

/// How it ends with a value so long, in this place: `fits`, or what is said.
async fn ends(client: &Client, at: Where, bytes: usize) -> String {
    let id = format!("{at:?} {bytes}");
    let padding = if at == Where::Argument { text(bytes, &around(at, bytes)) } else { String::new() };
    let handle = match sized(client, at, bytes, padding).id(&id).start().await {
        Ok(handle) => handle,
        Err(StartError::TooLong { bytes, .. }) => {
            assert!(client.status(&id).await.is_err(), "nothing was started");
            return format!("StartError::TooLong {bytes}");
        }
        Err(error) => panic!("{error}"),
    };
    if at == Where::Event {
        match client.raise(&id, "large", &text(bytes, "")).await {
            Ok(()) => {}
            Err(MessageError::TooLong { bytes, .. }) => {
                assert_eq!(handle.history().await.unwrap().len(), 2, "it waits, and nothing came");
                return format!("MessageError::TooLong {bytes}");
            }
            Err(error) => panic!("{error}"),
        }
    }
    let ended = soon(handle.result()).await;
    let history = handle.history().await.unwrap();
    assert_eq!(validate(&history), Ok(()));
    let stored = serde_json::to_string(&history).unwrap();
    assert!(!stored.contains(&"x".repeat(MOST + 1 - around(at, bytes).len())) || bytes <= MOST, "{stored}");
    match ended {
        Ok(_) => "fits".to_owned(),
        Err(ResultError::Failed(error)) if error.len() + 2 == bytes && error.starts_with("xxx") => "fits".to_owned(),
        Err(ResultError::Failed(error)) => error,
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_value_at_its_limit_fits_and_one_byte_more_is_said() {
    let mut limits = Limits::default();
    (limits.payload_bytes_max, limits.kv_value_bytes_max) = (MOST, MOST);
    for test in each_store() {
        let runtime = test.runtime().limits(limits).start().await.unwrap();
        let client = runtime.client();
        let ticking = tick(test.clock.clone());
        for (at, too_long) in TOO_LONG {
            for bytes in [MOST - 1, MOST] {
                assert_eq!(ends(&client, at, bytes).await, "fits", "{at:?} of {bytes}");
            }
            let said = ends(&client, at, MOST + 1).await;
            assert!(said.contains(too_long), "{at:?}: {said}");
        }
        ticking.abort();
        end(runtime).await;
    }
}

/// Retries of a millisecond take their time.
fn tick(clock: durable_runtime::testing::ManualClock) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let mut interval = tokio::time::interval(Duration::from_millis(1));
        loop {
            interval.tick().await;
            clock.advance(Duration::from_millis(1));
        }
    })
}

#[activity]
async fn panics_at_length(bytes: usize) -> u32 {
    panic!("{}", "x".repeat(bytes))
}

#[orchestration]
async fn speaks_at_length(ctx: OrchestrationContext, how: String, bytes: usize) -> Result<u32, ActivityError> {
    match how.as_str() {
        "activity" => panics_at_length(&ctx, bytes).await,
        "panic" => panic!("{}", "x".repeat(bytes)),
        _ => Ok(ctx.event_named("never").await),
    }
}

/// The reason, or the text, that the history ends with.
fn last_text(history: &[durable_runtime::history::Event]) -> String {
    match &history.last().unwrap().kind {
        EventKind::Failed { failure } => failure.summary(),
        EventKind::Cancelled { reason } | EventKind::Terminated { reason } => reason.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_text_of_an_error_and_a_reason_are_cut_and_marked() {
    let mut limits = Limits::default();
    limits.error_text_bytes_max = TEXT_MOST;
    for test in each_store() {
        let runtime = test.runtime().limits(limits).start().await.unwrap();
        let client = runtime.client();
        for how in ["activity", "panic", "cancel", "terminate"] {
            for bytes in [TEXT_MOST - 1, TEXT_MOST, TEXT_MOST + 1, 1_000_000] {
                let id = format!("{how} {bytes}");
                let handle = speaks_at_length(&client, how.to_owned(), bytes).id(&id).start().await.unwrap();
                match how {
                    "cancel" => handle.cancel("x".repeat(bytes)).await.unwrap(),
                    "terminate" => handle.terminate("x".repeat(bytes)).await.unwrap(),
                    _ => {}
                }
                soon(handle.result()).await.unwrap_err();
                let history = handle.history().await.unwrap();
                let stored = serde_json::to_string(&history).unwrap();
                let longest = stored.split(|character| character != 'x').map(str::len).max().unwrap();
                if bytes <= TEXT_MOST {
                    assert_eq!(longest, bytes, "{id}");
                } else {
                    assert!((TEXT_MOST - 20..TEXT_MOST).contains(&longest), "{id}: {longest}");
                    assert!(stored.contains("(cut)"), "{id}: {stored}");
                }
                if how != "activity" {
                    assert!(last_text(&history).contains("xxx"), "{id}");
                }
            }
        }
        end(runtime).await;
    }
}

#[tokio::test]
async fn names_and_labels_at_their_limit_fit_and_one_byte_more_is_said() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let outside = Client::new(test.store.clone());
        for client in [runtime.client(), outside] {
            for bytes in [511, 512, 513] {
                let (name, fits) = ("n".repeat(bytes), bytes <= 512);
                let id = |what: &str| format!("{what} {bytes}");
                let start = || {
                    client.start_named("sized_child", &serde_json::json!({ "at": "Output", "bytes": 9, "padding": "" }))
                };
                let of = |result: Result<_, StartError>| matches!(result, Err(StartError::Id(_)));
                assert_eq!(
                    of(start().id(&name).if_exists(IfExists::UseExisting).start().await),
                    !fits,
                    "id of {bytes}"
                );
                let labelled = start().id(id("label")).if_exists(IfExists::UseExisting).label(&name, "v");
                assert_eq!(of(labelled.start().await), !fits, "label of {bytes}");
                let valued = start().id(id("value")).if_exists(IfExists::UseExisting).label("l", &name);
                assert_eq!(of(valued.start().await), !fits, "value of a label of {bytes}");
                assert_eq!(of(client.start_named(&name, &()).id(id("name")).start().await), !fits, "name of {bytes}");
                assert_eq!(of(start().version(&name).id(id("version")).start().await), !fits, "version of {bytes}");
                let raised = client.raise(id("event"), &name, &1).await;
                assert_eq!(matches!(raised, Err(MessageError::Id(_))), !fits, "event of {bytes}");
                let raised = client.raise(id("key"), "e", &1).idempotency_key(&name).await;
                assert_eq!(matches!(raised, Err(MessageError::Id(_))), !fits, "idempotency key of {bytes}");
                if !fits {
                    for what in ["label", "value", "name", "version", "event", "key"] {
                        assert!(client.status(id(what)).await.is_err(), "nothing was started: {what}");
                    }
                }
            }
        }
        end(runtime).await;
    }
}

#[orchestration]
async fn waits_for_no_name(ctx: OrchestrationContext, bytes: usize) -> Result<u32, String> {
    let (name, text) = ("n".repeat(bytes), |error: &dyn std::fmt::Display| error.to_string());
    let mut said = Vec::new();
    said.extend(ctx.kv().set(&name, &1).err().map(|error| text(&error)));
    said.extend(ctx.labels().set(&name, "v").err().map(|error| text(&error)));
    said.extend(ctx.labels().set("l", &name).err().map(|error| text(&error)));
    let child = sized_child(&ctx, Where::Output, 9, String::new()).id(&name).detach();
    said.extend(child.err().map(|error| text(&error)));
    if !said.is_empty() && said.len() < 4 {
        return Err(said.join("\n"));
    }
    Ok(ctx.event_named(name).await)
}

#[tokio::test]
async fn code_hears_of_names_that_cannot_be() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        for bytes in [0, 513] {
            let handle = waits_for_no_name(&runtime.client(), bytes).start().await.unwrap();
            let error = soon(handle.result()).await.unwrap_err();
            let ResultError::Panicked { message, place } = &error else { panic!("{error:?}") };
            assert!(message.starts_with("`event_named`: event name "), "{message}");
            assert!(place.as_ref().is_some_and(|place| place.contains("sizes.rs")), "{place:?}");
        }
        let longest = waits_for_no_name(&runtime.client(), 512).start().await.unwrap();
        runtime.client().raise(longest.id(), &"n".repeat(512), &3).await.unwrap();
        assert_eq!(soon(longest.result()).await.unwrap(), 3);
        end(runtime).await;
    }
}
