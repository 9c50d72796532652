//! Deleting an instance.

use crate::client::{Client, Handle};
use crate::ids::{IdError, InstanceId};
use crate::metadata::{self, Status};
use crate::orchestration::Orchestration;
use crate::providers::{CommitError, ProviderError, TransactionOp};

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
    /// Deletes an instance that has ended: its status, histories, labels, and what waits for it. Its id is free then.
    ///
    /// # Errors
    /// [`DeleteError::Open`] if it has not ended; nothing is deleted then.
    pub async fn delete(&self, id: impl AsRef<str>) -> Result<(), DeleteError> {
        self.delete_closed(&InstanceId::new(id)?).await
    }

    pub(super) async fn delete_closed(&self, instance: &InstanceId) -> Result<(), DeleteError> {
        let held = self.hold(instance).await?.ok_or_else(|| DeleteError::Busy(instance.clone()))?;
        // Looked at under the lease: it cannot be started again meanwhile.
        let record = self.provider().instance(instance).await?;
        let refused = match &record {
            None => Some(DeleteError::NotFound(instance.clone())),
            Some(record) => match metadata::read(record.clone()).map(|status| status.status) {
                Some(status) if !status.is_closed() => Some(DeleteError::Open { instance: instance.clone(), status }),
                // What cannot be read has to go all the more.
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
