//! Instances that this runtime cannot run, and that no other has taken for a while: nobody may be there who can.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::suspended::Suspended;
use crate::history::HISTORY_FORMAT;
use crate::ids::InstanceId;
use crate::message::Message;
use crate::metadata;
use crate::providers::{Provider, ProviderError, Skills};
use crate::registry::Registry;

/// How many are reported at most.
const REPORTED_MAX: usize = 1_000;
/// In how many messages of an instance that does not exist yet its start is looked for.
const MESSAGES_MAX: usize = 16;

/// Looks for them, for ever; reports those that have waited for `patience`.
pub(super) async fn watch(
    provider: Arc<dyn Provider>,
    registry: Arc<Registry>,
    suspended: Arc<Suspended>,
    patience: Duration,
) {
    let able = registry.skills();
    // What was suspended from outside waits for an order, and not for somebody who can run it.
    let values = able.values().iter().cloned().chain([metadata::TO_RESUME.to_owned()]);
    let skills = Skills::new(able.label(), values);
    loop {
        match reports(&*provider, &registry, &skills, patience).await {
            Ok(reports) => {
                for (instance, report) in suspended.note_unserved(reports) {
                    tracing::warn!(%instance, "nobody takes it: {report}");
                }
            }
            Err(error) => tracing::debug!(%error, "what is passed over could not be listed"),
        }
        tokio::time::sleep(patience).await;
    }
}

async fn reports(
    provider: &dyn Provider,
    registry: &Registry,
    skills: &Skills,
    patience: Duration,
) -> Result<BTreeMap<InstanceId, String>, ProviderError> {
    let mut reports = BTreeMap::new();
    let passed_over = provider.passed_over(skills, REPORTED_MAX).await?;
    for found in passed_over.into_iter().filter(|found| found.waited >= patience) {
        if let Some(report) = report(provider, registry, &found.instance).await? {
            reports.insert(found.instance, report);
        }
    }
    Ok(reports)
}

/// What is missing to run it; `None` if nothing is by now.
async fn report(
    provider: &dyn Provider,
    registry: &Registry,
    instance: &InstanceId,
) -> Result<Option<String>, ProviderError> {
    if let Some(record) = provider.instance(instance).await? {
        let needs = record.labels.get(metadata::NEEDS_LABEL).cloned();
        let status = metadata::read(record);
        return Ok(status.and_then(|status| registry.lacks_for(&status.name, &status.version, needs.as_deref())));
    }
    let waiting = provider.messages(instance, MESSAGES_MAX).await?;
    let start = waiting.messages.iter().find_map(|message| match Message::decode(&message.data) {
        Ok(Message::Start(start)) => Some(start),
        _ => None,
    });
    Ok(start.and_then(|start| registry.lacks(HISTORY_FORMAT, &start.name, &start.version)))
}
