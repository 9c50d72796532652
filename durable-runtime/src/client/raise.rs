//! Raising events.

use std::pin::Pin;
use std::task::{Context, Poll};

use serde::Serialize;

use super::{Client, Handle, MessageError};
use crate::event::Event;
use crate::ids::{InstanceId, check_id};
use crate::message::Message;
use crate::orchestration::Orchestration;
use crate::payload::{CodecError, Payload};

impl Client {
    /// Raises an event for an instance. One that does not exist yet gets it when it is started. When this returns,
    /// the event is kept.
    ///
    /// # Errors
    /// [`MessageError::Closed`] if the instance has ended; the event is not kept then. [`MessageError::Full`] if it has too
    /// many that it did not take.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// #[derive(Event, Serialize, Deserialize)]
    /// struct Paid(u64);
    ///
    /// #[orchestration]
    /// async fn collect(ctx: OrchestrationContext) -> u64 {
    ///     ctx.event::<Paid>().await.0 + ctx.event::<Paid>().await.0
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = TestRuntime::start().await?;
    /// let handle = collect(&runtime.client()).start().await?;
    /// // The bank says it twice; it counts once.
    /// handle.raise(Paid(5)).idempotency_key("transfer 17").await?;
    /// handle.raise(Paid(5)).idempotency_key("transfer 17").await?;
    /// handle.raise(Paid(7)).idempotency_key("transfer 18").await?;
    /// assert_eq!(handle.result().await?, 12);
    /// runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn raise<T: Serialize + ?Sized>(&self, id: impl AsRef<str>, name: &str, value: &T) -> Raise {
        let instance = InstanceId::new(id).map_err(MessageError::from);
        Raise::new(self.clone(), instance, name.to_owned(), Payload::encode(value))
    }

    pub(crate) fn raise_payload(&self, id: &InstanceId, name: &str, value: Result<Payload, CodecError>) -> Raise {
        Raise::new(self.clone(), Ok(id.clone()), name.to_owned(), value)
    }
}

impl<O: Orchestration> Handle<O> {
    /// Raises an event for it; see [`Client::raise`].
    ///
    /// # Errors
    /// [`MessageError::Closed`] if it has ended.
    pub fn raise<T: Event>(&self, event: T) -> Raise {
        Raise::new(self.client().clone(), Ok(self.id().clone()), T::NAME.to_owned(), event.to_payload())
    }
}

/// An event on its way; see [`Client::raise`].
#[must_use = "nothing is raised until this is awaited"]
pub struct Raise(State);

enum State {
    Prepared(Box<Prepared>),
    Sent(Pin<Box<dyn Future<Output = Result<(), MessageError>> + Send>>),
    Done,
}

struct Prepared {
    client: Client,
    instance: Result<InstanceId, MessageError>,
    name: String,
    value: Result<Payload, CodecError>,
    key: Option<String>,
}

impl Raise {
    fn new(
        client: Client,
        instance: Result<InstanceId, MessageError>,
        name: String,
        value: Result<Payload, CodecError>,
    ) -> Self {
        Self(State::Prepared(Box::new(Prepared { client, instance, name, value, key: None })))
    }

    /// A text that no other event for this instance has: raising it again with the same key changes nothing, whatever became
    /// of the first attempt. Keys are remembered for an execution, and the newest 256 for the next one.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        if let State::Prepared(prepared) = &mut self.0 {
            prepared.key = Some(key.into());
        }
        self
    }
}

impl Prepared {
    async fn send(self) -> Result<(), MessageError> {
        let (instance, value) = (self.instance?, self.value?);
        check_id("event name", &self.name)?;
        if let Some(key) = &self.key {
            check_id("idempotency key", key)?;
        }
        let most = self.client.limits().payload_bytes_max;
        if value.len() > most {
            return Err(MessageError::TooLong { bytes: value.len(), most });
        }
        self.client.tell(&instance, Message::Raised { name: self.name, value, key: self.key }).await
    }
}

impl Future for Raise {
    type Output = Result<(), MessageError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let State::Prepared(_) = &self.0
            && let State::Prepared(prepared) = std::mem::replace(&mut self.0, State::Done)
        {
            self.0 = State::Sent(Box::pin(prepared.send()));
        }
        match &mut self.0 {
            State::Sent(sent) => sent.as_mut().poll(cx),
            State::Prepared(_) | State::Done => Poll::Pending,
        }
    }
}
