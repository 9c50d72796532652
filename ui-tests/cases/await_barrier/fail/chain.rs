#![allow(unused)]

use durable_runtime::prelude::*;

struct Connection;

impl Connection {
    async fn fetch(&self) -> u64 {
        1
    }
}

async fn connect() -> Connection {
    Connection
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    connect().await.fetch().await
}

fn main() {}
