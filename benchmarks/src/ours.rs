//! The engine of this project, as the workloads see it.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use durable_runtime::history::EventKind;
use durable_runtime::{Client, Limits, Runtime};
use durable_workloads::{About, Engine, Job, Note, Result};
use serde_json::json;

use crate::store::Place;
use crate::work::{Go, Stamps, fan_out, generations, sleep, steps, waiting};

/// How long a shutdown waits.
const DEADLINE: Duration = Duration::from_secs(10);

/// What it is set to.
#[derive(Debug, Clone, Args)]
pub(crate) struct Settings {
    #[command(flatten)]
    pub(crate) place: Place,
    /// How many executions stay in memory between turns: as the runtime has it, unless something else is said
    #[arg(skip)]
    pub(crate) live_executions: Option<usize>,
    /// How long a history may become
    #[arg(skip)]
    pub(crate) events: u64,
    /// Where activities say when they ran
    #[arg(skip)]
    pub(crate) stamps: Stamps,
}

impl Settings {
    pub(crate) fn of(place: Place) -> Self {
        Self { place, live_executions: None, events: 0, stamps: Stamps::default() }
    }
}

pub(crate) struct Ours {
    runtime: Runtime,
    client: Client,
}

impl Ours {
    /// The client of its runtime.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }
}

impl Engine for Ours {
    type Settings = Settings;

    fn about(settings: &Settings) -> About {
        About {
            engine: format!("durable-runtime {:?}", settings.place.provider).to_lowercase(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            settings: json!({
                "store": settings.place.describe(),
                "shards": std::thread::available_parallelism().map_or(1, usize::from).min(8),
                "activities_at_once": 256,
            }),
        }
    }

    async fn open(settings: &Settings, folder: &Path) -> Result<Self> {
        let mut limits = Limits::default();
        limits.history_events_max = limits.history_events_max.max(settings.events);
        let mut builder = Runtime::builder(settings.place.open(folder)?).limits(limits).state(settings.stamps.clone());
        if let Some(most) = settings.live_executions {
            builder = builder.live_executions_max(most);
        }
        let runtime = builder.start().await?;
        let client = runtime.client();
        Ok(Self { runtime, client })
    }

    async fn start(&self, id: &str, job: &Job) -> Result {
        let client = &self.client;
        match job.clone() {
            Job::Steps { count, note } => drop(steps(client, count, note).id(id).start().await?),
            Job::FanOut { count, note } => drop(fan_out(client, count, note).id(id).start().await?),
            Job::Sleep { millis, note } => drop(sleep(client, millis, note).id(id).start().await?),
            Job::Wait { note } => drop(waiting(client, note).id(id).start().await?),
            Job::Generations { count, note } => drop(generations(client, count, note).id(id).start().await?),
        }
        Ok(())
    }

    async fn result(&self, id: &str, job: &Job) -> Result<Note> {
        Ok(match job {
            Job::Steps { .. } => self.client.handle::<steps>(id)?.result().await?,
            Job::FanOut { .. } => self.client.handle::<fan_out>(id)?.result().await?,
            Job::Sleep { .. } => self.client.handle::<sleep>(id)?.result().await?,
            Job::Wait { .. } => self.client.handle::<waiting>(id)?.result().await?,
            Job::Generations { .. } => self.client.handle::<generations>(id)?.result().await?,
        })
    }

    async fn raise(&self, id: &str, note: &Note) -> Result {
        Ok(self.client.handle::<waiting>(id)?.raise(Go { note: note.clone() }).await?)
    }

    async fn completions(&self, id: &str) -> Result<Option<u64>> {
        let history = self.client.handle::<steps>(id)?.history().await?;
        let ends = history.iter().filter(|event| matches!(event.kind, EventKind::Completed { .. }));
        Ok(Some(ends.count() as u64))
    }

    async fn close(self) -> Result {
        self.runtime.shutdown(DEADLINE).await;
        Ok(())
    }

    fn persists(settings: &Settings) -> bool {
        settings.place.persists()
    }

    fn for_events(settings: &Settings, events: u64) -> Settings {
        Settings { events, ..settings.clone() }
    }

    fn live_executions(settings: &Settings, most: usize) -> Option<Settings> {
        Some(Settings { live_executions: Some(most), ..settings.clone() })
    }
}
