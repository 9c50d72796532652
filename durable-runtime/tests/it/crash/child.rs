//! The process that is killed: clients that start, raise and write down what was acknowledged.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use durable_runtime::prelude::*;
use durable_runtime::{Limits, Provider};

use super::ledger;
use super::orchestrations::{
    crash_chain, crash_collects, crash_generations, crash_join, crash_pair, crash_parent, crash_timers,
};
use super::stores::Store;

/// Where the child works; a process without it is no child.
const FOLDER: &str = "DURABLE_CRASH_FOLDER";
const STORE: &str = "DURABLE_CRASH_STORE";
const ROUND: &str = "DURABLE_CRASH_ROUND";
const LIVE_MAX: &str = "DURABLE_CRASH_LIVE_MAX";
/// The number of its first client, where several children work on one store.
const FIRST_CLIENT: &str = "DURABLE_CRASH_FIRST_CLIENT";
pub(super) const CLIENTS: u64 = 4;

/// Starts a child: this very program, told to run one test.
pub(super) fn spawn(store: Store, folder: &Path, round: u64, live_max: usize, first_client: u64) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["crash::child::works_until_it_is_killed", "--exact", "--nocapture"]);
    command
        .env(STORE, store.name())
        .env(FOLDER, folder)
        .env(ROUND, round.to_string())
        .env(LIVE_MAX, live_max.to_string())
        .env(FIRST_CLIENT, first_client.to_string());
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn works_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let number = |name| std::env::var(name).unwrap().parse::<u64>().unwrap();
    let store = Store::named(&std::env::var(STORE).unwrap());
    ledger::open(&folder);
    tokio::runtime::Runtime::new().unwrap().block_on(work(
        store.open_to_work(&folder),
        number(ROUND),
        number(LIVE_MAX) as usize,
        number(FIRST_CLIENT),
    ));
}

/// Whoever is killed hundreds of times by chance is not to blame: on a busy machine the same turn may be the one that is cut
/// off, ten times in a row and once more.
pub(super) fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.deliveries_max = u32::MAX;
    limits
}

async fn work(store: Arc<dyn Provider>, round: u64, live_max: usize, first_client: u64) {
    let builder = Runtime::builder(store.clone()).limits(limits()).shards(2).live_executions_max(live_max);
    let runtime = builder.start().await.unwrap();
    let clients = (first_client..first_client + CLIENTS).map(|client| {
        // The last one only has the store.
        let of = if client + 1 == first_client + CLIENTS { Client::new(store.clone()) } else { runtime.client() };
        tokio::spawn(work_of_client(of, round, client))
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
}

async fn work_of_client(client: Client, round: u64, number: u64) {
    let long = format!("long-{number}");
    crash_collects(&client, 0).id(&long).if_exists(IfExists::UseExisting).start().await.unwrap();
    ledger::started(&long);
    for turn in 0_u64.. {
        let id = format!("r{round}-c{number}-{turn}");
        start(&client, turn % 6, &id).await;
        ledger::started(&id);
        // Each number is raised once, and by one sender only larger ones follow.
        let first = round * 1_000_000 + turn * 10 + 1;
        let to_pair = turn % 6 == 5;
        for (receiver, number) in [(&long, first), (&long, first + 1), (&id, first + 2), (&id, first + 3)] {
            if receiver == &long || to_pair {
                client.raise(receiver, "number", &number).await.unwrap();
                ledger::raised(receiver, number);
            }
        }
    }
}

async fn start(client: &Client, kind: u64, id: &str) {
    match kind {
        0 => drop(crash_chain(client).id(id).start().await.unwrap()),
        1 => drop(crash_join(client).id(id).start().await.unwrap()),
        2 => drop(crash_timers(client).id(id).start().await.unwrap()),
        3 => drop(crash_generations(client, 4).id(id).start().await.unwrap()),
        4 => drop(crash_parent(client).id(id).start().await.unwrap()),
        _ => drop(crash_pair(client).id(id).start().await.unwrap()),
    }
}
