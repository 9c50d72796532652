//! Every verb of a client, of an id that nobody has, that has ended, that is open, and that cannot be one: what it says,
//! and where the instance stands after it.

use std::fmt::Debug;

use durable_runtime::prelude::*;
use durable_runtime::{Client, ExecutionId, InstanceId, Status};

use crate::engine::kit::{TestStore, each_store, soon};

#[orchestration(version = "1.1.0")]
async fn asked_badly(ctx: OrchestrationContext, ends: bool) -> u32 {
    ctx.kv().set("number", &7).unwrap();
    if ends { 1 } else { ctx.event_named("go").await }
}

/// As a runtime answers.
const OF_A_RUNTIME: &str = "
verb                nobody                      ended                         open
start               done, completed             AlreadyExists, completed      AlreadyExists, running
start restart       done, completed             done, completed               AlreadyExists, running
start other version Unknown, nobody             Unknown, completed            Unknown, running
start no name       Unknown, nobody             Unknown, completed            Unknown, running
raise               done, nobody                Closed, completed             done, running
cancel              NotFound, nobody            Closed, completed             done, cancelled
terminate           NotFound, nobody            Closed, completed             done, terminated
suspend             NotFound, nobody            Closed, completed             done, suspended
resume              NotFound, nobody            Closed, completed             done, running
restart             Read.NotFound, nobody       done, completed               Open, running
restart version     Read.NotFound, nobody       Unknown, completed            Open, running
restart misfit      Read.NotFound, nobody       Codec, completed              Open, running
delete              NotFound, nobody            done, nobody                  Open, running
result              Read.NotFound, nobody       done, completed               TimedOut, running
result of another   Read.NotFound, nobody       Codec, completed              TimedOut, running
status              NotFound, nobody            done, completed               done, running
history             NotFound, nobody            done, completed               done, running
history of none     done, nobody                done, completed               done, running
kv                  NotFound, nobody            done, completed               done, running
kv of another type  NotFound, nobody            Codec, completed              Codec, running
kv of no key        Id, nobody                  Id, completed                 Id, running
why                 NotFound, nobody            done, completed               done, running
tree                NotFound, nobody            done, completed               done, running
suspended           done, nobody                done, completed               done, running
query               done, nobody                done, completed               done, running
";

/// As a client of the store alone answers, where that is something else. What it asks for waits for a runtime.
const OF_A_STORE: &str = "
verb                nobody                      ended                         open
start               done, pending               AlreadyExists, completed      AlreadyExists, running
start restart       done, pending               done, completed               AlreadyExists, running
start other version done, pending               AlreadyExists, completed      AlreadyExists, running
start no name       done, pending               AlreadyExists, completed      AlreadyExists, running
cancel              NotFound, nobody            Closed, completed             done, running
terminate           NotFound, nobody            Closed, completed             done, running
suspend             NotFound, nobody            Closed, completed             done, running
restart version     Read.NotFound, nobody       done, completed               Open, running
restart misfit      Read.NotFound, nobody       done, completed               Open, running
";

/// What a verb says: `done`, or what kind of error it is.
async fn ask(client: &Client, verb: &str, id: &str) -> String {
    let Ok(handle) = client.handle::<asked_badly>(id) else { return ask_by_id(client, verb, id).await };
    let text = serde_json::json!({ "ends": "no truth" });
    match verb {
        "restart" => said(handle.restart().arguments(&serde_json::json!({ "ends": true })).await),
        "restart version" => said(handle.restart().version("9.9.9").await),
        "restart misfit" => said(handle.restart().arguments(&text).await),
        "result" => said(handle.wait_for(Duration::ZERO).await),
        "result of another" => said(client.handle::<says_a_text>(id).unwrap().wait_for(Duration::ZERO).await),
        "history" => said(handle.history().await),
        _ => ask_by_id(client, verb, id).await,
    }
}

#[orchestration]
async fn says_a_text(_ctx: OrchestrationContext) -> String {
    "text".to_owned()
}

async fn ask_by_id(client: &Client, verb: &str, id: &str) -> String {
    let start = || asked_badly(client, true).id(id);
    match verb {
        "start" => said(start().start().await),
        "start restart" => said(start().if_exists(IfExists::RestartIfClosed).start().await),
        "start other version" => said(start().version("9.9.9").start().await),
        "start no name" => said(client.start_named("nobody has this", &()).id(id).start().await),
        "raise" => said(client.raise(id, "go", "no number").await),
        "cancel" => said(client.cancel(id, "").await),
        "terminate" => said(client.terminate(id, "").await),
        "suspend" => said(client.suspend(id).await),
        "resume" => said(client.resume(id).await),
        "delete" => said(client.delete(id).await),
        "status" => said(client.status(id).await),
        "history of none" => said(client.history(id, ExecutionId(9)).await),
        "kv" => said(client.kv::<u32>(id, "number").await),
        "kv of another type" => said(client.kv::<String>(id, "number").await),
        "kv of no key" => said(client.kv::<u32>(id, "").await),
        "why" => said(client.why(id).await),
        "tree" => said(client.tree(id).await),
        "suspended" => said(client.suspended(id)),
        "query" => said(client.query().parent(id).id_prefix(id).page().await),
        // What needs a handle has none to an id that cannot be one.
        _ if InstanceId::new(id).is_err() => said(client.handle::<asked_badly>(id)),
        other => panic!("no verb: {other}"),
    }
}

fn said<T, E: Debug>(answer: Result<T, E>) -> String {
    let Err(error) = answer else { return "done".to_owned() };
    let text = format!("{error:?}");
    let mut words = text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    if first == "Read" { format!("Read.{}", words.next().unwrap_or_default()) } else { first.to_owned() }
}

/// The lines of a table, without its head: the verb, and what is expected of each subject.
fn rows(table: &'static str) -> impl Iterator<Item = (&'static str, [&'static str; 3])> {
    table.trim().lines().skip(1).map(|line| {
        let (verb, rest) = line.split_at(20);
        let (nobody, rest) = rest.split_at(28);
        let (ended, open) = rest.split_at(30);
        (verb.trim(), [nobody, ended, open].map(str::trim))
    })
}

/// Where an instance stands, or that there is none.
async fn stands(client: &Client, id: &str) -> String {
    client.status(id).await.map_or_else(|_| "nobody".to_owned(), |status| status.status.to_string())
}

/// One that has ended and one that is open, for each verb.
async fn prepare(client: &Client) {
    for (verb, _) in rows(OF_A_RUNTIME) {
        let ended = asked_badly(client, true).id(format!("{verb}: ended")).start().await.unwrap();
        assert_eq!(soon(ended.result()).await.unwrap(), 1);
        asked_badly(client, false).id(format!("{verb}: open")).start().await.unwrap();
    }
}

async fn check(client: &Client, expected: impl Iterator<Item = (&str, [&str; 3])>) {
    let mut wrong = Vec::new();
    for (verb, answers) in expected {
        for (subject, expected) in ["nobody", "ended", "open"].into_iter().zip(answers) {
            let id = format!("{verb}: {subject}");
            let answer = ask(client, verb, &id).await;
            let found = format!("{answer}, {}", stands(client, &id).await);
            if found != expected {
                wrong.push(format!("{id}: {found}, not {expected}"));
            }
        }
        for id in ["", "a\nb", &"x".repeat(513)] {
            let answer = ask(client, verb, id).await;
            // A query for what cannot be is a query that finds nothing.
            let is_refused = ["Id", "Empty", "Control", "TooLong"].contains(&answer.as_str());
            let finds_nothing = verb == "query" && answer == "done";
            if !(is_refused || finds_nothing) {
                wrong.push(format!("{verb} of {} bytes: {answer}", id.len()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn every_verb_says_what_is_wrong_and_changes_nothing_then() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        prepare(&runtime.client()).await;
        check(&runtime.client(), rows(OF_A_RUNTIME)).await;
        open_ones_go_on(&test, &runtime.client()).await;
        crate::engine::kit::end(runtime).await;
    }
}

#[tokio::test]
async fn every_verb_says_so_without_a_runtime_too() {
    for test in each_store() {
        let runtime = test.runtime().keep_store_open().start().await.unwrap();
        prepare(&runtime.client()).await;
        crate::engine::kit::end(runtime).await;
        let other: Vec<_> = rows(OF_A_STORE).collect();
        let of_store =
            |(verb, answers)| other.iter().find(|(other, _)| *other == verb).copied().unwrap_or((verb, answers));
        check(&Client::new(test.store.clone()), rows(OF_A_RUNTIME).map(of_store)).await;
        let runtime = test.runtime().start().await.unwrap();
        open_ones_go_on(&test, &runtime.client()).await;
        crate::engine::kit::end(runtime).await;
    }
}

/// Nothing was lost: whoever was not ended takes its event and ends.
async fn open_ones_go_on(test: &TestStore, client: &Client) {
    for (verb, _) in rows(OF_A_RUNTIME) {
        let id = format!("{verb}: open");
        match verb {
            "cancel" | "terminate" => {
                let status =
                    crate::engine::kit::status_when(&test.store, &id, |status| status.status.is_closed()).await;
                assert!(matches!(status.status, Status::Cancelled | Status::Terminated), "{id}");
            }
            "suspend" => {
                client.raise(&id, "go", &5).await.unwrap();
                assert_eq!(stands(client, &id).await, "suspended");
                client.resume(&id).await.unwrap();
                assert_eq!(soon(client.handle::<asked_badly>(&id).unwrap().result()).await.unwrap(), 5);
            }
            _ => {
                client.raise(&id, "go", &5).await.unwrap();
                assert_eq!(soon(client.handle::<asked_badly>(&id).unwrap().result()).await.unwrap(), 5, "{id}");
            }
        }
    }
    client.raise("raise: nobody", "go", &6).await.unwrap();
    let early = asked_badly(client, false).id("raise: nobody").start().await.unwrap();
    assert_eq!(soon(early.result()).await.unwrap(), 6, "the one that does not fit was passed over");
}
