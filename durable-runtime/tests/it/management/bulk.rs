//! One thing done to all that match.

use durable_runtime::client::StartError;
use durable_runtime::management::DeleteError;
use durable_runtime::prelude::*;

use crate::engine::kit::{each_store, end, soon};

#[orchestration]
async fn in_bulk(ctx: OrchestrationContext, ends: bool) {
    if !ends {
        ctx.event_named::<u32>("never").await;
    }
}

fn ids(ids: &[durable_runtime::InstanceId]) -> Vec<&str> {
    ids.iter().map(|id| id.as_str()).collect()
}

#[tokio::test]
async fn what_matches_is_cancelled_terminated_or_deleted_and_a_dry_run_does_nothing() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let client = runtime.client();
        for (id, ends) in [("a", false), ("b", false), ("c", true), ("d", false)] {
            in_bulk(&client, ends).id(id).label("kind", id).start().await.unwrap();
        }
        let all = || client.query().name("in_bulk");
        let status = async |id: &str| client.clone().status(id).await.unwrap().status;

        let dry = all().cancel_all("test").dry_run().run().await.unwrap();
        assert_eq!(ids(&dry.done), ["a", "b", "d"], "what has ended is not asked to end");
        assert_eq!(status("a").await, Status::Running);

        let done = all().label("kind", "a").cancel_all("test").run().await.unwrap();
        assert_eq!((ids(&done.done), done.skipped.len()), (vec!["a"], 0));
        assert_eq!(status("a").await, Status::Cancelled);

        let done = all().label("kind", "b").terminate_all("test").run().await.unwrap();
        assert_eq!(ids(&done.done), ["b"]);
        assert_eq!(status("b").await, Status::Terminated);

        assert_eq!(ids(&all().delete_all().dry_run().run().await.unwrap().done), ["a", "b", "c"]);
        assert_eq!(ids(&all().delete_all().run().await.unwrap().done), ["a", "b", "c"]);
        assert_eq!(ids(&all().delete_all().run().await.unwrap().done), Vec::<&str>::new());
        assert_eq!(test.store.stats().await.unwrap().instances, 1);
        assert_eq!(status("d").await, Status::Running);
        end(runtime).await;
    }
}

#[derive(Event, Serialize, Deserialize)]
struct BulkWord(u32);

#[orchestration]
async fn hears_a_bulk_word(ctx: OrchestrationContext, worth: u32) -> Result<u32, String> {
    match ctx.event::<BulkWord>().await.0 {
        0 => Err("nothing".to_owned()),
        word => Ok(word * worth),
    }
}

#[tokio::test]
async fn what_matches_is_suspended_resumed_told_and_restarted() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let client = runtime.client();
        let mut handles = Vec::new();
        for (worth, id) in [(1, "a"), (2, "b")] {
            handles.push(hears_a_bulk_word(&client, worth).id(id).start().await.unwrap());
        }
        in_bulk(&client, false).id("another").start().await.unwrap();
        let all = || client.query().name("hears_a_bulk_word");
        let status = async |id: &str| client.clone().status(id).await.unwrap().status;

        assert!(all().resume_all().run().await.unwrap().done.is_empty(), "nothing is suspended");
        assert_eq!(ids(&all().id_prefix("a").suspend_all().run().await.unwrap().done), ["a"]);
        assert_eq!((status("a").await, status("b").await), (Status::Suspended, Status::Running));
        assert_eq!(ids(&all().raise_all(&BulkWord(0)).dry_run().run().await.unwrap().done), ["a", "b"]);
        assert_eq!(ids(&all().raise_all(&BulkWord(0)).run().await.unwrap().done), ["a", "b"]);
        assert!(soon(handles[1].result()).await.is_err());
        assert_eq!(status("a").await, Status::Suspended, "it hears of it later");
        assert_eq!(ids(&all().resume_all().run().await.unwrap().done), ["a"]);
        assert!(soon(handles[0].result()).await.is_err());

        assert_eq!(ids(&all().status(Status::Failed).restart_all().run().await.unwrap().done), ["a", "b"]);
        all().raise_all(&BulkWord(7)).run().await.unwrap();
        assert_eq!(soon(handles[0].result()).await.unwrap(), 7);
        assert_eq!(soon(handles[1].result()).await.unwrap(), 14, "with the arguments it had");
        assert_eq!(handles[1].status().await.unwrap().execution_id.0, 2);
        assert_eq!(status("another").await, Status::Running);
        client.restart("b").await.unwrap();
        assert_eq!(handles[1].status().await.unwrap().execution_id.0, 3);
        let refused = client.restart("b").await.unwrap_err();
        assert!(matches!(refused, StartError::Open { status: Status::Running, .. }), "{refused}");
        end(runtime).await;
    }
}

#[tokio::test]
async fn only_what_has_ended_is_deleted_and_its_id_is_free() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let client = runtime.client();
        let handle = in_bulk(&client, false).id("one").start().await.unwrap();
        let refused = handle.delete().await.unwrap_err();
        assert!(matches!(refused, DeleteError::Open { status: Status::Running, .. }), "{refused}");
        assert_eq!(handle.status().await.unwrap().status, Status::Running, "and goes on");
        handle.terminate("").await.unwrap();
        handle.delete().await.unwrap();
        assert!(matches!(handle.delete().await, Err(DeleteError::NotFound(_))));
        assert!(matches!(client.delete("").await, Err(DeleteError::Id(_))));
        assert!(handle.history().await.is_err());
        let again = in_bulk(&client, true).id("one").start().await.unwrap();
        again.result().await.unwrap();
        assert_eq!(again.status().await.unwrap().execution_id.0, 1);
        let stats = client.stats().await.unwrap();
        assert_eq!((stats.instances, stats.turn_messages, stats.turns_leased), (1, 0, 0), "nothing else is left");
        end(runtime).await;
    }
}
