//! Starting instances, asking about them, finding them.

use std::collections::BTreeSet;

use durable_runtime::InstanceStatus;
use durable_runtime::client::{ReadError, ResultError, StartError};
use durable_runtime::history::EventKind;
use durable_runtime::prelude::*;

use super::kit::{SOON, each_store, end, in_memory, soon, status_when};

#[orchestration]
pub(super) async fn waits_for_go(ctx: OrchestrationContext) -> u32 {
    ctx.event_named::<u32>("go").await
}

#[orchestration]
async fn adds_to_go(ctx: OrchestrationContext, number: u32) -> u32 {
    number + ctx.event_named::<u32>("go").await
}

#[tokio::test]
async fn a_taken_id_is_refused_and_its_owner_untouched() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let first = adds_to_go(&client, 10).id("taken").start().await.unwrap();
    let before = first.history().await.unwrap();
    let refused = adds_to_go(&client, 20).id("taken").start().await.unwrap_err();
    assert!(matches!(&refused, StartError::AlreadyExists(id) if id.as_str() == "taken"), "{refused}");
    assert!(refused.to_string().contains(".if_exists(..)"));
    assert_eq!(first.history().await.unwrap(), before);
    client.raise("taken", "go", &1).await.unwrap();
    assert_eq!(soon(first.result()).await.unwrap(), 11);
    assert!(adds_to_go(&client, 20).id("taken").start().await.is_err(), "also when it is closed");
    end(runtime).await;
}

#[tokio::test]
async fn use_existing_gives_the_one_that_is_there_running_or_closed() {
    let runtime = in_memory().await;
    let client = runtime.client();
    adds_to_go(&client, 10).id("shared").start().await.unwrap();
    let again = adds_to_go(&client, 20).id("shared").if_exists(IfExists::UseExisting).start().await.unwrap();
    client.raise("shared", "go", &1).await.unwrap();
    assert_eq!(soon(again.result()).await.unwrap(), 11);
    let closed = adds_to_go(&client, 30).id("shared").if_exists(IfExists::UseExisting).start().await.unwrap();
    assert_eq!(soon(closed.result()).await.unwrap(), 11);
    assert_eq!(closed.status().await.unwrap().execution_id.0, 1);
    end(runtime).await;
}

#[tokio::test]
async fn restart_if_closed_waits_for_no_running_one() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let policy = IfExists::RestartIfClosed;
    adds_to_go(&client, 10).id("again").if_exists(policy).start().await.unwrap();
    let refused = adds_to_go(&client, 20).id("again").if_exists(policy).start().await.unwrap_err();
    assert!(matches!(refused, StartError::AlreadyExists(_)), "{refused}");
    client.raise("again", "go", &1).await.unwrap();
    let second = adds_to_go(&client, 20).id("again").if_exists(policy).start().await.unwrap();
    assert_eq!(second.status().await.unwrap().status, Status::Running);
    client.raise("again", "go", &1).await.unwrap();
    assert_eq!(soon(second.result()).await.unwrap(), 21);
    assert_eq!(second.status().await.unwrap().execution_id.0, 2);
    let first = client.history("again", durable_runtime::ExecutionId::FIRST).await.unwrap();
    assert!(matches!(first.last().unwrap().kind, EventKind::Completed { .. }));
    end(runtime).await;
}

#[tokio::test]
async fn terminate_and_restart_ends_the_one_that_runs() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let policy = IfExists::TerminateAndRestart;
    adds_to_go(&client, 10).id("replaced").start().await.unwrap();
    let second = adds_to_go(&client, 20).id("replaced").if_exists(policy).start().await.unwrap();
    client.raise("replaced", "go", &1).await.unwrap();
    assert_eq!(soon(second.result()).await.unwrap(), 21);
    let first = client.history("replaced", durable_runtime::ExecutionId::FIRST).await.unwrap();
    assert_eq!(durable_runtime::history::validate(&first), Ok(()));
    assert!(matches!(first.last().unwrap().kind, EventKind::Terminated { .. }));
    let third = adds_to_go(&client, 30).id("replaced").if_exists(policy).start().await.unwrap();
    client.raise("replaced", "go", &1).await.unwrap();
    assert_eq!(soon(third.result()).await.unwrap(), 31);
    end(runtime).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_starts_of_one_id_are_one_execution() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let starts: Vec<_> = (0..100)
        .map(|number| {
            let client = client.clone();
            tokio::spawn(async move { (number, adds_to_go(&client, number).id("one of many").start().await) })
        })
        .collect();
    let mut winners = Vec::new();
    for start in starts {
        match start.await.unwrap() {
            (number, Ok(handle)) => winners.push((number, handle)),
            (_, Err(error)) => assert!(matches!(error, StartError::AlreadyExists(_)), "{error}"),
        }
    }
    let [(number, handle)] = winners.try_into().unwrap();
    client.raise("one of many", "go", &1_000).await.unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), number + 1_000);
    let history = handle.history().await.unwrap();
    assert_eq!(history.iter().filter(|event| matches!(event.kind, EventKind::Started(_))).count(), 1);
    assert_eq!(handle.status().await.unwrap().execution_id.0, 1);
    end(runtime).await;
}

#[tokio::test]
async fn one_end_reaches_every_waiter() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let handle = waits_for_go(&client).id("awaited by many").start().await.unwrap();
    let (waiting, mut waits) = tokio::sync::mpsc::channel(100);
    let waiters: Vec<_> = (0..100)
        .map(|_| {
            let (handle, waiting) = (handle.clone(), waiting.clone());
            tokio::spawn(async move {
                waiting.send(()).await.unwrap();
                handle.result().await.unwrap()
            })
        })
        .collect();
    for _ in 0..100 {
        waits.recv().await.unwrap();
    }
    client.raise("awaited by many", "go", &7).await.unwrap();
    for waiter in waiters {
        assert_eq!(soon(waiter).await.unwrap(), 7);
    }
    assert_eq!(soon(handle.result()).await.unwrap(), 7, "and whoever asks later");
    end(runtime).await;
}

#[orchestration(version = "2.1.0")]
async fn speaks_of_itself(ctx: OrchestrationContext) -> u32 {
    ctx.set_status("first");
    ctx.set_status(&("waiting", 1));
    let number = ctx.event_named::<u32>("go").await;
    ctx.set_status("done");
    number
}

#[tokio::test]
async fn the_status_says_what_when_and_how() {
    let store = MemoryProvider::new();
    let runtime = Runtime::builder(store.clone()).start().await.unwrap();
    let client = runtime.client();
    let handle = speaks_of_itself(&client).id("speaker").label("team", "red").start().await.unwrap();
    let InstanceStatus { name, version, status, custom_status, started_at, closed_at, labels, parent, .. } =
        handle.status().await.unwrap();
    assert_eq!((name.as_str(), version.as_str(), status), ("speaks_of_itself", "2.1.0", Status::Running));
    assert_eq!(custom_status.unwrap().as_str(), r#"["waiting",1]"#);
    assert_eq!((closed_at, parent, labels["team"].as_str()), (None, None, "red"));
    client.raise("speaker", "go", &7).await.unwrap();
    let closed = status_when(&store, "speaker", |status| status.status.is_closed()).await;
    assert_eq!((closed.status, closed.output.unwrap().as_str()), (Status::Completed, "7"));
    assert_eq!(closed.custom_status.unwrap().as_str(), r#""done""#);
    assert!(closed.closed_at.unwrap() >= started_at && closed.started_at == started_at);
    assert!(matches!(client.status("nobody").await, Err(ReadError::NotFound(id)) if id.as_str() == "nobody"));
    assert!(matches!(
        client.handle::<waits_for_go>("nobody").unwrap().result().await,
        Err(ResultError::Read(ReadError::NotFound(_)))
    ));
    end(runtime).await;
}

#[tokio::test]
async fn a_new_start_of_an_id_shows_nothing_of_the_old_one() {
    let runtime = in_memory().await;
    let client = runtime.client();
    speaks_of_itself(&client).id("reborn").label("team", "red").start().await.unwrap();
    let handle = waits_for_go(&client).id("reborn").if_exists(IfExists::TerminateAndRestart).start().await.unwrap();
    let status = handle.status().await.unwrap();
    assert_eq!((status.name.as_str(), status.failure, status.custom_status), ("waits_for_go", None, None));
    end(runtime).await;
}

#[tokio::test]
async fn lists_come_in_pages_ordered_by_id_and_filtered_by_label() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let mut expected = BTreeSet::new();
    for number in 0..25 {
        let (id, parity) = (format!("listed {number:02}"), if number % 2 == 0 { "even" } else { "odd" });
        waits_for_go(&client).id(&id).label("parity", parity).label("all", "yes").start().await.unwrap();
        expected.insert(id);
    }
    let (mut after, mut pages, mut listed) = (None, Vec::new(), Vec::new());
    loop {
        let list = client.list().label("all", "yes").limit(10);
        let page = if let Some(after) = after { list.after(after) } else { list }.page().await.unwrap();
        pages.push(page.instances.len());
        listed.extend(page.instances.into_iter().map(|status| status.instance.to_string()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((pages, &listed), (vec![10, 10, 5], &expected.into_iter().collect::<Vec<_>>()));
    let odd = client.list().label("parity", "odd").page().await.unwrap();
    assert_eq!((odd.instances.len(), odd.next), (12, None));
    let none = client.list().label("parity", "odd").label("all", "no").page().await.unwrap();
    assert!(none.instances.is_empty());
    end(runtime).await;
}

#[tokio::test]
async fn a_wait_with_a_limit_ends_and_the_instance_goes_on() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let handle = waits_for_go(&client).start().await.unwrap();
    let error = handle.wait_for(Duration::from_millis(1)).await.unwrap_err();
    assert!(matches!(error, ResultError::TimedOut), "{error}");
    assert_eq!(handle.status().await.unwrap().status, Status::Running);
    client.raise(handle.id(), "go", &7).await.unwrap();
    assert_eq!(handle.wait_for(super::kit::SOON).await.unwrap(), 7);
    end(runtime).await;
}

#[orchestration]
async fn delayed_greeting(ctx: OrchestrationContext) -> String {
    ctx.event_named::<String>("name").await
}

#[tokio::test]
async fn a_delayed_start_is_there_at_once_and_begins_later() {
    let clock = durable_runtime::testing::ManualClock::new();
    clock.set(std::time::SystemTime::now().into());
    let runtime = Runtime::builder(MemoryProvider::with_clock(clock.clone())).start().await.unwrap();
    let client = runtime.client();
    let handle = delayed_greeting(&client).id("later").delay(Duration::from_secs(3_600)).start().await.unwrap();
    client.raise("later", "name", "Ada").await.unwrap();
    assert_eq!(handle.status().await.unwrap().status, Status::Pending);
    assert!(delayed_greeting(&client).id("later").start().await.is_err(), "the id is taken");
    clock.advance(Duration::from_secs(3_700));
    assert_eq!(soon(handle.result()).await.unwrap(), "Ada");
    end(runtime).await;
}

#[orchestration]
async fn shows_its_steps(ctx: OrchestrationContext) -> u32 {
    let mut steps = 0;
    while ctx.event_named::<bool>("step").await {
        steps += 1;
        ctx.set_status(&steps);
    }
    steps
}

#[tokio::test]
async fn each_change_of_a_status_is_heard_of() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let client = runtime.client();
        let nobody = client.changed("steps", 0, Duration::ZERO).await.unwrap_err();
        assert!(matches!(nobody, ReadError::NotFound(_)), "{nobody}");
        // Who waits for one that is to come hears of its start.
        let waits = tokio::spawn({
            let client = client.clone();
            async move { client.changed("steps", 0, SOON).await.unwrap() }
        });
        let handle = shows_its_steps(&client).id("steps").start().await.unwrap();
        let mut seen = soon(waits).await.unwrap().revision;
        assert!(seen > 0);
        let same = handle.changed(seen, Duration::ZERO).await.unwrap();
        assert_eq!((same.revision, same.custom_status), (seen, None), "nothing has changed");
        for step in 1..=3_u32 {
            let sent = async { client.raise("steps", "step", &true).await };
            let (sent, status) = futures_util::future::join(sent, soon(handle.changed(seen, SOON))).await;
            sent.unwrap();
            let status = status.unwrap();
            assert_eq!(status.custom_status.unwrap().decode::<u32>().unwrap(), step);
            assert_ne!(status.revision, seen);
            seen = status.revision;
        }
        client.raise("steps", "step", &false).await.unwrap();
        assert_eq!(soon(handle.changed(seen, SOON)).await.unwrap().status, Status::Completed);
        end(runtime).await;
    }
}
