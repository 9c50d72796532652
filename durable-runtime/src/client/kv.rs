//! Reading what an instance keeps by key.

use super::{Client, Handle, ReadError};
use crate::ids::{InstanceId, check_id};
use crate::orchestration::Orchestration;
use crate::payload::{Payload, PayloadValue};

impl Client {
    /// The value that an instance keeps by this key, as its last turn has left it; `None` if there is none.
    ///
    /// # Errors
    /// [`ReadError::NotFound`] if it does not exist, [`ReadError::Codec`] if the value is of another type.
    pub async fn kv<T: PayloadValue>(&self, id: impl AsRef<str>, key: &str) -> Result<Option<T>, ReadError> {
        let instance = InstanceId::new(id)?;
        check_id("key", key)?;
        let Some(value) = self.provider().kv(&instance, key).await? else {
            // No value, or no instance?
            let record = self.provider().instance(&instance).await?;
            return record.map(|_| None).ok_or(ReadError::NotFound(instance));
        };
        Ok(Some(Payload::from_bytes(&value)?.decode()?))
    }
}

impl<O: Orchestration> Handle<O> {
    /// The value that it keeps by this key; see [`Client::kv`] and [`ctx.kv()`](crate::OrchestrationContext::kv).
    ///
    /// # Errors
    /// [`ReadError::NotFound`] if it does not exist, [`ReadError::Codec`] if the value is of another type.
    pub async fn kv<T: PayloadValue>(&self, key: &str) -> Result<Option<T>, ReadError> {
        self.client().kv(self.id(), key).await
    }
}
