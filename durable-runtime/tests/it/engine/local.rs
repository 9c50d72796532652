//! Local activities: in the turn that asks for them, and in the queue when that cannot be (I14, I20).

use durable_runtime::client::ResultError;
use durable_runtime::history::{Event, EventKind};
use durable_runtime::prelude::*;

use super::kit::{each_store, end, gate, in_memory, soon};

#[activity]
async fn doubled_locally(number: u64) -> u64 {
    number * 2
}

#[activity]
async fn at_a_local_gate(name: String) -> u32 {
    gate(&name).pass().await;
    gate(&name).runs()
}

#[activity]
async fn until_unwanted(ctx: ActivityContext, name: String) {
    gate(&name).count();
    ctx.cancelled().await;
    gate(&name).open();
}

#[activity(local, retry(max_attempts = 3, initial = "1ms"))]
async fn fails_locally_at_first(ctx: ActivityContext) -> Result<u32, String> {
    if ctx.attempt() == 1 { Err("not yet".to_owned()) } else { Ok(ctx.attempt()) }
}

#[activity]
fn on_a_thread_of_its_own(number: u64) -> u64 {
    number
}

#[activity(local)]
async fn panics_locally() {
    panic!("out of order")
}

#[orchestration]
async fn doubles_locally(ctx: OrchestrationContext, calls: u64) -> Result<u64, ActivityError> {
    let mut sum = 0;
    for number in 1..=calls {
        sum += doubled_locally(&ctx, number).local().await?;
    }
    Ok(sum)
}

#[orchestration]
async fn doubles_side_by_side(ctx: OrchestrationContext, calls: u64) -> Result<u64, ActivityError> {
    Ok(join_all((1..=calls).map(|number| doubled_locally(&ctx, number).local())).await.into_iter().flatten().sum())
}

#[orchestration]
async fn races_locally(ctx: OrchestrationContext, name: String) -> u64 {
    let first = doubled_locally(&ctx, 4).local();
    select! {
        () = async { until_unwanted(&ctx, name).local().await.unwrap() } => 0,
        number = first => number.unwrap(),
    }
}

#[orchestration]
async fn passes_a_local_gate(ctx: OrchestrationContext, name: String) -> Result<u32, ActivityError> {
    at_a_local_gate(&ctx, name).local().await
}

#[orchestration]
async fn in_the_end(ctx: OrchestrationContext) -> Result<u32, ActivityError<String>> {
    fails_locally_at_first(&ctx).await
}

#[orchestration]
async fn needs_a_queue(ctx: OrchestrationContext) -> Result<u64, ActivityError> {
    let thread = on_a_thread_of_its_own(&ctx, 1).local().await?;
    let session = doubled_locally(&ctx, 2).local().session("one").await?;
    Ok(thread + session + doubled_locally(&ctx, 4).local().tag("local").await?)
}

#[orchestration]
async fn comes_apart(ctx: OrchestrationContext) -> Result<(), ActivityError> {
    panics_locally(&ctx).await
}

#[orchestration]
async fn counts_down_locally(ctx: OrchestrationContext, number: u64, sum: u64) -> Result<u64, ActivityError> {
    let sum = sum + doubled_locally(&ctx, number).local().await?;
    if number == 0 {
        return Ok(sum);
    }
    counts_down_locally(&ctx, number - 1, sum).continue_as_new().await
}

fn scheduled(history: &[Event]) -> usize {
    history.iter().filter(|event| matches!(event.kind, EventKind::ActivityScheduled { .. })).count()
}

#[tokio::test]
async fn a_chain_of_them_is_one_turn_and_one_transaction() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let handle = doubles_locally(&runtime.client(), 50).start().await.unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), 50 * 51);
        let history = handle.history().await.unwrap();
        assert_eq!((scheduled(&history), history.len()), (50, 102));
        let metrics = runtime.metrics().await;
        assert_eq!((metrics.turn_time.count, metrics.activities["doubled_locally"].completed), (1, 50));
        assert!(test.is_quiet().await);
        end(runtime).await;
    }
}

#[tokio::test]
async fn more_than_one_turn_runs_go_through_the_queue() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let handle = doubles_side_by_side(&runtime.client(), 400).start().await.unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), 400 * 401);
        assert!(runtime.metrics().await.turn_time.count > 1);
        assert!(test.is_quiet().await);
        end(runtime).await;
    }
}

#[tokio::test]
async fn the_first_that_is_done_wins_and_the_other_hears_of_it() {
    let runtime = in_memory().await;
    let handle = races_locally(&runtime.client(), "local loser".into()).start().await.unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), 8);
    soon(gate("local loser").pass()).await;
    assert_eq!(runtime.metrics().await.turn_time.count, 1);
    end(runtime).await;
}

#[tokio::test]
async fn what_takes_too_long_runs_again_from_the_queue() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let name = test.named("local and slow");
        // The start is acknowledged with its turn: after its time, though nobody has opened the gate.
        let handle = soon(passes_a_local_gate(&runtime.client(), name.clone()).start()).await.unwrap();
        gate(&name).reached().await;
        gate(&name).reached().await;
        gate(&name).open_for_all();
        assert_eq!(soon(handle.result()).await.unwrap(), 2);
        assert_eq!(scheduled(&handle.history().await.unwrap()), 1);
        assert!(test.is_quiet().await);
        end(runtime).await;
    }
}

#[tokio::test]
async fn what_fails_is_tried_again_from_the_queue() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let handle = in_the_end(&runtime.client()).start().await.unwrap();
        // The next attempt comes when the clock of the store says so.
        test.clock.advance(Duration::from_secs(1));
        assert_eq!(soon(handle.result()).await.unwrap(), 2);
        let history = handle.history().await.unwrap();
        let ends = history.iter().filter_map(|event| match &event.kind {
            EventKind::ActivityCompleted { attempts, failed_attempts, .. } => Some((*attempts, failed_attempts.len())),
            _ => None,
        });
        assert_eq!(ends.collect::<Vec<_>>(), [(2, 1)]);
        assert!(test.is_quiet().await);
        end(runtime).await;
    }
}

#[tokio::test]
async fn what_only_a_queue_can_do_goes_through_it() {
    let runtime = Runtime::builder(MemoryProvider::new()).serve_tag("local").start().await.unwrap();
    let handle = needs_a_queue(&runtime.client()).start().await.unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), 1 + 4 + 8);
    assert_eq!(runtime.metrics().await.turn_time.count, 4);
    end(runtime).await;
}

#[tokio::test]
async fn a_panic_is_a_recorded_failure() {
    let runtime = in_memory().await;
    let error = soon(comes_apart(&runtime.client()).start().await.unwrap().result()).await.unwrap_err();
    assert!(matches!(error, ResultError::Failed(ActivityError::Panicked { .. })), "{error}");
    end(runtime).await;
}

#[tokio::test]
async fn they_run_in_each_execution() {
    let runtime = in_memory().await;
    let handle = counts_down_locally(&runtime.client(), 20, 0).start().await.unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), 20 * 21);
    end(runtime).await;
}

#[tokio::test]
async fn a_turn_that_was_not_kept_runs_them_again() {
    for test in each_store() {
        let name = test.named("local and lost");
        // Through the store alone, so that its start waits there whoever dies.
        let handle = passes_a_local_gate(&Client::new(test.store.clone()), name.clone()).start().await.unwrap();
        let first = test.runtime().keep_store_open().start().await.unwrap();
        gate(&name).reached().await;
        soon(first.shutdown(Duration::ZERO)).await;
        let second = test.runtime().start().await.unwrap();
        gate(&name).open_for_all();
        assert!(
            soon(second.client().handle::<passes_a_local_gate>(handle.id().as_str()).unwrap().result()).await.unwrap()
                >= 2
        );
        assert!(test.is_quiet().await);
        end(second).await;
    }
}
