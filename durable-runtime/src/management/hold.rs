//! Holding an instance still while something is done to it from outside a turn.

use std::time::Duration;

use uuid::Uuid;

use crate::client::Client;
use crate::clock::Timestamp;
use crate::ids::InstanceId;
use crate::providers::{
    CommitError, CommitId, LeasedTurn, OwnerId, ProviderError, Transaction, TransactionOp, TurnRequest,
};

/// How long an instance is held at most, should this process die.
const TTL: Duration = Duration::from_secs(30);
/// How often, and how long apart, an instance is asked for that runs a turn.
const TRIES: (u32, Duration) = (50, Duration::from_millis(20));

impl Client {
    /// Takes the lease of an instance, so that no turn runs meanwhile; `None` if it is never free.
    pub(super) async fn hold(&self, instance: &InstanceId) -> Result<Option<LeasedTurn>, ProviderError> {
        let want = TurnRequest {
            owner: OwnerId::new(format!("management {}", Uuid::new_v4())),
            max: 1,
            ttl: TTL,
            wait: Duration::ZERO,
            instance: Some(instance.clone()),
            skills: None,
        };
        for _ in 0..TRIES.0 {
            if let Some(held) = self.provider().fetch_turns(want.clone()).await?.pop() {
                return Ok(Some(held));
            }
            tokio::time::sleep(TRIES.1).await;
        }
        Ok(None)
    }

    /// Lets go of an instance to which nothing was done: its messages do not count as handed out.
    pub(super) async fn let_go(&self, held: &LeasedTurn) -> Result<(), CommitError> {
        self.finish(held, vec![TransactionOp::ReleaseLock { delay: None, give_back_attempt: true }]).await
    }

    /// Does this to the instance that is held, and lets go of it with the same transaction.
    pub(super) async fn finish(&self, held: &LeasedTurn, mut ops: Vec<TransactionOp>) -> Result<(), CommitError> {
        let ends =
            |op: &TransactionOp| matches!(op, TransactionOp::DeleteInstance { .. } | TransactionOp::ReleaseLock { .. });
        if !ops.iter().any(ends) {
            ops.push(TransactionOp::ReleaseLock { delay: None, give_back_attempt: true });
        }
        let commit_id = CommitId(Uuid::new_v4().as_u128());
        let fence = Some(held.lock_token.clone());
        self.provider().atomic_batch(Transaction { fence, commit_id, ops }).await.map(drop)
    }

    /// The present moment by the clock of the store, which alone decides how old something is.
    pub(super) async fn store_time(&self) -> Result<Option<Timestamp>, ProviderError> {
        let Ok(nobody) = InstanceId::new(format!("clock {}", Uuid::new_v4())) else { return Ok(None) };
        let Some(held) = self.hold(&nobody).await? else { return Ok(None) };
        // What nobody has needs no release: it is gone with its lease.
        let _ = self.finish(&held, Vec::new()).await;
        Ok(Some(Timestamp::from_millis(held.lock_token.granted_at_ms)))
    }
}
