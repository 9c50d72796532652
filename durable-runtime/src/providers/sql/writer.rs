//! The one thread of this process that writes. It takes all that waits, runs it in one transaction of the database,
//! each transaction of the port in a savepoint of its own, and answers when the disk has it. In between it looks for
//! what has come due, what other processes have written, and which of them are gone.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::counters::Counters;
use super::engine::Shared;
use super::inbox::{Job, Work};
use super::lease::{self, Aside, Ground};
use super::readers::Connect;
use super::session::{Row, Session, SqlError};
use super::write::Changes;
use crate::clock::Timestamp;
use crate::providers::waiters::Awaited;
use crate::providers::{Durability, ErrorKind, ProviderError};

mod group;

/// How often it looks for what other processes have written while somebody waits: at first, and at last.
const LOOK_FIRST: Duration = Duration::from_millis(2);
const LOOK_LAST: Duration = Duration::from_millis(50);
/// How often it looks for processes that are gone.
const LOOK_FOR_GONE: Duration = Duration::from_millis(250);
/// How long nothing must be asked for before it tidies up.
const TIDY_AFTER: Duration = Duration::from_millis(100);

const OTHERS: &str = "SELECT handle FROM handles WHERE handle <> ?1";
const BURY: &str = "DELETE FROM handles WHERE handle = ?1";

/// What is different in each database about who has it open.
pub(super) trait Dialect: Send + 'static {
    /// This opening.
    fn handle(&self) -> u64;

    /// The disk has this many commits.
    fn kept(&mut self, commits: u64);

    /// Whether another opening has ended, whatever it has left behind.
    fn is_gone(&mut self, handle: u64) -> bool;

    /// What another opening had in hand has been given back; nobody needs to know of it any more.
    fn buried(&mut self, handle: u64);
}

/// See the module.
pub(super) struct Writer {
    shared: Arc<Shared>,
    session: Box<dyn Session>,
    dialect: Box<dyn Dialect>,
    connect: Arc<Connect>,
    durability: Durability,
    aside: Aside,
    /// What others had written when it looked last.
    version: u64,
    pause: Duration,
    looked_for_gone: Instant,
    /// Whoever waited for something that came due until then was woken.
    woken_until: Timestamp,
    /// What comes due next after that; `None` if it has to be looked up.
    next_change: Option<Timestamp>,
    untidy: bool,
    /// Whether only what takes away is kept at present.
    full: bool,
    /// How many jobs the last group had.
    company: usize,
    /// Since when something is kept that is not synced; only without [`Durability::Immediate`].
    unsynced: Option<(Timestamp, u64)>,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        session: Box<dyn Session>,
        dialect: Box<dyn Dialect>,
        connect: Arc<Connect>,
        durability: Durability,
    ) -> Self {
        let woken_until = shared.clock.now();
        Self {
            shared,
            session,
            dialect,
            connect,
            durability,
            aside: Aside::default(),
            version: 0,
            pause: LOOK_FIRST,
            looked_for_gone: Instant::now(),
            woken_until,
            next_change: None,
            untidy: true,
            full: false,
            company: 0,
            unsynced: None,
        }
    }

    /// Runs until the store is closed, and lets go of it then.
    pub(super) fn run(mut self, reading: Vec<JoinHandle<()>>) {
        let shared = self.shared.clone();
        loop {
            let Work { jobs, closing } = shared.inbox.wait(self.patience(), self.company / 2);
            let idle = jobs.is_empty();
            self.company = jobs.len();
            if !idle {
                self.run_all(jobs);
            }
            self.sync_if_due(closing);
            if closing {
                break;
            }
            if let Err(error) = self.look_around() {
                tracing::warn!(%error, "the store cannot be looked at");
                self.reconnect();
            }
            if idle && self.untidy {
                self.tidy();
            }
        }
        shared.readers.close();
        for thread in reading {
            // It has caught its own panics and said so.
            let _ended = thread.join();
        }
        self.leave();
    }

    /// How long there is nothing to do unless somebody asks; `None` for ever.
    fn patience(&mut self) -> Option<Duration> {
        let now = self.shared.clock.now();
        let sync = self.unsynced.zip(self.sync_every()).map(|((begin, _), every)| begin.saturating_add(every));
        let tidy = self.untidy.then_some(TIDY_AFTER);
        let until = |due: Timestamp| due.saturating_since(now);
        let Some(deadline) = self.shared.waiters.next_deadline(Timestamp::EPOCH) else {
            return sync.map(until).into_iter().chain(tidy).min();
        };
        let due = self.next_change.into_iter().chain(sync).chain([deadline]).map(until);
        due.chain(tidy).chain([self.pause]).min()
    }

    /// What has come due, and what others have done, for whoever waits.
    fn look_around(&mut self) -> Result<(), SqlError> {
        if self.shared.waiters.next_deadline(Timestamp::EPOCH).is_none() {
            // Nobody waits; whoever begins to looks first.
            return Ok(());
        }
        let version = self.session.version()?;
        if version == self.version {
            self.pause = (self.pause * 2).min(LOOK_LAST);
        } else {
            (self.version, self.pause, self.next_change) = (version, LOOK_FIRST, None);
            self.shared.waiters.wake_all();
        }
        if self.looked_for_gone.elapsed() >= LOOK_FOR_GONE {
            self.looked_for_gone = Instant::now();
            self.bury_the_gone()?;
        }
        self.wake_due()
    }

    fn wake_due(&mut self) -> Result<(), SqlError> {
        let now = self.shared.clock.now();
        if now < self.woken_until {
            // The clock was set back.
            (self.woken_until, self.next_change) = (now, None);
        }
        if self.next_change.is_none() {
            self.next_change = self.look_ahead()?;
        }
        if self.next_change.is_some_and(|due| due <= now) {
            self.shared.wake_fetchers(true, true);
            self.woken_until = now;
            self.next_change = self.look_ahead()?;
        }
        self.woken_until = now;
        self.shared.waiters.wake_due(now);
        Ok(())
    }

    fn look_ahead(&mut self) -> Result<Option<Timestamp>, SqlError> {
        let next = lease::next_change(&mut *self.session, self.woken_until);
        // Nothing at all is also something that is known.
        Ok(Some(next.map_err(|error| SqlError::new(error.kind(), error))?.unwrap_or(Timestamp::MAX)))
    }

    /// Gives back what processes had in hand that are gone.
    fn bury_the_gone(&mut self) -> Result<(), SqlError> {
        let mut others = others(&mut *self.session, self.dialect.handle())?;
        others.retain(|handle| self.dialect.is_gone(*handle));
        if others.is_empty() {
            return Ok(());
        }
        self.session.begin_write(false)?;
        let buried = others.iter().try_for_each(|handle| bury(&mut *self.session, *handle));
        if let Err(error) = buried.and_then(|()| self.session.commit()) {
            self.session.roll_back();
            return Err(error);
        }
        others.into_iter().for_each(|handle| self.dialect.buried(handle));
        self.next_change = None;
        self.shared.wake_fetchers(true, true);
        Ok(())
    }

    fn tidy(&mut self) {
        match self.session.tidy() {
            Ok(more) => self.untidy = more,
            Err(error) => {
                tracing::warn!(%error, "the store cannot be tidied up");
                self.untidy = false;
            }
        }
    }

    /// Without [`Durability::Immediate`]: how long something may be kept and not be on disk.
    fn sync_every(&self) -> Option<Duration> {
        match self.durability {
            Durability::Interval(interval) => Some(interval),
            Durability::Immediate | Durability::None => None,
        }
    }

    fn sync_if_due(&mut self, closing: bool) {
        let Some((begin, commits)) = self.unsynced else { return };
        let now = self.shared.clock.now();
        let due = self.sync_every().is_some_and(|every| now < begin || now >= begin.saturating_add(every));
        if !due && !closing {
            return;
        }
        self.unsynced = None;
        let session = &mut *self.session;
        let rewrite = |session: &mut dyn Session| Counters::read(session)?.write(session);
        let synced = session.begin_write(true).and_then(|()| rewrite(session)).and_then(|()| session.commit());
        match synced {
            Ok(()) => self.dialect.kept(commits),
            Err(error) => {
                tracing::error!(%error, "what was answered already may not be on disk");
                self.reconnect();
            }
        }
    }

    /// An error may have left the connection in any state: begin again with a fresh one.
    fn reconnect(&mut self) {
        self.session.roll_back();
        match (self.connect)() {
            Ok(session) => self.session = session,
            Err(error) => tracing::error!(%error, "the store could not be opened again"),
        }
        self.next_change = None;
        self.shared.waiters.wake_all();
    }

    fn leave(mut self) {
        let own = self.dialect.handle();
        let session = &mut *self.session;
        let left = session.begin_write(false).and_then(|()| bury(session, own)).and_then(|()| session.commit());
        match left {
            Ok(()) => self.dialect.buried(own),
            Err(error) => tracing::warn!(%error, "the store could not be left in order"),
        }
    }

    /// Brings what waits in step with what was just kept.
    fn settle(&mut self, changes: Changes) {
        self.next_change = None;
        self.untidy = true;
        changes.wiped.iter().for_each(|instance| self.aside.forgive(instance));
        self.shared.wake_fetchers(changes.turns, changes.activities);
        for instance in changes.records {
            self.shared.waiters.wake(&Awaited::Change(instance));
        }
    }

    fn ground<'a>(&'a mut self, counters: &'a mut Counters, now: Timestamp) -> (&'a mut dyn Session, Ground<'a>) {
        let handle = self.dialect.handle();
        (&mut *self.session, Ground { counters, now, handle, aside: &mut self.aside })
    }
}

/// All openings but this one.
pub(super) fn others(session: &mut dyn Session, own: u64) -> Result<Vec<u64>, SqlError> {
    let mut others = Vec::new();
    session.query(OTHERS, &[own.into()], &mut |row: &dyn Row| {
        others.push(row.number(0)?);
        Ok(())
    })?;
    Ok(others)
}

pub(super) fn bury(session: &mut dyn Session, handle: u64) -> Result<(), SqlError> {
    lease::end_handle(session, handle).map_err(|error| SqlError::new(error.kind(), error))?;
    session.execute(BURY, &[handle.into()]).map(drop)
}

fn refused(error: &SqlError, operation: &'static str) -> ProviderError {
    let kind = if error.kind == ErrorKind::Ambiguous { ErrorKind::Unavailable } else { error.kind };
    ProviderError::new(kind, operation, error)
}
