//! An activity that is waited for, seen from its queue.

use super::{Stage, WaitingActivity};
use crate::client::Client;
use crate::history::ActivitySettings;
use crate::ids::{CommandId, ExecutionId};
use crate::message::{ActivityTask, command_message_id};
use crate::providers::{InstanceMessages, Queue, WaitingMessage};

/// How far it has come.
pub(super) fn look(
    client: &Client,
    (execution_id, command): (ExecutionId, CommandId),
    name: &str,
    settings: &ActivitySettings,
    messages: &InstanceMessages,
) -> WaitingActivity {
    let id = command_message_id(execution_id, command);
    let is_its = |message: &&WaitingMessage| matches!(message.queue, Queue::Activities(_)) && message.id == id;
    let message = messages.messages.iter().find(is_its);
    let task = message.and_then(|message| ActivityTask::decode(&message.data).ok());
    let (attempt, failed_attempts) = task.map_or((1, Vec::new()), |task| (task.attempt, task.failed_attempts));
    let stage = match message {
        None => Stage::Done,
        Some(WaitingMessage { lease: Some(lease), .. }) => Stage::Running(lease.clone()),
        Some(message) if attempt > 1 => Stage::BackingOff { next_attempt_at: message.visible_at },
        Some(_) => Stage::Queued,
    };
    let unserved = match &stage {
        Stage::Queued | Stage::BackingOff { .. } => unserved(client, name, settings.tag.as_deref()),
        Stage::Running(_) | Stage::Done => None,
    };
    WaitingActivity { name: name.to_owned(), tag: settings.tag.clone(), stage, attempt, failed_attempts, unserved }
}

/// Why no worker here takes it.
fn unserved(client: &Client, name: &str, tag: Option<&str>) -> Option<String> {
    let door = client.door()?;
    if door.registry.activity(name).is_none() {
        return Some(format!("no activity `{name}` is registered here"));
    }
    let tag = tag.filter(|tag| !door.tags.iter().any(|served| served == tag))?;
    Some(format!("no worker here serves the tag `{tag}`; add `.serve_tag({tag:?})` to the builder of one"))
}
