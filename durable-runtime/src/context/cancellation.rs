//! Cancellation, as the code sees it: asked for from outside, and decided inside.

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::OrchestrationContext;
use super::durable::{DurableFuture, durable};
use crate::orchestration::{BodyFuture, NotSend};
use crate::payload::Payload;
use crate::replay::current::{self, ExecutionKey};

impl OrchestrationContext {
    /// Whether somebody has asked for the end of this instance. Without [`OrchestrationContext::cancellation`] only
    /// cleanups ever see `true`: the body is dropped where it waits.
    #[track_caller]
    pub fn cancelled(&self) -> bool {
        self.ask(|journal| journal.cancelling.is_requested())
    }

    /// Runs this when the instance is cancelled, or runs out of time: after the body was dropped where it waits, and what
    /// it waits for was cancelled. It is durable code like the body, so a call, or an `async move` block with several.
    ///
    /// The last one registered runs first, one after another; then the end is `Cancelled`. What it returns is dropped, and
    /// if it fails the others still run. A body that returns by itself does not run it; for what is to be undone after an
    /// error too, see [`OrchestrationContext::saga`].
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// #[activity]
    /// async fn reserve_table(guests: u32) -> String {
    ///     format!("table for {guests}")
    /// }
    ///
    /// #[activity]
    /// async fn release_table(table: String) {
    ///     assert_eq!(table, "table for 4");
    /// }
    ///
    /// #[orchestration]
    /// async fn dinner(ctx: OrchestrationContext, guests: u32) -> Result<String, ActivityError> {
    ///     let table = reserve_table(&ctx, guests).await?;
    ///     ctx.on_cancel(release_table(&ctx, table.clone()));
    ///     ctx.timer(Duration::from_secs(3 * 3_600)).await;
    ///     Ok(table)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = TestRuntime::start().await?;
    /// let evening = dinner(&runtime.client(), 4).start().await?;
    /// runtime.settled().await;
    /// evening.cancel("nobody is hungry").await?;
    /// assert!(runtime.finish(&evening).await.is_err());
    /// assert_eq!(evening.status().await?.status, Status::Cancelled);
    /// assert_eq!(runtime.attempts(release_table), 1);
    /// runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn on_cancel<F>(&self, cleanup: F) -> OnCancel
    where
        F: IntoFuture,
        F::IntoFuture: DurableFuture + 'static,
    {
        let future = cleanup_of(cleanup);
        let id = self.ask(|journal| journal.cleanups.push(None, future));
        OnCancel { key: self.key(), id, _not_send: PhantomData }
    }

    /// Says that the body decides itself what a request to cancel means: as long as the value lives, nothing is dropped.
    /// So a part of the body that must not be interrupted takes one and drops it at its end.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// #[activity]
    /// async fn poll_sensor(round: u32) -> u32 {
    ///     round * 10
    /// }
    ///
    /// #[orchestration]
    /// async fn watch(ctx: OrchestrationContext) -> Result<u32, ActivityError> {
    ///     let cancel = ctx.cancellation();
    ///     let mut last = 0;
    ///     for round in 1.. {
    ///         last = poll_sensor(&ctx, round).await?;
    ///         select! {
    ///             () = cancel.requested() => break, // and returns the last value, as if it had ended by itself
    ///             () = ctx.timer(Duration::from_secs(60)) => {},
    ///         }
    ///     }
    ///     Ok(last)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = TestRuntime::start().await?;
    /// let watching = watch(&runtime.client()).start().await?;
    /// runtime.advance(Duration::from_secs(150)).await;
    /// watching.cancel("enough").await?;
    /// assert_eq!(runtime.finish(&watching).await?, 30);
    /// assert_eq!(watching.status().await?.status, Status::Completed);
    /// runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn cancellation(&self) -> Cancellation {
        self.ask(|journal| journal.cancelling.hold());
        Cancellation { key: self.key(), _not_send: PhantomData }
    }
}

/// A cleanup as a task of its own; what it returns is dropped.
pub(super) fn cleanup_of<F>(cleanup: F) -> BodyFuture
where
    F: IntoFuture,
    F::IntoFuture: DurableFuture + 'static,
{
    let future = durable(cleanup);
    Box::pin(async move {
        future.await;
        Ok(Payload::null())
    })
}

/// A cleanup that was registered by [`OrchestrationContext::on_cancel`]. Dropping this changes nothing.
#[derive(Debug)]
pub struct OnCancel {
    key: ExecutionKey,
    id: u64,
    _not_send: NotSend,
}

impl OnCancel {
    /// Takes the cleanup back: there is nothing to be undone any more.
    pub fn disarm(self) {
        // Dropped outside of the journal: what it holds may reach it.
        drop(current::try_with(self.key, |journal| journal.cleanups.take(self.id)));
    }
}

/// The body decides itself when it is cancelled; see [`OrchestrationContext::cancellation`].
#[derive(Debug)]
#[must_use = "a request to cancel drops the body where it waits unless this is alive"]
pub struct Cancellation {
    key: ExecutionKey,
    _not_send: NotSend,
}

impl Cancellation {
    /// Waits until somebody asks for the end of this instance; a branch for `select!`.
    pub fn requested(&self) -> CancelRequested {
        CancelRequested { key: self.key, waits: false, _not_send: PhantomData }
    }

    /// Whether somebody has asked for the end of this instance.
    #[track_caller]
    pub fn is_requested(&self) -> bool {
        current::with(self.key, |journal| journal.cancelling.is_requested())
    }

    /// Why, if somebody has.
    #[track_caller]
    pub fn reason(&self) -> Option<String> {
        current::with(self.key, |journal| journal.cancelling.reason().map(str::to_owned))
    }

    /// Goes on as without this value: as soon as somebody asks for the end, the body is dropped, cleanups run, and the end
    /// is `Cancelled`. It gives no value, so it fits where any is expected.
    pub fn accept<T>(self) -> AcceptCancel<T> {
        AcceptCancel { requested: self.requested(), _held: self, output: PhantomData }
    }
}

impl Drop for Cancellation {
    fn drop(&mut self) {
        current::try_with(self.key, |journal| journal.cancelling.let_go());
    }
}

/// Waits for a request to cancel.
#[derive(Debug)]
#[must_use = "nothing is waited for until this is awaited"]
pub struct CancelRequested {
    key: ExecutionKey,
    waits: bool,
    _not_send: NotSend,
}

impl Future for CancelRequested {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let waits = self.waits;
        let requested = current::with(self.key, |journal| {
            let requested = journal.cancelling.is_requested();
            match (requested, waits) {
                (false, false) => journal.cancelling.wait(),
                (true, true) => journal.cancelling.wait_no_more(),
                _ => {}
            }
            requested
        });
        self.waits = !requested;
        if requested { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for CancelRequested {
    fn drop(&mut self) {
        if self.waits {
            current::try_with(self.key, |journal| journal.cancelling.wait_no_more());
        }
    }
}

impl DurableFuture for CancelRequested {
    fn settled_at(&self) -> Option<u64> {
        current::try_with(self.key, |journal| journal.cancelling.requested_at()).flatten().map(|event| event.0)
    }
}

/// Ends the execution as cancelled; see [`Cancellation::accept`].
#[must_use = "the body goes on unless this is awaited"]
pub struct AcceptCancel<T> {
    requested: CancelRequested,
    _held: Cancellation,
    output: PhantomData<fn() -> T>,
}

impl<T> Future for AcceptCancel<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let key = self.requested.key;
        current::with(key, |journal| journal.cancelling.accept());
        // When it is requested the body is dropped, and nobody asks again.
        let _ = Pin::new(&mut self.requested).poll(cx);
        Poll::Pending
    }
}

impl<T> DurableFuture for AcceptCancel<T> {}
