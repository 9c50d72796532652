#![allow(unused)]

use durable_runtime::prelude::*;

mod activities {
    use std::time::Instant;
}

mod orchestrations {
    use durable_runtime::prelude::*;

    struct Instant;

    impl Instant {
        fn now() -> Self {
            Self
        }
    }

    #[orchestration]
    async fn process(ctx: OrchestrationContext) {
        let start = Instant::now();
    }
}

fn main() {}
