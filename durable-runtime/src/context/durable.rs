//! The await barrier: only what the history can wake may be awaited.

use std::pin::Pin;
use std::task::{Context, Poll};

use crate::ids::CommandId;

/// A future whose progress is recorded in the history, so that a replay sees the same result.
///
/// Everything that a context returns is one, and so are calls of activities and children, `async` blocks inside an
/// orchestration, and helpers under `#[deterministic]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be awaited inside an orchestration",
    label = "this future is not recorded in the history, so a replay could see a different result",
    note = "await only activities, children, what `ctx` returns, or a helper marked `#[deterministic]`",
    note = "move I/O, timers and other async work into an `#[activity]` and call it with `&ctx`"
)]
pub trait DurableFuture: Future {
    /// At which event of the history it became ready, as far as that is known without polling it. Decides which of
    /// several ready branches of a `select!` or [`race`](super::race) was first.
    fn settled_at(&self) -> Option<u64> {
        None
    }

    /// The command without whose answer it cannot become ready, if there is one: it need not be polled before.
    #[doc(hidden)]
    fn waits_for(&self) -> Option<CommandId> {
        None
    }
}

/// A boxed durable future: what recursion through `async` needs.
pub type LocalBoxDurable<'a, T> = Pin<Box<dyn DurableFuture<Output = T> + 'a>>;

#[diagnostic::do_not_recommend]
impl<F: DurableFuture + Unpin + ?Sized> DurableFuture for &mut F {
    fn settled_at(&self) -> Option<u64> {
        (**self).settled_at()
    }

    fn waits_for(&self) -> Option<CommandId> {
        (**self).waits_for()
    }
}

#[diagnostic::do_not_recommend]
impl<F: DurableFuture + Unpin + ?Sized> DurableFuture for Box<F> {
    fn settled_at(&self) -> Option<u64> {
        (**self).settled_at()
    }

    fn waits_for(&self) -> Option<CommandId> {
        (**self).waits_for()
    }
}

#[diagnostic::do_not_recommend]
impl<F: DurableFuture + ?Sized> DurableFuture for Pin<Box<F>> {
    fn settled_at(&self) -> Option<u64> {
        self.as_ref().get_ref().settled_at()
    }

    fn waits_for(&self) -> Option<CommandId> {
        self.as_ref().get_ref().waits_for()
    }
}

#[diagnostic::do_not_recommend]
impl<F: DurableFuture + ?Sized> DurableFuture for Pin<&mut F> {
    fn settled_at(&self) -> Option<u64> {
        self.as_ref().get_ref().settled_at()
    }

    fn waits_for(&self) -> Option<CommandId> {
        self.as_ref().get_ref().waits_for()
    }
}

/// Lets a durable future through, and nothing else: what the macro puts around every `.await`.
pub fn durable<F>(future: F) -> F::IntoFuture
where
    F: IntoFuture,
    F::IntoFuture: DurableFuture,
{
    future.into_future()
}

/// An `async` block of an orchestration. It is durable because each `.await` in it went through [`durable`].
///
/// It keeps the type of the block: with a lifetime in its place, a helper could not borrow from two arguments.
#[must_use = "nothing runs until this is awaited"]
pub struct Scope<F>(Pin<Box<F>>);

/// Makes an `async` block durable.
pub fn scope<F: Future>(future: F) -> Scope<F> {
    Scope(Box::pin(future))
}

impl<F: Future> Future for Scope<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.0.as_mut().poll(cx)
    }
}

#[diagnostic::do_not_recommend]
impl<F: Future> DurableFuture for Scope<F> {}
