//! Handing out turns and activities.
//!
//! A lease is noted first and what it is on is read then; until the answer is complete, the lease is held by a guard
//! that takes it back if the caller goes away meanwhile.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::gate::Reach;
use super::heads::Head;
use super::inbox::Counting;
use super::index::{ActivityGrant, MessageKey, TurnGrant};
use super::keys::QueueKind;
use super::read;
use super::shared::Shared;
use super::skills;
use super::store::{OrderedStore, StoreError};
use super::waiters::{Awaited, Patience};
use crate::ids::{ExecutionId, InstanceId};
use crate::providers::{
    ActivityRequest, ErrorKind, LeasedActivity, LeasedMessage, LeasedTurn, ProviderError, TurnRequest,
};

const TURNS: &str = "fetch turns";
const ACTIVITIES: &str = "fetch activities";

/// What of a turn stands in the store.
type Loaded = Result<(Option<Head>, Vec<LeasedMessage>), ProviderError>;

/// Leases that nobody has seen yet.
struct Unseen<'a> {
    shared: &'a Shared,
    fences: Vec<u64>,
}

impl Drop for Unseen<'_> {
    fn drop(&mut self) {
        if !self.fences.is_empty() {
            self.shared.with_index(|index, _| self.fences.iter().for_each(|fence| index.revoke(*fence)));
            self.shared.wake_fetchers();
        }
    }
}

/// See [`Provider::fetch_turns`](crate::providers::Provider::fetch_turns).
pub(super) async fn turns(shared: &Arc<Shared>, want: TurnRequest) -> Result<Vec<LeasedTurn>, ProviderError> {
    let wait = if want.instance.is_some() { Duration::ZERO } else { want.wait };
    let mut patience = Patience::new(&**shared, Awaited::Turns, wait);
    loop {
        shared.gate.check().map_err(|error| error.during(TURNS))?;
        let found = turns_now(shared, &want).await?;
        if !found.is_empty() || !patience.look_again().await {
            return Ok(found);
        }
    }
}

/// See [`Provider::fetch_activities`](crate::providers::Provider::fetch_activities).
pub(super) async fn activities(
    shared: &Arc<Shared>,
    want: ActivityRequest,
) -> Result<Vec<LeasedActivity>, ProviderError> {
    let mut patience = Patience::new(&**shared, Awaited::Activities, want.wait);
    loop {
        shared.gate.check().map_err(|error| error.during(ACTIVITIES))?;
        let found = activities_now(shared, &want).await?;
        if !found.is_empty() || !patience.look_again().await {
            return Ok(found);
        }
    }
}

async fn turns_now(shared: &Arc<Shared>, want: &TurnRequest) -> Result<Vec<LeasedTurn>, ProviderError> {
    if let (None, Some(skills)) = (&want.instance, &want.skills) {
        skills::learn(shared, skills, want.max).await?;
    }
    let grants = shared.with_index(|index, now| match &want.instance {
        Some(instance) => index.grant_turn(instance, want, now).into_iter().collect(),
        None => index.grant_turns(want, now),
    });
    if grants.is_empty() {
        // Whoever asks for one that is set aside is told so, and does not wait for it.
        let damaged = |id| shared.with_index(|index, _| index.quarantined(id).map(str::to_owned));
        let damaged = want.instance.as_ref().and_then(|id| Some((id, damaged(id)?)));
        let error = |(id, what)| ProviderError::new(ErrorKind::Corrupt, TURNS, what).instance(id);
        return damaged.map(error).map_or(Ok(Vec::new()), Err);
    }
    let mut unseen = Unseen { shared, fences: grants.iter().map(|grant| grant.fence).collect() };
    shared.inbox.due(shared.clock.now().saturating_add(want.ttl));
    count(shared, TURNS, grants.iter().flat_map(|grant| grant.counts.clone()).collect()).await?;
    let reach = Reach::Instances(grants.iter().map(|grant| grant.instance.clone()).collect());
    let reader = shared.clone();
    let loaded = shared.read(TURNS, reach, move |store| Ok(load_all(&reader, store, grants))).await?;
    let mut failed = None;
    let mut turns = Vec::with_capacity(loaded.len());
    for (grant, loaded) in loaded {
        match loaded {
            Ok((head, messages)) => turns.extend(confirm(shared, grant, head, messages)),
            Err(error) => failed = set_aside(shared, &grant.instance, error).or(failed),
        }
    }
    unseen.fences.retain(|fence| turns.iter().all(|turn: &LeasedTurn| turn.lock_token.fence != *fence));
    // A damaged instance must not keep the others from being handed out.
    failed.filter(|_| turns.is_empty()).map_or(Ok(turns), Err)
}

/// Of messages that were there when the store was opened it is kept how often they were handed out, before they are:
/// one that ends the process each time must be known after a restart. The others cost nothing.
async fn count(shared: &Shared, operation: &'static str, counts: Vec<(MessageKey, u32)>) -> Result<(), ProviderError> {
    if counts.is_empty() {
        return Ok(());
    }
    let (reply, answer) = oneshot::channel();
    shared.inbox.count(Counting { counts, reply }).map_err(|error| error.during(operation))?;
    answer.await.unwrap_or(Err(StoreError::Closed)).map_err(|error| error.during(operation))
}

fn load_all(shared: &Shared, store: &dyn OrderedStore, grants: Vec<TurnGrant>) -> Vec<(TurnGrant, Loaded)> {
    let load = |grant: TurnGrant| {
        let loaded = load(shared, store, &grant);
        (grant, loaded)
    };
    grants.into_iter().map(load).collect()
}

fn load(shared: &Shared, store: &dyn OrderedStore, grant: &TurnGrant) -> Loaded {
    let head = match shared.heads.get(&grant.instance) {
        Some(head) => head,
        None => {
            let head = read::head(store, &grant.instance)?;
            shared.heads.put(&grant.instance, head);
            head
        }
    };
    let message = |(id, visible_at): &(_, _)| {
        let of = MessageKey { kind: QueueKind::Turns, instance: grant.instance.clone(), id: Clone::clone(id) };
        // A message that was cancelled between the lease and this read is gone, and so it should.
        let value = read::message(&of, |key| store.get(key))?;
        Ok(value.map(|value| LeasedMessage { id: of.id, visible_at: *visible_at, data: value.data }))
    };
    let messages: Result<Vec<_>, ProviderError> =
        grant.messages.iter().filter_map(|of| message(of).transpose()).collect();
    Ok((head, messages?))
}

fn confirm(shared: &Shared, grant: TurnGrant, head: Option<Head>, messages: Vec<LeasedMessage>) -> Option<LeasedTurn> {
    let execution_id = head.map_or(ExecutionId::FIRST, |head| head.execution_id);
    let history_len = head.map_or(0, |head| head.history_len);
    let lock_token = shared.with_index(|index, _| index.confirm_turn(grant.fence, execution_id))?;
    Some(LeasedTurn {
        instance: grant.instance,
        execution_id,
        is_new_execution: history_len == 0,
        history_len,
        messages,
        attempt: grant.attempt,
        lock_token,
    })
}

/// Keeps an instance that cannot be read out of the queues, so that the others go on.
fn set_aside(shared: &Shared, instance: &InstanceId, error: ProviderError) -> Option<ProviderError> {
    if error.kind() == ErrorKind::Corrupt {
        tracing::error!(%instance, %error, "an instance is damaged; it is set aside");
        shared.with_index(|index, _| index.quarantine(instance, error.to_string()));
    }
    Some(error)
}

async fn activities_now(shared: &Arc<Shared>, want: &ActivityRequest) -> Result<Vec<LeasedActivity>, ProviderError> {
    let grants = shared.with_index(|index, now| index.grant_activities(want, now));
    if grants.is_empty() {
        return Ok(Vec::new());
    }
    let mut unseen = Unseen { shared, fences: grants.iter().map(|grant| grant.token.fence).collect() };
    shared.inbox.due(shared.clock.now().saturating_add(want.ttl));
    let counts = grants.iter().filter(|grant| grant.recovered).map(|grant| (grant.key(), grant.attempt)).collect();
    count(shared, ACTIVITIES, counts).await?;
    let reach = Reach::Instances(grants.iter().map(|grant| grant.token.instance.clone()).collect());
    let loaded = shared
        .read(ACTIVITIES, reach, move |store| {
            let load = |grant: ActivityGrant| {
                let data = activity_data(store, &grant);
                (grant, data)
            };
            Ok(grants.into_iter().map(load).collect::<Vec<_>>())
        })
        .await?;
    let mut failed = None;
    let mut activities = Vec::with_capacity(loaded.len());
    for (grant, data) in loaded {
        match data {
            Ok(Some(data)) => activities.extend(deliver(shared, grant, data)),
            Ok(None) => {}
            Err(error) => failed = set_activity_aside(shared, &grant, error).or(failed),
        }
    }
    unseen
        .fences
        .retain(|fence| activities.iter().all(|activity: &LeasedActivity| activity.lock_token.fence != *fence));
    failed.filter(|_| activities.is_empty()).map_or(Ok(activities), Err)
}

fn set_activity_aside(shared: &Shared, grant: &ActivityGrant, error: ProviderError) -> Option<ProviderError> {
    if error.kind() == ErrorKind::Corrupt {
        tracing::error!(token = %grant.token, %error, "an activity is damaged; it is set aside");
        shared.with_index(|index, _| {
            index.hold(&grant.key());
            index.park(&grant.token.instance, error.to_string());
        });
    }
    Some(error)
}

fn activity_data(store: &dyn OrderedStore, grant: &ActivityGrant) -> Result<Option<bytes::Bytes>, ProviderError> {
    Ok(read::message(&grant.key(), |key| store.get(key))?.map(|value| value.data))
}

fn deliver(shared: &Shared, grant: ActivityGrant, data: bytes::Bytes) -> Option<LeasedActivity> {
    let ActivityGrant { id, attempt, token, .. } = grant;
    // It may have been cancelled since it was leased.
    let still_out = shared.with_index(|index, _| index.is_out(token.fence));
    still_out.then(|| LeasedActivity { instance: token.instance.clone(), id, data, attempt, lock_token: token })
}
