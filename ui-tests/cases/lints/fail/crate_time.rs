#![allow(unused)]

use durable_runtime::prelude::*;

use time::{OffsetDateTime as Now, UtcOffset};

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let utc = Now::now_utc();
    let utc_date = time::UtcDateTime::now();
    let offset = UtcOffset::current_local_offset();
    let parsed = time::Duration::hours(3);
}

fn main() {}
