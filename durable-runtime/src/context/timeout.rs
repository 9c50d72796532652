//! A durable future with a limit.

use std::pin::Pin;
use std::task::{Context, Poll};

use super::durable::DurableFuture;
use super::select::{Either2, Race2, runner};
use super::timer::Timer;

/// It took longer than it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it took longer than it was given")]
pub struct Elapsed;

/// What [`OrchestrationContext::timeout`](super::OrchestrationContext::timeout) gives.
#[must_use = "nothing runs until this is awaited"]
pub struct Timeout<F>(Race2<F, Timer>);

impl<F: DurableFuture> Timeout<F> {
    pub(super) fn new(future: impl IntoFuture<IntoFuture = F, Output = F::Output>, timer: Timer) -> Self {
        Self(Race2::new(Some(runner(future)), Some(runner(timer))))
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|first| match first {
            Either2::First(output) => Ok(output),
            Either2::Second(()) => Err(Elapsed),
        })
    }
}

#[diagnostic::do_not_recommend]
impl<F: Future> DurableFuture for Timeout<F> {
    fn settled_at(&self) -> Option<u64> {
        self.0.settled_at()
    }
}
