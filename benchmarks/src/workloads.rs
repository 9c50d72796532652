//! The workloads, one function each.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use durable_runtime::providers::Provider;
use durable_runtime::{Client, Limits, Runtime};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use tempfile::TempDir;

use crate::Result;
use crate::machine::{RawFlushes, disk_bytes, millis, percentile, processor_time, report, resident_bytes};
use crate::store::Place;
use crate::work::{Go, Note, chain as chain_of, one_step, three_steps, waiting as waiting_for};

/// How long a shutdown waits.
const DEADLINE: Duration = Duration::from_secs(10);

/// W1: one orchestration with one activity, one after another; from the start call to the result in hand.
pub(crate) async fn latency(store: Place, count: usize) -> Result {
    let folder = TempDir::new()?;
    let raw = RawFlushes::before(folder.path())?;
    let runtime = Runtime::builder(store.open(folder.path())?).start().await?;
    let client = runtime.client();
    let mut durations = Vec::with_capacity(count);
    for number in 0..count {
        let start = Instant::now();
        one_step(&client, Note::new(number as u64)).start().await?.result().await?;
        durations.push(start.elapsed());
    }
    runtime.shutdown(DEADLINE).await;
    let raw = raw.after()?;
    let p50 = percentile(&mut durations, 0.5);
    let figures = json!({
        "p50_ms": millis(p50),
        "p99_ms": millis(percentile(&mut durations, 0.99)),
        "p50_in_raw_flushes": p50.as_secs_f64() / raw.as_secs_f64(),
    });
    report("W1", store, json!({ "count": count }), raw, figures);
    Ok(())
}

/// W2: orchestrations of three activities, so many in flight.
pub(crate) async fn throughput(store: Place, count: usize, in_flight: usize) -> Result {
    let folder = TempDir::new()?;
    let raw = RawFlushes::before(folder.path())?;
    let runtime = Runtime::builder(store.open(folder.path())?).start().await?;
    let client = runtime.client();
    let (start, before) = (Instant::now(), processor_time()?);
    stream::iter((0..count).map(|number| {
        let client = client.clone();
        async move {
            let note = Note::new(number as u64);
            let result = three_steps(&client, note.clone()).start().await?.result().await?;
            if result == note { Ok(()) } else { Err("an activity changed its input".into()) }
        }
    }))
    .buffer_unordered(in_flight)
    .try_collect::<Vec<()>>()
    .await
    .map_err(|error: Box<dyn std::error::Error>| error)?;
    let (elapsed, processor) = (start.elapsed(), processor_time()?.saturating_sub(before));
    runtime.shutdown(DEADLINE).await;
    let raw = raw.after()?;
    let figures = json!({
        "orchestrations_per_s": count as f64 / elapsed.as_secs_f64(),
        "activities_per_s": 3.0 * count as f64 / elapsed.as_secs_f64(),
        "cpu_ms_per_orchestration": millis(processor) / count as f64,
        "disk_bytes_per_instance": store_bytes(store, folder.path())? / count as u64,
    });
    report("W2", store, json!({ "count": count, "in_flight": in_flight }), raw, figures);
    Ok(())
}

/// W4: a chain of activities in one instance.
pub(crate) async fn chain(store: Place, length: usize) -> Result {
    let folder = TempDir::new()?;
    let raw = RawFlushes::before(folder.path())?;
    let mut limits = Limits::default();
    limits.history_events_max = limits.history_events_max.max(3 * length as u64);
    let runtime = Runtime::builder(store.open(folder.path())?).limits(limits).start().await?;
    let (start, before) = (Instant::now(), processor_time()?);
    chain_of(&runtime.client(), length, Note::new(0)).start().await?.result().await?;
    let (elapsed, processor) = (start.elapsed(), processor_time()?.saturating_sub(before));
    runtime.shutdown(DEADLINE).await;
    let raw = raw.after()?;
    let each = elapsed / u32::try_from(length)?;
    let figures = json!({
        "ms_per_activity": millis(each),
        "in_raw_flushes": each.as_secs_f64() / raw.as_secs_f64(),
        "cpu_ms_per_activity": millis(processor) / length as f64,
    });
    report("W4", store, json!({ "length": length }), raw, figures);
    Ok(())
}

/// W8: instances that wait for an event: memory of each, cached and not, disk of each, and how soon one can go on after
/// a restart.
pub(crate) async fn waiting(store: Place, count: usize) -> Result {
    let folder = TempDir::new()?;
    let raw = RawFlushes::before(folder.path())?;
    let opened = store.open(folder.path())?;
    // In this order: what the second leaves behind would serve the first, and hide what it needs.
    let evicted = fill(&opened, count, "evicted", 1).await?;
    let cached = fill(&opened, count, "cached", count).await?;
    opened.close().await;
    drop(opened);
    let disk = store_bytes(store, folder.path())? / (4 * count as u64);
    let restart = if store.persists() { Some(restart(store, folder.path()).await?) } else { None };
    let raw = raw.after()?;
    let figures = json!({
        "resident_bytes_each_cached": cached,
        "resident_bytes_each_evicted": evicted,
        "disk_bytes_each": disk,
        "open_ms": restart.map(|(open, _)| millis(open)),
        "restart_to_first_progress_ms": restart.map(|(_, first)| millis(first)),
    });
    report("W8", store, json!({ "count": count }), raw, figures);
    Ok(())
}

/// Starts so many instances that wait, twice; answers how much memory each of the second has added: the first fill
/// caches and buffers that have a bound.
async fn fill(store: &Arc<dyn Provider>, count: usize, prefix: &str, live_max: usize) -> Result<u64> {
    let runtime = Runtime::builder(Arc::clone(store)).keep_store_open().live_executions_max(live_max).start().await?;
    let client = runtime.client();
    start_waiting(&client, 0..count, &format!("{prefix}-first")).await?;
    let before = resident_bytes()?;
    start_waiting(&client, 0..count, prefix).await?;
    let after = resident_bytes()?;
    runtime.shutdown(DEADLINE).await;
    Ok(after.saturating_sub(before) / count as u64)
}

async fn start_waiting(client: &Client, numbers: std::ops::Range<usize>, prefix: &str) -> Result {
    stream::iter(numbers.map(|number| {
        let start = waiting_for(client, Note::new(number as u64)).id(format!("{prefix}-{number}"));
        async move { start.start().await.map(drop) }
    }))
    .buffer_unordered(256)
    .try_collect::<Vec<()>>()
    .await?;
    Ok(())
}

/// From the call that opens the store: until it is open, and until one instance has ended.
async fn restart(store: Place, folder: &Path) -> Result<(Duration, Duration)> {
    let start = Instant::now();
    let opened = store.open(folder)?;
    let open = start.elapsed();
    let runtime = Runtime::builder(opened).start().await?;
    let handle = runtime.client().handle::<waiting_for>("evicted-0")?;
    handle.raise(Go { note: Note::new(0) }).await?;
    handle.result().await?;
    let first = start.elapsed();
    runtime.shutdown(DEADLINE).await;
    Ok((open, first))
}

fn store_bytes(store: Place, folder: &Path) -> Result<u64> {
    if store.persists() { disk_bytes(&folder.join("store")) } else { Ok(0) }
}
