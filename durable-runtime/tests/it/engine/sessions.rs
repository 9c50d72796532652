//! Activities of one session run in one runtime, until it is gone.

use durable_runtime::prelude::*;

use super::kit::{TestStore, each_store, gate, soon};

/// Says on whose thread it runs.
#[activity]
async fn at_a_desk(name: String) -> String {
    gate(&name).pass().await;
    std::thread::current().name().unwrap().to_owned()
}

#[orchestration]
async fn sits(ctx: OrchestrationContext, name: String, times: u32) -> Result<Vec<String>, ActivityError> {
    let mut desks = Vec::new();
    for _ in 0..times {
        desks.push(at_a_desk(&ctx, name.clone()).session("morning").await?);
    }
    Ok(desks)
}

/// A runtime whose activities run on a thread of this name.
async fn runtime(test: &TestStore, desk: &str) -> (Runtime, tokio::runtime::Runtime) {
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name(desk).enable_all().build();
    let threads = threads.unwrap();
    let builder = test.runtime().automatic_registration(false).keep_store_open();
    let builder = builder.register::<sits>().register_activity::<at_a_desk>();
    (threads.spawn(builder.start()).await.unwrap().unwrap(), threads)
}

#[tokio::test]
async fn one_runtime_has_a_session_and_another_takes_it_over_when_it_is_gone() {
    for test in each_store() {
        let name = test.named("session");
        let (first, first_threads) = runtime(&test, "first").await;
        let handle = sits(&first.client(), name.clone(), 6).id("sits").start().await.unwrap();
        gate(&name).reached().await;
        let (second, second_threads) = runtime(&test, "second").await;
        gate(&name).open();
        for _ in 0..2 {
            gate(&name).reached().await;
            gate(&name).open();
        }
        gate(&name).reached().await;
        first.shutdown(Duration::ZERO).await; // in the fourth
        test.clock.advance(Duration::from_secs(30));
        for _ in 0..3 {
            gate(&name).reached().await;
            gate(&name).open();
        }
        let handle = second.client().handle::<sits>(handle.id()).unwrap();
        let desks = soon(handle.result()).await.unwrap();
        assert_eq!(desks, ["first", "first", "first", "second", "second", "second"]);
        second.shutdown(super::kit::SOON).await;
        first_threads.shutdown_background();
        second_threads.shutdown_background();
    }
}
