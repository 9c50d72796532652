//! Pages of queries over very many instances.

use std::time::{Duration, Instant};

use durable_runtime::Client;
use durable_runtime::management::Query;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use tempfile::TempDir;

use crate::ours::{Ours, Settings};
use crate::print;
use crate::store::Place;
use durable_workloads::{Engine as _, Figures, Line, RawFlushes, Result, millis, percentile};

/// How many pages of each query are read at most.
const PAGES: usize = 50;

/// Starts so many instances that wait, and reads pages of 100 of several queries.
pub(crate) async fn queries(store: Place, count: usize) -> Result {
    let folder = TempDir::new()?;
    let raw = RawFlushes::before(folder.path())?;
    let client = Client::new(store.open(folder.path())?);
    let start = |number: usize| {
        let request = client.start_named(format!("name-{}", number % 10), &number).id(format!("order-{number:07}"));
        let request = request.label("customer", format!("{}", number % 1_000)).delay(Duration::MAX);
        async move { request.start().await.map(drop) }
    };
    stream::iter(0..count).map(start).buffer_unordered(512).try_collect::<()>().await?;
    let mut figures = Figures::new();
    for (what, query) in [
        ("all", client.query()),
        ("name", client.query().name("name-7")),
        ("label", client.query().label("customer", "77")),
        ("status", client.query().status(durable_runtime::Status::Pending)),
        ("name_and_label", client.query().name("name-7").label("customer", "77")),
        ("prefix", client.query().id_prefix("order-0077")),
        ("version_that_none_has", client.query().version("9.9.9")),
        ("status_that_none_has", client.query().status(durable_runtime::Status::Failed)),
    ] {
        let (mut times, found) = pages(query).await?;
        let (half, most) = (percentile(&mut times, 0.5), percentile(&mut times, 1.0));
        for (figure, value) in
            [("pages", times.len() as f64), ("found", found as f64), ("p50_ms", millis(half)), ("max_ms", millis(most))]
        {
            figures.insert(format!("{what}_{figure}"), value);
        }
    }
    let about = Ours::about(&Settings::of(store));
    print(&Line::new("query", about, json!({ "count": count, "page": 100 }), raw.after()?, figures))
}

async fn pages(mut query: Query) -> Result<(Vec<Duration>, usize)> {
    let (mut times, mut found) = (Vec::new(), 0);
    while times.len() < PAGES {
        let begin = Instant::now();
        let page = query.clone().page().await?;
        times.push(begin.elapsed());
        found += page.instances.len();
        match page.next {
            Some(next) => query = query.after(next),
            None => break,
        }
    }
    Ok((times, found))
}
