//! The first half of a round: the lease, or the queue if somebody else has it.

use std::sync::Arc;
use std::time::Duration;

use super::Running;
use super::lane::Step;
use crate::dispatch::door::{Accepted, Delivery, Origin};
use crate::ids::InstanceId;
use crate::providers::{CommitError, ErrorKind, LeasedTurn, ProviderError, Transaction, TransactionOp, TurnRequest};

impl Running {
    /// Takes the lease on an instance that has messages in hand.
    pub(super) fn lease(&mut self, instance: InstanceId) {
        let provider = Arc::clone(&self.shard.provider);
        let want = TurnRequest {
            owner: self.shard.owner.clone(),
            max: 1,
            ttl: self.shard.lease,
            wait: Duration::ZERO,
            instance: Some(instance.clone()),
            skills: None,
        };
        self.pending.push(Box::pin(async move { Step::Leased(instance, provider.fetch_turns(want).await) }));
    }

    pub(super) fn leased(&mut self, instance: &InstanceId, leased: Result<Vec<LeasedTurn>, ProviderError>) {
        match leased.map(|turns| turns.into_iter().next()) {
            Ok(Some(turn)) => self.begin(turn, None),
            Ok(None) if self.lanes.get(instance).is_some_and(|lane| lane.turn.is_some()) => self.free(instance),
            Ok(None) if self.shard.rules.shared => self.enqueue(instance),
            Ok(None) => self.wait(instance),
            // The store hands it to nobody. What came for it waits in its queue, until it is repaired or deleted.
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                if self.shard.suspended.note(instance, error.to_string()) {
                    tracing::error!(%instance, "suspended: {error}");
                }
                self.enqueue(instance);
            }
            Err(error) => {
                tracing::warn!(%instance, %error, "a turn could not be leased");
                let after = self.note_failure(instance);
                self.rest(instance.clone(), after, None);
            }
        }
    }

    /// This process has the lease, so its turn is on its way here. A message that was put into the queue instead could
    /// not be refused any more when that turn closes the instance.
    pub(super) fn wait(&mut self, instance: &InstanceId) {
        let after = self.note_failure(instance);
        if let Some(lane) = self.lanes.get_mut(instance) {
            lane.busy = false;
            lane.waiting = true;
        }
        let instance = instance.clone();
        self.pending.push(Box::pin(async move {
            tokio::time::sleep(after).await;
            Step::Waited(instance)
        }));
    }

    pub(super) fn waited(&mut self, instance: &InstanceId) {
        if let Some(lane) = self.lanes.get_mut(instance) {
            lane.waiting = false;
        }
        self.go(instance);
    }

    /// Somebody else has the lease: the messages in hand are put into the queue, and wait there for its turn.
    pub(super) fn enqueue(&mut self, instance: &InstanceId) {
        let Some(lane) = self.lanes.get_mut(instance) else { return };
        let deliveries: Vec<Delivery> = lane.inputs.drain(..).collect();
        let mut ops = Vec::new();
        for Delivery { message, from, .. } in &deliveries {
            if let Origin::Worker { token, .. } = from {
                ops.push(TransactionOp::AckWork { token: token.clone() });
            }
            match message.enqueue(instance, message.id()) {
                Ok(op) => ops.push(op),
                Err(error) => tracing::error!(%instance, %error, "a message cannot be written"),
            }
        }
        let transaction = Transaction { fence: None, commit_id: self.shard.commit_ids.next(), ops };
        let (provider, instance) = (Arc::clone(&self.shard.provider), instance.clone());
        self.pending.push(Box::pin(async move {
            let result = provider.atomic_batch(transaction).await.map(drop);
            Step::Enqueued(instance, deliveries, result)
        }));
    }

    pub(super) fn enqueued(
        &mut self,
        instance: &InstanceId,
        deliveries: Vec<Delivery>,
        result: Result<(), CommitError>,
    ) {
        match result {
            Ok(()) => {
                deliveries.into_iter().for_each(|delivery| delivery.answer(Ok(Accepted::Kept)));
                self.free(instance);
            }
            Err(error) => self.again(instance, deliveries, &error, None),
        }
    }
}
