//! Gathering the reasons.

use std::collections::BTreeSet;

use super::{Wait, WaitsOn, Why, activity, open};
use crate::client::{Client, Handle, ReadError};
use crate::clock::Timestamp;
use crate::history::{Event, EventKind};
use crate::ids::InstanceId;
use crate::message::Message;
use crate::metadata::{InstanceStatus, Status};
use crate::orchestration::Orchestration;
use crate::providers::{ErrorKind, InstanceMessages, Queue, WaitingMessage};

/// How many messages of an instance are looked at.
const MESSAGES_MAX: usize = 20_000;

impl Client {
    /// Why an instance does not go on: what it waits for, since when, at which line of the code; who holds it or its
    /// activities, with attempts, errors and the next retry; what is missing here to run it; why it is suspended.
    ///
    /// ```standalone_crate
    /// use durable_runtime::management::WaitsOn;
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// #[orchestration]
    /// async fn order(ctx: OrchestrationContext) -> String {
    ///     ctx.event_named("approved").await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = TestRuntime::start().await?;
    /// let handle = order(&runtime.client()).id("order-42").start().await?;
    /// let why = handle.why().await?;
    /// assert!(matches!(&why.waits[0].on, WaitsOn::Event { name } if name == "approved"));
    /// println!("{why}"); // waits for event `approved` since 2026-01-01T00:00:00.000Z (src/main.rs:7)
    /// # runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ReadError::NotFound`] if it does not exist.
    pub async fn why(&self, id: impl AsRef<str>) -> Result<Why, ReadError> {
        let instance = self.status(id).await?;
        let mut why = Why {
            suspended: instance.suspended.clone(),
            missing_handler: None,
            damaged: None,
            turn: None,
            messages: None,
            waits: Vec::new(),
            instance,
        };
        if why.instance.status.is_closed() {
            return Ok(why);
        }
        why.missing_handler = self.missing_handler(&why.instance);
        let waiting = self.provider().messages(&why.instance.instance, MESSAGES_MAX).await?;
        let begins_at = delayed_start(&why.instance, &waiting);
        why.messages = for_the_next_turn(&waiting);
        let waits = match begins_at {
            Some(begins_at) => Ok(vec![Wait::to_begin(why.instance.started_at, begins_at)]),
            None => self.waits(&why.instance, &waiting).await,
        };
        why.damaged = waiting.parked;
        why.turn = waiting.lease;
        match waits {
            Ok(waits) => why.waits = waits,
            Err(error) if is_damage(&error) => drop(why.damaged.get_or_insert_with(|| error.to_string())),
            Err(error) => return Err(error),
        }
        Ok(why)
    }

    fn missing_handler(&self, instance: &InstanceStatus) -> Option<String> {
        let InstanceStatus { name, version, .. } = instance;
        let registry = &self.door()?.registry;
        if registry.orchestration(name, version).is_some() {
            return None;
        }
        let known = registry.known(name);
        Some(format!("no orchestration `{name}` of version {version} is registered here; {known}"))
    }

    async fn waits(&self, instance: &InstanceStatus, waiting: &InstanceMessages) -> Result<Vec<Wait>, ReadError> {
        let id = &instance.instance;
        let history = self.history(id.as_str(), instance.execution_id).await?;
        // What is in memory knows best, if it is of the same length.
        let known = match self.door() {
            Some(door) => door.open_commands(id, history.len() as u64).await,
            None => None,
        };
        let known = known.map(|commands| commands.into_iter().collect::<BTreeSet<_>>());
        let mut waits = Vec::new();
        for event in open::open(&history, known.as_ref()) {
            waits.extend(self.wait(instance, event, waiting).await?);
        }
        Ok(waits)
    }

    async fn wait(
        &self,
        instance: &InstanceStatus,
        event: &Event,
        waiting: &InstanceMessages,
    ) -> Result<Option<Wait>, ReadError> {
        let on = match &event.kind {
            EventKind::TimerSet { fire_at, .. } => WaitsOn::Timer { fire_at: *fire_at },
            EventKind::EventAwaited { name, .. } => WaitsOn::Event { name: name.clone() },
            EventKind::ChildStarted { instance, .. } => {
                WaitsOn::Child { instance: instance.clone(), status: self.status_of_child(instance).await? }
            }
            EventKind::ActivityScheduled { command, name, settings, .. } => {
                let command = (instance.execution_id, *command);
                WaitsOn::Activity(activity::look(self, command, name, settings, waiting))
            }
            _ => return Ok(None),
        };
        Ok(Some(Wait { on, since: event.at, command: event.kind.opens(), place: event.kind.place().cloned() }))
    }

    async fn status_of_child(&self, child: &InstanceId) -> Result<Option<Status>, ReadError> {
        match self.status(child.as_str()).await {
            Ok(child) => Ok(Some(child.status)),
            Err(ReadError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl<O: Orchestration> Handle<O> {
    /// Why the instance does not go on; see [`Client::why`].
    ///
    /// # Errors
    /// [`ReadError::NotFound`] if it does not exist.
    pub async fn why(&self) -> Result<Why, ReadError> {
        self.client().why(self.id()).await
    }
}

/// Whether a record is damaged: then that is why.
fn is_damage(error: &ReadError) -> bool {
    match error {
        ReadError::History(_) => true,
        ReadError::Provider(error) => error.kind() == ErrorKind::Corrupt,
        _ => false,
    }
}

impl Wait {
    fn to_begin(since: Timestamp, begins_at: Timestamp) -> Self {
        Self { on: WaitsOn::Start { begins_at }, since, command: None, place: None }
    }
}

fn turns(waiting: &InstanceMessages) -> impl Iterator<Item = (&WaitingMessage, Message)> {
    let of_turns = waiting.messages.iter().filter(|message| matches!(message.queue, Queue::Turns(_)));
    of_turns.filter_map(|message| Some((message, Message::decode(&message.data).ok()?)))
}

/// When it begins, if it has not and its start was delayed.
fn delayed_start(instance: &InstanceStatus, waiting: &InstanceMessages) -> Option<Timestamp> {
    if instance.status != Status::Pending {
        return None;
    }
    let start = turns(waiting).find(|(_, message)| matches!(message, Message::Start(_)));
    start.map(|(stored, _)| stored.visible_at).filter(|begins_at| *begins_at > instance.started_at)
}

/// What waits for a turn, except for what waits for its time: timers, limits, a delayed start.
fn for_the_next_turn(waiting: &InstanceMessages) -> Option<(usize, Timestamp)> {
    let of_time = |message: &Message| {
        use Message::{ActivityLate, DeadlineReached, Start, TimerDue};
        matches!(message, TimerDue { .. } | ActivityLate { .. } | DeadlineReached { .. } | Start(_))
    };
    let visible: Vec<_> =
        turns(waiting).filter(|(_, message)| !of_time(message)).map(|(stored, _)| stored.visible_at).collect();
    Some((visible.len(), visible.iter().min().copied()?))
}
