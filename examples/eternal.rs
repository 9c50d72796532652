//! A monitor that could run for years: after every ten readings it continues as new, so its history never grows.
//!
//! Readings that come between two generations are kept for the next one. Here it ends after six, to show the sum.

use std::error::Error;

use durable_runtime::ExecutionId;
use durable_runtime::prelude::*;

const GENERATIONS: u64 = 6;
const READINGS_PER_GENERATION: u64 = 10;

#[derive(Event, Serialize, Deserialize)]
struct Reading {
    celsius: f64,
}

/// All that one generation hands to the next.
#[derive(Default, Serialize, Deserialize)]
struct Observed {
    readings: u64,
    hottest: f64,
}

#[orchestration]
async fn watch_boiler(ctx: OrchestrationContext, observed: Observed) -> Observed {
    let Observed { mut readings, mut hottest } = observed;
    for _ in 0..READINGS_PER_GENERATION {
        let reading = ctx.event::<Reading>().await;
        readings += 1;
        hottest = hottest.max(reading.celsius);
    }
    let observed = Observed { readings, hottest };
    if readings >= GENERATIONS * READINGS_PER_GENERATION {
        return observed;
    }
    watch_boiler(&ctx, observed).continue_as_new().await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let runtime = Runtime::builder(SledProvider::open(folder.path())?).start().await?;
    let client = runtime.client();
    let monitor = watch_boiler(&client, Observed::default()).id("boiler").start().await?;
    for reading in 0..GENERATIONS * READINGS_PER_GENERATION {
        let celsius = 60.0 + (reading * 37 % 50) as f64 / 2.0;
        monitor.raise(Reading { celsius }).await?;
    }
    let Observed { readings, hottest } = monitor.result().await?;
    for generation in 1..=GENERATIONS {
        let events = client.history("boiler", ExecutionId(generation)).await?.len();
        println!("generation {generation}: {events} events in its history");
    }
    println!("{readings} readings taken, none lost between generations; hottest {hottest} °C");
    runtime.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
