//! What the disk can do at most: the bytes of a turn, written for all that wait at once and synced, by nothing but a
//! file, or nothing but sled.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use durable_workloads::Result;
use tokio::sync::{mpsc, oneshot};

use super::EVENT_BYTES;
use super::rounds::{self, Measured};

/// The keys that a turn writes, and how long their values are: its events, the message, the record of the instance.
const PUT: [(&str, usize); 3] = [("history", 3 * EVENT_BYTES), ("message", EVENT_BYTES), ("instance", EVENT_BYTES)];

/// One turn of one committer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    committer: usize,
    number: u64,
}

impl Turn {
    /// Keys with their values; what has none is removed.
    fn keys(self) -> impl Iterator<Item = (String, Option<Vec<u8>>)> {
        let Self { committer, number } = self;
        let put = PUT.into_iter().map(move |(what, bytes)| {
            let number = if what == "instance" { 0 } else { number };
            (format!("{what} {committer:08} {number:012}"), Some(vec![b'e'; bytes]))
        });
        let taken = number.checked_sub(1).map(|number| (format!("message {committer:08} {number:012}"), None));
        put.chain(taken)
    }
}

/// Keeps turns.
pub(super) trait Keep: Send + 'static {
    /// All of them are on disk when it returns.
    fn keep(&mut self, turns: &[Turn]) -> Result;
}

/// One thread that keeps all that wait, answers them, and begins anew.
pub(super) struct Bare(mpsc::UnboundedSender<(Turn, oneshot::Sender<bool>)>);

impl Bare {
    pub(super) fn start(mut to: impl Keep) -> Arc<Self> {
        let (sender, mut waiting) = mpsc::unbounded_channel::<(Turn, oneshot::Sender<bool>)>();
        std::thread::spawn(move || {
            while let Some(first) = waiting.blocking_recv() {
                let mut group = vec![first];
                while let Ok(next) = waiting.try_recv() {
                    group.push(next);
                }
                let turns: Vec<_> = group.iter().map(|(turn, _)| *turn).collect();
                let kept = to.keep(&turns).is_ok();
                for (_, answer) in group {
                    let _gone = answer.send(kept);
                }
            }
        });
        Arc::new(Self(sender))
    }

    async fn keep(&self, turn: Turn) -> Result {
        let (answer, kept) = oneshot::channel();
        self.0.send((turn, answer))?;
        if kept.await? { Ok(()) } else { Err("the disk has failed".into()) }
    }
}

/// As many committers as write to a store.
pub(super) async fn measure(bare: &Arc<Bare>, committers: usize, lasting: Duration) -> Result<Measured> {
    rounds::run(committers, lasting, |committer, until| {
        let bare = Arc::clone(bare);
        async move {
            let mut durations = Vec::new();
            for number in 0.. {
                let begin = Instant::now();
                if begin >= until {
                    break;
                }
                bare.keep(Turn { committer, number }).await?;
                durations.push(begin.elapsed());
            }
            Ok(durations)
        }
    })
    .await
}

/// A file that grows.
pub(super) struct RawFile(File);

impl RawFile {
    pub(super) fn create(path: &Path) -> Result<Self> {
        Ok(Self(File::create(path)?))
    }
}

impl Keep for RawFile {
    fn keep(&mut self, turns: &[Turn]) -> Result {
        let mut bytes = Vec::new();
        for (key, value) in turns.iter().flat_map(|turn| turn.keys()) {
            bytes.extend(key.into_bytes());
            bytes.extend(value.unwrap_or_default());
        }
        self.0.write_all(&bytes)?;
        Ok(self.0.sync_data()?)
    }
}

/// sled alone: one batch on one tree, its flush, and a sync of its file, since its flush is none.
pub(super) struct BareSled {
    db: sled::Db,
    file: File,
}

impl BareSled {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let db = sled::Config::new().path(path).flush_every_ms(None).cache_capacity(64 << 20).open()?;
        let file = File::options().read(true).write(true).open(path.join("db"))?;
        Ok(Self { db, file })
    }
}

impl Keep for BareSled {
    fn keep(&mut self, turns: &[Turn]) -> Result {
        let mut batch = sled::Batch::default();
        for (key, value) in turns.iter().flat_map(|turn| turn.keys()) {
            match value {
                Some(value) => batch.insert(key.as_bytes(), value),
                None => batch.remove(key.as_bytes()),
            }
        }
        self.db.apply_batch(batch)?;
        self.db.flush()?;
        Ok(self.file.sync_data()?)
    }
}
