//! Changes in flight, values by key and labels: what a replay sees is what was seen.

use std::sync::Arc;

use super::*;
use crate::history::KvTotals;

mod before {
    use super::*;

    #[orchestration]
    pub(super) async fn order(ctx: OrchestrationContext) -> String {
        let mut said = String::new();
        for _ in 0..2 {
            ctx.event_named::<u32>("next").await;
            said += &step(&ctx, "old".into()).await.unwrap_or_default();
        }
        said
    }
}

mod after {
    use super::*;

    #[orchestration]
    pub(super) async fn order(ctx: OrchestrationContext) -> String {
        let mut said = String::new();
        for _ in 0..2 {
            ctx.event_named::<u32>("next").await;
            let name = if ctx.patched("new step") { "new" } else { "old" };
            said += &step(&ctx, name.into()).await.unwrap_or_default();
        }
        said
    }
}

mod at_last {
    use super::*;

    #[orchestration]
    pub(super) async fn order(ctx: OrchestrationContext) -> String {
        let mut said = String::new();
        for _ in 0..2 {
            ctx.event_named::<u32>("next").await;
            said += &step(&ctx, "new".into()).await.unwrap_or_default();
        }
        said
    }
}

fn history_of<O: Orchestration>(lines: &[&str]) -> Vec<Event> {
    let mut execution = execution::<O>(Limits::default());
    let kinds = std::iter::once(started::<O>("{}", Vec::new())).chain(lines.iter().map(|line| incoming(line)));
    kinds.flat_map(|kind| execution.apply(kind, Timestamp::EPOCH).events).collect()
}

#[test]
fn who_came_by_before_a_change_goes_on_as_before() {
    let old = history_of::<before::order>(&["raised next 1", "done 2 \"x\""]);
    let mut execution = execution::<after::order>(Limits::default());
    execution.replay(&old).unwrap();
    let next = execution.apply(incoming("raised next 1"), Timestamp::EPOCH);
    assert_eq!(outgoing(&next.events[1].kind, Timestamp::EPOCH), "call 4 step{\"name\":\"old\"}");
}

#[test]
fn who_had_not_come_by_takes_the_new_way_and_remembers() {
    let old = history_of::<before::order>(&[]);
    let mut execution = execution::<after::order>(Limits::default());
    execution.replay(&old).unwrap();
    let next = execution.apply(incoming("raised next 1"), Timestamp::EPOCH);
    assert_eq!(next.events[1].kind, EventKind::Patched { id: "new step".into() });
    assert_eq!(outgoing(&next.events[2].kind, Timestamp::EPOCH), "call 2 step{\"name\":\"new\"}");
    let whole: Vec<Event> = old.into_iter().chain(next.events).collect();
    assert_eq!(replay::<after::order>(&whole), Ok(()));
    assert_eq!(validate(&whole), Ok(()));
}

#[test]
fn a_patch_that_has_done_its_work_can_be_taken_out() {
    let new = history_of::<after::order>(&["raised next 1", "done 2 \"x\"", "raised next 2"]);
    assert_eq!(replay::<at_last::order>(&new), Ok(()));
    let report = replay::<before::order>(&new).unwrap_err();
    assert!(report.contains("input.name"), "{report}");
}

#[orchestration]
async fn counts(ctx: OrchestrationContext) -> Result<(u64, Option<String>), String> {
    let kv = ctx.kv();
    let text = |error: crate::context::KvError| error.to_string();
    loop {
        let by = ctx.event_named::<u64>("by").await;
        let total = kv.get::<u64>("total").map_err(text)?.unwrap_or_default() + by;
        kv.set("total", &total).map_err(text)?;
        kv.remove("other").map_err(text)?;
        let label = ctx.labels().get("kind");
        ctx.labels().set("total", &total.to_string()).map_err(|error| error.to_string())?;
        if total >= 10 {
            return Ok((total, label));
        }
    }
}

fn with_kv(total: u64) -> (Execution, EventKind) {
    let kv = [("total", total.to_string()), ("other", "\"long\"".to_owned())];
    let kv = kv.map(|(key, value)| (key.to_owned(), Payload::from_json(value).unwrap()));
    let execution = execution::<counts>(Limits::default()).with_stored(Arc::new(BTreeMap::from(kv)));
    let mut start = started::<counts>("{}", Vec::new());
    if let EventKind::Started(started) = &mut start {
        started.kv = KvTotals { keys: 2, bytes: 20 };
        started.labels = BTreeMap::from([("kind".to_owned(), "sum".to_owned())]);
    }
    (execution, start)
}

#[test]
fn a_replay_sees_what_earlier_executions_had_left_and_not_what_came_after() {
    let (mut execution, start) = with_kv(3);
    let mut history = Vec::new();
    for kind in [start, incoming("raised by 1"), incoming("raised by 2")] {
        history.extend(execution.apply(kind, Timestamp::EPOCH).events);
    }
    let changes = execution.take_kept();
    assert_eq!(changes.kv["total"].as_ref().unwrap().as_str(), "6");
    assert_eq!((changes.kv["other"].is_none(), changes.labels["total"].as_deref()), (true, Some("6")));
    let reads = history.iter().filter(|event| matches!(event.kind, EventKind::KvRead { .. })).count();
    assert_eq!(reads, 2, "each key is looked at once");
    assert_eq!(validate(&history), Ok(()));
    // The store has what this very execution has set since.
    let (mut again, _) = with_kv(6);
    again.replay(&history).unwrap();
    assert!(again.take_kept().kv.is_empty(), "a replay sets nothing");
    let end = again.apply(incoming("raised by 5"), Timestamp::EPOCH).events.pop().unwrap();
    assert_eq!(outgoing(&end.kind, Timestamp::EPOCH), "output [11,\"sum\"]");
}

#[orchestration]
async fn keeps_too_much(ctx: OrchestrationContext) -> Vec<String> {
    let said =
        |result: Result<(), crate::context::KvError>| result.map_or_else(|error| error.to_string(), |()| "kept".into());
    let kv = ctx.kv();
    let label = |name: &str| ctx.labels().set(name, "x").map_or_else(|error| error.to_string(), |()| "kept".into());
    vec![
        said(kv.set("a", "12345678")),
        said(kv.set("a", "123456789")),
        said(kv.set("b", "1234567")),
        said(kv.set("b", "123456")),
        said(kv.set("c", "")),
        said(kv.remove("b")),
        said(kv.set("c", "")),
        said(kv.set("d", "")),
        said(kv.set("", "")),
        label("one"),
        label("two"),
        label("one"),
        label("durable.status"),
    ]
}

#[test]
fn what_is_too_much_is_an_error_of_the_call_and_changes_nothing() {
    let limits =
        Limits { kv_keys_max: 2, kv_value_bytes_max: 10, kv_bytes_max: 20, labels_max: 1, ..Limits::default() };
    let mut execution = execution::<keeps_too_much>(limits);
    let end = execution.apply(started::<keeps_too_much>("{}", Vec::new()), Timestamp::EPOCH).events.pop().unwrap();
    let EventKind::Completed { output } = end.kind else { panic!("{end:?}") };
    let said: Vec<String> = output.decode().unwrap();
    let expected = [
        "kept",
        "the value of key `a` has 11 bytes; at most 10 are kept",
        "with key `b` the instance would keep more than 20 bytes; remove some",
        "kept",
        "key `c` would be one too many; an instance has at most 2, so remove some",
        "kept",
        "kept",
        "key `d` would be one too many; an instance has at most 2, so remove some",
        "key is empty; give it at least one character",
        "kept",
        "label `two` would be one too many; an instance has at most 1, so remove some",
        "kept",
        "label `durable.status` begins with `durable.`, as those of the runtime do; choose another name",
    ];
    assert_eq!(said, expected);
    let kept: Vec<_> =
        execution.take_kept().kv.into_iter().filter(|(_, value)| value.is_some()).map(|(key, _)| key).collect();
    assert_eq!(kept, ["a", "c"]);
}
