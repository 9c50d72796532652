//! What the runtime keeps of an instance beside its history, computed here and stored blindly by the provider.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::dispatch::ActivityUnderWay;
use crate::history::{EventKind, Failure, HISTORY_FORMAT, Parent, Started};
use crate::ids::{ExecutionId, InstanceId, MessageId};
use crate::message::Start;
use crate::observe::TraceContext;
use crate::payload::Payload;
use crate::providers::InstanceRecord;

/// What comes before the names of labels that the runtime sets itself.
pub(crate) const SYSTEM_LABELS: &str = "durable.";
/// The orchestration.
pub(crate) const NAME_LABEL: &str = "durable.name";
/// Where the instance stands.
pub(crate) const STATUS_LABEL: &str = "durable.status";
/// Who started it, if it is a child.
pub(crate) const PARENT_LABEL: &str = "durable.parent";

/// What a runtime must be able to do to run it; see [`needs`]. An instance that has ended has none.
pub(crate) const NEEDS_LABEL: &str = "durable.needs";
/// What an instance needs that was suspended from outside: no runtime can do that, so it comes only with an order for
/// anybody.
pub(crate) const TO_RESUME: &str = "to resume";
/// What every runtime can do, whatever the instance is: ending it, suspending it, letting it go on.
pub(crate) const ANYBODY: &str = "anybody";

const STATE: &str = "state";
const RESULT: &str = "result";
const CUSTOM_STATUS: &str = "custom_status";
const TRIAL: &str = "trial";
/// What comes before the name of an activity.
const PROGRESS: &str = "activity ";

/// Why an instance does not go on that was suspended from outside.
pub(crate) const BY_HAND: &str = "it was suspended from outside; `resume` lets it go on";

/// Where an instance stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// Started, and no turn has run yet.
    Pending,
    /// It works or waits.
    Running,
    /// It was suspended from outside: what comes is kept until it is resumed.
    Suspended,
    /// It returned.
    Completed,
    /// It failed.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// It was ended at once from outside.
    Terminated,
    /// It took longer than it may: the `timeout` of its attribute.
    TimedOut,
}

impl Status {
    /// Whether nothing more can happen to it.
    pub const fn is_closed(self) -> bool {
        !matches!(self, Self::Pending | Self::Running | Self::Suspended)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Suspended => "suspended",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Terminated => "terminated",
            Self::TimedOut => "timed_out",
        })
    }
}

/// What is known of an instance without reading its history.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct InstanceStatus {
    /// The instance.
    pub instance: InstanceId,
    /// Its newest execution.
    pub execution_id: ExecutionId,
    /// The orchestration.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it stands.
    pub status: Status,
    /// What it returned, if it did.
    pub output: Option<Payload>,
    /// Why it ended otherwise, if it did.
    pub failure: Option<Failure>,
    /// What it said of itself by `ctx.set_status`.
    pub custom_status: Option<Payload>,
    /// Who started it, if it is a child.
    pub parent: Option<Parent>,
    /// When its newest execution was started.
    pub started_at: Timestamp,
    /// When it ended, if it did.
    pub closed_at: Option<Timestamp>,
    /// Until when its newest execution may take, if it has a limit.
    pub deadline: Option<Timestamp>,
    /// Why it does not go on, if it does not: it was suspended from outside, or, in this process, there is a replay mismatch,
    /// a missing handler, a damaged record.
    pub suspended: Option<String>,
    /// The activities that this process has begun for it and that are not done, with their attempts and errors.
    pub activities: Vec<ActivityUnderWay>,
    /// What it can be found by.
    pub labels: BTreeMap<String, String>,
    /// Another number after each change of what is kept of it; see [`Client::changed`](crate::Client::changed).
    pub revision: u64,
}

/// The part that changes with start and end.
#[derive(Serialize, Deserialize)]
struct State {
    name: String,
    version: String,
    status: Status,
    started_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<Parent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deadline: Option<Timestamp>,
}

/// The part that comes with the end.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ended {
    Output(Payload),
    Failure(Failure),
}

/// What an instance is, for as long as it has this execution.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Identity {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) parent: Option<Parent>,
    pub(crate) started_at: Timestamp,
    pub(crate) trace: Option<TraceContext>,
    pub(crate) deadline: Option<Timestamp>,
}

impl Identity {
    pub(crate) fn of(started: &Started, at: Timestamp) -> Self {
        Self {
            name: started.name.clone(),
            version: started.version.clone(),
            parent: started.parent.clone(),
            started_at: at,
            trace: started.trace.clone(),
            deadline: started.timeout.map(|timeout| at.saturating_add(timeout)),
        }
    }

    /// What it will be when it begins.
    pub(crate) fn of_start(start: &Start, at: Timestamp) -> Self {
        Self {
            name: start.name.clone(),
            version: start.version.clone(),
            parent: start.parent.clone(),
            started_at: at,
            deadline: None,
            trace: start.trace.clone(),
        }
    }

    /// What is known of it without its history.
    pub(crate) fn of_status(status: InstanceStatus) -> Self {
        let InstanceStatus { name, version, parent, started_at, deadline, .. } = status;
        Self { name, version, parent, started_at, deadline, trace: None }
    }
}

impl Identity {
    /// How many instances stand above it.
    pub(crate) fn depth(&self) -> u32 {
        self.parent.as_ref().map_or(0, |parent| parent.depth)
    }
}

/// Keys and values to set.
pub(crate) type Entries = Vec<(String, Option<Bytes>)>;

/// Names and values of labels to set.
pub(crate) type Labels = Vec<(String, Option<String>)>;

/// What a runtime must be able to do to run this: read histories of this format, and have a handler of this name and
/// version.
pub(crate) fn needs(format: u32, name: &str, version: &str) -> String {
    format!("{format} {version} {name}")
}

/// By what an instance is found that begins to be this.
pub(crate) fn labels_begun(identity: &Identity, status: Status) -> Labels {
    let parent = identity.parent.as_ref().map(|parent| parent.instance.to_string());
    let needs = needs(HISTORY_FORMAT, &identity.name, &identity.version);
    let mut labels = vec![(NAME_LABEL.to_owned(), Some(identity.name.clone())), (NEEDS_LABEL.to_owned(), Some(needs))];
    labels.extend(labels_ended(status));
    // Nothing is taken away from what was never there.
    labels.extend(parent.map(|parent| (PARENT_LABEL.to_owned(), Some(parent))));
    labels
}

/// By what an instance is found that stands here now.
pub(crate) fn labels_ended(status: Status) -> Labels {
    let mut labels = vec![(STATUS_LABEL.to_owned(), Some(status.to_string()))];
    if status.is_closed() {
        labels.push((NEEDS_LABEL.to_owned(), None));
    }
    labels
}

/// What is kept when an execution begins.
pub(crate) fn begun(identity: &Identity, status: Status) -> Entries {
    vec![(STATE.to_owned(), json(&state(identity, status, None))), (RESULT.to_owned(), None)]
}

/// What is kept when an open instance is suspended, or goes on.
pub(crate) fn changed(identity: &Identity, status: Status) -> Entries {
    vec![(STATE.to_owned(), json(&state(identity, status, None)))]
}

/// What is kept when an execution ends; nothing if it goes on as the next one.
pub(crate) fn ended(identity: &Identity, end: &EventKind, at: Timestamp) -> Entries {
    let result = match end {
        EventKind::Completed { output } => Ended::Output(output.clone()),
        EventKind::Failed { failure } => Ended::Failure(failure.clone()),
        EventKind::Cancelled { reason } => Ended::Failure(Failure::Cancelled { reason: reason.clone() }),
        EventKind::Poisoned { message } => Ended::Failure(Failure::Poisoned { message: message.clone() }),
        EventKind::Terminated { reason } => Ended::Failure(Failure::Terminated { reason: reason.clone() }),
        _ => return Vec::new(),
    };
    let status = status_of(end);
    vec![(STATE.to_owned(), json(&state(identity, status, Some(at)))), (RESULT.to_owned(), json(&result))]
}

/// Where an instance stands after this event.
pub(crate) const fn status_of(end: &EventKind) -> Status {
    match end {
        EventKind::Completed { .. } => Status::Completed,
        EventKind::Failed { failure: Failure::TimedOut { .. } } => Status::TimedOut,
        EventKind::Failed { .. } | EventKind::Poisoned { .. } => Status::Failed,
        EventKind::Cancelled { .. } => Status::Cancelled,
        EventKind::Terminated { .. } => Status::Terminated,
        _ => Status::Running,
    }
}

/// What is taken away when an id is used again: what the one before said of itself.
pub(crate) fn forgotten() -> Entries {
    vec![(CUSTOM_STATUS.to_owned(), None)]
}

/// Whether a turn of it, run alone, has been begun, and its process was not heard of since.
pub(crate) fn is_on_trial(record: &InstanceRecord) -> bool {
    record.metadata.contains_key(TRIAL)
}

/// What is kept while a turn is run alone.
pub(crate) fn trial(begun: bool) -> Entries {
    vec![(TRIAL.to_owned(), begun.then(|| Bytes::from_static(b"true")))]
}

/// What an orchestration says of itself.
pub(crate) fn custom_status(status: &Payload) -> Entries {
    vec![(CUSTOM_STATUS.to_owned(), Some(Bytes::copy_from_slice(status.as_str().as_bytes())))]
}

/// What is kept of an activity that runs, in case its process dies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptProgress {
    pub(crate) attempt: u32,
    pub(crate) heartbeat: Payload,
}

/// Keeps it, or takes it away.
pub(crate) fn progress(activity: &MessageId, progress: Option<&KeptProgress>) -> Entries {
    vec![(format!("{PROGRESS}{activity}"), progress.and_then(json))]
}

pub(crate) fn read_progress(record: &InstanceRecord, activity: &MessageId) -> Option<KeptProgress> {
    serde_json::from_slice(record.metadata.get(&format!("{PROGRESS}{activity}"))?).ok()
}

fn state(identity: &Identity, status: Status, closed_at: Option<Timestamp>) -> State {
    State {
        name: identity.name.clone(),
        version: identity.version.clone(),
        status,
        started_at: identity.started_at,
        closed_at,
        parent: identity.parent.clone(),
        deadline: identity.deadline,
    }
}

fn json<T: Serialize>(value: &T) -> Option<Bytes> {
    serde_json::to_vec(value).ok().map(Bytes::from)
}

/// What is known of an instance whose start waits for its first turn.
pub(crate) fn before_first_turn(instance: InstanceId, start: Start, at: Timestamp) -> InstanceStatus {
    InstanceStatus {
        instance,
        execution_id: ExecutionId::FIRST,
        name: start.name,
        version: start.version,
        status: Status::Pending,
        output: None,
        failure: None,
        custom_status: None,
        parent: start.parent,
        started_at: at,
        closed_at: None,
        deadline: None,
        suspended: None,
        activities: Vec::new(),
        labels: start.labels.into_iter().collect(),
        revision: 0,
    }
}

/// Reads what was kept; `None` if this is not of our making.
pub(crate) fn read(record: InstanceRecord) -> Option<InstanceStatus> {
    let state: State = serde_json::from_slice(record.metadata.get(STATE)?).ok()?;
    let ended = record.metadata.get(RESULT).and_then(|result| serde_json::from_slice(result).ok());
    let custom_status = record.metadata.get(CUSTOM_STATUS).and_then(|status| serde_json::from_slice(status).ok());
    let (output, failure) = match ended {
        Some(Ended::Output(output)) => (Some(output), None),
        Some(Ended::Failure(failure)) => (None, Some(failure)),
        None => (None, None),
    };
    Some(InstanceStatus {
        instance: record.instance,
        execution_id: record.execution_id,
        name: state.name,
        version: state.version,
        status: state.status,
        output,
        failure,
        custom_status,
        parent: state.parent,
        started_at: state.started_at,
        closed_at: state.closed_at,
        deadline: state.deadline,
        suspended: (state.status == Status::Suspended).then(|| BY_HAND.to_owned()),
        activities: Vec::new(),
        labels: own_labels(&record.labels),
        revision: record.revision,
    })
}

/// The labels that the application has set.
pub(crate) fn own_labels(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let own = labels.iter().filter(|(name, _)| !name.starts_with(SYSTEM_LABELS));
    own.map(|(name, value)| (name.clone(), value.clone())).collect()
}
