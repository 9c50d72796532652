//! The one thread that writes. It gathers all transactions that wait, drafts each over the ones before, writes them
//! as one batch with one flush, brings what is in memory in step, and only then answers all of them. Between groups
//! it runs the reads that had to wait, and wakes what has come due.

use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::draft::{Draft, Ground};
use super::gate::locked;
use super::inbox::{Compaction, Counting, Submitted, Work};
use super::index::Index;
use super::layer::Layer;
use super::recover::{Recent, Recovered, recover};
use super::shared::Shared;
use super::store::{Opener, StoreError};
use super::values;
use crate::clock::Timestamp;
use crate::providers::{BatchResult, CommitError, CommitId, Durability, ErrorKind, ProviderError};

/// How long to wait before a store that could not be opened again is tried once more.
const REOPEN_EVERY: Duration = Duration::from_millis(200);

/// What comes after so many bytes waits for the next group: a store must not have much to write between two syncs.
const GROUP_BYTES_MAX: usize = 1 << 20;

type Answer = (oneshot::Sender<Result<BatchResult, CommitError>>, Result<BatchResult, CommitError>);

/// See the module.
pub(super) struct Committer {
    shared: Arc<Shared>,
    opener: Box<dyn Opener>,
    recent: Recent,
    sequence: u64,
    durability: Durability,
    /// Since when something is applied that is not synced; only without [`Durability::Immediate`].
    unsynced_since: Option<Timestamp>,
    /// Since when there is no store.
    away_since: Option<Timestamp>,
    /// Whoever waited for something that came due until then was woken.
    woken_until: Timestamp,
}

impl Committer {
    pub(super) fn new(
        shared: Arc<Shared>,
        opener: Box<dyn Opener>,
        (recent, sequence): (Recent, u64),
        durability: Durability,
    ) -> Self {
        let woken_until = shared.clock.now();
        Self { shared, opener, recent, sequence, durability, unsynced_since: None, away_since: None, woken_until }
    }

    /// Runs until the store is closed, and lets go of it then.
    pub(super) fn run(mut self) {
        let shared = self.shared.clone();
        loop {
            let Work { commits, countings, reads, compactions, closing } =
                shared.inbox.wait(&*shared.clock, || self.next_wake_up());
            self.reopen_if_due();
            self.count(countings);
            self.commit_all(commits);
            reads.into_iter().for_each(|read| shared.gate.read(read));
            self.compact(compactions);
            self.sync_if_due(closing);
            shared.wake_due(&mut self.woken_until);
            if closing {
                break;
            }
        }
        // The handle goes before the opener, which holds the lock on the folder.
        shared.gate.close();
        drop(self);
        shared.closed();
    }

    fn next_wake_up(&self) -> Option<Timestamp> {
        let reopen = self.away_since.map(|begin| begin.saturating_add(REOPEN_EVERY));
        let sync = self.unsynced_since.zip(self.sync_every()).map(|(begin, every)| begin.saturating_add(every));
        [reopen, sync, self.shared.next_change()].into_iter().flatten().min()
    }

    /// Without [`Durability::Immediate`]: how long something may be applied and not be on disk.
    fn sync_every(&self) -> Option<Duration> {
        match self.durability {
            Durability::Interval(interval) => Some(interval),
            Durability::Immediate | Durability::None => None,
        }
    }

    /// Whether so much time has passed, or the clock was set back, which may hide that it has.
    fn has_passed(&self, begin: Timestamp, after: Duration) -> bool {
        let now = self.shared.clock.now();
        now < begin || now >= begin.saturating_add(after)
    }

    fn commit_all(&mut self, commits: Vec<Submitted>) {
        let mut commits = VecDeque::from(commits);
        while !commits.is_empty() {
            self.commit_some(&mut commits);
        }
    }

    /// As many as make a group; at least one.
    fn commit_some(&mut self, commits: &mut VecDeque<Submitted>) {
        self.make_room_if_full();
        let mut group = Layer::default();
        let mut kept = Vec::new();
        let mut answers: Vec<Answer> = Vec::with_capacity(commits.len());
        while group.bytes < GROUP_BYTES_MAX
            && let Some(Submitted { transaction, reply }) = commits.pop_front()
        {
            let id = transaction.commit_id;
            if self.recent.contains(id) || kept.contains(&id) {
                answers.push((reply, Ok(BatchResult::kept(id))));
                continue;
            }
            // What the group takes away may be the space for it: then it is the first of the next group.
            let again = (!kept.is_empty() && self.is_full()).then(|| transaction.clone());
            let drafted = self.draft(&mut group, transaction);
            if let (Err(CommitError::Provider(error)), Some(transaction)) = (&drafted, again)
                && error.kind() == ErrorKind::Full
            {
                commits.push_front(Submitted { transaction, reply });
                break;
            }
            kept.extend(drafted.is_ok().then_some(id));
            answers.push((reply, drafted.map(|()| BatchResult::kept(id))));
        }
        match self.write(group, &kept) {
            Ok(()) => answer_all(answers),
            Err(error) => self.fail(answers, &error),
        }
    }

    /// Keeps how often messages were handed out, unless they are gone. Without space they are not counted.
    fn count(&mut self, countings: Vec<Counting>) {
        let index = locked(&self.shared.index);
        let counts = countings.iter().flat_map(|counting| &counting.counts);
        let there = counts.filter(|(key, _)| index.message(key).is_some());
        let batch: Vec<_> = there.map(|(key, attempt)| values::count(key, *attempt)).collect();
        drop(index);
        if batch.is_empty() || self.is_full() {
            countings.into_iter().for_each(|counting| drop(counting.reply.send(Ok(()))));
            return;
        }
        let batch = batch.into_iter().map(|(key, value)| (key, Some(value))).collect();
        let sync = self.durability == Durability::Immediate;
        let kept = guarded(|| {
            self.shared.apply(batch, BTreeSet::new())?;
            if sync { self.shared.sync() } else { Ok(()) }
        });
        if let Err(error) = &kept {
            tracing::error!(%error, "attempts could not be counted; the store is opened again");
            self.reopen();
        }
        for Counting { reply, .. } in countings {
            let _gone = reply.send(if kept.is_ok() { Ok(()) } else { Err(StoreError::Away) });
        }
    }

    fn is_full(&self) -> bool {
        self.shared.gate.read(|store| store.is_ok_and(|store| store.is_full()))
    }

    fn make_room_if_full(&mut self) {
        if self.is_full()
            && let Err(error) = guarded(|| self.shared.gate.upkeep(|store| store.make_room()))
        {
            tracing::error!(%error, "making room failed; the store is opened again");
            self.reopen();
        }
    }

    fn draft(&mut self, group: &mut Layer, transaction: crate::providers::Transaction) -> Result<(), CommitError> {
        let Self { shared, sequence, .. } = self;
        shared.gate.read(|store| {
            let store = store.map_err(|error| error.during("commit"))?;
            let mut index = locked(&shared.index);
            let ground = Ground { store, index: &index, heads: &shared.heads, group, now: shared.clock.now() };
            let draft = Draft::of(transaction, ground, sequence)?;
            if !draft.only_takes_away() && store.is_full() {
                let message = "no space is left; make some, or delete instances that are not needed any more";
                return Err(ProviderError::new(ErrorKind::Full, "commit", message).into());
            }
            if store.is_stuck() {
                let message = "no space is left, not even to delete anything; make some on the disk";
                return Err(ProviderError::new(ErrorKind::Full, "commit", message).into());
            }
            draft.reserve(&mut index);
            group.absorb(draft);
            Ok(())
        })
    }

    /// Writes a group and makes it known.
    fn write(&mut self, mut group: Layer, kept: &[CommitId]) -> Result<(), StoreError> {
        if kept.is_empty() {
            return Ok(());
        }
        let instances = (locked(&self.shared.index).instances + group.created).saturating_sub(group.deleted);
        let mut batch: Vec<_> = std::mem::take(&mut group.writes).into_iter().collect();
        batch.extend(self.recent.encode(kept, instances));
        let touched = std::mem::take(&mut group.touched);
        let shared = self.shared.clone();
        let sync = self.durability == Durability::Immediate;
        let begin = shared.clock.elapsed();
        guarded(|| {
            shared.apply(batch, touched)?;
            if sync { shared.sync() } else { Ok(()) }
        })?;
        shared.groups.add(kept.len(), shared.clock.elapsed().saturating_sub(begin));
        if !sync {
            self.unsynced_since.get_or_insert_with(|| shared.clock.now());
        }
        self.recent.add(kept);
        let changed = std::mem::take(&mut group.changed);
        let mut index = locked(&shared.index);
        changed.iter().for_each(|instance| index.forget_need(instance));
        group.settle(&mut index, &shared.heads);
        drop(index);
        shared.gate.landed();
        shared.wake_after_commit(changed);
        Ok(())
    }

    /// It is not known what of the group is on disk. What is there is what counts: read it again.
    fn fail(&mut self, answers: Vec<Answer>, error: &StoreError) {
        tracing::error!(%error, "a commit failed; the store is opened again");
        let message = format!("{error}; the store is opened again, hand the same transaction over once more");
        self.reopen();
        for (reply, _) in answers {
            let error = ProviderError::new(ErrorKind::Ambiguous, "commit", &message);
            let _gone = reply.send(Err(error.into()));
        }
    }

    /// Leases end with the handle, as in a restart: what they were on is handed out again.
    fn reopen(&mut self) {
        self.shared.gate.away();
        // A copy that is being made may have what is not kept: it fails, and is made again.
        *locked(&self.shared.changes) = None;
        *locked(&self.shared.index) = Index::new(0, 0);
        self.shared.heads.clear();
        self.unsynced_since = None;
        self.away_since = Some(self.shared.clock.now());
        let opened = self.opener.open().map_err(|error| error.to_string());
        let recovered = opened.and_then(|mut store| {
            let recovered = recover(&mut *store).map_err(|error| error.to_string())?;
            Ok((store, recovered))
        });
        match recovered {
            Err(error) => tracing::error!(%error, "the store could not be opened again"),
            Ok((store, Recovered { index, recent, sequence })) => {
                *locked(&self.shared.index) = index;
                (self.recent, self.sequence, self.away_since) = (recent, sequence, None);
                self.shared.gate.open(store);
            }
        }
        self.shared.waiters.wake_all();
    }

    /// Between two groups, since nothing can be read or written meanwhile.
    fn compact(&mut self, compactions: Vec<Compaction>) {
        if compactions.is_empty() {
            return;
        }
        let compacted = guarded(|| self.shared.gate.upkeep(|store| store.compact()));
        if let Err(error) = &compacted {
            tracing::error!(%error, "compacting failed; the store is opened again");
            self.reopen();
        }
        let failed = compacted.err().map(|error| (error.kind(), error.to_string()));
        for reply in compactions {
            let error = |(kind, message): &(ErrorKind, String)| Err(ProviderError::new(*kind, "compact", message));
            let _gone = reply.send(failed.as_ref().map_or(Ok(()), error));
        }
    }

    fn reopen_if_due(&mut self) {
        if self.away_since.is_some_and(|begin| self.has_passed(begin, REOPEN_EVERY)) {
            self.reopen();
        }
    }

    fn sync_if_due(&mut self, closing: bool) {
        let Some(begin) = self.unsynced_since else { return };
        let due = self.sync_every().is_some_and(|every| self.has_passed(begin, every));
        if !due && !closing {
            return;
        }
        self.unsynced_since = None;
        if let Err(error) = guarded(|| self.shared.sync()) {
            tracing::error!(%error, "what was answered already may not be on disk; the store is opened again");
            self.reopen();
        }
    }
}

fn answer_all(answers: Vec<Answer>) {
    for (reply, answer) in answers {
        // Nobody waits any more: the future of the call was dropped.
        let _gone = reply.send(answer);
    }
}

/// A panic inside the engine below is an error of its handle like any other.
fn guarded(work: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(StoreError::Other("the store panicked".to_owned())))
}
