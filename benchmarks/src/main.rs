//! Runs a workload on a store and prints one JSON line a result.
//!
//! `durable-bench w2 --store sled` and so on. What the workloads are: `PERFORMANCE.md` of the project.

mod commits;
mod compile;
mod machine;
mod queries;
mod store;
mod work;
mod workloads;

use clap::{Parser, ValueEnum};

use crate::store::{Place, Store};

#[derive(Parser)]
#[command(about = "Runs a workload on a store and prints one JSON line a result")]
struct Arguments {
    /// The workload
    workload: Workload,
    /// Where instances are kept
    #[arg(long, value_enum, default_value_t = Store::Sled)]
    store: Store,
    /// How many: repetitions (w1), orchestrations (w2), activities (w4), instances (w8), committers (p1),
    /// keys (open), commits (space), awaits (compile)
    #[arg(long)]
    count: Option<usize>,
    /// How many are in flight at once (w2)
    #[arg(long, default_value_t = 256)]
    in_flight: usize,
    /// How much memory sled may use for what it has read or written, in MiB
    #[arg(long, default_value_t = 64)]
    cache_mib: u64,
    /// The store to be opened, as `open` does in a process of its own
    #[arg(long, hide = true)]
    at: Option<std::path::PathBuf>,
    /// How often to repeat the whole workload, each on a fresh store
    #[arg(long, default_value_t = 1)]
    runs: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Workload {
    /// One orchestration with one activity, one after another: latency
    W1,
    /// Orchestrations of three activities, many in flight: throughput
    W2,
    /// A chain of activities in one instance: time per activity at 200, 1,000 and 5,000
    W4,
    /// Waiting instances: memory, disk, restart
    W8,
    /// Commits of a turn each, by 1, 8, 64 and 256 at once, without a runtime
    P1,
    /// Opening a store with 1,000,000 keys: time and memory
    Open,
    /// The disk after 1,000,000 commits of which a tenth is left
    Space,
    /// Pages of queries over 100,000 instances
    Query,
    /// What the attributes cost at compile time
    Compile,
    /// All of them but `compile`
    All,
}

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Result {
    let arguments = Arguments::parse();
    for _ in 0..arguments.runs {
        run(&arguments).await?;
    }
    Ok(())
}

async fn run(arguments: &Arguments) -> Result {
    let Arguments { workload, count, in_flight, .. } = *arguments;
    let store = Place { store: arguments.store, cache_mib: arguments.cache_mib };
    if matches!(workload, Workload::Compile) {
        return compile::compile(count.unwrap_or(100), 100);
    }
    let all = matches!(workload, Workload::All);
    if all || matches!(workload, Workload::W1) {
        workloads::latency(store, count.unwrap_or(200)).await?;
    }
    if all || matches!(workload, Workload::W2) {
        workloads::throughput(store, count.unwrap_or(2_000), in_flight).await?;
    }
    if all || matches!(workload, Workload::W4) {
        let lengths = count.map_or_else(|| vec![200, 1_000, 5_000], |count| vec![count]);
        for length in lengths {
            workloads::chain(store, length).await?;
        }
    }
    if all || matches!(workload, Workload::W8) {
        workloads::waiting(store, count.unwrap_or(10_000)).await?;
    }
    if all || matches!(workload, Workload::P1) {
        let committers = count.map_or_else(|| vec![1, 8, 64, 256], |count| vec![count]);
        for committers in committers {
            commits::commits(store, committers).await?;
        }
    }
    if let (Workload::Open, Some(folder)) = (workload, &arguments.at) {
        commits::open_at(store, folder).await?;
    } else if store.persists() && (all || matches!(workload, Workload::Open)) {
        commits::open(store, count.unwrap_or(1_000_000)).await?;
    }
    if store.persists() && (all || matches!(workload, Workload::Space)) {
        commits::space(store, count.unwrap_or(1_000_000)).await?;
    }
    if all || matches!(workload, Workload::Query) {
        queries::queries(store, count.unwrap_or(100_000)).await?;
    }
    Ok(())
}
