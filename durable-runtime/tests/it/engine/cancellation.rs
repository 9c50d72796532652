//! What nobody waits for any more: bodies hear of it, and their ends disturb nobody.

use durable_runtime::client::{MessageError, ResultError};
use durable_runtime::prelude::*;

use super::kit::{end, gate, in_memory, soon};

#[activity]
async fn runs_until_it_is_unwanted(ctx: ActivityContext, name: String) {
    assert!(!ctx.is_cancelled());
    gate(name.clone()).count();
    ctx.cancelled().await;
    assert!(ctx.is_cancelled());
    gate(name + " has heard").count();
}

#[orchestration]
async fn loses_a_race(ctx: OrchestrationContext, name: String) -> Result<u32, ActivityError> {
    let won = select! {
        ended = runs_until_it_is_unwanted(&ctx, name) => { ended?; 0 },
        value = ctx.event_named::<u32>("skip") => value,
    };
    let go = ctx.event_named::<u32>("go").await;
    Ok(won + go)
}

#[tokio::test]
async fn a_running_body_hears_that_its_race_is_lost() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let handle = loses_a_race(&client, "loser".into()).id("race").start().await.unwrap();
    gate("loser").reached().await;
    client.raise("race", "skip", &1).await.unwrap();
    gate("loser has heard").reached().await;
    client.raise("race", "go", &2).await.unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), 3);
    end(runtime).await;
}

#[tokio::test]
async fn the_late_end_of_a_lost_race_does_not_hold_up_its_instance() {
    let runtime = in_memory().await;
    let client = runtime.client();
    for round in 0..20 {
        let (id, name) = (format!("late {round}"), format!("late loser {round}"));
        let handle = loses_a_race(&client, name.clone()).id(&id).start().await.unwrap();
        gate(name.clone()).reached().await;
        client.raise(&id, "skip", &1).await.unwrap();
        gate(name + " has heard").reached().await;
        // The end of the body is on its way to the instance now.
        tokio::task::yield_now().await;
        client.raise(&id, "go", &2).await.unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), 3, "round {round}");
    }
    end(runtime).await;
}

#[tokio::test]
async fn bodies_hear_that_their_instance_was_cancelled_or_terminated() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let cancelled = loses_a_race(&client, "of a cancelled".into()).start().await.unwrap();
    let terminated = loses_a_race(&client, "of a terminated".into()).start().await.unwrap();
    gate("of a cancelled").reached().await;
    gate("of a terminated").reached().await;
    cancelled.cancel("no longer needed").await.unwrap();
    terminated.terminate("at once").await.unwrap();
    gate("of a cancelled has heard").reached().await;
    gate("of a terminated has heard").reached().await;
    let error = soon(cancelled.result()).await.unwrap_err();
    assert!(matches!(&error, ResultError::Cancelled { reason } if reason == "no longer needed"), "{error:?}");
    let error = soon(terminated.result()).await.unwrap_err();
    assert!(matches!(&error, ResultError::Terminated { reason } if reason == "at once"), "{error:?}");
    end(runtime).await;
}

#[tokio::test]
async fn cancel_and_terminate_say_when_there_is_nothing_to_end() {
    let runtime = in_memory().await;
    let client = runtime.client();
    assert!(matches!(client.cancel("nobody", "").await, Err(MessageError::NotFound(id)) if id.as_str() == "nobody"));
    assert!(matches!(client.terminate("nobody", "").await, Err(MessageError::NotFound(_))));
    let handle = loses_a_race(&client, "ended twice".into()).start().await.unwrap();
    handle.cancel("once").await.unwrap();
    for again in
        [handle.cancel("twice").await, handle.terminate("twice").await, client.raise(handle.id(), "go", &1).await]
    {
        assert!(matches!(again, Err(MessageError::Closed { status: Status::Cancelled, .. })), "{again:?}");
    }
    let status = handle.status().await.unwrap();
    assert_eq!((status.status, status.output), (Status::Cancelled, None));
    let history = handle.history().await.unwrap();
    assert_eq!(durable_runtime::history::validate(&history), Ok(()));
    assert_eq!(history.iter().filter(|event| event.kind.is_end()).count(), 1);
    end(runtime).await;
}

#[tokio::test]
async fn of_cancels_and_an_end_at_the_same_time_exactly_one_stands() {
    let runtime = in_memory().await;
    let client = runtime.client();
    for round in 0..20 {
        let id = format!("contested {round}");
        let handle = super::instances::waits_for_go(&client).id(&id).start().await.unwrap();
        let (raised, cancelled, terminated) =
            tokio::join!(client.raise(&id, "go", &1), client.cancel(&id, "contest"), client.terminate(&id, "contest"));
        let accepted = [raised.is_ok(), cancelled.is_ok(), terminated.is_ok()];
        assert_eq!(accepted.iter().filter(|accepted| **accepted).count(), 1, "{accepted:?}");
        let ended = soon(handle.result()).await;
        let stands = [
            matches!(ended, Ok(1)),
            matches!(ended, Err(ResultError::Cancelled { .. })),
            matches!(ended, Err(ResultError::Terminated { .. })),
        ];
        assert_eq!(stands, accepted);
    }
    end(runtime).await;
}

/// Says that it was dropped.
struct Left(String);

impl Drop for Left {
    fn drop(&mut self) {
        gate(format!("{} was left", self.0)).count();
    }
}

#[activity]
async fn will_not_stop(name: String) {
    let _left = Left(name.clone());
    gate(name).count();
    std::future::pending::<()>().await;
}

#[activity]
async fn cleans_up(ctx: ActivityContext, name: String) {
    let _left = Left(name.clone());
    gate(name.clone()).count();
    ctx.cancelled().await;
    gate(name.clone() + " cleans up").pass().await;
    gate(name + " is clean").count();
}

#[orchestration]
async fn lets_go(ctx: OrchestrationContext, name: String, stubborn: bool) -> u32 {
    let work = async {
        match stubborn {
            true => will_not_stop(&ctx, name).await,
            false => cleans_up(&ctx, name).await,
        }
    };
    select! {
        _ = work => 0,
        value = ctx.event_named::<u32>("enough") => value,
    }
}

#[tokio::test]
async fn a_body_that_does_not_stop_is_left_when_its_grace_is_over_and_its_place_is_free() {
    let builder = Runtime::builder(MemoryProvider::new()).cancel_grace(Duration::ZERO).activities_max(1);
    let runtime = builder.start().await.unwrap();
    let client = runtime.client();
    for round in 0..3 {
        // Each needs the only place.
        let name = format!("stubborn {round}");
        let handle = lets_go(&client, name.clone(), true).start().await.unwrap();
        gate(name.clone()).reached().await;
        client.raise(handle.id(), "enough", &7).await.unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), 7);
        gate(name + " was left").reached().await;
    }
    end(runtime).await;
}

#[tokio::test]
async fn a_body_has_its_grace_to_clean_up() {
    let builder = Runtime::builder(MemoryProvider::new()).cancel_grace(Duration::from_secs(3_600));
    let runtime = builder.start().await.unwrap();
    let client = runtime.client();
    let handle = lets_go(&client, "tidy".to_owned(), false).start().await.unwrap();
    gate("tidy").reached().await;
    client.raise(handle.id(), "enough", &7).await.unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), 7, "nobody waits for it");
    gate("tidy cleans up").reached().await;
    assert_eq!(gate("tidy was left").runs(), 0);
    gate("tidy cleans up").open();
    gate("tidy is clean").reached().await;
    gate("tidy was left").reached().await;
    end(runtime).await;
}
