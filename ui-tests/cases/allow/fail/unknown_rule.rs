#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    #[allow_nondeterminism(wallclock, reason = "only shown")]
    let near = 1;
    #[allow_nondeterminism(everything, reason = "only shown")]
    let far = 2;
    #[allow_nondeterminism(reason = "only shown")]
    let none = 3;
}

fn main() {}
