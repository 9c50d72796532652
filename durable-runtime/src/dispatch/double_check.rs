//! Every turn twice: a second thread, with executions and thread locals of its own, goes over the same events, and must
//! ask for the same steps. So code that is not deterministic is found before a replay finds it in production.

use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use lru::LruCache;

use crate::history::Event;
use crate::ids::InstanceId;
use crate::orchestration::OrchestrationHandler;
use crate::replay::{Execution, Facts, Mismatch};

/// A part of a history: the events of one execution that one turn has added.
pub(super) struct Part {
    pub(super) facts: Facts,
    pub(super) handler: OrchestrationHandler,
    pub(super) events: Vec<Event>,
}

struct Job {
    parts: Vec<Part>,
    verdict: Sender<Result<(), Box<Mismatch>>>,
}

/// The way to the second thread; it ends when this is dropped.
pub(super) struct DoubleCheck {
    jobs: Sender<Job>,
}

impl DoubleCheck {
    pub(super) fn spawn(number: usize, live_max: NonZeroUsize) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (jobs, receiver) = channel();
        let body = move || run(&receiver, live_max);
        let thread = thread::Builder::new().name(format!("durable-check-{number}")).spawn(body)?;
        Ok((Self { jobs }, thread))
    }

    /// Goes over these parts once more.
    ///
    /// # Errors
    /// [`Mismatch`] if the code asked for something else this time.
    pub(super) fn check(&self, parts: Vec<Part>) -> Result<(), Box<Mismatch>> {
        let (verdict, answer) = channel();
        if parts.is_empty() || self.jobs.send(Job { parts, verdict }).is_err() {
            return Ok(());
        }
        answer.recv().unwrap_or(Ok(()))
    }
}

fn run(jobs: &Receiver<Job>, live_max: NonZeroUsize) {
    let mut live = LruCache::new(live_max);
    while let Ok(Job { parts, verdict }) = jobs.recv() {
        let result = parts.into_iter().try_for_each(|part| go_over(&mut live, part));
        // The shard has gone if nobody listens.
        let _ = verdict.send(result);
    }
}

/// What has left memory here is not checked until the shard reads its history again.
fn go_over(live: &mut LruCache<InstanceId, (Facts, Execution)>, part: Part) -> Result<(), Box<Mismatch>> {
    let Part { facts, handler, events } = part;
    let Some(first) = events.first() else { return Ok(()) };
    let known = live.pop(&facts.instance).filter(|(known, execution)| {
        known.execution_id == facts.execution_id && execution.history_len() + 1 == first.id.0
    });
    let mut execution = match known {
        Some((_, execution)) => execution,
        None if first.id.0 == 1 => Execution::new(facts.clone(), handler),
        None => return Ok(()),
    };
    execution.replay(&events)?;
    if !execution.has_ended() {
        live.push(facts.instance.clone(), (facts, execution));
    }
    Ok(())
}

/// What is said of an instance whose two runs differ.
pub(super) fn report(mismatch: &Mismatch) -> String {
    format!(
        "the code is not deterministic: it was run twice over the same events and asked for different steps \
         (`double_check`, on in debug builds)\n{mismatch}"
    )
}
