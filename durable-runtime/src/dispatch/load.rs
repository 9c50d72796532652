//! Brings an instance back into memory: its record, and, if it works or waits, its history once more through the code.

use std::sync::Arc;

use super::double_check::Part;
use super::resident::{Live, Resident};
use super::turn::Rules;
use crate::history::{self, Event, EventKind};
use crate::ids::{EventId, ExecutionId, InstanceId};
use crate::metadata::{self, Identity, Status};
use crate::providers::{InstanceRecord, Provider, ProviderError};
use crate::replay::{Execution, Facts, Open};

/// How many events are read at once.
const PAGE: usize = 2_048;

/// What the store has of an instance.
pub(super) struct Loaded {
    record: Option<InstanceRecord>,
    history: Vec<Event>,
    unreadable: Option<String>,
}

/// Reads it. A history that cannot be read is a reason to suspend the instance, not to stop the shard.
pub(super) async fn load(
    provider: Arc<dyn Provider>,
    instance: InstanceId,
    execution_id: ExecutionId,
    history_len: u64,
) -> Result<Loaded, ProviderError> {
    let record = provider.instance(&instance).await?;
    let closed = record.clone().and_then(metadata::read).is_some_and(|status| status.status.is_closed());
    let mut loaded = Loaded { record, history: Vec::new(), unreadable: None };
    if closed {
        return Ok(loaded);
    }
    while (loaded.history.len() as u64) < history_len {
        let from = EventId(loaded.history.len() as u64 + 1);
        let page = match provider.history(&instance, execution_id, from, PAGE).await {
            Ok(page) => page,
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => return Ok(loaded.unreadable(error.to_string())),
        };
        if page.is_empty() {
            let message = format!("the history ends before event {from}, but should have {history_len}");
            return Ok(loaded.unreadable(message));
        }
        for stored in page {
            match history::read(&stored) {
                Ok(event) => loaded.history.push(event),
                Err(error) => return Ok(loaded.unreadable(error.to_string())),
            }
        }
    }
    Ok(loaded)
}

impl Loaded {
    fn unreadable(mut self, report: String) -> Self {
        self.unreadable = Some(report);
        self
    }

    /// Runs the code over the history. What it went over comes with it, to be gone over twice.
    pub(super) fn into_resident(
        self,
        rules: &Rules,
        instance: &InstanceId,
        execution_id: ExecutionId,
        history_len: u64,
    ) -> (Resident, Option<Part>) {
        let status = self.record.clone().and_then(metadata::read);
        if let Some(status) = status.as_ref().filter(|status| status.status.is_closed()) {
            return (Resident::Closed { execution_id, status: status.status }, None);
        }
        if self.record.is_none() {
            return (Resident::Absent, None);
        }
        let by_hand = status.as_ref().is_some_and(|status| status.status == Status::Suspended);
        let identity =
            self.history.first().and_then(identity_of).or_else(|| status.map(Identity::of_status)).map(Arc::new);
        let open = Open::in_history(&self.history);
        let stopped = |report, by_hand| {
            let (identity, open) = (identity.clone(), open.clone());
            (Resident::Suspended { execution_id, history_len, identity, open, report, by_hand }, None)
        };
        let suspended = |report| stopped(report, false);
        if by_hand {
            return stopped(metadata::BY_HAND.to_owned(), true);
        }
        if let Some(report) = self.unreadable {
            return suspended(report);
        }
        let Some(identity) = identity.clone() else {
            return (Resident::Pending { execution_id, identity: None }, None);
        };
        let Some(handler) = rules.registry.orchestration(&identity.name, &identity.version) else {
            return suspended(format!(
                "no orchestration `{}` of version {} is registered; {}",
                identity.name,
                identity.version,
                rules.registry.known(&identity.name)
            ));
        };
        if history_len == 0 {
            return (Resident::Pending { execution_id, identity: Some(identity) }, None);
        }
        let facts = Facts { instance: instance.clone(), execution_id, limits: rules.limits };
        let mut execution = Execution::new(facts.clone(), handler.clone());
        match execution.replay(&self.history) {
            Ok(()) => {
                let part = Part { facts, handler: handler.clone(), events: self.history };
                (Resident::Live(Box::new(Live { execution_id, identity, execution })), Some(part))
            }
            Err(mismatch) => suspended(mismatch.to_string()),
        }
    }
}

fn identity_of(first: &Event) -> Option<Identity> {
    match &first.kind {
        EventKind::Started(started) => Some(Identity::of(started, first.at)),
        _ => None,
    }
}
