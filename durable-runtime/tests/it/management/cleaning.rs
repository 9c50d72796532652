//! Closed instances go when they are old enough, by the clock of the store.

use durable_runtime::prelude::*;

use crate::engine::kit::{each_store, end, soon};

#[orchestration]
async fn purged(ctx: OrchestrationContext, seconds: u64) {
    ctx.timer(Duration::from_secs(seconds)).await;
}

#[orchestration]
async fn purged_too(_ctx: OrchestrationContext) {}

#[tokio::test]
async fn what_ended_long_enough_ago_is_purged() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let client = runtime.client();
        let open = purged(&client, 1_000_000).id("open").start().await.unwrap();
        soon(purged(&client, 0).id("old").start().await.unwrap().result()).await.unwrap();
        soon(purged_too(&client).id("old too").start().await.unwrap().result()).await.unwrap();
        test.clock.advance(Duration::from_secs(100));
        soon(purged_too(&client).id("young").start().await.unwrap().result()).await.unwrap();

        let purge = |seconds| client.purge(Duration::from_secs(seconds));
        assert_eq!(purge(101).run().await.unwrap().done.len(), 0);
        assert_eq!(purge(100).dry_run().run().await.unwrap().done.len(), 2, "exactly old enough");
        assert_eq!(purge(100).name("purged_too").run().await.unwrap().done[0].as_str(), "old too");
        assert_eq!(purge(100).run().await.unwrap().done[0].as_str(), "old");
        assert_eq!(client.purge(Duration::MAX).run().await.unwrap().done.len(), 0);
        assert_eq!(purge(0).run().await.unwrap().done[0].as_str(), "young");
        assert_eq!(open.status().await.unwrap().status, Status::Running);
        assert_eq!(test.store.stats().await.unwrap().instances, 1);
        end(runtime).await;
    }
}

#[tokio::test]
async fn a_retention_purges_by_itself() {
    for test in each_store() {
        let runtime = test.runtime().retention(Duration::from_millis(10)).start().await.unwrap();
        let client = runtime.client();
        let open = purged(&client, 1_000_000).id("open").start().await.unwrap();
        for number in 0..5 {
            soon(purged_too(&client).id(format!("{number}")).start().await.unwrap().result()).await.unwrap();
        }
        let instances = || async { test.store.stats().await.unwrap().instances };
        assert_eq!(instances().await, 6, "time stands still");
        test.clock.advance(Duration::from_millis(10));
        soon(async {
            while instances().await > 1 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(open.status().await.unwrap().status, Status::Running);
        end(runtime).await;
    }
}
