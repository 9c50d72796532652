//! Looking through a store, copying it, making it small.

use std::path::Path;

use async_trait::async_trait;
use tokio::sync::oneshot;

use super::copy::{self, InFolder};
use super::doctor::Doctor;
use super::engine::KvProvider;
use super::gate::Reach;
use super::store::{OrderedStore, StoreError};
use crate::providers::{Checkup, Maintain, OpenError, ProviderError};

#[async_trait]
impl<A: InFolder> Maintain for KvProvider<A> {
    async fn doctor(&self) -> Result<Checkup, ProviderError> {
        let mut doctor = Doctor::default();
        loop {
            let step = move |store: &dyn OrderedStore| doctor.step(store);
            match self.shared().read("look through", Reach::Everything, step).await? {
                Ok(more) => doctor = more,
                Err(checkup) => return Ok(checkup),
            }
        }
    }

    async fn backup(&self, to: &Path) -> Result<(), ProviderError> {
        let (shared, to) = (self.shared().clone(), to.to_owned());
        let (reply, answer) = oneshot::channel();
        let run = move || {
            // Nobody waits any more: the copy is there nevertheless.
            let _gone = reply.send(copy::back_up::<A>(&shared, &to));
        };
        let thread = std::thread::Builder::new().name("durable-backup".to_owned()).spawn(run);
        thread.map_err(|error| StoreError::from(error).during("back up"))?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Other("the copy panicked".to_owned()).during("back up")))
    }

    async fn compact(&self) -> Result<(), ProviderError> {
        self.compact_store().await
    }
}

impl<A: InFolder> KvProvider<A> {
    /// Makes a store at this path, where nothing may be yet, from a copy that [`Maintain::backup`] made.
    ///
    /// # Errors
    /// [`OpenError::Corrupt`] if anything of the copy is damaged, with all that is; others as when a store is opened.
    pub fn restore(backup: impl AsRef<Path>, path: impl AsRef<Path>) -> Result<(), OpenError> {
        copy::restore::<A>(backup.as_ref(), path.as_ref())
    }
}
