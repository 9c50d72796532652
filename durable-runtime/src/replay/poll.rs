//! One poll of user code: panics caught, foreign wakers noticed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::panics;
use crate::history::Failure;
use crate::orchestration::{BodyFuture, BodyOutcome};

/// Durable futures never touch the waker: whoever clones or wakes it waits for something outside the history.
struct ForeignWaker {
    woken: AtomicBool,
}

impl Wake for ForeignWaker {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Relaxed);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Relaxed);
    }
}

/// What a poll showed.
pub(super) enum Polled {
    Pending,
    Ended(BodyOutcome),
}

/// Polls the body once.
pub(super) fn poll(body: &mut BodyFuture) -> Polled {
    let foreign = Arc::new(ForeignWaker { woken: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&foreign));
    let polled = panics::catch(|| body.as_mut().poll(&mut Context::from_waker(&waker)));
    drop(waker);
    match polled {
        Err(failure) => Polled::Ended(Err(failure)),
        Ok(Poll::Ready(outcome)) => Polled::Ended(outcome),
        Ok(Poll::Pending) if is_foreign(&foreign) => Polled::Ended(Err(foreign_failure())),
        Ok(Poll::Pending) => Polled::Pending,
    }
}

fn is_foreign(foreign: &Arc<ForeignWaker>) -> bool {
    foreign.woken.load(Ordering::Relaxed) || Arc::strong_count(foreign) > 1
}

fn foreign_failure() -> Failure {
    Failure::NeverWakes {
        message: "the orchestration awaits a future that is not recorded in its history, so no replay could wake it; \
                  await only what `ctx`, activities and children return, and move other async work into an activity"
            .to_owned(),
    }
}

/// Nothing is open, and the body is not done.
pub(super) fn stuck_failure() -> Failure {
    Failure::NeverWakes {
        message: "the orchestration waits, but for no activity, timer, event or child: no event will ever wake it; \
                  look for a future that never completes"
            .to_owned(),
    }
}
