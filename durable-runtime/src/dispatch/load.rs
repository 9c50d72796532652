//! Brings an instance back into memory: its record, and, if it works or waits, its history once more through the code.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::double_check::Part;
use super::kept::{Kept, Trial};
use super::resident::{Live, Resident};
use super::trial::Suspect;
use super::turn::Rules;
use crate::history::{self, Event, EventKind, HISTORY_FORMAT};
use crate::ids::{EventId, ExecutionId, InstanceId};
use crate::metadata::{self, Identity, Status};
use crate::payload::Payload;
use crate::providers::{ErrorKind, InstanceRecord, KvPageRequest, Provider, ProviderError};
use crate::replay::{Execution, Facts, Open};

/// How many events are read at once.
const PAGE: usize = 2_048;

/// What the store has of an instance.
pub(super) struct Loaded {
    record: Option<InstanceRecord>,
    kv: Arc<BTreeMap<String, Payload>>,
    trial: Trial,
    history: Vec<Event>,
    unreadable: Option<String>,
}

/// Reads it. What is damaged is a reason to suspend the instance, with the name of the record, not to stop the shard or
/// to try again and again.
pub(super) async fn load(
    provider: Arc<dyn Provider>,
    instance: InstanceId,
    execution_id: ExecutionId,
    history_len: u64,
    suspect: Option<Suspect>,
) -> Result<Loaded, ProviderError> {
    let record = match provider.instance(&instance).await {
        Err(error) if error.kind() == ErrorKind::Corrupt => return Ok(Loaded::damaged(None, &error)),
        record => record?,
    };
    let closed = record.clone().and_then(metadata::read).is_some_and(|status| status.status.is_closed());
    let trial = match suspect {
        Some(suspect) => suspect.judge(&*provider, &instance, record.as_ref()).await?,
        None => Trial::None,
    };
    let kv = match &record {
        Some(_) => read_kv(&*provider, &instance).await,
        None => Ok(Arc::default()),
    };
    let kv = match kv {
        Err(error) if error.kind() == ErrorKind::Corrupt => return Ok(Loaded::damaged(record, &error)),
        kv => kv?,
    };
    let mut loaded = Loaded { record, kv, trial, history: Vec::new(), unreadable: None };
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

/// All values by key: there are not many, and no turn may wait for one.
async fn read_kv(
    provider: &dyn Provider,
    instance: &InstanceId,
) -> Result<Arc<BTreeMap<String, Payload>>, ProviderError> {
    let mut kv = BTreeMap::new();
    let mut page = KvPageRequest { limit: PAGE, ..KvPageRequest::default() };
    loop {
        let found = provider.kv_page(instance, page.clone()).await?;
        for (key, value) in found.entries {
            match Payload::from_bytes(&value) {
                Ok(value) => drop(kv.insert(key, value)),
                Err(error) => tracing::warn!(%instance, key, %error, "a value by key cannot be read and is left out"),
            }
        }
        match found.next {
            Some(next) => page.after = Some(next),
            None => return Ok(Arc::new(kv)),
        }
    }
}

impl Loaded {
    /// Of this more cannot be read.
    fn damaged(record: Option<InstanceRecord>, error: &ProviderError) -> Self {
        let unreadable = Some(error.to_string());
        Self { record, kv: Arc::default(), trial: Trial::None, history: Vec::new(), unreadable }
    }

    fn unreadable(mut self, report: String) -> Self {
        self.unreadable = Some(report);
        self
    }

    /// What the store has beside the history.
    pub(super) fn kept(&self) -> Kept {
        let labels = self.record.as_ref().map(|record| metadata::own_labels(&record.labels)).unwrap_or_default();
        let needs = self.record.as_ref().and_then(|record| record.labels.get(metadata::NEEDS_LABEL).cloned());
        Kept { trial: self.trial, needs, labels, kv: Arc::clone(&self.kv) }
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
        if self.record.is_none() && self.unreadable.is_none() {
            return (Resident::Absent, None);
        }
        let by_hand = status.as_ref().is_some_and(|status| status.status == Status::Suspended);
        let identity =
            self.history.first().and_then(identity_of).or_else(|| status.map(Identity::of_status)).map(Arc::new);
        let open = Open::in_history(&self.history);
        let stopped = |report, by_hand, needs| {
            let (identity, open) = (identity.clone(), open.clone());
            (Resident::Suspended { execution_id, history_len, identity, open, report, by_hand, needs }, None)
        };
        let suspended = |report| stopped(report, false, None);
        if self.trial == Trial::Lost {
            return stopped("its process has not survived this turn".to_owned(), by_hand, None);
        }
        if by_hand {
            return stopped(metadata::BY_HAND.to_owned(), true, Some(metadata::TO_RESUME.to_owned()));
        }
        let format = self.history.first().map_or(HISTORY_FORMAT, format_of);
        if let Some(Identity { name, version, .. }) = identity.as_deref()
            && let Some(report) = rules.registry.lacks(format, name, version)
        {
            return stopped(report, false, Some(metadata::needs(format, name, version)));
        }
        if let Some(report) = self.unreadable {
            return suspended(report);
        }
        let Some(identity) = identity.clone() else {
            return (Resident::Pending { execution_id, identity: None }, None);
        };
        let Some(handler) = rules.registry.orchestration(&identity.name, &identity.version) else {
            return suspended(format!("no orchestration `{}` is registered", identity.name));
        };
        if history_len == 0 {
            return (Resident::Pending { execution_id, identity: Some(identity) }, None);
        }
        let facts = Facts { instance: instance.clone(), execution_id, limits: rules.limits };
        let mut execution = Execution::new(facts.clone(), handler.clone()).with_stored(self.kv);
        match execution.replay(&self.history) {
            Ok(()) => {
                let part = Part { facts, handler: handler.clone(), events: self.history };
                (Resident::Live(Box::new(Live { execution_id, identity, execution })), Some(part))
            }
            Err(mismatch) => suspended(mismatch.to_string()),
        }
    }
}

fn format_of(first: &Event) -> u32 {
    match &first.kind {
        EventKind::Started(started) => started.format,
        _ => HISTORY_FORMAT,
    }
}

fn identity_of(first: &Event) -> Option<Identity> {
    match &first.kind {
        EventKind::Started(started) => Some(Identity::of(started, first.at)),
        _ => None,
    }
}
