//! Talking to instances by their ids.

use super::{Client, MessageError};
use crate::dispatch::Refusal;
use crate::history::cut;
use crate::ids::InstanceId;
use crate::message::Message;
use crate::metadata;

impl Client {
    /// Asks an instance to end: its body is dropped where it waits, what it waits for is cancelled, what it registered by
    /// [`on_cancel`](crate::OrchestrationContext::on_cancel) and [`saga`](crate::OrchestrationContext::saga) runs, and then
    /// its end is `Cancelled`. A body that took a [`cancellation`](crate::OrchestrationContext::cancellation) decides
    /// itself. Asking twice changes nothing. A reason that is longer than the text of an error may be is cut, and marked.
    ///
    /// # Errors
    /// [`MessageError`] if it does not exist or has ended.
    pub async fn cancel(&self, id: impl AsRef<str>, reason: impl Into<String>) -> Result<(), MessageError> {
        self.tell(&InstanceId::new(id)?, Message::Cancel { reason: self.cut(reason), by: None }).await
    }

    /// Ends an instance at once; nothing of it runs any more, no cleanup either, and not even if its code could not be run.
    /// A reason that is longer than the text of an error may be is cut, and marked.
    ///
    /// # Errors
    /// [`MessageError`] if it does not exist or has ended.
    pub async fn terminate(&self, id: impl AsRef<str>, reason: impl Into<String>) -> Result<(), MessageError> {
        self.tell(&InstanceId::new(id)?, Message::Terminate { reason: self.cut(reason), by: None }).await
    }

    fn cut(&self, reason: impl Into<String>) -> String {
        cut(reason.into(), self.limits().error_text_bytes_max)
    }

    pub(super) async fn tell(&self, instance: &InstanceId, message: Message) -> Result<(), MessageError> {
        let Some(door) = self.door() else { return self.tell_through_store(instance, message).await };
        match door.deliver(instance, message).await {
            Ok(_) => Ok(()),
            Err(Refusal::NotFound | Refusal::AlreadyExists) => Err(MessageError::NotFound(instance.clone())),
            Err(Refusal::Closed(status)) => Err(MessageError::Closed { instance: instance.clone(), status }),
            Err(Refusal::Full) => Err(MessageError::Full(instance.clone())),
            Err(Refusal::ShuttingDown) => Err(MessageError::ShuttingDown),
        }
    }

    async fn tell_through_store(&self, instance: &InstanceId, message: Message) -> Result<(), MessageError> {
        let record = self.provider().instance(instance).await?;
        let status = record.and_then(metadata::read).map(|status| status.status);
        match (status, &message) {
            (Some(status), _) if status.is_closed() => {
                return Err(MessageError::Closed { instance: instance.clone(), status });
            }
            (Some(_), _) | (None, Message::Raised { .. }) => {}
            (None, _) => return Err(MessageError::NotFound(instance.clone())),
        }
        self.send(instance, &message).await
    }

    /// Puts a message into the queue of an instance.
    pub(super) async fn send(&self, instance: &InstanceId, message: &Message) -> Result<(), MessageError> {
        let op = message.enqueue(instance, message.id())?;
        Ok(self.keep(vec![op]).await?)
    }
}
