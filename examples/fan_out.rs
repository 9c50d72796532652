//! What did we sell, and where? 2,000 orders are counted in 40 parts, four at a time, and the parts are added up.
//!
//! The program stops when ten or so parts are done and starts again: what is done is not counted a second time.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::sync::atomic::{AtomicU32, Ordering};

use durable_runtime::prelude::*;
use indicatif::HumanCount;

#[path = "order_saga/orders.rs"]
mod orders;

use orders::{ORDERS, Order};

const PARTS: usize = 40;
const ORDERS_PER_PART: usize = 50;

/// How many parts were counted. It may become more than there are: an activity whose end was not kept yet when the
/// program stopped runs again.
static COUNTED: AtomicU32 = AtomicU32::new(0);

/// Cents by country.
type Sales = BTreeMap<String, u64>;

#[activity]
fn count_sales(part: usize) -> Result<Sales, String> {
    std::thread::sleep(Duration::from_millis(20)); // the file is small; a real one takes its time
    let file = std::fs::File::open(ORDERS).map_err(|error| format!("{ORDERS}: {error}"))?;
    let mut sales = Sales::new();
    // One order a line, after the line of the bracket.
    for line in BufReader::new(file).lines().skip(1 + part * ORDERS_PER_PART).take(ORDERS_PER_PART) {
        let line = line.map_err(|error| error.to_string())?;
        let order: Order = serde_json::from_str(line.trim_end_matches(',')).map_err(|error| error.to_string())?;
        *sales.entry(order.address.country.clone()).or_default() += order.cents();
    }
    COUNTED.fetch_add(1, Ordering::Relaxed);
    Ok(sales)
}

#[orchestration]
async fn sales_report(ctx: OrchestrationContext, parts: usize) -> Result<Sales, ActivityError<String>> {
    let mut total = Sales::new();
    for sales in try_join_all((0..parts).map(|part| count_sales(&ctx, part))).await? {
        for (country, cents) in sales {
            *total.entry(country).or_default() += cents;
        }
    }
    Ok(total)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let runtime = Runtime::builder(SledProvider::open(folder.path())?).activities_max(4).start().await?;
    sales_report(&runtime.client(), PARTS).id("report").start().await?;
    while COUNTED.load(Ordering::Relaxed) < 10 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    runtime.shutdown(Duration::from_secs(5)).await;
    let before = COUNTED.swap(0, Ordering::Relaxed);

    let runtime = Runtime::builder(SledProvider::open(folder.path())?).activities_max(4).start().await?;
    let sales = runtime.client().handle::<sales_report>("report")?.result().await?;
    runtime.shutdown(Duration::from_secs(5)).await;
    let after = COUNTED.load(Ordering::Relaxed);

    for (country, cents) in &sales {
        println!("{country:<12} {:>9} EUR", HumanCount(cents / 100).to_string());
    }
    println!("{:<12} {:>9} EUR", "in all", HumanCount(sales.values().sum::<u64>() / 100).to_string());
    println!("{before} of {PARTS} parts were counted before the stop, {after} after it");
    Ok(())
}
