#![allow(unused)]

use std::time::{Duration, Instant as Moment, SystemTime};

use durable_runtime::prelude::*;

struct Watch {
    started: Moment,
}

#[activity]
async fn work() {}

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let watch: Option<Watch> = None;
    if let Some(watch) = watch {
        let took = watch.started.elapsed();
        let since = watch.started.duration_since(watch.started);
    }
    let waited = ctx.now().elapsed();
}

fn main() {}
