//! How an execution ends: by its body, by a limit, or by somebody's wish; and the cleanups that are run in between.

use super::{Execution, Unwinding};
use crate::history::{EventKind, Failure};
use crate::orchestration::{BodyFuture, BodyOutcome};
use crate::replay::unwinding::Undo;
use crate::replay::{current, panics};

impl Execution {
    /// How the body is to end now, whatever it waits for.
    pub(super) fn due_end(&self) -> Option<EventKind> {
        if self.unwinding.is_some() { None } else { self.journal.borrow().cancelling.due() }
    }

    /// The body, or a cleanup, is done.
    pub(super) fn task_ended(&mut self, outcome: BodyOutcome) {
        self.drop_task(false);
        let Some(unwinding) = &mut self.unwinding else { return self.body_ended(outcome) };
        if let Err(failure) = outcome {
            // The others are run all the same; but that this one could not be is not to be overlooked.
            unwinding.end = EventKind::Failed { failure };
        }
        self.next_cleanup();
    }

    pub(super) fn body_ended(&mut self, outcome: BodyOutcome) {
        let limits = self.journal.borrow().facts.limits;
        match outcome.map_err(|failure| failure.within(&limits)) {
            Ok(output) if output.len() > limits.payload_bytes_max => {
                let most = limits.payload_bytes_max;
                let message = format!("the output has {} bytes; at most {most} are kept", output.len());
                self.unwind(EventKind::Failed { failure: Failure::LimitReached { message } }, Undo::Sagas);
            }
            Ok(output) => self.finish(EventKind::Completed { output }),
            Err(failure) => self.unwind(EventKind::Failed { failure }, Undo::Sagas),
        }
    }

    /// Nothing of the body runs any more: what it waits for is cancelled, and what it has registered is run.
    pub(super) fn unwind(&mut self, end: EventKind, undo: Undo) {
        self.journal.borrow_mut().cancel_open();
        self.unwinding = Some(Unwinding { end, undo });
        self.next_cleanup();
    }

    pub(super) fn next_cleanup(&mut self) {
        let Some(Unwinding { end, undo }) = self.unwinding.clone() else { return };
        loop {
            let next = self.journal.borrow_mut().cleanups.pop(undo);
            match next {
                Some((true, cleanup)) => return self.task = Some(cleanup),
                Some((false, cleanup)) => self.let_go(cleanup),
                None => return self.finish(end),
            }
        }
    }

    pub(super) fn check_length(&self) {
        let (limits, bytes) = (self.journal.borrow().facts.limits, self.journal.borrow().history_bytes);
        let reached = if self.history_len >= limits.history_events_max {
            Some(format!("{} events", limits.history_events_max))
        } else if bytes >= limits.history_bytes_max {
            Some(format!("payloads of {bytes} bytes; at most {} are kept", limits.history_bytes_max))
        } else {
            None
        };
        if let Some(reached) = reached {
            let message = format!("the history has {reached}; let the orchestration continue as new before that");
            self.finish(EventKind::Failed { failure: Failure::LimitReached { message } });
        }
    }

    pub(super) fn close_if_ended(&mut self) {
        if self.has_ended() {
            self.drop_task(true);
            self.drop_cleanups();
            self.journal.borrow_mut().cancel_open();
            self.journal.borrow_mut().end_dependents();
        }
    }

    pub(super) fn drop_cleanups(&mut self) {
        let cleanups = self.journal.borrow_mut().cleanups.take_all();
        self.journal.borrow_mut().silence(true);
        cleanups.into_iter().for_each(|cleanup| self.let_go(cleanup));
        self.journal.borrow_mut().silence(false);
    }

    /// Drops what runs; by the code's own end its futures are cancelled one by one, by ours silently.
    pub(super) fn drop_task(&mut self, silently: bool) {
        self.journal.borrow_mut().silence(silently);
        if let Some(task) = self.task.take() {
            self.let_go(task);
        }
        self.journal.borrow_mut().silence(false);
    }

    /// A panic in a user's `Drop` changes nothing any more: the outcome is decided.
    pub(super) fn let_go(&self, task: BodyFuture) {
        let _ = current::enter(self.key, &self.journal, || panics::catch(|| drop(task)));
    }
}

impl Drop for Execution {
    /// Leaving memory is no decision of the code: nothing is cancelled by it.
    fn drop(&mut self) {
        self.drop_task(true);
        self.drop_cleanups();
    }
}
