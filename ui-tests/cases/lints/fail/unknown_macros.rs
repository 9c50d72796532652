#![allow(unused)]

use durable_runtime::prelude::*;

macro_rules! local {
    () => {
        1
    };
}

mod slog {
    macro_rules! info {
        ($text:literal) => {};
    }
    pub(crate) use info;
}

#[orchestration(macros(thread_local))]
async fn process(ctx: OrchestrationContext) {
    let one = local!();
    slog::info!("not tracing");
    let text = concat!("a", line!(), stringify!(b));
    let list = vec![format!("{}", local!())];
}

fn main() {}
