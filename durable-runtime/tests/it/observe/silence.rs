//! What an orchestration logs is logged once.

use durable_runtime::prelude::*;

use super::captured;
use crate::engine::kit::{each_store, end, soon};

#[orchestration]
async fn speaks(ctx: OrchestrationContext) -> u32 {
    let id = ctx.instance_id();
    for round in 0..3 {
        let _span = tracing::info_span!("round", round).entered();
        tracing::warn!(%id, "spoke in round {round}");
        ctx.event_named::<u32>("go").await;
    }
    3
}

#[orchestration]
async fn speaks_late(ctx: OrchestrationContext) -> u32 {
    let id = ctx.instance_id();
    for round in 0..2 {
        // The first time that this line is met is in a replay.
        if round == 1 || ctx.is_replaying() {
            tracing::info!(%id, "spoke late in round {round}");
        }
        ctx.event_named::<u32>("go").await;
    }
    2
}

#[tokio::test]
async fn a_line_is_logged_once_however_often_it_is_replayed() {
    captured::begin();
    for test in each_store() {
        let id = test.named("speaks");
        for round in 0..3 {
            // Twice in each round: in the check of the turn, and after the restart.
            let runtime = test.runtime().keep_store_open().double_check(true).start().await.unwrap();
            let client = runtime.client();
            match round {
                0 => drop(speaks(&client).id(&id).start().await.unwrap()),
                _ => client.raise(&id, "go", &1).await.unwrap(),
            }
            end(runtime).await;
        }
        let runtime = test.runtime().start().await.unwrap();
        runtime.client().raise(&id, "go", &1).await.unwrap();
        assert_eq!(soon(runtime.client().handle::<speaks>(&id).unwrap().result()).await.unwrap(), 3);
        end(runtime).await;
        for round in 0..3 {
            let lines = captured::lines(&format!("spoke in round {round} id={id}"));
            assert_eq!(lines.len(), 1, "{lines:?}");
            assert!(lines[0].contains(&format!("[round round={round}")), "{lines:?}");
        }
    }
}

#[tokio::test]
async fn a_line_that_was_first_met_in_a_replay_is_logged_later() {
    captured::begin();
    let store = MemoryProvider::new();
    let start = || Runtime::builder(store.clone()).keep_store_open().double_check(false).start();
    let runtime = start().await.unwrap();
    speaks_late(&runtime.client()).id("late").start().await.unwrap();
    end(runtime).await;
    let runtime = start().await.unwrap();
    runtime.client().raise("late", "go", &1).await.unwrap();
    end(runtime).await;
    assert_eq!(captured::lines("spoke late in round 0 id=late"), Vec::<String>::new());
    assert_eq!(captured::lines("spoke late in round 1 id=late").len(), 1);
}
