//! What a query finds is what a look at each instance finds.

use durable_runtime::client::StartError;
use durable_runtime::management::Query;
use durable_runtime::prelude::*;
use durable_runtime::{IfExists, InstanceStatus, Timestamp};

use crate::engine::kit::{each_store, end, soon};

#[orchestration]
async fn queried(ctx: OrchestrationContext, ends: bool) -> Result<(), ChildError> {
    if !ends {
        queried_child(&ctx).id(format!("{} child", ctx.instance_id())).await?;
    }
    Ok(())
}

#[orchestration(version = "2.0.0")]
async fn queried_child(ctx: OrchestrationContext) {
    ctx.event_named::<u32>("never").await;
}

/// All pages of a query, each of at most so many.
async fn all(query: Query, limit: usize) -> Vec<InstanceStatus> {
    let mut query = query.limit(limit);
    let mut found = Vec::new();
    loop {
        let page = query.clone().page().await.unwrap();
        assert!(page.instances.len() <= limit);
        found.extend(page.instances);
        match page.next {
            Some(next) => query = query.after(next),
            None => return found,
        }
    }
}

#[tokio::test]
async fn each_filter_finds_what_a_look_at_each_instance_finds() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let client = runtime.client();
        for number in 0..40 {
            let colour = if number % 3 == 0 { "red" } else { "blue" };
            let request = queried(&client, number % 2 == 0).id(format!("order-{number:02}")).label("colour", colour);
            let handle = request.label("number", number.to_string()).start().await.unwrap();
            if number % 2 == 1 {
                crate::engine::kit::status_when(&test.store, &format!("{} child", handle.id()), |status| {
                    status.status == Status::Running
                })
                .await;
            }
            if number % 10 == 1 {
                handle.terminate("enough").await.unwrap();
            }
            test.clock.advance(Duration::from_secs(1));
        }
        Client::new(test.store.clone()).start_named("later", &()).id("zz").delay(Duration::MAX).start().await.unwrap();
        let everything = all(client.query(), 7).await;
        assert_eq!(everything.len(), 61);
        assert!(everything.is_sorted_by_key(|status| status.instance.clone()));
        let begin = everything.iter().map(|status| status.started_at).min().unwrap();
        let middle = begin.saturating_add(Duration::from_secs(20));

        type Look = Box<dyn Fn(&InstanceStatus) -> bool>;
        let cases: Vec<(&str, Query, Look)> = vec![
            ("name", client.query().name("queried"), Box::new(|one| one.name == "queried")),
            ("no name", client.query().name("nobody"), Box::new(|_| false)),
            ("version", client.query().version("2.0.0"), Box::new(|one| one.version == "2.0.0")),
            ("status", client.query().status(Status::Running), Box::new(|one| one.status == Status::Running)),
            ("pending", client.query().status(Status::Pending), Box::new(|one| one.status == Status::Pending)),
            (
                "two statuses",
                client.query().status(Status::Completed).status(Status::Terminated),
                Box::new(|one| matches!(one.status, Status::Completed | Status::Terminated)),
            ),
            (
                "label",
                client.query().label("colour", "red"),
                Box::new(|one| one.labels.get("colour").is_some_and(|colour| colour == "red")),
            ),
            (
                "parent",
                client.query().parent("order-03"),
                Box::new(|one| one.parent.as_ref().is_some_and(|parent| parent.instance.as_str() == "order-03")),
            ),
            ("from", client.query().created_from(middle), Box::new(move |one| one.started_at >= middle)),
            ("before", client.query().created_before(middle), Box::new(move |one| one.started_at < middle)),
            (
                "closed before",
                client.query().closed_before(middle),
                Box::new(move |one| one.closed_at.is_some_and(|closed| closed < middle)),
            ),
            (
                "prefix",
                client.query().id_prefix("order-1"),
                Box::new(|one| one.instance.as_str().starts_with("order-1")),
            ),
            (
                "a prefix that is an id",
                client.query().id_prefix("order-11"),
                Box::new(|one| one.instance.as_str().starts_with("order-11")),
            ),
            (
                "all together",
                client
                    .query()
                    .name("queried")
                    .version("1.0.0")
                    .status(Status::Running)
                    .label("colour", "blue")
                    .id_prefix("order-")
                    .created_from(begin)
                    .created_before(middle),
                Box::new(move |one| {
                    one.name == "queried"
                        && one.status == Status::Running
                        && one.labels.get("colour").is_some_and(|colour| colour == "blue")
                        && one.started_at < middle
                }),
            ),
        ];
        for (what, query, look) in cases {
            let expected: Vec<_> = everything.iter().filter(|one| look(one)).map(|one| &one.instance).collect();
            for limit in [1, 3, 1_000] {
                let found = all(query.clone(), limit).await;
                assert_eq!(found.iter().map(|one| &one.instance).collect::<Vec<_>>(), expected, "{what}, {limit}");
            }
        }
        end(runtime).await;
    }
}

#[tokio::test]
async fn a_restart_is_found_as_what_it_is_now() {
    let store = MemoryProvider::new();
    let runtime = Runtime::builder(store).start().await.unwrap();
    let client = runtime.client();
    let handle = queried(&client, false).id("parent").start().await.unwrap();
    while client.status("parent child").await.is_err() {
        tokio::task::yield_now().await;
    }
    client.terminate("parent child", "").await.unwrap();
    soon(handle.result()).await.unwrap_err();
    let again = client.start_named("queried", &serde_json::json!({ "ends": true })).id("parent child");
    again.if_exists(IfExists::RestartIfClosed).start().await.unwrap();
    while !client.status("parent child").await.unwrap().status.is_closed() {
        tokio::task::yield_now().await;
    }
    assert_eq!(all(client.query().parent("parent"), 9).await.len(), 0, "it is nobody's child any more");
    assert_eq!(all(client.query().name("queried").status(Status::Completed), 9).await.len(), 1);
    assert_eq!(all(client.query().name("queried_child"), 9).await.len(), 0);
    let labels = client.status("parent child").await.unwrap().labels;
    assert!(labels.is_empty(), "what the runtime sets itself is not shown: {labels:?}");
    end(runtime).await;
}

#[tokio::test]
async fn bad_input_finds_nothing_or_is_refused() {
    let client = Client::new(MemoryProvider::new());
    for query in [
        client.query().name(""),
        client.query().id_prefix("\u{0}"),
        client.query().id_prefix("x".repeat(5_000)),
        client.query().created_from(Timestamp::MAX),
        client.query().label("", "").limit(0),
        client.query().parent(""),
    ] {
        assert!(query.page().await.unwrap().instances.is_empty());
    }
    let refused = client.start_named("x", &()).label("durable.name", "y").start().await.unwrap_err();
    assert!(matches!(&refused, StartError::ReservedLabel(name) if name == "durable.name"), "{refused}");
}
