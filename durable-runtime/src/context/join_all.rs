//! Side by side, until all are done: any number.
//!
//! An event concerns one of them. Those that wait for a command, and for nothing else, are polled when that has come back; so
//! a fan-out of thousands costs no more for each than one of ten.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::MaybeDone;

use super::durable::DurableFuture;
use super::join::{Slot, has_failed, poll_slot, slot};
use crate::ids::CommandId;
use crate::replay::current;

/// Waits for all of these durable futures, which run side by side, and gives their outputs in the order given.
///
/// ```
/// # use durable_runtime::prelude::*;
/// # #[activity] async fn resize(image: String) -> u64 { image.len() as u64 }
/// #[orchestration]
/// async fn gallery(ctx: OrchestrationContext, images: Vec<String>) -> u64 {
///     let sizes = join_all(images.into_iter().map(|image| resize(&ctx, image))).await;
///     sizes.into_iter().flatten().sum()
/// }
/// ```
pub fn join_all<I>(futures: I) -> JoinAll<<I::Item as IntoFuture>::IntoFuture>
where
    I: IntoIterator,
    I::Item: IntoFuture,
    <I::Item as IntoFuture>::IntoFuture: DurableFuture,
{
    let slots: Vec<_> = futures.into_iter().map(slot).collect();
    let asked = (0..slots.len()).collect();
    JoinAll { slots, asked, waiting: BTreeMap::new(), waits_for: DurableFuture::waits_for }
}

/// What [`join_all`] gives.
#[must_use = "nothing runs until this is awaited"]
pub struct JoinAll<F: Future> {
    slots: Vec<Slot<F>>,
    /// Those that are polled each time, in the order given.
    asked: Vec<usize>,
    /// Those that need not be polled before this command has come back.
    waiting: BTreeMap<CommandId, usize>,
    waits_for: fn(&F) -> Option<CommandId>,
}

impl<F: Future> JoinAll<F> {
    /// Polls those that may have become ready, in the order given; answers which are done now.
    fn advance(&mut self, cx: &mut Context<'_>) -> Vec<usize> {
        let mut next = std::mem::take(&mut self.asked);
        let settled = current::settled();
        next.extend(settled.iter().filter_map(|command| self.waiting.remove(command)));
        next.sort_unstable();
        let mut done = Vec::new();
        for index in next {
            let Some(slot) = self.slots.get_mut(index) else { continue };
            if poll_slot(slot, cx) {
                done.push(index);
                continue;
            }
            let waits_for = match &**slot {
                MaybeDone::Future(future) => (self.waits_for)(future),
                MaybeDone::Done(_) | MaybeDone::Gone => None,
            };
            match waits_for {
                Some(command) => drop(self.waiting.insert(command, index)),
                None => self.asked.push(index),
            }
        }
        done
    }

    fn outputs(&mut self) -> Poll<Vec<F::Output>> {
        if !self.asked.is_empty() || !self.waiting.is_empty() {
            return Poll::Pending;
        }
        Poll::Ready(self.slots.iter_mut().filter_map(|slot| slot.as_mut().take_output()).collect())
    }
}

impl<F: Future> Future for JoinAll<F> {
    type Output = Vec<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.advance(cx);
        self.outputs()
    }
}

#[diagnostic::do_not_recommend]
impl<F: Future> DurableFuture for JoinAll<F> {}

/// As [`join_all`], for futures of `Result`s: ends with the first error in history order, and cancels the others then.
pub fn try_join_all<I, T, E>(futures: I) -> TryJoinAll<<I::Item as IntoFuture>::IntoFuture>
where
    I: IntoIterator,
    I::Item: IntoFuture<Output = Result<T, E>>,
    <I::Item as IntoFuture>::IntoFuture: DurableFuture,
{
    TryJoinAll(join_all(futures))
}

/// What [`try_join_all`] gives.
#[must_use = "nothing runs until this is awaited"]
pub struct TryJoinAll<F: Future>(JoinAll<F>);

impl<F: Future<Output = Result<T, E>>, T, E> Future for TryJoinAll<F> {
    type Output = Result<Vec<T>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let all = &mut self.0;
        let done = all.advance(cx);
        let failed = done.into_iter().find(|index| all.slots.get_mut(*index).is_some_and(has_failed));
        if let Some(Err(error)) = failed.and_then(|index| all.slots.get_mut(index)?.as_mut().take_output()) {
            return Poll::Ready(Err(error));
        }
        all.outputs().map(|outputs| outputs.into_iter().collect())
    }
}

#[diagnostic::do_not_recommend]
impl<F: Future<Output = Result<T, E>>, T, E> DurableFuture for TryJoinAll<F> {}
