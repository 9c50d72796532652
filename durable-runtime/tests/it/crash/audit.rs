//! A whole store, looked at from outside while no runtime has it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use durable_runtime::history::{Event, EventKind, validate};
use durable_runtime::providers::{ActivityRequest, OwnerId, TurnRequest};
use durable_runtime::{Client, ExecutionId, InstanceStatus, Provider, Status};

/// What was found, and what need not be looked at again: an execution that has ended never changes.
#[derive(Default)]
pub(super) struct Audit {
    ended: BTreeMap<String, ExecutionId>,
    /// The output of each instance that was seen closed.
    pub(super) outputs: BTreeMap<String, String>,
    /// The numbers raised for each instance, in the order of its histories.
    pub(super) numbers: BTreeMap<String, Vec<u64>>,
    /// All activities ever scheduled: `{instance}/{execution}/{command}`, as the keys of their bodies.
    pub(super) scheduled: BTreeSet<String>,
}

/// What a store has that is on its way.
pub(super) struct Open {
    pub(super) instances: Vec<InstanceStatus>,
    /// Numbers that wait in queues.
    pub(super) queued_numbers: BTreeMap<String, BTreeSet<u64>>,
}

/// What is open in one history.
#[derive(Default)]
struct OpenCommands {
    activities: BTreeSet<String>,
    timers: BTreeSet<String>,
}

impl Audit {
    /// Checks everything (I2, I5, I7, I8, I13). Takes all leases; they end when the store is closed.
    pub(super) async fn check(&mut self, store: &(impl Provider + Clone), activities: &BTreeSet<String>) -> Open {
        let client = Client::new(store.clone());
        let instances = all(&client).await;
        let mut open = OpenCommands::default();
        for status in &instances {
            self.check_instance(&client, status, &mut open).await;
        }
        let waiting = check_turn_messages(store, &open.timers).await;
        let queued = queued_activities(store, activities).await;
        assert_eq!(queued.intersection(&waiting.done).next(), None, "what is done is in the queue no more");
        // What was done while another process had the instance waits for its turn.
        let known = &queued | &(&waiting.done & &open.activities);
        assert_eq!(known, open.activities, "schedules and queue");
        Open { instances, queued_numbers: waiting.numbers }
    }

    async fn check_instance(&mut self, client: &Client, status: &InstanceStatus, open: &mut OpenCommands) {
        let id = status.instance.to_string();
        let seen = self.ended.get(&id).copied();
        if status.status.is_closed() && seen == Some(status.execution_id) {
            assert_eq!(self.outputs.get(&id), Some(&output_of(status)), "the end of `{id}` stays");
            return;
        }
        let first = seen.map_or(ExecutionId::FIRST, ExecutionId::next);
        for number in first.0..=status.execution_id.0 {
            let execution = ExecutionId(number);
            let history = client.history(&id, execution).await.unwrap();
            assert_eq!(validate(&history), Ok(()), "`{id}` execution {execution}");
            let newest = execution == status.execution_id;
            assert_eq!(
                fold(&history, execution, newest),
                if newest { status.status } else { Status::Running },
                "`{id}`: {:?}",
                status.failure
            );
            self.scheduled.extend(scheduled(&id, execution, &history));
            if history.last().is_some_and(|event| event.kind.is_end()) {
                self.ended.insert(id.clone(), execution);
                self.numbers.entry(id.clone()).or_default().extend(numbers(&history));
            } else {
                assert!(newest, "`{id}` execution {execution} has no end");
                open.take(&id, execution, &history);
            }
        }
        if status.status.is_closed() {
            self.outputs.insert(id, output_of(status));
        }
    }
}

impl OpenCommands {
    fn take(&mut self, id: &str, execution: ExecutionId, history: &[Event]) {
        let done = |event: &Event| match event.kind {
            EventKind::CommandCancelled { command } => Some(command),
            _ => event.kind.completes(),
        };
        let done: BTreeSet<_> = history.iter().filter_map(done).collect();
        for event in history {
            let Some(command) = event.kind.opens().filter(|command| !done.contains(command)) else { continue };
            let key = format!("{id}/{execution}.{command}");
            match event.kind {
                EventKind::ActivityScheduled { .. } => drop(self.activities.insert(key)),
                EventKind::TimerSet { .. } => drop(self.timers.insert(key)),
                _ => {}
            }
        }
    }
}

/// All instances.
pub(super) async fn all(client: &Client) -> Vec<InstanceStatus> {
    let (mut all, mut list) = (Vec::new(), client.list().limit(1_000));
    loop {
        let page = list.page().await.unwrap();
        all.extend(page.instances);
        let Some(after) = page.next else { return all };
        list = client.list().limit(1_000).after(after);
    }
}

/// Where an instance stands by its history alone.
fn fold(history: &[Event], execution: ExecutionId, newest: bool) -> Status {
    match history.last().map(|event| &event.kind) {
        None if execution == ExecutionId::FIRST => Status::Pending,
        // Continued as new, and killed before the turn in which the next execution begins.
        None => Status::Running,
        Some(EventKind::Completed { .. }) => Status::Completed,
        Some(EventKind::Failed { .. }) => Status::Failed,
        Some(EventKind::Cancelled { .. }) => Status::Cancelled,
        Some(EventKind::Terminated { .. }) => Status::Terminated,
        Some(EventKind::ContinuedAsNew { .. }) => {
            assert!(!newest, "the next execution is there");
            Status::Running
        }
        Some(_) => Status::Running,
    }
}

fn output_of(status: &InstanceStatus) -> String {
    match (&status.output, &status.failure) {
        (Some(output), None) => output.as_str().to_owned(),
        (None, Some(failure)) => failure.summary(),
        other => panic!("`{}` is closed with {other:?}", status.instance),
    }
}

fn numbers(history: &[Event]) -> impl Iterator<Item = u64> {
    history.iter().filter_map(|event| match &event.kind {
        EventKind::EventRaised { value, .. } => Some(value.decode().unwrap()),
        _ => None,
    })
}

/// The numbers of an execution that goes on.
pub(super) async fn numbers_so_far(client: &Client, status: &InstanceStatus) -> Vec<u64> {
    if status.status.is_closed() {
        return Vec::new();
    }
    numbers(&client.history(&status.instance, status.execution_id).await.unwrap()).collect()
}

fn scheduled(id: &str, execution: ExecutionId, history: &[Event]) -> Vec<String> {
    let key = |event: &Event| match event.kind {
        EventKind::ActivityScheduled { command, .. } => Some(format!("{id}/{execution}/{command}")),
        _ => None,
    };
    history.iter().filter_map(key).collect()
}

async fn queued_activities(store: &impl Provider, activities: &BTreeSet<String>) -> BTreeSet<String> {
    let want = ActivityRequest {
        owner: OwnerId::new("audit"),
        max: usize::MAX,
        ttl: Duration::from_secs(600),
        wait: Duration::ZERO,
        topics: Arc::from_iter(activities.iter().cloned()),
        tags: Arc::from([]),
        session_ttl: None,
    };
    let leased = store.fetch_activities(want).await.unwrap();
    let queued: BTreeSet<_> = leased.iter().map(|leased| format!("{}/{}", leased.instance, leased.id)).collect();
    assert_eq!(queued.len(), leased.len());
    assert_eq!(leased.len() as u64, store.stats().await.unwrap().activities, "nothing waits for anybody else");
    queued
}

/// What waits in queues of turns.
#[derive(Default)]
struct Waiting {
    numbers: BTreeMap<String, BTreeSet<u64>>,
    /// Activities whose end waits.
    done: BTreeSet<String>,
}

/// Every message in a queue of turns is an open timer, or visible. Answers with what is said by the visible ones.
async fn check_turn_messages(store: &impl Provider, timers: &BTreeSet<String>) -> Waiting {
    let want = TurnRequest {
        owner: OwnerId::new("audit"),
        max: usize::MAX,
        ttl: Duration::from_secs(600),
        wait: Duration::ZERO,
        instance: None,
        skills: None,
    };
    let waiting = store.stats().await.unwrap().turn_messages;
    let (mut visible, mut due, mut found) = (0, 0, Waiting::default());
    for turn in store.fetch_turns(want).await.unwrap() {
        for message in &turn.messages {
            visible += 1;
            due += usize::from(timers.contains(&format!("{}/{}", turn.instance, message.id)));
            let text: serde_json::Value = serde_json::from_slice(&message.data).unwrap();
            let number = text.pointer("/raised/value").and_then(serde_json::Value::as_u64);
            found.numbers.entry(turn.instance.to_string()).or_default().extend(number);
            if let Some(done) = text.get("activity_done") {
                found.done.insert(format!("{}/{}.{}", turn.instance, done["execution_id"], done["command"]));
            }
        }
    }
    assert_eq!(waiting - visible, (timers.len() - due) as u64, "what is hidden are open timers");
    found
}
