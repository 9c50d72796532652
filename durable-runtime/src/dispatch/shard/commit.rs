//! The second half of a round: what the turn came to is kept and answered, or it is run again.

use std::sync::Arc;
use std::time::Duration;

use super::Running;
use super::lane::{InFlight, Step};
use crate::dispatch::door::{Delivery, Origin, TurnRoom};
use crate::dispatch::kept::Kept;
use crate::dispatch::resident::Resident;
use crate::dispatch::turn::Planned;
use crate::ids::{InstanceId, LockToken};
use crate::providers::{CommitError, LeasedTurn, Transaction, TransactionOp};

/// How long a lane waits after the store has failed, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

impl Running {
    pub(super) fn commit(&mut self, turn: LeasedTurn, room: Option<TurnRoom>, mut planned: Planned, after: Duration) {
        if room.is_some() && planned.unfit {
            planned.hold_back();
        }
        let Planned { ops, resident, kept, answers, deferred, unwanted, notes, .. } = planned;
        if let Some(lane) = self.lanes.get_mut(&turn.instance) {
            deferred.into_iter().rev().for_each(|delivery| lane.inputs.push_front(delivery));
        }
        let token = turn.lock_token;
        let commit_id = self.shard.commit_ids.next();
        let transaction = Transaction { fence: Some(token.clone()), commit_id, ops };
        let flight = InFlight { transaction, token, resident, kept, answers, unwanted, room, notes, maybe_kept: false };
        self.send(turn.instance, Box::new(flight), after);
    }

    pub(super) fn send(&mut self, instance: InstanceId, flight: Box<InFlight>, after: Duration) {
        let provider = Arc::clone(&self.shard.provider);
        self.pending.push(Box::pin(async move {
            if !after.is_zero() {
                tokio::time::sleep(after).await;
            }
            let result = provider.atomic_batch(flight.transaction.clone()).await.map(drop);
            Step::Committed(instance, flight, result)
        }));
    }

    pub(super) fn committed(&mut self, instance: &InstanceId, mut flight: InFlight, result: Result<(), CommitError>) {
        match result {
            Ok(()) => self.kept(instance, flight),
            // It may have been kept: only the same transaction under the same name can tell.
            Err(CommitError::Provider(error)) if flight.is_open(&error) && !self.stopping => {
                flight.maybe_kept = true;
                tracing::warn!(%instance, %error, "whether a turn was kept is not known; asking again");
                let after = self.note_failure(instance);
                self.send(instance.clone(), Box::new(flight), after);
            }
            Err(error) => {
                self.shard.leases.release(&flight.token);
                let deliveries = flight.answers.into_iter().map(|(delivery, _)| delivery).collect();
                let lost = matches!(error, CommitError::LeaseLost(_));
                self.again(instance, deliveries, &error, Some(flight.token).filter(|_| !lost));
            }
        }
    }

    pub(super) fn kept(&mut self, instance: &InstanceId, flight: InFlight) {
        self.release(&flight);
        self.shard.meter.turn_kept(&flight.notes);
        if !flight.unwanted.is_empty() {
            self.shard.leases.revoke(instance, &flight.unwanted);
        }
        self.note(instance, flight.resident, flight.kept);
        for (delivery, answer) in flight.answers {
            delivery.answer(answer);
        }
        if let Some(lane) = self.lanes.get_mut(instance) {
            lane.failures = 0;
        }
        drop(flight.room);
        self.free(instance);
    }

    /// What was leased for this turn is done with: the instance, and the activities whose ends it took.
    pub(super) fn release(&self, flight: &InFlight) {
        self.shard.leases.release(&flight.token);
        for (delivery, _) in &flight.answers {
            if let Origin::Worker { token, .. } = &delivery.from {
                self.shard.leases.release(token);
            }
        }
    }

    /// Keeps in memory what the next turn can use.
    pub(super) fn note(&mut self, instance: &InstanceId, resident: Resident, kept: Kept) {
        match resident {
            // Others may run it; if nobody does, that is reported. See `unserved`.
            Resident::Suspended { needs: Some(_), by_hand: false, .. } => self.shard.suspended.clear(instance),
            Resident::Suspended { report, by_hand, .. } => {
                let is_new = self.shard.suspended.note(instance, report.clone());
                match by_hand {
                    true if is_new => tracing::info!(%instance, "{report}"),
                    false if is_new => tracing::error!(%instance, "suspended: {report}"),
                    _ => {}
                }
            }
            Resident::Live(_) => {
                self.shard.suspended.clear(instance);
                self.live.push(instance.clone(), resident, kept);
            }
            Resident::Absent | Resident::Unloaded | Resident::Pending { .. } | Resident::Closed { .. } => {
                self.shard.suspended.clear(instance)
            }
        }
    }

    /// Nothing was kept: what was in hand goes first into the next round. The end of the lease was not kept either.
    pub(super) fn again(
        &mut self,
        instance: &InstanceId,
        deliveries: Vec<Delivery>,
        error: &CommitError,
        lease: Option<LockToken>,
    ) {
        let gone = if let CommitError::WorkGone(token) = error { Some(token.clone()) } else { None };
        if gone.is_none() {
            tracing::warn!(%instance, %error, "a turn was not kept; it is run again");
        }
        if let Some(token) = &gone {
            self.shard.leases.release(token);
        }
        let still = deliveries.into_iter().filter(|delivery| !delivery.is_work(gone.as_ref()));
        let lane = self.lanes.entry(instance.clone()).or_default();
        for delivery in still.collect::<Vec<_>>().into_iter().rev() {
            lane.inputs.push_front(delivery);
        }
        let after = if gone.is_some() { Duration::ZERO } else { self.note_failure(instance) };
        self.rest(instance.clone(), after, lease);
    }

    /// Leaves a lane alone for a while, and then gives back its lease: until then nobody else could run its turn.
    pub(super) fn rest(&mut self, instance: InstanceId, after: Duration, lease: Option<LockToken>) {
        let (provider, commit_id) = (Arc::clone(&self.shard.provider), self.shard.commit_ids.next());
        self.pending.push(Box::pin(async move {
            if !after.is_zero() {
                tokio::time::sleep(after).await;
            }
            let Some(token) = lease else { return Step::Rested(instance, None) };
            let ops = vec![TransactionOp::ReleaseLock { delay: None, give_back_attempt: true }];
            let release = Transaction { fence: Some(token.clone()), commit_id, ops };
            match provider.atomic_batch(release).await {
                Err(CommitError::Provider(error)) if error.is_transient() => Step::Rested(instance, Some(token)),
                // It was given back, or has ended.
                Ok(_) | Err(_) => Step::Rested(instance, None),
            }
        }));
    }

    /// Twice as long with each failure in a row.
    pub(super) fn note_failure(&mut self, instance: &InstanceId) -> Duration {
        let lane = self.lanes.entry(instance.clone()).or_default();
        lane.failures = lane.failures.saturating_add(1);
        BACKOFF.0.saturating_mul(1 << lane.failures.min(6)).min(BACKOFF.1)
    }
}
