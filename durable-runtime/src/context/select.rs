//! Races for `select!`: who is first is read from the history, never from the order of polling.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::DurableFuture;

/// A race that may have no runners.
pub trait Race: DurableFuture {
    /// Whether every branch is switched off by its `if`.
    fn is_off(&self) -> bool;
}

/// A race with an `else`: `None` if every branch is switched off.
#[must_use = "futures do nothing unless they are awaited"]
pub struct OrOff<R>(R);

impl<R: Race> OrOff<R> {
    /// The race, if there is one.
    pub fn new(race: R) -> Self {
        Self(race)
    }
}

impl<R: Race + Unpin> Future for OrOff<R> {
    type Output = Option<R::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.0.is_off() { Poll::Ready(None) } else { Pin::new(&mut self.0).poll(context).map(Some) }
    }
}

#[diagnostic::do_not_recommend]
impl<R: Race + Unpin> DurableFuture for OrOff<R> {
    fn settled_at(&self) -> Option<u64> {
        self.0.settled_at()
    }
}

/// The future of one branch, boxed so that it can be polled wherever the race is.
pub struct Runner<F> {
    future: Pin<Box<F>>,
    settled_at: fn(&F) -> Option<u64>,
}

/// Takes part in a race. This is the one place that asks for a durable future: the race itself takes every runner, so
/// that a future which is none is one error, at its branch.
pub fn runner<F: IntoFuture>(future: F) -> Runner<F::IntoFuture>
where
    F::IntoFuture: DurableFuture,
{
    Runner { future: Box::pin(future.into_future()), settled_at: DurableFuture::settled_at }
}

impl<F: Future> Runner<F> {
    pub(super) fn settled_at(&self) -> Option<u64> {
        (self.settled_at)(&self.future)
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<F::Output> {
        self.future.as_mut().poll(context)
    }
}

fn settled_at<F: Future>(runner: &Option<Runner<F>>) -> Option<u64> {
    runner.as_ref().and_then(Runner::settled_at)
}

fn poll<F: Future>(runner: &mut Option<Runner<F>>, context: &mut Context<'_>) -> Poll<F::Output> {
    runner.as_mut().map_or(Poll::Pending, |runner| runner.poll(context))
}

macro_rules! race {
    ($race:ident, $either:ident: $($future:ident $runner:ident $side:ident),+) => {
        /// Which branch was first, and its value.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs)] // the n-th branch, each
        pub enum $either<$($future),+> {
            $($side($future),)+
        }

        /// Resolves when the first of its branches does.
        #[must_use = "futures do nothing unless they are awaited"]
        pub struct $race<$($future),+> {
            $($runner: Option<Runner<$future>>,)+
        }

        impl<$($future),+> $race<$($future),+> {
            /// The branches in the order of the code; `None` is switched off.
            #[allow(clippy::too_many_arguments)]
            pub fn new($($runner: Option<Runner<$future>>),+) -> Self {
                Self { $($runner),+ }
            }
        }

        // Futures are boxed, so nothing in here is pinned in place.
        impl<$($future),+> Unpin for $race<$($future),+> {}

        impl<$($future: Future),+> Future for $race<$($future),+> {
            type Output = $either<$($future::Output),+>;

            fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
                // One that the history says is over goes first: polling in the order of the code would let a later
                // one lose that was first when this ran before.
                let first = self.settled_at();
                $(
                    if first.is_some()
                        && settled_at(&self.$runner) == first
                        && let Poll::Ready(output) = poll(&mut self.$runner, context)
                    {
                        return Poll::Ready($either::$side(output));
                    }
                )+
                $(
                    if let Poll::Ready(output) = poll(&mut self.$runner, context) {
                        return Poll::Ready($either::$side(output));
                    }
                )+
                Poll::Pending
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($future: Future),+> DurableFuture for $race<$($future),+> {
            fn settled_at(&self) -> Option<u64> {
                [$(settled_at(&self.$runner)),+].into_iter().flatten().min()
            }
        }

        impl<$($future: Future),+> Race for $race<$($future),+> {
            fn is_off(&self) -> bool {
                true $(&& self.$runner.is_none())+
            }
        }
    };
}

race!(Race1, Either1: A first First);
race!(Race2, Either2: A first First, B second Second);
race!(Race3, Either3: A first First, B second Second, C third Third);
race!(Race4, Either4: A first First, B second Second, C third Third, D fourth Fourth);
race!(Race5, Either5: A first First, B second Second, C third Third, D fourth Fourth, E fifth Fifth);
race!(Race6, Either6: A first First, B second Second, C third Third, D fourth Fourth, E fifth Fifth, F sixth Sixth);
race!(
    Race7, Either7: A first First, B second Second, C third Third, D fourth Fourth, E fifth Fifth, F sixth Sixth,
    G seventh Seventh
);
race!(
    Race8, Either8: A first First, B second Second, C third Third, D fourth Fourth, E fifth Fifth, F sixth Sixth,
    G seventh Seventh, H eighth Eighth
);

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// Ready if `at` is given; `known` says whether the history tells it.
    struct Step {
        at: Option<u64>,
        known: bool,
        polled: bool,
    }

    impl Future for Step {
        type Output = u64;

        fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u64> {
            self.polled = true;
            self.at.map_or(Poll::Pending, Poll::Ready)
        }
    }

    impl DurableFuture for Step {
        fn settled_at(&self) -> Option<u64> {
            self.at.filter(|_| self.known)
        }
    }

    fn step(at: impl Into<Option<u64>>) -> Option<Runner<Step>> {
        Some(runner(Step { at: at.into(), known: true, polled: false }))
    }

    fn off() -> Option<Runner<Step>> {
        None
    }

    fn run<F: Future + Unpin>(mut future: F) -> Poll<F::Output> {
        Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn the_first_in_the_history_wins_wherever_it_stands() {
        assert_eq!(run(Race2::new(step(7), step(3))), Poll::Ready(Either2::Second(3)));
        assert_eq!(run(Race3::new(step(None), step(3), step(7))), Poll::Ready(Either3::Second(3)));
        assert_eq!(run(Race2::new(step(None), step(None))), Poll::Pending);
    }

    #[test]
    fn what_the_history_does_not_tell_is_polled_in_order() {
        let unknown = |at| Some(runner(Step { at, known: false, polled: false }));
        assert_eq!(run(Race2::new(unknown(Some(9)), unknown(Some(1)))), Poll::Ready(Either2::First(9)));
        assert_eq!(run(Race2::new(unknown(None), unknown(Some(1)))), Poll::Ready(Either2::Second(1)));
    }

    #[test]
    fn losers_are_not_polled_once_the_winner_is_known() {
        let mut race = Race2::new(step(7), step(3));
        assert!(Pin::new(&mut race).poll(&mut Context::from_waker(Waker::noop())).is_ready());
        assert!(!race.first.unwrap().future.polled);
    }

    #[test]
    fn branches_that_are_off_do_not_run() {
        assert_eq!(run(Race2::new(off(), step(3))), Poll::Ready(Either2::Second(3)));
        assert_eq!(run(OrOff::new(Race2::new(off(), off()))), Poll::Ready(None));
        assert_eq!(run(OrOff::new(Race1::new(step(3)))), Poll::Ready(Some(Either1::First(3))));
    }
}
