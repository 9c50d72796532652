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
use std::path::PathBuf;
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
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let (store, ledger) = (args.data.join("store"), args.data.join("ledger.jsonl"));
    if args.fresh {
        forget(fs::remove_dir_all(&store))?;
        forget(fs::remove_file(&ledger))?;
    }
    let mut orders: Vec<Order> = serde_json::from_slice(&fs::read(ORDERS)?)?;
    orders.truncate(args.orders.unwrap_or(usize::MAX));

    let begin = SystemTime::now();
    let runtime = Runtime::builder(SledProvider::open(&store)?).state(Bank::open(&ledger)?).start().await?;
    let client = runtime.client();
    let bar = ProgressBar::new(orders.len() as u64).with_style(ProgressStyle::with_template(
        "{wide_bar} {human_pos} of {human_len} orders, {per_sec}, done in {eta}",
    )?);
    let mut report = Report::default();
    let mut endings = stream::iter(orders).map(|order| work_off(&client, order, begin)).buffer_unordered(IN_FLIGHT_MAX);
    while let Some(ended) = endings.try_next().await? {
        report.add(ended);
        bar.inc(1);
        if args.crash_after.is_some_and(|crash_after| report.worked_on() >= crash_after) {
            bar.abandon();
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

/// What is not there need not be removed.
fn forget(removed: std::io::Result<()>) -> std::io::Result<()> {
    removed.or_else(|error| if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}
