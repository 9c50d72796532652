#![allow(unused)]

use durable_runtime::prelude::*;

mod api {
    pub use super::clock::Clock;
    pub use super::inner::*;
}

mod clock {
    pub type Clock = std::time::Instant;
}

mod inner {
    pub fn wait() {
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let start = api::Clock::now();
    api::wait();
}

fn main() {}
