//! A shop works off 2,000 orders: reserve stock, charge the card, pack and print the label side by side; and when no
//! carrier delivers to the address, give the money and the stock back.
//!
//! Stop it, kill it, let it crash (`--crash-after 500`), start it again: it goes on where it was, and the ledger of the
//! bank shows that every card was charged exactly once.

mod ledger;
mod orders;
mod payment;
mod report;
mod saga;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Parser;
use durable_runtime::client::ResultError;
use durable_runtime::prelude::*;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};

use orders::{ORDERS, Order};
use payment::Bank;
use report::{Ended, Report, When};
use saga::process_order;

/// How many orders are under way at once.
const IN_FLIGHT_MAX: usize = 256;

/// Works off the orders of a shop. Stop it whenever you like: started again, it goes on where it was
#[derive(Parser)]
struct Args {
    /// Where the store and the ledger are kept
    #[arg(long, value_name = "DIR", default_value = "target/order_saga")]
    data: PathBuf,
    /// How many orders to work off; all of them, unless given
    #[arg(long, value_name = "N")]
    orders: Option<usize>,
    /// Forget what earlier runs did
    #[arg(long)]
    fresh: bool,
    /// Abort the process, as a crash would, after so many orders
    #[arg(long, value_name = "N")]
    crash_after: Option<usize>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let (store, ledger) = (args.data.join("store"), args.data.join("ledger.jsonl"));
    if args.fresh {
        forget(&store, &ledger)?;
    }
    let mut orders: Vec<Order> = serde_json::from_slice(&fs::read(ORDERS)?)?;
    orders.truncate(args.orders.unwrap_or(usize::MAX));

    let begin = SystemTime::now();
    let runtime = Runtime::builder(SledProvider::open(&store)?).state(Bank::open(&ledger)?).start().await?;
    let client = runtime.client();
    let bar = ProgressBar::new(orders.len() as u64)
        .with_style(ProgressStyle::with_template("{wide_bar} {human_pos} of {human_len} orders, done in {eta}")?);
    let mut report = Report::default();
    let mut endings = stream::iter(orders).map(|order| work_off(&client, order, begin)).buffer_unordered(IN_FLIGHT_MAX);
    while let Some(ended) = endings.try_next().await? {
        report.add(ended);
        bar.inc(1);
        if args.crash_after.is_some_and(|crash_after| report.worked_on() >= crash_after) {
            bar.finish_and_clear();
            eprintln!("crashing after {} orders, as asked; run again to go on", report.worked_on());
            std::process::abort();
        }
    }
    bar.finish_and_clear();
    runtime.shutdown(Duration::from_secs(5)).await;
    report.print(begin.elapsed()?);
    report.check(&ledger::read(&ledger)?)
}

/// Starts an order, or finds the instance that an earlier run started, and waits for its end.
async fn work_off(client: &Client, order: Order, begin: SystemTime) -> Result<Ended, Box<dyn Error>> {
    let order_id = order.id.clone();
    let request = process_order(client, order).id(format!("order-{order_id}")).if_exists(IfExists::UseExisting);
    let handle = request.start().await?;
    let result = match handle.result().await {
        Ok(outcome) => Ok(outcome),
        Err(ResultError::Failed(reason)) => Err(reason),
        Err(trouble) => return Err(trouble.into()),
    };
    let status = handle.status().await?;
    let when = match status.closed_at.map(SystemTime::from) {
        Some(closed_at) if closed_at < begin => When::EarlierRun,
        _ if SystemTime::from(status.started_at) < begin => When::Resumed,
        _ => When::ThisRun,
    };
    Ok(Ended { order_id, result, when })
}

/// Removes what earlier runs kept. The store is opened first: one that another process uses is not removed, nor a
/// folder that is no store.
fn forget(store: &Path, ledger: &Path) -> Result<(), Box<dyn Error>> {
    drop(SledProvider::open(store)?);
    fs::remove_dir_all(store)?;
    if ledger.exists() {
        fs::remove_file(ledger)?;
    }
    Ok(())
}
