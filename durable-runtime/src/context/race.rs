//! Side by side, until the first is done.

use std::pin::Pin;
use std::task::{Context, Poll};

use super::durable::DurableFuture;
use super::select::{Runner, runner};

/// Waits for the first of these durable futures and cancels the others. The first is the first in the history, not
/// the first in the list.
///
/// ```
/// # use durable_runtime::prelude::*;
/// # #[activity] async fn quote(carrier: String) -> u64 { carrier.len() as u64 }
/// #[orchestration]
/// async fn fastest_quote(ctx: OrchestrationContext, carriers: Vec<String>) -> Result<u64, ActivityError> {
///     race(carriers.into_iter().map(|carrier| quote(&ctx, carrier))).await
/// }
/// ```
pub fn race<I>(futures: I) -> Race<<I::Item as IntoFuture>::IntoFuture>
where
    I: IntoIterator,
    I::Item: IntoFuture,
    <I::Item as IntoFuture>::IntoFuture: DurableFuture,
{
    Race { branches: futures.into_iter().map(runner).collect() }
}

/// What [`race`] gives. Of no futures it never ends, which is an error of the turn that waits for it.
#[must_use = "nothing runs until this is awaited"]
pub struct Race<F> {
    branches: Vec<Runner<F>>,
}

impl<F: Future> Future for Race<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let first = (self.branches.iter_mut())
            .filter_map(|branch| Some((branch.settled_at()?, branch)))
            .min_by_key(|(settled_at, _)| *settled_at);
        if let Some((_, branch)) = first
            && let Poll::Ready(output) = branch.poll(cx)
        {
            return Poll::Ready(output);
        }
        for branch in &mut self.branches {
            if let Poll::Ready(output) = branch.poll(cx) {
                return Poll::Ready(output);
            }
        }
        Poll::Pending
    }
}

#[diagnostic::do_not_recommend]
impl<F: Future> DurableFuture for Race<F> {
    fn settled_at(&self) -> Option<u64> {
        self.branches.iter().filter_map(|branch| branch.settled_at()).min()
    }
}
