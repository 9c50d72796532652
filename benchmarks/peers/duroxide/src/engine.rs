//! duroxide, as the workloads see it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use durable_workloads::{About, Engine, Job, Note, Result, Workload};
use duroxide::providers::sqlite::SqliteProvider;
use duroxide::runtime::{Runtime, RuntimeOptions};
use duroxide::{Client, OrchestrationStatus};
use serde_json::json;

use crate::work;

/// How long a client waits for a result at most.
const PATIENCE: Duration = Duration::from_secs(600);
/// How many connections its pool has.
const CONNECTIONS: usize = 5;

/// What it is set to.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// How it is run
    #[arg(long, value_enum, default_value_t = Mode::Tuned)]
    mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// As it ships: 2 orchestrations and 2 activities at once, polls every 100 ms; synchronous=NORMAL
    Default,
    /// 4 orchestrations and 4 activities at once, polls every 5 ms; synchronous=NORMAL
    Tuned,
    /// As tuned, with synchronous=FULL: every commit is on disk before it is acknowledged
    Full,
}

impl Mode {
    fn options(self) -> RuntimeOptions {
        let ships = RuntimeOptions::default();
        match self {
            Self::Default => ships,
            Self::Tuned | Self::Full => RuntimeOptions {
                orchestration_concurrency: 4,
                worker_concurrency: 4,
                dispatcher_min_poll_interval: Duration::from_millis(5),
                ..ships
            },
        }
    }

    fn synchronous(self) -> &'static str {
        if self == Self::Full { "FULL" } else { "NORMAL" }
    }
}

pub struct Duroxide {
    runtime: Arc<Runtime>,
    client: Client,
}

impl Engine for Duroxide {
    type Settings = Settings;

    fn about(settings: &Settings) -> About {
        let options = settings.mode.options();
        let durability = match settings.mode {
            Mode::Full => "every commit is flushed",
            Mode::Default | Mode::Tuned => "a commit is flushed some time after it is acknowledged",
        };
        About {
            engine: format!("duroxide {:?}", settings.mode).to_lowercase(),
            version: "0.1.32".to_owned(),
            settings: json!({
                "store": { "name": "sqlite", "synchronous": settings.mode.synchronous(), "durability": durability },
                "orchestrations_at_once": options.orchestration_concurrency,
                "activities_at_once": options.worker_concurrency,
                "poll_ms": u64::try_from(options.dispatcher_min_poll_interval.as_millis()).unwrap_or(u64::MAX),
            }),
        }
    }

    async fn open(settings: &Settings, folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder.join("store"))?;
        let file = folder.join("store/store.db");
        let url = format!("sqlite:{}?mode=rwc", file.to_str().ok_or("a folder that is not text")?);
        let store = Arc::new(SqliteProvider::new(&url, None).await?);
        if settings.mode == Mode::Full {
            flush_every_commit(&store).await?;
        }
        let options = settings.mode.options();
        let (activities, orchestrations) = (work::activities(), work::orchestrations());
        let runtime = Runtime::start_with_options(store.clone(), activities, orchestrations, options).await;
        Ok(Self { runtime, client: Client::new(store) })
    }

    async fn start(&self, id: &str, job: &Job) -> Result {
        Ok(self.client.start_orchestration(id, work::name(job), serde_json::to_string(job)?).await?)
    }

    async fn result(&self, id: &str, _job: &Job) -> Result<Note> {
        match self.client.wait_for_orchestration(id, PATIENCE).await? {
            OrchestrationStatus::Completed { output, .. } => Ok(serde_json::from_str(&output)?),
            other => Err(format!("instance `{id}`: {other:?}").into()),
        }
    }

    async fn raise(&self, id: &str, note: &Note) -> Result {
        Ok(self.client.enqueue_event(id, work::EVENT, serde_json::to_string(note)?).await?)
    }

    async fn close(self) -> Result {
        self.runtime.shutdown(Some(5_000)).await;
        Ok(())
    }

    fn remark(settings: &Settings, workload: Workload) -> Option<String> {
        let durability = (settings.mode != Mode::Full)
            .then_some("synchronous=NORMAL: what it acknowledges may be lost when the machine fails");
        let poll = (workload == Workload::W1).then_some("its client asks for the result again and again");
        let remarks: Vec<&str> = durability.into_iter().chain(poll).collect();
        (!remarks.is_empty()).then(|| remarks.join("; "))
    }
}

/// Sets every connection of the pool to synchronous=FULL: all are taken at once, so none is missed.
async fn flush_every_commit(store: &SqliteProvider) -> Result {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(store.get_pool().acquire().await?);
    }
    for connection in &mut connections {
        sqlx::query("PRAGMA synchronous = FULL").execute(&mut **connection).await?;
        let (mode,): (i64,) = sqlx::query_as("PRAGMA synchronous").fetch_one(&mut **connection).await?;
        if mode != 2 {
            return Err(format!("synchronous is {mode} after it was set to FULL").into());
        }
    }
    Ok(())
}
