#![allow(unused)]

use durable_runtime::prelude::*;

use jiff::Zoned;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let now = jiff::Timestamp::now();
    let here = Zoned::now();
    let zone = jiff::tz::TimeZone::system();
    let parsed = "2026-11-21T10:00:00Z".parse::<jiff::Timestamp>();
}

fn main() {}
