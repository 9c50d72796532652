//! Sagas: what was done is undone, in reverse, if the rest cannot be done.

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::OrchestrationContext;
use super::cancellation::cleanup_of;
use super::durable::DurableFuture;
use crate::orchestration::{BodyFuture, NotSend};
use crate::replay::current::{self, ExecutionKey};

impl OrchestrationContext {
    /// Begins a saga: beside each step say how to undo it. If the body ends with an error or a panic, is cancelled or runs
    /// out of time, what was registered runs, the last first, as durable code; then comes the end. If the body returns a
    /// value or continues as new, nothing of it runs.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// #[activity]
    /// async fn book(what: String) -> Result<(), String> {
    ///     if what == "hotel" { Err("the hotel is full".to_owned()) } else { Ok(()) }
    /// }
    ///
    /// #[activity]
    /// async fn give_back(what: String) {
    ///     println!("the {what} is free again");
    /// }
    ///
    /// #[orchestration]
    /// async fn holiday(ctx: OrchestrationContext) -> Result<(), ActivityError<String>> {
    ///     let saga = ctx.saga();
    ///     for what in ["flight", "car", "hotel"] {
    ///         book(&ctx, what.to_owned()).await?;
    ///         saga.undo_with(give_back(&ctx, what.to_owned()));
    ///     }
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = TestRuntime::start().await?;
    /// let error = runtime.run(holiday(&runtime.client())).await.unwrap_err();
    /// assert_eq!(error.to_string(), "the hotel is full");
    /// assert_eq!(runtime.attempts(give_back), 2);
    /// runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn saga(&self) -> Saga {
        let id = self.ask(|journal| journal.cleanups.next_id());
        Saga { key: self.key(), id, _not_send: PhantomData }
    }
}

/// Steps that are done together or not at all; see [`OrchestrationContext::saga`]. Dropping this changes nothing.
#[derive(Debug, Clone, Copy)]
pub struct Saga {
    key: ExecutionKey,
    id: u64,
    _not_send: NotSend,
}

impl Saga {
    /// How to undo a step: a call, or an `async move` block. Register it after the step if a step that failed has done
    /// nothing, and before it if it may have. What it returns is dropped, so let it be retried until it is done.
    #[track_caller]
    pub fn undo_with<F>(&self, compensation: F)
    where
        F: IntoFuture,
        F::IntoFuture: DurableFuture + 'static,
    {
        let future = cleanup_of(compensation);
        current::with(self.key, |journal| journal.cleanups.push(Some(self.id), future));
    }

    /// Undoes now what was registered, the last first, and waits for it; for a body that goes on after it, or has an error
    /// that it does not return. While it runs, cancellation and the time limit wait.
    pub fn undo(&self) -> Undo {
        Undo { saga: *self, step: None, shields: false }
    }

    /// All is done: what was registered so far is not to be undone any more, whatever comes.
    #[track_caller]
    pub fn keep(&self) {
        while let Some(compensation) = current::with(self.key, |journal| journal.cleanups.pop_of(self.id)) {
            drop(compensation);
        }
    }
}

/// What [`Saga::undo`] gives.
#[must_use = "nothing is undone until this is awaited"]
pub struct Undo {
    saga: Saga,
    step: Option<BodyFuture>,
    shields: bool,
}

impl Undo {
    fn unshield(&mut self) {
        if std::mem::take(&mut self.shields) {
            current::try_with(self.saga.key, |journal| journal.cancelling.unshield());
        }
    }
}

impl Future for Undo {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Saga { key, id, .. } = self.saga;
        if !std::mem::replace(&mut self.shields, true) {
            current::with(key, |journal| journal.cancelling.shield());
        }
        loop {
            if let Some(step) = &mut self.step {
                if step.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.step = None;
            }
            self.step = current::with(key, |journal| journal.cleanups.pop_of(id));
            if self.step.is_none() {
                self.unshield();
                return Poll::Ready(());
            }
        }
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        self.unshield();
    }
}

impl DurableFuture for Undo {}
