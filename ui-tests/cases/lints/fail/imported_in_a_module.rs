#![allow(unused)]

use durable_runtime::prelude::*;

mod steps {
    use durable_runtime::prelude::*;
    use std::time::Instant;

    #[orchestration]
    async fn process(ctx: OrchestrationContext) {
        let start = Instant::now();
    }
}

mod other {
    struct Instant;
}

fn main() {}
