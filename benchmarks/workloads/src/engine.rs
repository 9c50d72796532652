//! What an engine must be able to do to be measured.

use std::fmt::Debug;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Result;
use crate::note::Note;
use crate::program::Workload;

/// What an instance does. Each engine has one orchestration (workflow, handler) for each.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Job {
    /// So many activities, one after another.
    Steps {
        /// How many.
        count: usize,
        /// What they return.
        note: Note,
    },
    /// So many activities at once, then waits for all.
    FanOut {
        /// How many.
        count: usize,
        /// What they return.
        note: Note,
    },
    /// Sleeps.
    Sleep {
        /// How long.
        millis: u64,
        /// What it returns.
        note: Note,
    },
    /// Waits for an event, and returns what it says.
    Wait {
        /// What it is started with.
        note: Note,
    },
    /// Continues as new so often.
    Generations {
        /// How often.
        count: usize,
        /// What it returns.
        note: Note,
    },
}

/// What an engine says of itself: printed with each result.
#[derive(Debug, Clone)]
pub struct About {
    /// Its name.
    pub engine: String,
    /// Its version.
    pub version: String,
    /// Concurrency and durability, as they are set.
    pub settings: Value,
}

/// An engine that is running on a store.
#[expect(async_fn_in_trait, reason = "the workloads drive an engine from one task")]
pub trait Engine: Sized + 'static {
    /// What can be set on the command line.
    type Settings: clap::Args + Clone + Debug;

    /// What it says of itself.
    fn about(settings: &Self::Settings) -> About;

    /// Starts it on the store in this folder, which it makes if there is none. All it keeps is in `folder/store`.
    async fn open(settings: &Self::Settings, folder: &Path) -> Result<Self>;

    /// Starts an instance. When this returns, the engine answers for it.
    async fn start(&self, id: &str, job: &Job) -> Result;

    /// Waits for the end of an instance.
    async fn result(&self, id: &str, job: &Job) -> Result<Note>;

    /// Starts an instance and waits for its end, in the way that is the fastest here.
    async fn run(&self, id: &str, job: &Job) -> Result<Note> {
        self.start(id, job).await?;
        self.result(id, job).await
    }

    /// Raises the event that an instance waits for ([`Job::Wait`]). When this returns, the engine answers for it.
    async fn raise(&self, id: &str, note: &Note) -> Result;

    /// How often an instance has ended, if that can be told: it must be once.
    async fn completions(&self, id: &str) -> Result<Option<u64>> {
        let _ = id;
        Ok(None)
    }

    /// The processes that belong to it beside this one.
    fn processes(&self) -> Vec<u32> {
        Vec::new()
    }

    /// Stops it.
    async fn close(self) -> Result;

    /// Whether acknowledged steps outlive it.
    fn persists(_settings: &Self::Settings) -> bool {
        true
    }

    /// Why it cannot do a workload, if it cannot.
    fn cannot(_settings: &Self::Settings, _workload: Workload) -> Option<String> {
        None
    }

    /// What is to be said beside a result.
    fn remark(_settings: &Self::Settings, _workload: Workload) -> Option<String> {
        None
    }

    /// The same settings, for instances of so many events.
    #[must_use]
    fn for_events(settings: &Self::Settings, _events: u64) -> Self::Settings {
        settings.clone()
    }

    /// The same settings with at most so many executions in memory between turns, if that can be set.
    fn live_executions(_settings: &Self::Settings, _most: usize) -> Option<Self::Settings> {
        None
    }
}
