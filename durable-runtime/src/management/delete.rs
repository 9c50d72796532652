//! Deleting an instance.

use uuid::Uuid;

use crate::client::{Client, Handle};
use crate::ids::{IdError, InstanceId};
use crate::metadata::{self, Status};
use crate::orchestration::Orchestration;
use crate::providers::{CommitError, CommitId, ErrorKind, ProviderError, Transaction, TransactionOp};

/// An instance was not deleted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeleteError {
    /// There is no such instance.
    #[error("instance `{0}` does not exist")]
    NotFound(InstanceId),
    /// It has not ended.
    #[error("instance `{instance}` is {status}; terminate it first, or let it end")]
    Open {
        /// The instance.
        instance: InstanceId,
        /// Where it stands.
        status: Status,
    },
    /// It runs one turn after another.
    #[error("instance `{0}` is busy; try again")]
    Busy(InstanceId),
    /// The id cannot be one.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The store failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The store failed.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

impl Client {
    /// Deletes an instance that has ended: its status, histories, labels, and what waits for it. Its id is free then. So
    /// does one whose record, or whose last events, are damaged: nothing could end it.
    ///
    /// # Errors
    /// [`DeleteError::Open`] if it has not ended; nothing is deleted then.
    pub async fn delete(&self, id: impl AsRef<str>) -> Result<(), DeleteError> {
        self.delete_closed(&InstanceId::new(id)?).await
    }

    pub(super) async fn delete_closed(&self, instance: &InstanceId) -> Result<(), DeleteError> {
        let is_damaged = |error: &ProviderError| error.kind() == ErrorKind::Corrupt;
        let held = match self.hold(instance).await {
            // Nobody can hold it, and nobody runs it. What cannot be read has to go all the more.
            Err(error) if is_damaged(&error) => return self.delete_damaged(instance).await,
            held => held?.ok_or_else(|| DeleteError::Busy(instance.clone()))?,
        };
        // Looked at under the lease: it cannot be started again meanwhile.
        let record = match self.provider().instance(instance).await {
            Err(error) if is_damaged(&error) => {
                return Ok(self
                    .finish(&held, vec![TransactionOp::DeleteInstance { instance: instance.clone() }])
                    .await?);
            }
            record => record?,
        };
        let refused = match &record {
            None => Some(DeleteError::NotFound(instance.clone())),
            Some(record) => match metadata::read(record.clone()).map(|status| status.status) {
                Some(status) if !status.is_closed() => Some(DeleteError::Open { instance: instance.clone(), status }),
                // Nor can it be told what it is.
                _ => None,
            },
        };
        match refused {
            Some(refused) => {
                self.finish(&held, Vec::new()).await?;
                Err(refused)
            }
            None => {
                let gone = TransactionOp::DeleteInstance { instance: instance.clone() };
                Ok(self.finish(&held, vec![gone]).await?)
            }
        }
    }

    async fn delete_damaged(&self, instance: &InstanceId) -> Result<(), DeleteError> {
        let ops = vec![TransactionOp::DeleteInstance { instance: instance.clone() }];
        let commit_id = CommitId(Uuid::new_v4().as_u128());
        self.provider().atomic_batch(Transaction { fence: None, commit_id, ops }).await?;
        Ok(())
    }
}

impl<O: Orchestration> Handle<O> {
    /// Deletes the instance; see [`Client::delete`].
    ///
    /// # Errors
    /// [`DeleteError::Open`] if it has not ended.
    pub async fn delete(&self) -> Result<(), DeleteError> {
        self.client().delete(self.id()).await
    }
}
