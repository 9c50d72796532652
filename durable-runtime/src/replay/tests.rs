//! Data in, data out: what came in, as a text; what the code asked for, as a text.

mod joins;
mod patches;
mod programs;
mod unwinding;

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Execution, Facts};
use crate::clock::Timestamp;
use crate::context::{DurableFuture, OrchestrationContext};
use crate::history::{Carried, Event, EventKind, Failure, HISTORY_FORMAT, KvTotals, Started, validate};
use crate::ids::{CommandId, ExecutionId, InstanceId};
use crate::limits::Limits;
use crate::orchestration::{Orchestration, OrchestrationHandler};
use crate::payload::Payload;
use crate::prelude::*;

#[activity]
async fn step(name: String) -> String {
    name
}

#[activity]
async fn risky(name: String) -> Result<String, String> {
    Err(name)
}

#[derive(Event, Serialize, Deserialize)]
struct Go {
    by: String,
}

fn execution<O: Orchestration>(limits: Limits) -> Execution {
    let facts = Facts { instance: InstanceId::new("i").unwrap(), execution_id: ExecutionId::FIRST, limits };
    Execution::new(facts, OrchestrationHandler::of::<O>())
}

fn started<O: Orchestration>(input: &str, carried: Vec<Carried>) -> EventKind {
    EventKind::Started(Started {
        format: HISTORY_FORMAT,
        name: O::NAME.into(),
        version: O::VERSION.into(),
        fingerprint: O::FINGERPRINT,
        input: Payload::from_json(input.into()).unwrap(),
        parent: None,
        carried,
        event_keys: Vec::new(),
        labels: BTreeMap::new(),
        kv: KvTotals::default(),
        trace: None,
        timeout: None,
    })
}

/// `done 1 "x"`, `failed 1 "x"`, `fired 2`, `raised go {"by":"x"}`, `child 3 "x"`, `cancel why`.
fn incoming(line: &str) -> EventKind {
    let (verb, rest) = line.split_once(' ').unwrap();
    let (first, value) = rest.split_once(' ').unwrap_or((rest, "null"));
    let command = || CommandId(first.parse().unwrap());
    let payload = || Payload::from_json(value.into()).unwrap();
    match verb {
        "done" => EventKind::ActivityCompleted {
            command: command(),
            output: payload(),
            attempts: 1,
            failed_attempts: Vec::new(),
            redeliveries: 0,
        },
        "failed" => EventKind::ActivityFailed {
            command: command(),
            failure: Failure::Failed { error: payload() },
            attempts: 1,
            failed_attempts: Vec::new(),
            redeliveries: 0,
        },
        "fired" => EventKind::TimerFired { command: command() },
        "raised" => EventKind::EventRaised { name: first.into(), value: payload(), key: None },
        "child" => EventKind::ChildCompleted { command: command(), output: payload() },
        "cancel" => EventKind::CancelRequested { reason: rest.into() },
        "late" => EventKind::DeadlineReached { message: rest.into() },
        other => panic!("no such verb: {other}"),
    }
}

/// The answer to one event: `call 1 step`, `timer 2 +5000`, `wait 3 go`, `drop 2`, `output "x"` …
fn outgoing(kind: &EventKind, at: Timestamp) -> String {
    match kind {
        EventKind::ActivityScheduled { command, name, input, .. } => format!("call {command} {name}{}", input.as_str()),
        EventKind::TimerSet { command, fire_at, .. } => {
            format!("timer {command} +{}", fire_at.as_millis() - at.as_millis())
        }
        EventKind::EventAwaited { command, name, .. } => format!("wait {command} {name}"),
        EventKind::ChildStarted { command, instance, .. } => format!("start {command} {instance}"),
        EventKind::SideEffectRecorded { command, value, .. } => format!("effect {command} {}", value.as_str()),
        EventKind::CommandCancelled { command } => format!("drop {command}"),
        EventKind::Completed { output } => format!("output {}", output.as_str()),
        EventKind::Failed { failure: Failure::Failed { error } } => format!("error {}", error.as_str()),
        EventKind::Failed { failure } => format!("failure: {}", failure.summary()),
        EventKind::Cancelled { reason } => format!("cancelled: {reason}"),
        EventKind::ContinuedAsNew { input, .. } => format!("again {}", input.as_str()),
        other => panic!("no command: {other:?}"),
    }
}

/// Feeds a start and `lines`, an event each; answers with what the code asked for after each, a line an event. Then
/// replays every prefix that the events make, and expects no mismatch.
fn run<O: Orchestration>(input: &str, lines: &str) -> String {
    let mut execution = execution::<O>(Limits::default());
    let mut history = Vec::new();
    let mut answers = Vec::new();
    let kinds = std::iter::once(started::<O>(input, Vec::new())).chain(lines.lines().map(|line| incoming(line.trim())));
    for (index, kind) in kinds.enumerate() {
        let at = Timestamp::from_millis(1_000 * (index as u64 + 1));
        if !execution.accepts(&kind) {
            answers.push("ignored".to_owned());
            continue;
        }
        let applied = execution.apply(kind, at);
        answers.push(applied.events[1..].iter().map(|event| outgoing(&event.kind, at)).collect::<Vec<_>>().join(", "));
        history.extend(applied.events);
        replay::<O>(&history).unwrap();
    }
    validate(&history).unwrap();
    answers.join("\n")
}

fn replay<O: Orchestration>(history: &[Event]) -> Result<(), String> {
    let mut execution = execution::<O>(Limits::default());
    execution.replay(history).map_err(|mismatch| mismatch.to_string())?;
    assert_eq!(execution.history_len(), history.len() as u64);
    Ok(())
}

#[track_caller]
fn check<O: Orchestration>(input: &str, lines: &str, expected: &str) {
    let expected: Vec<_> = expected.lines().map(str::trim).collect();
    assert_eq!(run::<O>(input, lines), expected.join("\n"));
}

#[orchestration]
async fn in_turn(ctx: OrchestrationContext, name: String) -> Result<String, ActivityError> {
    let first = step(&ctx, name).await?;
    step(&ctx, first).await
}

#[test]
fn one_step_after_another() {
    check::<in_turn>(
        r#"{"name":"a"}"#,
        "done 1 \"b\"
         done 2 \"c\"",
        r#"call 1 step{"name":"a"}
           call 2 step{"name":"b"}
           output "c""#,
    );
}

#[test]
fn a_completion_that_comes_twice_is_ignored() {
    check::<in_turn>(
        r#"{"name":"a"}"#,
        "done 1 \"b\"
         done 1 \"x\"",
        r#"call 1 step{"name":"a"}
           call 2 step{"name":"b"}
           ignored"#,
    );
}

#[orchestration]
async fn side_by_side(ctx: OrchestrationContext) -> Result<String, ActivityError> {
    let (a, b) = join!(step(&ctx, "a".into()), step(&ctx, "b".into()));
    Ok(a? + &b?)
}

#[test]
fn join_keeps_what_came_first_until_the_other_is_there() {
    let calls = r#"call 1 step{"name":"a"}, call 2 step{"name":"b"}"#;
    let expected = format!("{calls}\n\noutput \"12\"");
    check::<side_by_side>("{}", "done 2 \"2\"\ndone 1 \"1\"", &expected);
}

#[orchestration]
async fn first_error(ctx: OrchestrationContext) -> Result<(String, String), ActivityError<String>> {
    try_join!(risky(&ctx, "a".into()), risky(&ctx, "b".into()))
}

#[test]
fn try_join_ends_with_the_first_error_in_the_history_and_cancels_the_rest() {
    let calls = r#"call 1 risky{"name":"a"}, call 2 risky{"name":"b"}"#;
    let expected = format!("{calls}\ndrop 1, error {{\"failed\":\"no\"}}\nignored");
    check::<first_error>("{}", "failed 2 \"no\"\ndone 1 \"1\"", &expected);
}

#[orchestration]
async fn approval(ctx: OrchestrationContext) -> String {
    select! {
        go = ctx.event::<Go>() => go.by,
        () = ctx.timer(Duration::from_secs(5)) => "nobody".to_owned(),
    }
}

#[test]
fn the_winner_is_the_first_in_the_history_and_the_loser_is_cancelled() {
    check::<approval>(
        "{}",
        "fired 2\nraised go {\"by\":\"late\"}",
        "wait 1 go, timer 2 +5000\ndrop 1, output \"nobody\"\nignored",
    );
    check::<approval>(
        "{}",
        "raised go {\"by\":\"ada\"}\nfired 2",
        "wait 1 go, timer 2 +5000\ndrop 2, output \"ada\"\nignored",
    );
}

#[test]
fn an_event_that_does_not_fit_is_passed_over() {
    check::<approval>(
        "{}",
        "raised go {\"who\":1}\nraised go {\"by\":\"ada\"}",
        "wait 1 go, timer 2 +5000\n\ndrop 2, output \"ada\"",
    );
}

#[orchestration]
async fn later_events(ctx: OrchestrationContext) -> String {
    ctx.timer(Duration::from_secs(1)).await;
    let (first, second) = (ctx.event::<Go>().await, ctx.event::<Go>().await);
    first.by + &second.by
}

#[test]
fn events_are_kept_until_they_are_waited_for_and_come_in_order() {
    check::<later_events>(
        "{}",
        "raised go {\"by\":\"a\"}\nraised go {\"by\":\"b\"}\nfired 1",
        "timer 1 +1000\n\n\nwait 2 go, wait 3 go, output \"ab\"",
    );
}

#[orchestration]
async fn lost_race_then_wait(ctx: OrchestrationContext) -> (String, String) {
    let first = {
        let (mut a, mut b) = (ctx.event_named::<String>("a"), ctx.event_named::<String>("b"));
        let (won, kept) = select! {
            a = &mut a => (a, "b"),
            b = &mut b => (b, "a"),
        };
        won + kept
    };
    (first, ctx.event_named::<String>("a").await)
}

#[test]
fn an_event_of_a_lost_wait_is_not_lost() {
    check::<lost_race_then_wait>(
        "{}",
        "raised b \"1\"\nraised a \"2\"",
        "wait 1 a, wait 2 b\ndrop 1, wait 3 a\noutput [\"1a\",\"2\"]",
    );
}

#[orchestration]
async fn both_are_there(ctx: OrchestrationContext) -> String {
    let (mut slow, mut fast) = (step(&ctx, "slow".into()), step(&ctx, "fast".into()));
    select! {
        _ = &mut slow => return "slow".to_owned(),
        _ = &mut fast => {},
        () = ctx.timer(Duration::from_secs(1)) => {},
    }
    let mut again = ctx.timer(Duration::from_secs(9));
    let mut rounds = 0;
    while rounds < 1 {
        rounds += 1;
        step(&ctx, "between".into()).await.unwrap_or_default();
    }
    select! {
        () = &mut again => "timer".to_owned(),
        _ = &mut slow => "slow".to_owned(),
    }
}

#[test]
fn of_two_that_are_ready_the_earlier_in_the_history_wins() {
    let expected = run::<both_are_there>("{}", "fired 3\ndone 1 \"x\"\ndone 4 \"y\"");
    assert!(expected.ends_with("drop 2, output \"slow\""), "{expected}");
}

#[orchestration]
async fn all(ctx: OrchestrationContext, count: usize) -> Result<Vec<String>, ActivityError> {
    try_join_all((0..count).map(|index| step(&ctx, index.to_string()))).await
}

#[test]
fn join_all_gives_outputs_in_the_order_of_the_calls() {
    let lines = "done 3 \"c\"\ndone 1 \"a\"\ndone 2 \"b\"";
    assert!(run::<all>(r#"{"count":3}"#, lines).ends_with(r#"output ["a","b","c"]"#));
}

#[orchestration]
async fn fastest(ctx: OrchestrationContext) -> Result<String, ActivityError> {
    race(["a", "b", "c"].map(|name| step(&ctx, name.into()))).await
}

#[test]
fn race_gives_the_first_and_cancels_the_rest() {
    assert!(run::<fastest>("{}", "done 2 \"won\"").ends_with("drop 1, drop 3, output \"won\""));
}

#[orchestration]
async fn blocks(ctx: OrchestrationContext) -> (String, String) {
    let twice = |name: &'static str| async move {
        let once = step(&ctx, name.to_owned()).await.unwrap_or_default();
        step(&ctx, once).await.unwrap_or_default()
    };
    join!(twice("a"), async { step(&ctx, "b".to_owned()).await.unwrap_or_default() })
}

#[test]
fn async_blocks_are_branches() {
    let answers = run::<blocks>("{}", "done 1 \"x\"\ndone 2 \"y\"\ndone 3 \"z\"");
    assert_eq!(
        answers,
        "call 1 step{\"name\":\"a\"}, call 2 step{\"name\":\"b\"}\ncall 3 step{\"name\":\"x\"}\n\noutput [\"z\",\"y\"]"
    );
}

#[orchestration]
async fn family(ctx: OrchestrationContext) -> Result<String, ChildError> {
    let name = approval(&ctx).id("mine").await?;
    let child = approval(&ctx).detach()?;
    Ok(format!("{name} {child}"))
}

#[test]
fn a_child_has_its_own_id_or_one_that_is_made() {
    check::<family>("{}", "child 1 \"ada\"", "start 1 mine\nstart 2 i/1.2, output \"ada i/1.2\"");
}

#[orchestration]
async fn generations(ctx: OrchestrationContext, left: u32) -> u32 {
    if left == 0 {
        return 0;
    }
    ctx.timer(Duration::from_secs(1)).await;
    generations(&ctx, left - 1).continue_as_new().await
}

#[test]
fn continue_as_new_ends_the_execution() {
    check::<generations>(r#"{"left":2}"#, "fired 1", "timer 1 +1000\nagain {\"left\":1}");
}

#[test]
fn carried_events_come_first() {
    let mut execution = execution::<later_events>(Limits::default());
    let carried =
        ["a", "b"].map(|by| Carried { name: "go".into(), value: Payload::encode(&Go { by: by.into() }).unwrap() });
    execution.apply(started::<later_events>("{}", carried.to_vec()), Timestamp::EPOCH);
    let end = execution.apply(incoming("fired 1"), Timestamp::EPOCH).events.pop().unwrap();
    assert_eq!(outgoing(&end.kind, Timestamp::EPOCH), "output \"ab\"");
}

#[orchestration]
async fn chance(ctx: OrchestrationContext) -> (String, u64, u32) {
    let effect = ctx.side_effect("number", || 42_u32);
    (ctx.new_guid().to_string(), ctx.random(), effect)
}

#[test]
fn guids_and_numbers_are_those_of_the_instance_for_ever() {
    let answers = run::<chance>("{}", "");
    assert_eq!(answers, "effect 1 42, output [\"f8409d13-d6f5-507f-a851-60089d31e6bd\",12046431822415549919,42]");
}

#[test]
fn cancelling_drops_the_body_and_what_it_waits_for() {
    let answers = run::<side_by_side>("{}", "cancel enough");
    assert!(answers.ends_with("drop 1, drop 2, cancelled: enough"), "{answers}");
}

#[orchestration]
async fn panics_later(ctx: OrchestrationContext) -> String {
    ctx.timer(Duration::ZERO).await;
    panic!("boom {}", 1)
}

#[test]
fn a_panic_fails_it_with_message_and_place() {
    super::panics::install_hook();
    let answers = run::<panics_later>("{}", "fired 1");
    assert!(answers.contains("failure: panicked at durable-runtime/src/replay/tests.rs:"), "{answers}");
    assert!(answers.ends_with(": boom 1"), "{answers}");
}

#[orchestration]
async fn never(ctx: OrchestrationContext) -> String {
    let _ = ctx;
    race(Vec::<LocalString>::new()).await
}

type LocalString = crate::LocalBoxDurable<'static, String>;

struct Foreign;

impl Future for Foreign {
    type Output = String;

    fn poll(self: std::pin::Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<String> {
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    }
}

impl DurableFuture for Foreign {}

#[orchestration]
async fn foreign(ctx: OrchestrationContext) -> String {
    join!(ctx.timer(Duration::ZERO), Foreign).1
}

#[test]
fn a_turn_that_can_never_wake_is_an_error_of_that_turn() {
    assert!(run::<never>("{}", "").contains("no event will ever wake it"));
    assert!(run::<foreign>("{}", "").contains("awaits a future that is not recorded"));
}

#[orchestration]
async fn many(ctx: OrchestrationContext) -> usize {
    join_all((0..20).map(|_| ctx.timer(Duration::ZERO))).await.len()
}

#[test]
fn limits_end_it_with_a_failure() {
    let answer = |limits| {
        let mut execution = execution::<many>(limits);
        let applied = execution.apply(started::<many>("{}", Vec::new()), Timestamp::EPOCH);
        outgoing(&applied.events.last().unwrap().kind, Timestamp::EPOCH)
    };
    let limits = Limits { open_commands_max: 3, ..Limits::default() };
    assert!(answer(limits).starts_with("failure: more than 3 activities"));
    assert!(answer(Limits::default()).starts_with("timer 20"));
}

#[test]
fn arguments_that_do_not_decode_name_the_field() {
    let answer = run::<in_turn>(r#"{"name":5}"#, "");
    assert!(answer.contains("arguments of orchestration `in_turn` do not decode"), "{answer}");
    assert!(answer.contains("name"), "{answer}");
}

mod changed {
    use super::*;

    #[orchestration]
    pub(super) async fn in_turn(ctx: OrchestrationContext, name: String) -> Result<String, ActivityError> {
        let first = step(&ctx, name).await?;
        ctx.timer(Duration::from_secs(30)).await;
        step(&ctx, first).await
    }

    #[orchestration]
    pub(super) async fn shorter(ctx: OrchestrationContext, name: String) -> Result<String, ActivityError> {
        step(&ctx, name).await
    }

    #[orchestration]
    pub(super) async fn other_argument(ctx: OrchestrationContext, name: String) -> Result<String, ActivityError> {
        let first = step(&ctx, name).await?;
        step(&ctx, first + "!").await
    }
}

fn recorded() -> Vec<Event> {
    let mut execution = execution::<in_turn>(Limits::default());
    let mut history = execution.apply(started::<in_turn>(r#"{"name":"a"}"#, Vec::new()), Timestamp::EPOCH).events;
    history.extend(execution.apply(incoming("done 1 \"b\""), Timestamp::EPOCH).events);
    history
}

#[track_caller]
fn mismatch<O: Orchestration>(expected: &[&str]) {
    let report = replay::<O>(&recorded()).unwrap_err();
    for part in expected {
        assert!(report.contains(part), "{part} is not in\n{report}");
    }
}

#[test]
fn a_mismatch_is_a_page_of_help() {
    mismatch::<changed::in_turn>(&[
        "history and code disagree at event 4 of instance `i` (DUR0107)",
        "recorded  call to activity `step` (durable-runtime/src/replay/tests.rs:",
        "now       timer until 1970-01-01T00:00:30.000Z (durable-runtime/src/replay/tests.rs:",
        "usual cause: a step was added above this one; register the change as a new version",
    ]);
    mismatch::<changed::shorter>(&["now       return with an output"]);
    mismatch::<changed::other_argument>(&["differs   input.name", "an argument changed"]);
    assert_eq!(replay::<in_turn>(&recorded()), Ok(()));
}
