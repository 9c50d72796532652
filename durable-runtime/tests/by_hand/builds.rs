//! Builds that differ: what does not match is suspended, untouched, until one comes that does (I10).

use std::path::Path;

use durable_runtime::Provider as _;
use durable_runtime::prelude::*;
use durable_runtime::{Orchestration, RuntimeBuilder};

use super::kit::{end, gate, soon};

#[activity]
async fn reserve(item: String) -> String {
    gate(format!("reserve {item}")).count();
    item
}

#[activity]
async fn bill(item: String) -> String {
    item
}

mod first {
    use super::{bill, reserve};
    use durable_runtime::prelude::*;

    #[orchestration(name = "sells", version = "1.0.0")]
    pub(super) async fn sells(ctx: OrchestrationContext, item: String) -> Result<String, ActivityError> {
        let reserved = reserve(&ctx, item).await?;
        ctx.event_named::<()>("paid").await;
        bill(&ctx, reserved).await
    }
}

/// Another step comes first.
mod reordered {
    use super::{bill, reserve};
    use durable_runtime::prelude::*;

    #[orchestration(name = "sells", version = "1.0.0")]
    pub(super) async fn sells(ctx: OrchestrationContext, item: String) -> Result<String, ActivityError> {
        ctx.timer(Duration::from_secs(30)).await;
        let reserved = reserve(&ctx, item).await?;
        ctx.event_named::<()>("paid").await;
        bill(&ctx, reserved).await
    }
}

/// The same steps, one with another argument.
mod changed {
    use super::{bill, reserve};
    use durable_runtime::prelude::*;

    #[orchestration(name = "sells", version = "1.0.0")]
    pub(super) async fn sells(ctx: OrchestrationContext, item: String) -> Result<String, ActivityError> {
        let reserved = reserve(&ctx, item + " (gift)").await?;
        ctx.event_named::<()>("paid").await;
        bill(&ctx, reserved).await
    }
}

fn build<O: Orchestration>(folder: &Path) -> RuntimeBuilder {
    Runtime::builder(SledProvider::open(folder).unwrap())
        .automatic_registration(false)
        .register::<O>()
        .register_activity::<reserve>()
        .register_activity::<bill>()
}

/// Starts `item` and stops when it waits for the payment.
async fn sold_in_part(folder: &Path, item: &str) {
    let runtime = build::<first::sells>(folder).start().await.unwrap();
    let handle = first::sells(&runtime.client(), item.into()).id(item).start().await.unwrap();
    gate(format!("reserve {item}")).reached().await;
    end(runtime).await;
    drop(handle);
}

async fn suspended_by<O: Orchestration>(item: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    sold_in_part(folder.path(), item).await;

    let runtime = build::<O>(folder.path()).start().await.unwrap();
    let client = runtime.client();
    let before = client.handle::<O>(item).unwrap().history().await.unwrap();
    client.raise(item, "paid", &()).await.unwrap();
    let status = client.status(item).await.unwrap();
    let report = status.suspended.expect("it says why it does not go on");
    assert_eq!(status.status, Status::Running);
    assert_eq!(client.handle::<O>(item).unwrap().history().await.unwrap(), before, "nothing is written");
    end(runtime).await;

    let runtime = build::<first::sells>(folder.path()).start().await.unwrap();
    let handle = runtime.client().handle::<first::sells>(item).unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), item);
    assert_eq!(handle.status().await.unwrap().suspended, None);
    assert_eq!(gate(format!("reserve {item}")).runs(), 1);
    end(runtime).await;
    report
}

#[tokio::test]
async fn a_step_that_was_added_suspends_and_the_old_build_goes_on() {
    let report = suspended_by::<reordered::sells>("tea").await;
    assert!(report.contains("history and code disagree at event 2 of instance `tea` (DUR0107)"), "{report}");
    assert!(report.contains("recorded  call to activity `reserve`") && report.contains("now       timer"), "{report}");
    assert_eq!(report.matches("builds.rs:").count(), 2, "both places: {report}");
}

#[tokio::test]
async fn an_argument_that_changed_suspends_and_the_old_build_goes_on() {
    let report = suspended_by::<changed::sells>("coffee").await;
    assert!(report.contains("differs   input.item"), "{report}");
}

#[tokio::test]
async fn what_is_suspended_can_be_terminated() {
    let folder = tempfile::tempdir().unwrap();
    sold_in_part(folder.path(), "cocoa").await;
    let runtime = build::<reordered::sells>(folder.path()).start().await.unwrap();
    let client = runtime.client();
    client.raise("cocoa", "paid", &()).await.unwrap();
    client.terminate("cocoa", "sold out").await.unwrap();
    let handle = client.handle::<reordered::sells>("cocoa").unwrap();
    let status = handle.status().await.unwrap();
    assert_eq!((status.status, status.suspended), (Status::Terminated, None));
    assert_eq!(durable_runtime::history::validate(&handle.history().await.unwrap()), Ok(()));
    end(runtime).await;
}

#[tokio::test]
async fn what_a_suspended_instance_had_asked_for_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody here serves `reserve`: its message stays in the queue.
    let store = || SledProvider::open(folder.path()).unwrap();
    let builder = Runtime::builder(store()).automatic_registration(false).register::<first::sells>();
    let runtime = builder.start().await.unwrap();
    first::sells(&runtime.client(), "milk".into()).id("milk").start().await.unwrap();
    end(runtime).await;

    let store = store();
    let runtime = Runtime::builder(store.clone()).automatic_registration(false).register::<changed::sells>();
    let runtime = runtime.start().await.unwrap();
    let client = runtime.client();
    client.raise("milk", "paid", &()).await.unwrap();
    assert_eq!(store.stats().await.unwrap().activities, 1);
    client.terminate("milk", "sour").await.unwrap();
    assert_eq!(store.stats().await.unwrap().activities, 0, "nobody runs it for an instance that has ended");
    end(runtime).await;
}

/// A store that two builds use at once, and no time passes: what the one cannot run is there for the other.
#[cfg(feature = "sqlite")]
mod side_by_side {
    use durable_runtime::Client;
    use durable_runtime::testing::ManualClock;

    use super::*;
    use crate::counted::Counted;

    struct Builds {
        store: SqliteProvider,
        /// What was handed to the build that does not match.
        handed: Counted<SqliteProvider>,
        other: Runtime,
    }

    fn runtime_of<O: Orchestration>(store: impl durable_runtime::Provider) -> RuntimeBuilder {
        Runtime::builder(store)
            .automatic_registration(false)
            .keep_store_open()
            .register::<O>()
            .register_activity::<reserve>()
            .register_activity::<bill>()
    }

    /// Starts `item` with the first build; then there is only the other one, which is not able to go on.
    async fn suspended(item: &str, folder: &Path) -> Builds {
        let store = SqliteProvider::options().clock(ManualClock::new()).open(folder.join("store")).unwrap();
        let runtime = runtime_of::<first::sells>(store.clone()).start().await.unwrap();
        first::sells(&runtime.client(), item.into()).id(item).start().await.unwrap();
        gate(format!("reserve {item}")).reached().await;
        end(runtime).await;
        let handed = Counted::new(store.clone());
        let other = runtime_of::<reordered::sells>(handed.clone()).start().await.unwrap();
        Client::new(store.clone()).raise(item, "paid", &()).await.unwrap();
        let client = other.client();
        soon(async {
            while client.suspended(item).unwrap().is_none() {
                tokio::task::yield_now().await;
            }
        })
        .await;
        Builds { store, handed, other }
    }

    #[tokio::test]
    async fn what_does_not_match_here_is_taken_at_once_by_the_build_that_does() {
        let folder = tempfile::tempdir().unwrap();
        let Builds { store, handed, other } = suspended("salt", folder.path()).await;
        let outside = Client::new(store.clone());
        // Whatever else comes: one that finds it on its way out of the store may still be handed out.
        for _ in 0..5 {
            outside.raise("salt", "more", &()).await.unwrap();
            let passes = reordered::sells(&outside, "none".into()).start().await.unwrap();
            passes.terminate("passes").await.unwrap();
            assert!(soon(passes.result()).await.is_err());
        }
        let turns = handed.turns_of_any("salt");
        assert!((1..=2).contains(&turns), "{turns}");
        let first = runtime_of::<first::sells>(store).start().await.unwrap();
        let handle = outside.handle::<first::sells>("salt").unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), "salt");
        end(first).await;
        end(other).await;
    }

    #[tokio::test]
    async fn what_does_not_match_here_can_be_ended_at_once_from_outside() {
        let folder = tempfile::tempdir().unwrap();
        let Builds { store, other, .. } = suspended("oil", folder.path()).await;
        let outside = Client::new(store);
        outside.terminate("oil", "spilt").await.unwrap();
        let ended = soon(outside.handle::<first::sells>("oil").unwrap().result()).await.unwrap_err();
        assert!(ended.to_string().contains("spilt"), "{ended}");
        end(other).await;
    }
}
