//! How an execution begins: who started it, with what, and what it takes over from the one before it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::event::is_none;
use crate::ids::{CommandId, ExecutionId, InstanceId};
use crate::observe::TraceContext;
use crate::payload::Payload;
use crate::retry::optional_millis;

/// Who waits for a child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The instance.
    pub instance: InstanceId,
    /// The execution of it that started the child; a later one does not hear of it.
    pub execution_id: ExecutionId,
    /// The command by which it did; `None` if it does not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandId>,
    /// How many instances stand above the child: 1 for the child of an instance that is nobody's child.
    #[serde(default, skip_serializing_if = "is_none")]
    pub depth: u32,
}

impl Parent {
    /// Whether both are the same call of the same execution.
    pub(crate) fn is(&self, other: &Self) -> bool {
        (&self.instance, self.execution_id, self.command) == (&other.instance, other.execution_id, other.command)
    }
}

/// What becomes of a child when nobody waits for it any more: the execution that started it ends, or its call is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosePolicy {
    /// It is cancelled, and cleans up. So it is for a child that is waited for, unless you say otherwise.
    #[default]
    Cancel,
    /// It is ended at once; its own children follow their own policies.
    Terminate,
    /// It goes on by itself. So it is for a detached child, unless you say otherwise.
    Abandon,
}

impl ClosePolicy {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// An event that came for an earlier execution and was not taken there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Carried {
    /// Its name.
    pub name: String,
    /// What it says.
    pub value: Payload,
}

/// How much an instance keeps by key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KvTotals {
    /// How many keys have a value.
    pub keys: u64,
    /// The bytes of these keys and their values.
    pub bytes: u64,
}

impl KvTotals {
    fn is_empty(&self) -> bool {
        self.keys == 0
    }
}

/// The first event of every history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// The format of this history: [`HISTORY_FORMAT`](super::HISTORY_FORMAT) when it was written.
    pub format: u32,
    /// The orchestration.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The fingerprint of its outline in the build that started it.
    pub fingerprint: u64,
    /// Its arguments: one JSON object.
    pub input: Payload,
    /// Who started it, if it is a child.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// Events of the execution before this one that nobody took, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<Carried>,
    /// The trace it belongs to, if it was started with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceContext>,
    /// The newest keys of events that the executions before it have taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event_keys: Vec<String>,
    /// What it can be found by when it begins.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// How much the executions before it have left by key.
    #[serde(default, skip_serializing_if = "KvTotals::is_empty")]
    pub kv: KvTotals,
    /// How long this execution may take.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_millis")]
    pub timeout: Option<Duration>,
}
