//! Brings what waits in the store to those who do it: turns to shards, activities to workers.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::activities::Workers;
use super::door::Door;
use crate::metadata::ANYBODY;
use crate::providers::{ActivityRequest, OwnerId, Provider, ProviderError, Skills, TurnRequest};

/// How long a fetch waits in the store before it asks anew.
const FETCH_WAIT: Duration = Duration::from_secs(30);
/// How many fetched turns may be under way at once.
const TURNS_MAX: usize = 256;
/// How long a failed fetch is not repeated.
const PAUSE: Duration = Duration::from_millis(200);

/// Fetches turns, for ever.
pub(crate) async fn turns(provider: Arc<dyn Provider>, owner: OwnerId, door: Arc<Door>, ttl: Duration) {
    let able = Arc::new(door.registry.skills());
    let room = Arc::new(Semaphore::new(TURNS_MAX));
    loop {
        let Some(mut free) = free(&room).await else { return };
        let max = free.num_permits();
        let left_alone = door.suspended.left_alone();
        let skills = match left_alone.is_empty() {
            true => Arc::clone(&able),
            false => Arc::new(Skills::clone(&able).leaving_alone(left_alone, ANYBODY)),
        };
        let want =
            TurnRequest { owner: owner.clone(), max, ttl, wait: FETCH_WAIT, instance: None, skills: Some(skills) };
        let fetched = match select(provider.fetch_turns(want), pin!(door.suspended.changed())).await {
            Either::Left((fetched, _)) => fetched,
            Either::Right(((), _)) => continue,
        };
        match fetched {
            Ok(turns) => {
                for turn in turns {
                    let Some(place) = free.split(1) else { break };
                    door.turn(turn, place);
                }
            }
            Err(error) => pause("turns", &error).await,
        }
    }
}

/// All the room there is, at least one place; `None` once it is closed.
pub(super) async fn free(room: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    let mut free = Arc::clone(room).acquire_owned().await.ok()?;
    let rest = u32::try_from(room.available_permits()).unwrap_or(u32::MAX);
    if let Ok(more) = Arc::clone(room).try_acquire_many_owned(rest) {
        free.merge(more);
    }
    Some(free)
}

/// Fetches activities while workers are free, for ever.
pub(crate) async fn activities(provider: Arc<dyn Provider>, owner: OwnerId, workers: Arc<Workers>) {
    let (topics, all_tags): (Arc<[String]>, _) = (workers.topics().into(), workers.tags());
    loop {
        let Some(free) = workers.free().await else { return };
        let room = workers.caps.room(&topics, &all_tags);
        if room.topics.is_empty() && room.partial {
            drop(free);
            workers.caps.freed().await;
            continue;
        }
        let want = ActivityRequest {
            owner: owner.clone(),
            max: free.num_permits().min(room.max),
            ttl: workers.lease,
            wait: FETCH_WAIT,
            topics: room.topics,
            tags: room.tags,
            session_ttl: Some(workers.lease),
        };
        let fetched = provider.fetch_activities(want);
        // What was left out is asked for as soon as there is a place for it.
        let more = async { if room.partial { workers.caps.freed().await } else { pending().await } };
        let fetched = match select(fetched, pin!(more)).await {
            Either::Left((fetched, _)) => fetched,
            Either::Right(((), _)) => continue,
        };
        match fetched {
            Ok(activities) => workers.start(activities, free),
            Err(error) => pause("activities", &error).await,
        }
    }
}

async fn pause(what: &str, error: &ProviderError) {
    tracing::warn!(%error, "{what} could not be fetched; the next attempt follows");
    tokio::time::sleep(PAUSE).await;
}
