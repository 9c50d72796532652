//! Suspending, resuming and restarting instances: on memory and sled.

use bytes::Bytes;
use durable_runtime::client::{MessageError, ReadError, StartError};
use durable_runtime::history::{EventKind, validate};
use durable_runtime::prelude::*;
use durable_runtime::providers::{CommitId, NewMessage, Queue, Transaction, TransactionOp};
use durable_runtime::{Client, ExecutionId, InstanceId, MessageId, Provider as _};

use super::counted::Counted;
use super::instances::waits_for_go;
use super::kit::{SOON, each_store, end, gate, soon, status_when};

#[activity]
async fn passes_the_gate(name: String) -> u32 {
    gate(name).pass().await;
    10
}

#[orchestration]
async fn waits_for_all_sorts(ctx: OrchestrationContext, name: String) -> Result<u32, ActivityError> {
    let (worked, (), first) =
        join!(passes_the_gate(&ctx, name), ctx.timer(Duration::from_secs(60)), ctx.event_named::<u32>("number"));
    Ok(worked? + first + ctx.event_named::<u32>("number").await)
}

#[tokio::test]
async fn what_comes_while_it_is_suspended_is_there_when_it_goes_on() {
    for test in each_store() {
        let (name, runtime) = (test.named("suspended"), test.runtime().start().await.unwrap());
        let handle = waits_for_all_sorts(&runtime.client(), name.clone()).id("held").start().await.unwrap();
        gate(&name).reached().await;
        handle.suspend().await.unwrap();
        handle.suspend().await.unwrap();
        let status = handle.status().await.unwrap();
        assert_eq!((status.status, status.status.is_closed()), (Status::Suspended, false));
        assert!(status.suspended.unwrap().contains("suspended from outside"));
        let events = handle.history().await.unwrap().len();
        runtime.client().raise("held", "number", &1).await.unwrap();
        gate(&name).open();
        test.activities_are(0, 0).await;
        test.clock.advance(Duration::from_secs(3_600));
        runtime.client().raise("held", "number", &2).await.unwrap();
        assert_eq!(handle.history().await.unwrap().len(), events, "nothing of it ran");
        assert!(matches!(
            waits_for_all_sorts(&runtime.client(), name).id("held").start().await,
            Err(StartError::AlreadyExists(_))
        ));
        handle.resume().await.unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), 13);
        let history = handle.history().await.unwrap();
        assert_eq!(validate(&history), Ok(()));
        let count = |kind: &EventKind| history.iter().filter(|event| event.kind == *kind).count();
        assert_eq!((count(&EventKind::Suspended), count(&EventKind::Resumed)), (1, 1));
        assert!(test.is_quiet().await);
        assert!(matches!(handle.suspend().await, Err(MessageError::Closed { .. })));
        assert!(matches!(handle.resume().await, Err(MessageError::Closed { .. })));
        end(runtime).await;
    }
}

#[tokio::test]
async fn it_stays_suspended_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let open = || async { Runtime::builder(SledProvider::open(folder.path()).unwrap()).start().await.unwrap() };
    let runtime = open().await;
    waits_for_go(&runtime.client()).id("kept").start().await.unwrap();
    runtime.client().suspend("kept").await.unwrap();
    runtime.shutdown(SOON).await;
    let runtime = open().await;
    runtime.client().raise("kept", "go", &5).await.unwrap();
    let status = runtime.client().status("kept").await.unwrap();
    assert_eq!(status.status, Status::Suspended);
    assert!(status.suspended.is_some());
    runtime.shutdown(SOON).await;
    let runtime = open().await;
    runtime.client().resume("kept").await.unwrap();
    let handle = runtime.client().handle::<waits_for_go>("kept").unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), 5);
    end(runtime).await;
}

#[tokio::test]
async fn a_suspended_instance_can_be_ended_and_leaves_nothing_open() {
    for test in each_store() {
        let (name, runtime) = (test.named("ended while suspended"), test.runtime().start().await.unwrap());
        let handle = waits_for_all_sorts(&runtime.client(), name.clone()).start().await.unwrap();
        gate(&name).reached().await;
        handle.suspend().await.unwrap();
        handle.cancel("when it goes on").await.unwrap();
        assert_eq!(handle.status().await.unwrap().status, Status::Suspended);
        handle.terminate("now").await.unwrap();
        // The body is told, and has time for its own end.
        gate(&name).open();
        assert!(soon(handle.result()).await.is_err());
        assert_eq!(handle.status().await.unwrap().status, Status::Terminated);
        assert!(handle.status().await.unwrap().suspended.is_none());
        test.activities_are(0, 0).await;
        end(runtime).await;
    }
}

#[tokio::test]
async fn a_delayed_start_can_be_suspended() {
    for test in each_store() {
        let handed = Counted::new(test.store.clone());
        let runtime = Runtime::builder(handed.clone()).start().await.unwrap();
        let client = runtime.client();
        let ids = ["later", "resumed from outside"];
        for id in ids {
            let handle = waits_for_go(&client).id(id).delay(Duration::from_secs(9)).start().await.unwrap();
            handle.suspend().await.unwrap();
        }
        test.clock.advance(Duration::from_secs(60));
        for id in ids {
            client.raise(id, "go", &4).await.unwrap();
            assert_eq!(client.handle::<waits_for_go>(id).unwrap().history().await.unwrap().len(), 0);
        }
        // Its start waits, and is not handed out again and again.
        let outside = Client::new(test.store.clone());
        for _ in 0..5 {
            let passes = waits_for_go(&outside).start().await.unwrap();
            outside.raise(passes.id().as_str(), "go", &1).await.unwrap();
            assert_eq!(soon(passes.result()).await.unwrap(), 1);
        }
        for id in ids {
            let turns = handed.turns_of_any(id);
            assert!(turns <= 2, "{id}: {turns}");
        }
        // No time passes from here on.
        client.resume(ids[0]).await.unwrap();
        outside.resume(ids[1]).await.unwrap();
        for id in ids {
            assert_eq!(soon(client.handle::<waits_for_go>(id).unwrap().result()).await.unwrap(), 4);
        }
        end(runtime).await;
    }
}

#[orchestration]
async fn adds_up(ctx: OrchestrationContext, left: u32, right: u32) -> String {
    format!("{} in {}", left + right, ctx.execution_id())
}

#[tokio::test]
async fn what_has_ended_can_be_run_again_with_the_same_or_other_arguments() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let client = runtime.client();
        let handle = adds_up(&client, 2, 3).id("again").label("kind", "sum").start().await.unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), "5 in 1");
        handle.restart().await.unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), "5 in 2");
        handle.restart().arguments(&serde_json::json!({ "left": 1, "right": 1 })).await.unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), "2 in 3");
        assert_eq!(handle.status().await.unwrap().labels["kind"], "sum");
        assert!(matches!(handle.restart().version("9.0.0").await, Err(StartError::Unknown { .. })));
        let waits = waits_for_go(&client).id("still").start().await.unwrap();
        let error = waits.restart().await.unwrap_err();
        assert!(matches!(&error, StartError::Open { status: Status::Running, .. }), "{error}");
        assert!(error.to_string().contains("terminate it first"), "{error}");
        let nobody = client.handle::<adds_up>("nobody").unwrap().restart().await;
        assert!(matches!(nobody, Err(StartError::Read(ReadError::NotFound(_)))));
        end(runtime).await;
    }
}

#[tokio::test]
async fn a_client_without_a_runtime_does_the_same_through_the_store() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let outside = Client::new(test.store.clone());
        let handle = waits_for_go(&runtime.client()).id("from outside").start().await.unwrap();
        outside.suspend("from outside").await.unwrap();
        status_when(&test.store, "from outside", |status| status.status == Status::Suspended).await;
        outside.resume("from outside").await.unwrap();
        status_when(&test.store, "from outside", |status| status.status == Status::Running).await;
        handle.terminate("over").await.unwrap();
        for result in [outside.suspend("nobody").await, outside.resume("nobody").await] {
            assert!(matches!(result, Err(MessageError::NotFound(_))));
        }
        end(runtime).await;
    }
}

#[tokio::test]
async fn what_waits_for_a_suspended_instance_brings_no_turn_and_an_order_from_outside_comes_at_once() {
    for test in each_store() {
        let handed = Counted::new(test.store.clone());
        let runtime = Runtime::builder(handed.clone()).start().await.unwrap();
        let outside = Client::new(test.store.clone());
        let ids = ["goes on", "ends"];
        for id in ids {
            waits_for_go(&runtime.client()).id(id).start().await.unwrap();
            runtime.client().suspend(id).await.unwrap();
            outside.raise(id, "go", &8).await.unwrap();
        }
        for _minute in 0..3 {
            test.clock.advance(Duration::from_secs(60));
            // One that is not suspended comes and goes meanwhile.
            let passes = waits_for_go(&outside).start().await.unwrap();
            outside.raise(passes.id().as_str(), "go", &1).await.unwrap();
            assert_eq!(soon(passes.result()).await.unwrap(), 1);
        }
        assert_eq!(ids.map(|id| handed.turns_of_any(id)), [0, 0]);
        // No time passes from here on.
        outside.resume("goes on").await.unwrap();
        let handle = outside.handle::<waits_for_go>("goes on").unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), 8);
        outside.terminate("ends", "over").await.unwrap();
        assert!(soon(outside.handle::<waits_for_go>("ends").unwrap().result()).await.is_err());
        end(runtime).await;
    }
}

#[tokio::test]
async fn an_order_that_cannot_be_read_is_not_handed_out_again_and_again() {
    for test in each_store() {
        let handed = Counted::new(test.store.clone());
        let runtime = Runtime::builder(handed.clone()).start().await.unwrap();
        let outside = Client::new(test.store.clone());
        let ids = ["runs", "held"];
        for id in ids {
            waits_for_go(&runtime.client()).id(id).start().await.unwrap();
        }
        runtime.client().suspend("held").await.unwrap();
        for (number, id) in (0..).zip(ids) {
            let strange = NewMessage {
                id: MessageId::new(format!("strange {number}")).unwrap(),
                execution_id: ExecutionId::FIRST,
                topic: "anybody".to_owned(),
                tag: None,
                session: None,
                visible_at: None,
                data: Bytes::from_static(b"of another build"),
            };
            let queue = Queue::Turns(InstanceId::new(id).unwrap());
            let ops = vec![TransactionOp::EnqueueWork { queue, items: vec![strange] }];
            let sent = Transaction { fence: None, commit_id: CommitId(number), ops };
            test.store.atomic_batch(sent).await.unwrap();
        }
        for _ in 0..5 {
            let passes = waits_for_go(&outside).start().await.unwrap();
            outside.raise(passes.id().as_str(), "go", &1).await.unwrap();
            assert_eq!(soon(passes.result()).await.unwrap(), 1);
        }
        assert_eq!(ids.map(|id| handed.turns_of_any(id)), [1, 1]);
        end(runtime).await;
    }
}
