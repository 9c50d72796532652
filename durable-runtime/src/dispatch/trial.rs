//! Turns that were begun again and again, and never ended: their process died each time.
//!
//! Many turns are under way when a process dies, and only one is to blame. So one that was begun too often is run alone, and
//! the store is told before; if the process dies once more, it was that one, and its instance is given up without running
//! anything of it.

use super::kept::Trial;
use crate::ids::{InstanceId, LockToken};
use crate::limits::Limits;
use crate::metadata;
use crate::providers::{
    CommitError, CommitId, InstanceRecord, LeasedTurn, Provider, ProviderError, Transaction, TransactionOp,
};

/// A turn that was begun too often.
pub(super) struct Suspect {
    token: LockToken,
    commit_id: CommitId,
    /// Whether it was begun so often that there is no doubt: for what the store knows nothing of.
    beyond_doubt: bool,
}

impl Suspect {
    pub(super) fn of(turn: &LeasedTurn, limits: &Limits, commit_id: impl FnOnce() -> CommitId) -> Option<Self> {
        let is_suspect = turn.attempt > limits.deliveries_max && !turn.messages.is_empty();
        is_suspect.then(|| Self {
            token: turn.lock_token.clone(),
            commit_id: commit_id(),
            beyond_doubt: turn.attempt > limits.deliveries_max.saturating_mul(2),
        })
    }

    /// Tells the store that it is begun, unless it was told before.
    pub(super) async fn judge(
        self,
        provider: &dyn Provider,
        instance: &InstanceId,
        record: Option<&InstanceRecord>,
    ) -> Result<Trial, ProviderError> {
        let Some(record) = record else {
            return Ok(if self.beyond_doubt { Trial::Lost } else { Trial::None });
        };
        if metadata::is_on_trial(record) {
            return Ok(Trial::Lost);
        }
        let entries = metadata::trial(true);
        let ops = vec![TransactionOp::PutMetadata { instance: instance.clone(), entries }];
        let begun = Transaction { fence: Some(self.token), commit_id: self.commit_id, ops };
        match provider.atomic_batch(begun).await {
            Err(CommitError::Provider(error)) => Err(error),
            // The lease is gone; so nothing of the turn will be kept.
            Ok(_) | Err(_) => Ok(Trial::Begun),
        }
    }
}
