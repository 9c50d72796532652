//! Which turns a worker may take: what an instance needs is read from its record when it is ready, and remembered for as
//! long as something waits for it.

use std::sync::Arc;

use super::gate::Reach;
use super::index::Looked;
use super::read;
use super::shared::Shared;
use super::store::OrderedStore;
use super::waiters::Awaited;
use crate::ids::InstanceId;
use crate::providers::{ErrorKind, PassedOver, ProviderError, Skills};

/// How many records are read at once.
const AT_ONCE: usize = 256;

/// Finds out what the next `max` instances need that could be handed to a worker with these skills.
pub(super) async fn learn(shared: &Arc<Shared>, skills: &Skills, max: usize) -> Result<(), ProviderError> {
    // What was looked at stays behind, so that all that is ready is gone over once.
    let mut looked = Looked::begin(max);
    loop {
        let unread = shared.with_index(|index, now| index.unread(skills, &mut looked, AT_ONCE, now));
        if unread.is_empty() {
            return Ok(());
        }
        let reach = Reach::Instances(unread.iter().map(|(instance, _)| instance.clone()).collect());
        let label = skills.label().to_owned();
        let read = move |store: &dyn OrderedStore| {
            let need = |(instance, changes): (InstanceId, u64)| {
                let value = need(store, &instance, &label)?;
                Ok((instance, changes, value))
            };
            unread.into_iter().map(need).collect::<Result<Vec<_>, ProviderError>>()
        };
        let needs = shared.read("fetch turns", reach, read).await?;
        shared.with_index(|index, _| {
            for (instance, changes, value) in needs {
                index.note_need(&instance, changes, skills.label(), value);
            }
        });
        // What is known now may be all that was waited for.
        shared.waiters.wake(&Awaited::Commit);
    }
}

/// See [`Provider::passed_over`](crate::providers::Provider::passed_over).
pub(super) async fn passed_over(
    shared: &Arc<Shared>,
    skills: &Skills,
    limit: usize,
) -> Result<Vec<PassedOver>, ProviderError> {
    learn(shared, skills, usize::MAX).await?;
    Ok(shared.with_index(|index, now| {
        let found = index.passed_over(skills, limit, now).into_iter();
        found.map(|(instance, since)| PassedOver { instance, waited: now.saturating_since(since) }).collect()
    }))
}

/// What a record says. One that is damaged says nothing: whoever leases the instance hears of it.
fn need(store: &dyn OrderedStore, instance: &InstanceId, label: &str) -> Result<Option<String>, ProviderError> {
    match read::instance(instance, |key| store.get(key)) {
        Ok(found) => Ok(found.and_then(|(mut record, _)| record.labels.remove(label))),
        Err(error) if error.kind() == ErrorKind::Corrupt => Ok(None),
        Err(error) => Err(error),
    }
}
