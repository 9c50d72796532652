#![allow(unused)]

use durable_runtime::prelude::*;

use rand::SeedableRng;

static CEILING: u64 = 10;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let day = std::time::Duration::from_secs(86_400);
    let later = ctx.now() + day;
    let since = later.duration_since(std::time::SystemTime::UNIX_EPOCH);
    let id = uuid::Uuid::parse_str("67e55044-10b1-426f-9247-bb680e5fe0c8");
    let date = chrono::DateTime::parse_from_rfc3339("1996-12-19T16:39:57-08:00");
    let address: std::net::IpAddr = std::net::Ipv4Addr::LOCALHOST.into();
    let target = std::env::consts::OS.len();
    let map = std::collections::BTreeMap::from([(1, 2)]);
    let generator = rand::rngs::StdRng::seed_from_u64(ctx.random());
    let path = std::path::Path::new("a").join("b");
    const LIMIT: u64 = 5;
    assert!(LIMIT < CEILING);
}

fn main() {}
