//! One group: all that waited when the writer looked, in one transaction of the database.

use super::*;
use crate::providers::sql::inbox::Granted;
use crate::providers::sql::lease::Wish;
use crate::providers::sql::write::{COMMIT, Write, forget_old};
use crate::providers::{BatchResult, CommitError, LeasedActivity, LeasedTurn, Renewal, Transaction};

const SAVE: &str = "SAVEPOINT one";
const RELEASE: &str = "RELEASE one";
const UNDO: &str = "ROLLBACK TO one";

/// What a job is answered with when its group is kept.
enum Outcome {
    Commit(Result<BatchResult, CommitError>),
    Turns(Result<Vec<LeasedTurn>, ProviderError>),
    Activities(Result<Vec<LeasedActivity>, ProviderError>),
    Renewed(Result<Vec<Renewal>, ProviderError>),
    Revoked,
}

/// Why a group was not kept.
enum Failure {
    /// Nothing of it is.
    Certain(SqlError),
    /// All or nothing of it is.
    Uncertain(SqlError),
}

impl Failure {
    fn error(&self) -> &SqlError {
        match self {
            Self::Certain(error) | Self::Uncertain(error) => error,
        }
    }
}

impl Writer {
    pub(super) fn run_all(&mut self, mut jobs: Vec<Job>) {
        jobs.retain(|job| !is_abandoned(job));
        let jobs = self.answer_empty(jobs);
        if jobs.is_empty() {
            return;
        }
        if jobs.iter().any(|job| matches!(job, Job::Commit(..))) {
            // If it cannot be told, the transaction will tell.
            self.full = self.session.is_full().unwrap_or(false);
        }
        match self.run_group(&jobs) {
            Ok((outcomes, changes)) => {
                self.settle(changes);
                jobs.into_iter().zip(outcomes).for_each(|(job, outcome)| self.answer(job, outcome));
            }
            // One that cannot be kept must not take the others along: each by itself.
            Err(Failure::Certain(error)) if jobs.len() > 1 && error.kind != ErrorKind::Unavailable => {
                tracing::warn!(%error, "a group of commits failed; each is tried by itself");
                jobs.into_iter().for_each(|job| self.run_all(vec![job]));
            }
            Err(failure) => {
                tracing::error!(error = %failure.error(), "a group of commits failed");
                jobs.into_iter().for_each(|job| refuse(job, &failure));
                self.reconnect();
            }
        }
    }

    /// Fetches that find nothing need no transaction. Answers those, and hands back the rest.
    fn answer_empty(&mut self, jobs: Vec<Job>) -> Vec<Job> {
        let now = self.shared.clock.now();
        let is_fetch = |job: &Job| match job {
            Job::Turns(want, _) => want.instance.is_none(),
            Job::Activities(..) => true,
            _ => false,
        };
        // What is put into queues by the others may be for them; so may what has expired.
        if !jobs.iter().all(is_fetch) || self.next_change.is_none_or(|due| due <= now) && self.has_expired(now) {
            return jobs;
        }
        let shared = self.shared.clone();
        let mut rest = Vec::new();
        for job in jobs {
            let mut unused = Counters::NEW;
            let (session, ground) = self.ground(&mut unused, now);
            let wish = match &job {
                Job::Turns(want, _) => Wish::Turns(want),
                Job::Activities(want, _) => Wish::Activities(want),
                _ => continue,
            };
            match (lease::is_ready(session, &ground, wish), job) {
                (Ok(false), Job::Turns(_, reply)) => {
                    let _gone = reply.send(Ok(Granted::new(Vec::new(), |_| 0, &shared)));
                }
                (Ok(false), Job::Activities(_, reply)) => {
                    let _gone = reply.send(Ok(Granted::new(Vec::new(), |_| 0, &shared)));
                }
                (_, job) => rest.push(job),
            }
        }
        rest
    }

    fn has_expired(&mut self, now: Timestamp) -> bool {
        // If it cannot be told, the transaction that follows will tell.
        lease::has_expired(&mut *self.session, now).unwrap_or(true)
    }

    fn run_group(&mut self, jobs: &[Job]) -> Result<(Vec<Outcome>, Changes), Failure> {
        // Leases need not survive a power cut: nobody is left to hold them.
        let commits = jobs.iter().any(|job| matches!(job, Job::Commit(..)));
        let sync = commits && self.durability == Durability::Immediate;
        let begin = self.shared.clock.elapsed();
        self.session.begin_write(sync).map_err(Failure::Certain)?;
        let written = self.write_group(jobs);
        let (outcomes, changes, commits) = written.map_err(|error| {
            self.session.roll_back();
            Failure::Certain(error)
        })?;
        let now = self.shared.clock.now();
        self.session.commit().map_err(|error| match error.kind {
            // It was not written whole, so it is not there.
            ErrorKind::Full => Failure::Certain(error),
            _ => Failure::Uncertain(error),
        })?;
        if let Some(commits) = commits {
            let kept = |outcome: &&Outcome| matches!(outcome, Outcome::Commit(Ok(_)));
            let took = self.shared.clock.elapsed().saturating_sub(begin);
            self.shared.groups.add(outcomes.iter().filter(kept).count(), took);
            if sync {
                self.dialect.kept(commits);
            } else {
                let (begin, _) = self.unsynced.unwrap_or((now, commits));
                self.unsynced = Some((begin, commits));
            }
        }
        Ok((outcomes, changes))
    }

    /// Answers also with the number of the last commit, if there was any.
    fn write_group(&mut self, jobs: &[Job]) -> Result<(Vec<Outcome>, Changes, Option<u64>), SqlError> {
        let now = self.shared.clock.now();
        let mut counters = Counters::read(&mut *self.session)?;
        let (before, mut changes) = (counters, Changes::default());
        let expired = lease::expire(&mut *self.session, now).map_err(wrapped)?;
        (changes.turns, changes.activities) = (expired, expired);
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            outcomes.push(self.run_one(job, &mut counters, now, &mut changes)?);
        }
        if counters != before {
            counters.write(&mut *self.session)?;
        }
        let commits = (counters.commits != before.commits).then_some(counters.commits);
        if let Some(commits) = commits {
            forget_old(&mut *self.session, commits)?;
        }
        Ok((outcomes, changes, commits))
    }

    fn run_one(
        &mut self,
        job: &Job,
        counters: &mut Counters,
        now: Timestamp,
        changes: &mut Changes,
    ) -> Result<Outcome, SqlError> {
        let full = self.full;
        let (session, mut ground) = self.ground(counters, now);
        Ok(match job {
            Job::Commit(transaction, _) if full && !transaction.only_takes_away() => {
                let message = "no space is left; make some, or delete instances that are not needed any more";
                Outcome::Commit(Err(ProviderError::new(ErrorKind::Full, COMMIT, message).into()))
            }
            Job::Commit(transaction, _) => {
                let written = commit(session, transaction, ground.counters, now)?;
                Outcome::Commit(written.map(|more| {
                    changes.absorb(more);
                    BatchResult::kept(transaction.commit_id)
                }))
            }
            Job::Turns(want, _) => Outcome::Turns(lasting(lease::turns(session, &mut ground, want))?),
            Job::Activities(want, _) => Outcome::Activities(lasting(lease::activities(session, &mut ground, want))?),
            Job::Renew(tokens, ttl, _) => Outcome::Renewed(lasting(lease::renew_all(session, tokens, *ttl, now))?),
            Job::Revoke(fences) => {
                lease::revoke(session, fences).map_err(wrapped)?;
                (changes.turns, changes.activities) = (true, true);
                Outcome::Revoked
            }
        })
    }

    fn answer(&mut self, job: Job, outcome: Outcome) {
        let shared = &self.shared;
        // Where nobody waits any more, the future of the call was dropped; leases are taken back then.
        match (job, outcome) {
            (Job::Commit(_, reply), Outcome::Commit(answer)) => drop(reply.send(answer)),
            (Job::Turns(_, reply), Outcome::Turns(found)) => {
                let granted = |found| Granted::new(found, |turn: &LeasedTurn| turn.lock_token.fence, shared);
                drop(reply.send(found.map(granted)));
            }
            (Job::Activities(_, reply), Outcome::Activities(found)) => {
                let granted = |found| Granted::new(found, |leased: &LeasedActivity| leased.lock_token.fence, shared);
                drop(reply.send(found.map(granted)));
            }
            (Job::Renew(_, _, reply), Outcome::Renewed(answer)) => drop(reply.send(answer)),
            _ => {}
        }
    }
}

/// One transaction of the port. An error of its own undoes it alone; one of the database ends the group.
fn commit(
    session: &mut dyn Session,
    transaction: &Transaction,
    counters: &mut Counters,
    now: Timestamp,
) -> Result<Result<Changes, CommitError>, SqlError> {
    let before = *counters;
    session.execute(SAVE, &[])?;
    let written = Write::run(session, transaction, counters, now);
    if let Err(error) = &written {
        let kind = if let CommitError::Provider(error) = error { error.kind() } else { ErrorKind::Invalid };
        if !session.is_open() || matches!(kind, ErrorKind::Unavailable | ErrorKind::Full) {
            return Err(SqlError::again(kind, error));
        }
        session.execute(UNDO, &[])?;
        *counters = before;
    }
    session.execute(RELEASE, &[])?;
    Ok(written)
}

/// Errors of the database end the group; the others belong to the job.
fn lasting<T>(answer: Result<T, ProviderError>) -> Result<Result<T, ProviderError>, SqlError> {
    match answer {
        Err(error) if error.is_transient() => Err(wrapped(error)),
        other => Ok(other),
    }
}

fn wrapped(error: ProviderError) -> SqlError {
    SqlError::new(error.kind(), error)
}

fn is_abandoned(job: &Job) -> bool {
    match job {
        Job::Turns(_, reply) => reply.is_closed(),
        Job::Activities(_, reply) => reply.is_closed(),
        // What was handed over is done, whether anybody waits or not.
        Job::Commit(..) | Job::Renew(..) | Job::Revoke(_) => false,
    }
}

fn refuse(job: Job, failure: &Failure) {
    let error = failure.error();
    match job {
        Job::Commit(_, reply) => {
            let error = match failure {
                Failure::Certain(error) => refused(error, COMMIT),
                Failure::Uncertain(error) => {
                    let message = format!("{error}; hand the same transaction over once more");
                    ProviderError::new(ErrorKind::Ambiguous, COMMIT, message)
                }
            };
            drop(reply.send(Err(error.into())));
        }
        Job::Turns(_, reply) => drop(reply.send(Err(refused(error, "fetch turns")))),
        Job::Activities(_, reply) => drop(reply.send(Err(refused(error, "fetch activities")))),
        Job::Renew(_, _, reply) => drop(reply.send(Err(refused(error, "renew")))),
        Job::Revoke(_) => {}
    }
}
