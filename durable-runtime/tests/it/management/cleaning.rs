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
async fn the_newest_stay_however_old_they_are() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let client = runtime.client();
        let open = purged(&client, 1_000_000).id("0").start().await.unwrap();
        // The order in which they end is not that of their ids.
        for id in ["d", "b", "e", "a", "c"] {
            test.clock.advance(Duration::from_secs(1));
            soon(purged_too(&client).id(id).start().await.unwrap().result()).await.unwrap();
        }
        let purge = |age, keep| client.purge(Duration::from_secs(age)).keep_newest(keep);
        let gone = async |purge: durable_runtime::management::Purge| {
            purge.run().await.unwrap().done.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(gone(purge(0, 5)).await, Vec::<String>::new());
        assert_eq!(gone(purge(0, 2).dry_run()).await, ["b", "d", "e"]);
        assert_eq!(gone(purge(4, 5)).await, Vec::<String>::new(), "it is old enough, and one of five");
        assert_eq!(gone(purge(5, 0)).await, Vec::<String>::new(), "none is old enough");
        assert_eq!(gone(purge(4, 1)).await, ["d"], "the only one that is old enough");
        assert_eq!(gone(purge(0, 2).name("purged")).await, Vec::<String>::new());
        assert_eq!(gone(purge(0, 2)).await, ["b", "e"]);
        assert_eq!(gone(purge(0, 0)).await, ["a", "c"]);
        assert_eq!(open.status().await.unwrap().status, Status::Running);
        end(runtime).await;
    }
}

#[tokio::test]
async fn a_retention_by_number_purges_by_itself() {
    for test in each_store() {
        let runtime = test.runtime().keep_store_open().start().await.unwrap();
        let client = runtime.client();
        for number in 0..5 {
            test.clock.advance(Duration::from_secs(1));
            soon(purged_too(&client).id(format!("{number}")).start().await.unwrap().result()).await.unwrap();
        }
        end(runtime).await;
        let runtime = test.runtime().retention_count(2).start().await.unwrap();
        let left = || async { runtime.client().list().page().await.unwrap().instances };
        soon(async {
            while left().await.len() > 2 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        let left: Vec<_> = left().await.into_iter().map(|status| status.instance.to_string()).collect();
        assert_eq!(left, ["3", "4"]);
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

#[orchestration]
async fn pruned(ctx: OrchestrationContext, left: u32) -> u32 {
    ctx.event_named::<u32>("go").await;
    if left == 0 { 0 } else { pruned(&ctx, left - 1).continue_as_new().await }
}

#[tokio::test]
async fn old_executions_are_pruned_and_what_goes_on_is_not_touched() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let client = runtime.client();
        let handle = pruned(&client, 5).id("many").start().await.unwrap();
        pruned(&client, 5).id("one").start().await.unwrap();
        for number in 0..4 {
            client.raise("many", "go", &number).await.unwrap();
        }
        assert_eq!(handle.status().await.unwrap().execution_id.0, 5);
        let newest = handle.history().await.unwrap();
        let prune = |keep| client.prune(client.query().name("pruned"), keep);
        let counts = |report: durable_runtime::management::PruneReport| (report.instances, report.executions);

        assert_eq!(counts(prune(5).run().await.unwrap()), (0, 0));
        assert_eq!(counts(prune(u64::MAX).run().await.unwrap()), (0, 0));
        let dry = prune(2).dry_run().run().await.unwrap();
        assert_eq!(counts(dry), (1, 3));
        assert_eq!(prune(2).run().await.unwrap(), dry);
        assert_eq!(counts(prune(2).run().await.unwrap()), (0, 0), "once");
        let lengths = async || {
            let mut lengths = Vec::new();
            for execution in 1..=5 {
                lengths.push(client.history("many", durable_runtime::ExecutionId(execution)).await.unwrap().len());
            }
            lengths
        };
        assert_eq!(lengths().await, [0, 0, 0, 4, newest.len()]);
        assert_eq!(counts(prune(0).run().await.unwrap()), (1, 1), "the newest stays");

        for number in 0..2 {
            client.raise("many", "go", &number).await.unwrap();
        }
        assert_eq!(soon(handle.result()).await.unwrap(), 0);
        end(runtime).await;
    }
}
