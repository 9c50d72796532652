//! Restate, as the workloads see it.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use clap::Args;
use durable_workloads::{About, Engine, Job, Note, Result, Workload};
use restate_sdk::ingress::ReqwestClient;
use restate_sdk::prelude::{Endpoint, HttpServer, Json};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::handlers::{LAST_GENERATION, Runner, RunnerIngressClient, Waiter, WaiterIngressClient};
use crate::server::{Ports, Server};

/// What it is set to: as it ships.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// The program of the server
    #[arg(long)]
    server: PathBuf,
}

pub struct Restate {
    server: Server,
    handlers: JoinHandle<()>,
    client: ReqwestClient,
}

impl Engine for Restate {
    type Settings = Settings;

    fn about(_: &Settings) -> About {
        About {
            engine: "restate".to_owned(),
            version: "1.7.12, SDK 0.13.0".to_owned(),
            settings: json!({
                "store": { "name": "one node, RocksDB", "rocksdb-disable-wal-fsync": false, "durability": "flushed" },
                "invocations_at_once": 1_000,
                "partitions": 24,
            }),
        }
    }

    async fn open(settings: &Settings, folder: &Path) -> Result<Self> {
        let ports = Ports::of(folder)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.handlers)).await?;
        let endpoint = Endpoint::builder().bind(Runner).bind(Waiter).build();
        let handlers = tokio::spawn(HttpServer::new(endpoint).serve(listener));
        let server = Server::start(&settings.server, folder, ports).await?;
        server.register(ports).await?;
        let client = ReqwestClient::connect(format!("http://127.0.0.1:{}", ports.ingress).parse()?)?;
        Ok(Self { server, handlers, client })
    }

    async fn start(&self, id: &str, job: &Job) -> Result {
        match job {
            Job::Wait { note } => drop(self.waiter(id).run(Json(note.clone())).send().await?),
            _ => drop(self.runner().run(Json(job.clone())).idempotency_key(id).send().await?),
        }
        Ok(())
    }

    async fn result(&self, id: &str, job: &Job) -> Result<Note> {
        match job {
            Job::Wait { .. } => Ok(self.waiter(id).handle().await?.attach().await?.into_body().into_inner()),
            // The same key: this is the call that was begun, not a new one.
            _ => {
                let call = self.runner().run(Json(job.clone())).idempotency_key(id).call().await?;
                Ok(call.into_body()?.into_inner())
            }
        }
    }

    /// One call, without a key: its fastest way. Who begins it cannot ask for it again.

    async fn run(&self, id: &str, job: &Job) -> Result<Note> {
        if let Job::Generations { note, .. } = job {
            self.start(id, job).await?;
            LAST_GENERATION.notified().await;
            return Ok(note.clone());
        }
        Ok(self.runner().run(Json(job.clone())).call().await?.into_body()?.into_inner())
    }

    async fn raise(&self, id: &str, note: &Note) -> Result {
        self.waiter(id).go(Json(note.clone())).call().await?.into_body()?;
        Ok(())
    }

    fn processes(&self) -> Vec<u32> {
        self.server.process().into_iter().collect()
    }

    async fn close(self) -> Result {
        self.server.stop().await?;
        self.handlers.abort();
        Ok(())
    }

    fn remark(_: &Settings, workload: Workload) -> Option<String> {
        let remark = match workload {
            Workload::W1 | Workload::W2 | Workload::W4 => {
                "one call without a key, its fastest way; with us, each start has an id"
            }
            Workload::W6 | Workload::W8 => "the event is a durable promise of a workflow, resolved by a handler of it",
            Workload::W3 => {
                "one call without a key; each activity is a call of a handler: its SDK cannot join steps that run inside one"
            }
            Workload::W7 => "it has no continue-as-new; each invocation sends the next one",
            _ => return None,
        };
        Some(remark.to_owned())
    }
}

impl Restate {
    fn runner(&self) -> RunnerIngressClient<ReqwestExecutor> {
        RunnerIngressClient::from_client(self.client.clone())
    }

    fn waiter(&self, id: &str) -> WaiterIngressClient<ReqwestExecutor> {
        WaiterIngressClient::from_client(self.client.clone(), id)
    }
}

type ReqwestExecutor = reqwest::Client;
